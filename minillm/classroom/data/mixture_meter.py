"""The mixture laboratory: five training runs to spend on finding the mixture that serves documentation best.

    meter = Meter(settings.speed)
    meter.mixture_run({"docs": 70, "code": 20, "web": 10})      the form `meter` does the same

Where runs are played back from recordings, the recorded mixture nearest to the one asked for answers, and says so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from minillm.classroom import runs
from minillm.classroom.data import mixture_runs
from minillm.classroom.markup import escaped, printable, show, status, table_html, table_text
from minillm.errors import ConfigError

BUDGET = 5
RECORDING = "01_mixtures"
"""The recording whose mixtures answer at the speed REPLAY: the five that the notebook trains."""
STARTING_PARTS = {"web": 25, "books": 25, "code": 25, "docs": 25}


def written(shares: Mapping[str, float]) -> str:
    """Return a mixture in words, largest share first, such as 'docs 60%, web 40%'."""
    most = sorted(shares.items(), key=lambda item: -item[1])
    return ", ".join(f"{kind} {100 * share:.0f}%" for kind, share in most if share >= 0.005)


@dataclass(frozen=True)
class MixtureRun:
    """One finished run: the mixture it read, bits a byte by kind, how often it read its documentation, and a note."""

    shares: dict[str, float]
    bits: dict[str, float]
    epochs: float
    note: str = ""

    def __repr__(self) -> str:
        told = (
            f"{written(self.shares)}: {self.bits['docs']:.2f} bits a byte on documentation; "
            f"the 200 kB were read {self.epochs:.1f} times."
        )
        return printable(" ".join([told, self.note]).strip())


def recorded_runs() -> list[dict]:
    """Return the last record of each recorded mixture."""
    return [record for record in runs.load(RECORDING).records if "shares" in record]


def nearest(shares: Mapping[str, float], recorded: list[dict]) -> dict:
    """Return the recorded run whose mixture is nearest: the least sum of differences between shares."""
    return min(recorded, key=lambda r: sum(abs(r["shares"][kind] - share) for kind, share in shares.items()))


class Meter:
    """A counted budget of training runs; its form and `mixture_run` spend the same budget."""

    def __init__(
        self,
        speed: str,
        budget: int = BUDGET,
        steps: int = mixture_runs.MIXTURE_STEPS,
        train: Callable[[Mapping[str, float]], dict] | None = None,
    ):
        self.speed, self.budget = speed, budget
        self.runs: list[MixtureRun] = []
        self._train = train or (lambda shares: mixture_runs.train_mixture(shares, steps=steps)[-1])
        self._done: dict[tuple[float, ...], MixtureRun] = {}

    @property
    def left(self) -> int:
        """How many runs may still be spent."""
        return self.budget - len(self.runs)

    @property
    def best(self) -> MixtureRun | None:
        """The run with the fewest bits a byte on documentation so far, or None."""
        return min(self.runs, key=lambda run: run.bits["docs"], default=None)

    def mixture_run(self, weights: Mapping[str, float]) -> MixtureRun:
        """Spend one run on these weights, any numbers from 0 up, and return what it found.

        A mixture that was run before is returned again and costs nothing. Raises ConfigError for weights that cannot
        be, and when nothing of the budget is left.
        """
        shares = mixture_runs.shares_of(weights)
        note = ""
        if self.speed == "REPLAY":
            record = nearest(shares, recorded_runs())
            if any(abs(record["shares"][kind] - shares[kind]) > 0.005 for kind in shares):
                note = f"(Played back: this is the recorded mixture nearest to {written(shares)}.)"
            shares = record["shares"]
        key = tuple(round(shares[kind], 4) for kind in mixture_runs.KINDS)
        if key in self._done:
            return self._done[key]
        if not self.left:
            raise ConfigError(
                f"All {self.budget} runs are spent.", "Choose among those you have: the table shows the best of them."
            )
        if self.speed != "REPLAY":
            record = self._train(shares)
        run = MixtureRun(dict(shares), dict(record["bits"]), record["epochs"], note)
        self.runs.append(run)
        self._done[key] = run
        return run

    def columns(self) -> dict[str, list]:
        """Return the runs so far as columns."""
        return {
            "run": list(range(1, len(self.runs) + 1)),
            "mixture": [written(run.shares) for run in self.runs],
            "times read": [f"{run.epochs:.1f}" for run in self.runs],
            "bits a byte, docs": [f"{run.bits['docs']:.2f}" for run in self.runs],
        }

    def state(self) -> str:
        """Say what is left and which run is the best so far."""
        best = self.best
        so_far = f" Best so far: {written(best.shares)}, {best.bits['docs']:.2f} bits a byte." if best else ""
        return f"{self.left} of {self.budget} runs left.{so_far}"

    def __repr__(self) -> str:
        table = table_text(self.columns()) + "\n" if self.runs else ""
        how = 'Spend one with meter.mixture_run({"docs": 70, "code": 20, "web": 10}).' if self.left else ""
        return f"{table}{self.state()} {how}".strip()

    def _ipython_display_(self):
        board = table_html(self.columns(), "Runs so far, fewer bits are better") if self.runs else ""
        show(repr(self), f"{board}<p>{escaped(repr(self).splitlines()[-1])}</p>", self.form)

    def form(self):
        """Build the widget: a slider and a number field for each kind, the mixture in words, a button, the table.

        The number field beside a slider holds the same number: JupyterLab takes letter keys on a slider as commands.
        """
        import ipywidgets as w

        told, mixture, board = w.HTML(status(self.state())), w.HTML(), w.HTML()
        numbers, rows = {}, []
        for kind in mixture_runs.KINDS:
            slider = w.IntSlider(value=STARTING_PARTS[kind], min=0, max=100, description=kind, readout=False)
            numbers[kind] = w.BoundedIntText(
                value=STARTING_PARTS[kind],
                min=0,
                max=100,
                description=f"parts {kind}",
                layout=w.Layout(width="12em"),
                style={"description_width": "6em"},
            )
            w.link((slider, "value"), (numbers[kind], "value"))
            rows.append(w.HBox([slider, numbers[kind]]))
        button = w.Button(description="Train (spends one run)", layout=w.Layout(width="16em"))

        def weights():
            return {kind: field.value for kind, field in numbers.items()}

        def show_mixture(_=None):
            parts = weights()
            words = f"This is {written(mixture_runs.shares_of(parts))}." if any(parts.values()) else "Nothing chosen."
            mixture.value = f"<p>{escaped(words)}</p>"

        def spend(_):
            button.disabled = True
            told.value = status("Training; this takes some seconds ...")
            try:
                run = self.mixture_run(weights())
                told.value = status(f"{run!r} {self.state()}")
            except ConfigError as error:
                told.value = status(str(error))
            button.disabled = not self.left
            board.value = table_html(self.columns(), "Runs so far, fewer bits are better")

        for field in numbers.values():
            field.observe(show_mixture, names="value")
        button.on_click(spend)
        show_mixture()
        if self.runs:
            board.value = table_html(self.columns(), "Runs so far, fewer bits are better")
        return w.VBox([*rows, mixture, button, told, board])
