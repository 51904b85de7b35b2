"""The clinic of broken training runs: look at a run's signals, order checks, and name what is wrong.

A case is a run whose name is hidden. Its form is for the notebook; `answer` and `order` do the same as functions.
"""

import difflib
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence

from minillm.classroom import diary, figures, forms
from minillm.classroom.loop import faults
from minillm.classroom.loop.diagnosis import LN_V, Diagnosis, Signals, diagnose, suspects
from minillm.classroom.loop.patient import PROMPT, TRAINING
from minillm.classroom.loop.symptoms import CHECKS, FAULTS, LOOKS, Fault, percent
from minillm.classroom.markup import Columns, escaped, printable, show, status, table_html, table_text
from minillm.errors import ConfigError, DataError

__all__ = ["FAULTS", "Case", "Diagnosis", "Fault", "Signals", "answer", "by_run", "checks", "diagnose", "order", "run"]

LEAST_UPDATE, LEAST_NORM = 1e-6, 1e-3
"""Where an update of zero and a gradient of nearly zero are drawn on a logarithmic scale."""
HOW = (
    "Type a diagnosis, or as much of it as makes it clear, and press the first button. Tab leads on, Space presses. "
    "The second button orders the four checks."
)


def run(name: str, seed: int = 0) -> Iterator[dict]:
    """Train the run of that name in `FAULTS` and yield its records; the last has a sample and what the checks found.

    Raises ConfigError for another name.
    """
    return faults.follow(name, seed)


def by_run(records: Iterable[Mapping]) -> dict[str, list[Mapping]]:
    """Sort the records of several runs, one after the other, by the run's name."""
    sorted_: dict[str, list[Mapping]] = {}
    for record in records:
        sorted_.setdefault(record["run"], []).append(record)
    return sorted_


def checks(records: Sequence[Mapping]) -> dict[str, float]:
    """Return what the four checks found on a run; DataError if it has not ended."""
    found = [record["checks"] for record in records if "checks" in record]
    if not found:
        raise DataError("The run has not ended, so nothing has been checked.", "Give all its records.")
    return dict(found[-1])


# --- Pictures --------------------------------------------------------------------------------------------------------


def draw(axes: Sequence, signals: Signals) -> None:
    """Draw a run's losses, gradient norm, updates by part, and sample on four axes."""
    losses, norms, updates, text = axes
    steps = range(1, len(signals.train_loss) + 1)
    losses.plot(steps, signals.train_loss, color=figures.PALETTE[0], label="training")
    losses.plot(
        signals.look_steps, signals.held_out_loss, color=figures.PALETTE[1], marker="s", markersize=4, label="held-out"
    )
    losses.axhline(LN_V, color=figures.QUIET, linestyle="--", linewidth=1, label="even odds")
    losses.set_ylim(bottom=0)
    losses.legend(frameon=False)
    losses.set_ylabel("loss, nats a byte")
    norms.plot(steps, [max(norm, LEAST_NORM) for norm in signals.grad_norm], color=figures.PALETTE[0])
    norms.axhline(TRAINING.grad_clip, color=figures.QUIET, linestyle="--", linewidth=1, label="limit of clipping")
    norms.set_ylim(LEAST_NORM / 2, 1000)  # the same for all cases, so that they compare
    norms.legend(frameon=False)
    norms.set_ylabel("gradient norm before clipping")
    for i, (part, ratios) in enumerate(signals.update_ratio.items()):
        shown = [max(ratio, LEAST_UPDATE) for ratio in ratios]
        style = {"color": figures.PALETTE[i], "marker": figures.MARKERS[i], "markersize": 4, "markevery": 3}
        updates.plot(signals.look_steps, shown, label=part, **style)
    updates.set_ylabel("update / weights (bottom: zero)")
    updates.set_ylim(LEAST_UPDATE / 2, 100)
    updates.legend(frameon=False, ncols=2)
    for ax in (norms, updates):
        ax.set_yscale("log")
    for ax in (losses, norms, updates):
        ax.set_xlabel("step")
    text.axis("off")
    text.set_title(f"After '{PROMPT.strip()}' it writes", loc="left", fontsize=10)
    shown = textwrap.fill(drawable(signals.sample), 34)
    text.text(0, 0.95, shown, family="monospace", va="top", transform=text.transAxes, parse_math=False)


