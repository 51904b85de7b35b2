"""The two figures of notebook 01 that are its own: a matrix of bits a byte, and what published models read."""

from collections.abc import Mapping, Sequence

from minillm import facts
from minillm.classroom import figures
from minillm.classroom.markup import printable

MIXTURES = {
    "GPT-3": "GPT-3",
    "The Pile": "The Pile",
    "LLaMA-1": "LLaMA 1",
    "MassiveText": "Chinchilla",
    "SmolLM1-1.7B stage 1": "SmolLM 1.7B",
    "OLMo 2 stage 1 (3.90T)": "OLMo 2",
}
"""Published mixtures whose sources are all given a weight, by their name in the table, with a name to show."""
CATEGORIES = ("web", "books", "articles", "code", "technical docs", "other")


def category_shares(mixture: str) -> dict[str, float]:
    """Return the share of each category in a published mixture, which sum to 1 (GPT-3's printed weights: to 1.01)."""
    shares = dict.fromkeys(CATEGORIES, 0.0)
    for part in facts.mixtures():
        if part.mixture == mixture and part.weight is not None and "TOTAL" not in part.component:
            shares[part.category] += part.weight
    total = sum(shares.values())
    return {category: share / total for category, share in shares.items()}


def show_matrix(bits: Mapping[str, Mapping[str, float]], what: str) -> None:
    """Show bits a byte as a table of coloured cells: a row for what was read, a column for the text tested on.

    The smallest number of each column has a frame and a star.
    """
    from matplotlib.patches import Rectangle

    rows, columns = list(bits), list(next(iter(bits.values())))
    values = [[round(bits[row][column], 2) for column in columns] for row in rows]
    least = {j: min(range(len(rows)), key=lambda i: values[i][j]) for j in range(len(columns))}
    figure, ax = figures.new(6.4, 4.0)
    ax.grid(False)
    ax.imshow(values, cmap="Blues", aspect="auto", vmin=1.5, vmax=6)
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            star = "*" if least[j] == i else ""
            dark = value > 4.2
            ax.text(j, i, f"{value:.2f}{star}", ha="center", va="center", color="white" if dark else "black", size=13)
            if star:
                ax.add_patch(Rectangle((j - 0.48, i - 0.47), 0.96, 0.94, fill=False, edgecolor=figures.LEARNER, lw=2.5))
    ax.set_xticks(range(len(columns)), [printable(c) for c in columns])
    ax.set_yticks(range(len(rows)), [printable(r) for r in rows])
    ax.set(xlabel="tested on", ylabel="read in training")
    ax.set_title(printable(what), loc="left")
    described = [
        f"The model that read {row} pays " + ", ".join(f"{v:.2f} on {c}" for v, c in zip(cells, columns, strict=True))
        for row, cells in zip(rows, values, strict=True)
    ]
    lowest = [f"on {columns[j]}, {rows[i]} is lowest" for j, i in least.items()]
    alt = f"Matrix: {what}. Bits a byte. {'. '.join(described)}. Tested {'; '.join(lowest)}."
    table = {"read": rows} | {f"on {c}": [row[j] for row in values] for j, c in enumerate(columns)}
    figures.show_figure(figure, alt, table)


def show_mixtures(mixtures: Mapping[str, str] = MIXTURES) -> None:
    """Show what published models read as stacked bars of shares, one bar a model."""
    hatches = ("", "//", "..", "xx", "\\\\", "++")
    shares = {shown: category_shares(name) for name, shown in mixtures.items()}
    figure, ax = figures.new(8.0, 3.8)
    left = [0.0] * len(shares)
    for i, category in enumerate(CATEGORIES):
        widths = [100 * share[category] for share in shares.values()]
        ax.barh(
            list(shares),
            widths,
            left=left,
            color=figures.PALETTE[i % len(figures.PALETTE)],
            hatch=hatches[i],
            edgecolor="white",
            label=category,
        )
        for row, (start, width) in enumerate(zip(left, widths, strict=True)):
            if width >= 7:
                inside = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
                ax.text(start + width / 2, row, f"{width:.0f}", ha="center", va="center", size=9, bbox=inside)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    ax.invert_yaxis()
    ax.set_xlabel("percent of the tokens read in training")
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    table: dict[str, Sequence] = {"model": list(shares)}
    table |= {category: [round(100 * share[category]) for share in shares.values()] for category in CATEGORIES}
    described = [
        f"{name}: " + ", ".join(f"{category} {100 * share[category]:.0f}" for category in CATEGORIES if share[category])
        for name, share in shares.items()
    ]
    alt = f"Stacked bars: what published models read, in percent of the training tokens. {'. '.join(described)}."
    figures.show_figure(figure, alt, table)
