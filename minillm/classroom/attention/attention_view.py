"""Pictures of attention: who looks where, as a map, as a table of one token, and as a form over several checkpoints.

A map is a list of rows, one for each token that looks; row t holds the shares of its attention on tokens 0 to t.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minillm.classroom import figures
from minillm.classroom.markup import Columns, escaped, printable, show, table_html, table_text
from minillm.errors import ConfigError

Map = Sequence[Sequence[float]]


def followed_places(tokens: Sequence[str], t: int) -> list[int]:
    """Return the places up to t whose left neighbour is the same token as the one at t."""
    return [j for j in range(1, t + 1) if tokens[j - 1] == tokens[t]]


def mean_shares(weights: Map, tokens: Sequence[str]) -> dict[str, float]:
    """Return the mean shares of attention on four kinds of token, over the second half of the text."""
    half = range(len(tokens) // 2, len(tokens))
    kinds = {
        "the token just before": lambda t: [t - 1],
        "earlier copies of the token": lambda t: [j for j in range(t) if tokens[j] == tokens[t]],
        "what followed earlier copies": lambda t: followed_places(tokens, t),
        "the token itself": lambda t: [t],
    }
    return {
        kind: round(sum(weights[t][j] for t in half for j in places(t)) / len(half), 2)
        for kind, places in kinds.items()
    }


def describe_map(what: str, weights: Map, tokens: Sequence[str]) -> str:
    """Return alternative text for a map: the mean shares of attention on four kinds of token."""
    shares = ", ".join(f"{share:.2f} on {kind}" for kind, share in mean_shares(weights, tokens).items())
    return printable(
        f"Map of attention: {what}. {len(tokens)} tokens; a row for each token that looks, a column for each that is "
        f"looked at; darker is more. On average over the second half, {shares}."
    )


def draw_map(ax, weights: Map, tokens: Sequence[str], what: str, *, ring: bool = False, row: int | None = None) -> None:
    """Draw a map into axes; `ring` marks what followed the same token earlier, `row` one token that looks."""
    n = len(tokens)
    ax.grid(False)
    ax.imshow([[share**0.5 for share in row] for row in weights], cmap="Greys", vmin=0, vmax=1)  # small ones show too
    if ring:
        places = [(j, t) for t in range(n) for j in followed_places(tokens, t)]
        ax.scatter(
            *zip(*places, strict=True), s=220 / n, facecolors="none", edgecolors=figures.PALETTE[1], linewidths=0.7
        )
    if row is not None:
        ax.axhspan(row - 0.5, row + 0.5, facecolor="none", edgecolor=figures.PALETTE[0], linewidth=1.2)
    size = 8 if n > 24 else 10
    ax.set_xticks(range(n), [printable(token) for token in tokens], fontsize=size)
    ax.set_yticks(range(n), [printable(token) for token in tokens], fontsize=size)
    ax.set_xlabel("looked at")
    ax.set_ylabel("looks")
    ax.set_title(printable(what), loc="left", fontsize=10)


def show_maps(maps: Mapping[str, Map], tokens: Sequence[str], *, ring: bool = False) -> None:
    """Show up to three named maps of one text side by side, with a description and a table of mean shares."""
    figure, axes = figures.new(4.8 * len(maps), 5.4, columns=len(maps))
    for ax, (what, weights) in zip(axes if len(maps) > 1 else [axes], maps.items(), strict=True):
        draw_map(ax, weights, tokens, what, ring=ring)
    alt = " ".join(describe_map(what, weights, tokens) for what, weights in maps.items())
    shares = {what: mean_shares(weights, tokens) for what, weights in maps.items()}
    kinds = list(next(iter(shares.values())))
    table = {"mean share of attention on": kinds} | {
        what: [f"{s[kind]:.2f}" for kind in kinds] for what, s in shares.items()
    }
    figures.show_figure(figure, alt, table)


@dataclass(frozen=True)
class Look:
    """Where one token looks: the shares of its attention, the largest first."""

    title: str
    columns: Columns

    def __repr__(self) -> str:
        return f"{self.title}\n{table_text(self.columns)}"

    def _repr_html_(self) -> str:
        return table_html(self.columns, self.title)


class Viewer:
    """Attention at several moments of training: a form with fields for step, layer and token; its plain twin is `look`.

    maps: by step, a map for each layer, all of the same tokens.
    """

    def __init__(self, tokens: Sequence[str], maps: Mapping[int, Sequence[Map]]):
        self.tokens, self.maps = [printable(token) for token in tokens], dict(maps)
        self.steps, self.n_layers = list(self.maps), len(next(iter(self.maps.values())))

    def look(self, step: int, layer: int, token: int, count: int = 5) -> Look:
        """Return where a token looks: layers count from 1, tokens from 0. ConfigError for what was not recorded."""
        if step not in self.steps:
            raise ConfigError(f"Step {step} was not recorded.", f"Use one of {', '.join(map(str, self.steps))}.")
        if layer not in range(1, self.n_layers + 1):
            raise ConfigError(f"There is no layer {layer}.", f"Use 1 to {self.n_layers}.")
        if token not in range(len(self.tokens)):
            raise ConfigError(f"There is no token {token}.", f"Use 0 to {len(self.tokens) - 1}.")
        if not isinstance(count, int) or count < 1:
            raise ConfigError(f"{count!r} places cannot be shown.", "Use 1 or more.")
        step, layer, token = int(step), int(layer), int(token)  # 2.0 is 2
        row = self.maps[step][layer - 1][token]
        places = sorted(range(token + 1), key=lambda j: -row[j])[:count]
        title = f"Step {step}, layer {layer}: where token {token} ({self.tokens[token]}) looks"
        columns = {
            "place": places,
            "token": [self.tokens[j] for j in places],
            "after": [self.tokens[j - 1] if j else "-" for j in places],
            "share": [f"{row[j]:.2f}" for j in places],
        }
        return Look(title, columns)

    def __repr__(self) -> str:
        where = (
            f"steps {', '.join(map(str, self.steps))}; layers 1 to {self.n_layers}; tokens 0 to {len(self.tokens) - 1}"
        )
        return f"Attention over '{' '.join(self.tokens)}' at {where}. See one with .look(step, layer, token)."

    def _ipython_display_(self):
        show(repr(self), f"<p>{escaped(repr(self))}</p>", self.form)

    def picture(self, step: int, layer: int, token: int) -> str:
        """Return an HTML image of one map with its alternative text."""
        weights, what = self.maps[step][layer - 1], f"layer {layer} at step {step}"
        figure, ax = figures.new(5.6, 6.2)
        draw_map(ax, weights, self.tokens, what, row=token)
        alt = html.escape(describe_map(what, weights, self.tokens), quote=True)
        return f'<img alt="{alt}" style="max-width: 100%" src="data:image/png;base64,{figures.png(figure)}">'

    def form(self):
        """Build the widget: a slider over the steps, lists of layers and tokens, the map, and the token's table."""
        import ipywidgets as w

        long = {"style": {"description_width": "8em"}, "layout": w.Layout(width="34em", max_width="100%")}
        step = w.SelectionSlider(
            options=[(f"{s:,}", s) for s in self.steps],
            value=self.steps[-1],
            description="Step",
            continuous_update=False,
            **long,
        )
        layers = [(f"layer {n}", n) for n in range(1, self.n_layers + 1)]
        layer = w.Dropdown(options=layers, value=self.n_layers, description="Layer", **long)
        places = [(f"{i}: {name}", i) for i, name in enumerate(self.tokens)]
        token = w.Dropdown(options=places, value=len(self.tokens) - 1, description="Token that looks", **long)
        picture, table = w.HTML(), w.HTML()

        def redraw(_=None):
            chosen = step.value, layer.value, token.value
            picture.value = self.picture(*chosen)
            table.value = f'<div role="status">{self.look(*chosen)._repr_html_()}</div>'

        for part in (step, layer, token):
            part.observe(redraw, names="value")
        redraw()
        return w.VBox([step, layer, token, table, picture])