def drawable(text: str) -> str:
    """Return text in one line, with a dot for each character that a font may lack."""
    return "".join(c if 32 <= ord(c) < 127 else "." for c in text.replace("\n", " "))


def describe(label: str, signals: Signals) -> str:
    """Return the case in words and rounded numbers, which is the alternative text of its picture too."""
    parts = [f"{label}, four panels: losses, gradient norm, updates by part, a sample."]
    parts += [sentence(LOOKS[look](signals)) for look in ("first loss", "early loss", "both ends", "jump")]
    low, high = min(signals.held_out_loss), max(signals.held_out_loss)
    parts.append(f"The held-out loss lies between {low:.2f} and {high:.2f}.")
    parts += [sentence(LOOKS[look](signals)) for look in ("gradient", "first update", "updates")]
    parts.append(f"The largest gradient norm is {max(signals.grad_norm):.2g}.")
    parts.append(f"The sample begins: {drawable(signals.sample[:60])}")
    return printable(" ".join(parts))


def sentence(text: str) -> str:
    """Return text as a sentence."""
    return f"{text[0].upper()}{text[1:]}."


def numbers(signals: Signals) -> Columns:
    """Return the numbers of a case's picture, rounded, about every tenth of the run."""
    places = range(0, len(signals.look_steps), 3)
    steps = [signals.look_steps[i] for i in places]
    return {
        "step": steps,
        "training loss": [f"{signals.train_loss[step - 1]:.2f}" for step in steps],
        "held-out loss": [f"{signals.held_out_loss[i]:.2f}" for i in places],
        "gradient norm": [f"{signals.grad_norm[step - 1]:.2g}" for step in steps],
    } | {f"{part} moves": [percent(ratios[i]) for i in places] for part, ratios in signals.update_ratio.items()}


# --- Cases -----------------------------------------------------------------------------------------------------------


class Case:
    """A run to be diagnosed, shown as a form; its plain twins are `answer` and `order`, its picture is `show`."""

    def __init__(self, label: str, records: Sequence[Mapping]):
        self.label, self.signals, self.checks = label, Signals.from_records(records), checks(records)
        self._truth = records[0]["run"]

    def __repr__(self) -> str:
        return f"{describe(self.label, self.signals)}\nDiagnose with clinic.answer(case, 'overfitting')."

    def show(self) -> None:
        """Show the four panels, with their description and numbers."""
        figure, _ = figures.new(9.0, 6.0)
        figure.clear()
        axes = list(figure.subplots(2, 2).flat)
        for ax in axes:
            ax.spines[["top", "right"]].set_visible(False)
            ax.grid(alpha=0.25)
        draw(axes, self.signals)
        figure.suptitle(printable(self.label), x=0.01, ha="left")
        figures.show_figure(figure, describe(self.label, self.signals), numbers(self.signals))

    def _ipython_display_(self):
        listed = f"Possible diagnoses: {', '.join(FAULTS)}."
        show(f"{self!r}\n{listed}", f"<p>{escaped(self.label)}</p><p>{escaped(listed)}</p>", self.form)

    def form(self):
        """Build the widget: the diagnoses, a field that suggests them, two buttons, what speaks for and against."""
        import ipywidgets as w

        listed = "".join(f"<li>{escaped(name)}</li>" for name in FAULTS)
        heading = w.HTML(
            f"<p><strong>{escaped(self.label)}: what is wrong?</strong></p>"
            f'<ul style="columns: 3; list-style: none; padding: 0">{listed}</ul>'
        )
        field = w.Combobox(
            options=list(FAULTS),
            description="Your diagnosis",
            placeholder="such as overfitting",
            continuous_update=False,
            ensure_option=False,
            layout=w.Layout(width="30em", max_width="100%"),
            style={"description_width": "10em"},
        )
        give, check = w.Button(description="Diagnose"), w.Button(description="Order the checks")
        told, found = w.HTML(status(HOW)), w.HTML()

        def diagnosed(_):
            try:
                told.value = status(answer(self, field.value))
            except ConfigError as error:
                told.value = status(str(error))
                forms.focus(field)

        def ordered(_):
            found.value = f'<div role="status">{table_html(order(self), f"Four checks of {self.label}")}</div>'

        give.on_click(diagnosed)
        check.on_click(ordered)
        return w.VBox([heading, told, field, w.HBox([give, check]), found])


