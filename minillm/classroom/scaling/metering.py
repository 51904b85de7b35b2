"""Metered training: a budget in FLOPs, runs that are paid from it, and a score against the best that it could buy.

The answers are a grid of runs made beforehand: every width with every length up to a cost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from minillm.classroom.markup import Columns, escaped, number, printable, show, status, table_html
from minillm.classroom.predictions import plain_number
from minillm.classroom.scaling.budget_runs import run
from minillm.classroom.scaling.small_models import parameters
from minillm.classroom.scaling.zipf_source import Source
from minillm.errors import ConfigError
from minillm.scaling import Curve

WIDTHS = (8, 16, 32, 64, 128, 256)
LENGTHS = tuple(2**k for k in range(10, 20))
DEAREST = 1e9
"""The grid holds no run of more FLOPs."""
BUDGET = 1.5e8


def grid(source: Source, *, seed: int) -> Iterator[dict]:
    """Yield the records of every width and length whose run costs no more than `DEAREST`."""
    for width in WIDTHS:
        for tokens in LENGTHS:
            if 6 * parameters(width) * tokens <= DEAREST:
                yield run(source, width, tokens, seed=seed)


def curves(records: Sequence[dict]) -> list[Curve]:
    """Return the excess of each width against its tokens, narrowest first."""
    found = []
    for width in sorted({r["width"] for r in records}):
        runs = [r for r in records if r["width"] == width]
        found.append(Curve(parameters(width), [r["tokens"] for r in runs], [r["loss_best_nats"] for r in runs]))
    return found


OFFERED_WIDTHS = ("width", WIDTHS)
OFFERED_TOKENS = ("number of tokens", LENGTHS)


def _offered(value: object, what: str, among: Sequence[int]) -> int:
    """Return a number as the whole one that is offered; ConfigError if it is none of these."""
    plain = plain_number(value)
    if isinstance(plain, int | float) and not isinstance(plain, bool) and plain in among:
        return int(plain)
    given = printable(repr(value))
    shown = given if len(given) <= 40 else given[:36] + " ..."
    text = " Write it without quotation marks." if isinstance(value, str) else ""
    raise ConfigError(f"{shown} is no {what} offered here.{text}", f"Use one of {', '.join(map(str, among))}.")


@dataclass(frozen=True)
class Score:
    """The best of the learner's runs beside the best single run of the budget, as excess in nats."""

    yours: float | None
    reachable: float
    spent: float

    def __repr__(self) -> str:
        best = f"The best single run for {number(BUDGET / 1e6)} million FLOPs has an excess of {self.reachable:.3f}"
        if self.yours is None:
            return f"{best} nats. You have not trained yet."
        above = 100 * (self.yours / self.reachable - 1)
        return f"Your best run: {self.yours:.3f} nats. {best}: you are {above:.0f}% above, {self.spent:.0%} spent."


@dataclass
class Meter:
    """A budget and what has been bought with it so far.

    Shown in a notebook it is a form; its plain twins are `train(width, tokens)` and `score()`.
    """

    grid: Sequence[dict]
    budget: float = BUDGET
    bought: list[dict] = field(default_factory=list, repr=False)

    @property
    def left(self) -> float:
        """FLOPs not yet spent."""
        return self.budget - sum(r["flops"] for r in self.bought)

    def train(self, width: int, tokens: int) -> str:
        """Pay for a run and learn its excess; ConfigError for a run that is not offered or cannot be paid."""
        width, tokens = (
            _offered(value, *which) for value, which in ((width, OFFERED_WIDTHS), (tokens, OFFERED_TOKENS))
        )
        cost = 6 * parameters(width) * tokens
        if cost > self.left:
            raise ConfigError(
                f"Width {width} on {tokens:,} tokens costs {cost / 1e6:.0f} million FLOPs; "
                f"you have {self.left / 1e6:.0f} million.",
                "Choose a smaller or a shorter run.",
            )
        made = next(r for r in self.grid if (r["width"], r["tokens"]) == (width, tokens))
        self.bought.append(made)
        return (
            f"Width {width} on {tokens:,} tokens: excess {made['loss_best_nats']:.3f} nats for "
            f"{cost / 1e6:.0f} million FLOPs; {self.left / 1e6:.0f} million left."
        )

    def score(self) -> Score:
        """Return the best of the runs bought beside the best that one run could have been."""
        yours = min((r["loss_best_nats"] for r in self.bought), default=None)
        reachable = min(r["loss_best_nats"] for r in self.grid if r["flops"] <= self.budget)
        return Score(yours, reachable, 1 - self.left / self.budget)

    def table(self) -> Columns:
        """Return the runs bought so far as columns."""
        return {
            "width": [r["width"] for r in self.bought],
            "parameters": [r["parameters"] for r in self.bought],
            "tokens": [r["tokens"] for r in self.bought],
            "million FLOPs": [round(r["flops"] / 1e6) for r in self.bought],
            "excess, nats": [round(r["loss_best_nats"], 3) for r in self.bought],
        }

    def __repr__(self) -> str:
        return (
            f"You have {self.left / 1e6:,.0f} million FLOPs. Widths: {', '.join(map(str, WIDTHS))}. "
            f"Tokens: {LENGTHS[0]:,} and doublings up to {LENGTHS[-1]:,}. A run costs 6 N D, N = 65 width + 16.\n"
            "Train with meter.train(16, 4096), end with meter.score()."
        )

    def _ipython_display_(self):
        show(repr(self), f"<pre>{escaped(repr(self))}</pre>", self.form)

    def form(self):
        """Build the widget: fields for width and tokens, a button that trains, one that ends, and what was bought."""
        import ipywidgets as w

        from minillm.classroom import diary, forms

        width = forms.field("Width", "8, 16, 32, 64, 128 or 256")
        tokens = forms.field("Tokens", "1024, 2048, 4096, ...")
        train, end = w.Button(description="Train and pay"), w.Button(description="Show my score")
        told, board = w.HTML(status(f"You have {self.left / 1e6:,.0f} million FLOPs.")), w.HTML()

        def pay(_):
            try:
                chosen = forms.read_number(width, "The width", WIDTHS[0], WIDTHS[-1], "")
                length = forms.read_number(tokens, "The number of tokens", LENGTHS[0], LENGTHS[-1], "tokens")
                told.value = status(self.train(chosen, length))
            except ConfigError as error:
                told.value = status(str(error))
                return
            board.value = table_html(self.table(), "Your runs")
            forms.focus(width)

        def close(_):
            score = self.score()
            diary.note("game", "metering", value=score.yours, reachable=score.reachable, spent=score.spent)
            told.value = status(repr(score))

        train.on_click(pay)
        end.on_click(close)
        prompt = w.HTML(f"<pre>{escaped(repr(self))}</pre>")
        return w.VBox([prompt, width, tokens, w.HBox([train, end]), told, board])
