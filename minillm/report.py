"""What a run looks like: its loss as a figure, and everything about it on one page that needs no other file."""

import base64
import html
from pathlib import Path

from minillm.paths import write_atomically

# Okabe and Ito's colours, which colour-blind readers tell apart; lines differ in marker too
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"


def smooth(values: list[float]) -> list[float]:
    """Return the running mean over about the last thirtieth of all values, older ones fading out."""
    memory = 1 - 1 / max(2.0, len(values) / 30)
    smoothed, total, weight = [], 0.0, 0.0
    for value in values:
        total, weight = total * memory + value, weight * memory + 1
        smoothed.append(total / weight)
    return smoothed


def draw_loss(metrics: list[dict], evals: list[dict], path: Path, even_odds_nats: float) -> str:
    """Draw training and held-out loss over tokens seen into a PNG file; return its alternative text.

    `even_odds_nats` is ln V, the loss of a model that holds every token equally likely.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # no window, no global state
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.2), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    seen = [line["tokens_seen"] / 1e6 for line in metrics]
    losses = [line["train_loss_nats"] for line in metrics]
    axes.plot(seen, losses, color=BLUE, alpha=0.25, linewidth=0.8)
    axes.plot(seen, smooth(losses), color=BLUE, linewidth=2, label="training text, running mean")
    if evals:
        x, y = [line["tokens_seen"] / 1e6 for line in evals], [line["val_loss_nats"] for line in evals]
        axes.plot(x, y, color=ORANGE, marker="o", linestyle="--", label="held-out text")
        axes.annotate(f"{y[-1]:.2f}", (x[-1], y[-1]), textcoords="offset points", xytext=(4, 6), color=ORANGE)
    axes.axhline(even_odds_nats, color=GREY, linestyle=":", label=f"even odds, ln V = {even_odds_nats:.2f}")
    axes.set(xlabel="tokens seen (millions)", ylabel="loss (nats a token)", title="The loss while the model reads")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Software": None})
    return describe_loss(metrics, evals, even_odds_nats)


def describe_loss(metrics: list[dict], evals: list[dict], even_odds_nats: float) -> str:
    """Say in words what the loss figure shows, from the numbers that it plots."""
    if not metrics:
        return "Line chart without data: the run has no steps yet."
    last = smooth([line["train_loss_nats"] for line in metrics])[-1]
    text = (
        f"Line chart of the loss against tokens seen. The training loss starts at {metrics[0]['train_loss_nats']:.2f} "
        f"nats a token, where even odds are {even_odds_nats:.2f}, and its running mean ends at {last:.2f} "
        f"after {metrics[-1]['tokens_seen'] / 1e6:.2f} million tokens."
    )
    if evals:
        text += f" On held-out text it ends at {evals[-1]['val_loss_nats']:.2f}."
    return text


def table(header: list[str], rows: list[list[object]]) -> str:
    """Return an HTML table, every cell escaped."""
    head = "".join(f"<th scope='col'>{html.escape(str(cell))}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def printable(text: str) -> str:
    """Return a text with control characters other than newline and tab shown as a replacement sign."""
    return "".join(char if char.isprintable() or char in "\n\t" else "�" for char in text)


STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#222}
body{background:#fff}
table{border-collapse:collapse;margin:1rem 0}th,td{padding:.25rem .7rem;border-bottom:1px solid #ccc;text-align:left}
img{max-width:100%}pre{white-space:pre-wrap;background:#f5f5f5;padding:.6rem;border-left:4px solid #0072B2}"""


def write_report(
    folder: Path,
    report: dict,
    metrics: list[dict],
    evals: list[dict],
    samples: list[dict],
    even_odds_nats: float,
) -> None:
    """Write loss.png and report.html into a run's folder; the page holds its picture and every text is escaped."""
    alt = draw_loss(metrics, evals, folder / "loss.png", even_odds_nats)
    picture = base64.b64encode((folder / "loss.png").read_bytes()).decode("ascii")
    figures = [
        ["Parameters", f"{report['parameters']:,}"],
        ["Tokens seen", f"{report['tokens_seen']:,}"],
        ["Training time", f"{report['elapsed_s']:.1f} s"],
        ["Speed", f"{report['tokens_per_s']:,.0f} tokens a second"],
        ["Held-out loss", f"{report['val_loss_nats']:.3f} nats a token"],
        ["Held-out bits a byte", f"{report['val_bits_per_byte']:.3f}"],
        ["Floating-point operations", f"{report['flops']:.2e}"],
        ["Share of this machine's matrix-product rate", f"{report['mfu']:.0%}"],
        ["Peak memory", f"{report['peak_memory_bytes'] / 1e6:,.0f} MB"],
        ["Corpus", report["corpus_fingerprint"]],
    ]
    kinds = list(evals[-1]["bits_per_byte_by_kind"]) if evals else []
    eval_rows = [
        [e["step"], f"{e['val_loss_nats']:.3f}", f"{e['val_bits_per_byte']:.3f}"]
        + [f"{e['bits_per_byte_by_kind'][kind]:.3f}" for kind in kinds]
        for e in evals
    ]
    prompts = list(dict.fromkeys(sample["prompt"] for sample in samples))
    by_prompt = sorted(samples, key=lambda sample: (prompts.index(sample["prompt"]), sample["step"]))
    sample_blocks = "".join(
        f"<h3>After {sample['step']} steps</h3><pre><b>{html.escape(printable(sample['prompt']))}</b>"
        f"{html.escape(printable(sample['text']))}</pre>"
        for sample in by_prompt
    )
    page = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>minillm: a pretraining run</title><style>{STYLE}</style></head><body>
<h1>A pretraining run</h1>
<p><img alt="{html.escape(alt, quote=True)}" src="data:image/png;base64,{picture}"></p>
<h2>In figures</h2>{table(["What", "Value"], figures)}
<h2>Held-out text</h2>{table(["Step", "Nats a token", "Bits a byte", *kinds], eval_rows)}
<h2>What it wrote, prompt by prompt</h2>{sample_blocks}
</body></html>
"""
    write_atomically(folder / "report.html", page)