def chosen(text: str) -> str:
    """Return the one diagnosis that a learner's text means, whatever its case; ConfigError if there is none, or two."""
    typed = " ".join(str(text).lower().split())
    if typed in FAULTS:
        return typed
    fitting = [name for name in FAULTS if typed and typed in name]
    if len(fitting) == 1:
        return fitting[0]
    near = fitting or difflib.get_close_matches(typed, FAULTS, n=3)
    raise ConfigError(
        f"'{printable(text)}' is more than one diagnosis." if fitting else f"'{printable(text)}' is no diagnosis.",
        f"Use one of: {', '.join(near or FAULTS)}.",
    )


def answer(case: Case, diagnosis: str) -> str:
    """Diagnose a case and learn what speaks for that diagnosis or against it; ConfigError if there is no such one."""
    name = chosen(diagnosis)
    right = name == case._truth
    diary.note("clinic", case.label, value=name, hit=right)
    fault = FAULTS[name]
    seen = "; ".join(LOOKS[look](case.signals) for look in fault.look_at)
    proof = f" The check: {CHECKS[name][2](case.checks)}." if name in CHECKS else ""
    if right:
        what = "" if name == "healthy" else f" What was done: {fault.what}"
        return f"Right: {name}. {sentence(seen)}{proof}{what} Cure: {fault.cure}"
    return f"Not {name}. It shows so: {fault.symptom} Here {seen}.{proof}"


def order(case: Case) -> Columns:
    """Return the four checks of a case as columns: what is done, what it found, what that means."""
    named = {d for d in suspects(case.signals, case.checks) if d in CHECKS}
    return {
        "check": [done for _, done, _ in CHECKS.values()],
        "found": [sentence(found(case.checks)) for _, _, found in CHECKS.values()],
        "so": [name if name in named else "nothing wrong here" for name in CHECKS],
    }


# --- All cases together ----------------------------------------------------------------------------------------------


def scoreboard(results: Mapping[str, tuple[str, str]]) -> Columns:
    """Return the diagnoses as columns: results holds for each true name the one from curves and the one with checks."""

    def marked(truth: str, named: str) -> str:
        return "right" if named == truth else f"{named} (wrong)"

    return {
        "what was wrong": list(results),
        "from the curves": [marked(truth, curves) for truth, (curves, _) in results.items()],
        "with the checks": [marked(truth, checked) for truth, (_, checked) in results.items()],
    }


def score(results: Mapping[str, tuple[str, str]]) -> str:
    """Return how many of the results are right, in a sentence."""
    curves, checked = (sum(pair[i] == truth for truth, pair in results.items()) for i in (0, 1))
    return f"{curves} of {len(results)} named right from the curves, {checked} of {len(results)} with the checks."


def show_scoreboard(results: Mapping[str, tuple[str, str]]) -> None:
    """Show the diagnoses as a table, with the count."""
    columns = scoreboard(results)
    show(f"{table_text(columns)}\n{score(results)}", table_html(columns, score(results)))
