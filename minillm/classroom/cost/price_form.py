"""A run's price: parameters, tokens, accelerator and kind of job in, intervals with their sources out.

price("7B", "2T", "h100", "cluster")        the form `PriceForm` does the same with sliders
"""

import math
from dataclasses import dataclass

from minillm.classroom.cost.cost_view import about
from minillm.classroom.markup import escaped, printable, show, status, table_html, table_text
from minillm.cost.bill import find_accelerator
from minillm.cost.estimate import Estimate, Options, estimate_totals
from minillm.cost.numbers import parse_number, short
from minillm.cost.tables import gigabytes, new_runs
from minillm.cost.utilisation import JOBS, job_kind
from minillm.errors import ConfigError
from minillm.facts import accelerators

PARAMETERS = (1e6, 1e13)
TOKENS = (1e6, 1e15)
START = ("1.5B", "30B", "h100", "node")


@dataclass(frozen=True)
class Price:
    """What a run takes, from totals alone."""

    estimate: Estimate

    def columns(self) -> dict[str, list]:
        """Return the parts of the price as columns: what, how much, and on what it rests."""
        e, bill, new = self.estimate, self.estimate.bill, new_runs(self.estimate)
        runs_table = "fit to published runs, data/facts/pretraining_runs.csv"
        device = f"{bill.accelerator.source} [{bill.accelerator.quality}]"
        power = "0.75 to 1.15 of the rated power, checked on seven published energies"
        rows = [
            ("operations", short(e.model_flops), "6 N D; off by some percent either way"),
            ("share of the peak", str(bill.utilisation), f"{JOBS[e.options.job]}; {runs_table}"),
            (
                "such intervals hold",
                f"{new.coverage:.0%} of {new.runs} runs",
                "runs of such a size to which nothing was fitted, data/facts/held_out_runs.csv",
            ),
            ("accelerator-hours", about(bill.accelerator_hours), "operations / (share x peak)"),
            ("days on 8", about(bill.accelerator_hours * (1 / 8 / 24)), "hours / 8 / 24"),
            ("days on 1,024", about(bill.accelerator_hours * (1 / 1024 / 24)), "hours / 1,024 / 24"),
            ("dollars", self.dollars(), device),
            ("MWh", "power not in the table" if bill.energy_mwh is None else about(bill.energy_mwh), power),
            (
                "tonnes CO2e",
                "-" if bill.co2e_tonnes is None else about(bill.co2e_tonnes),
                "0.057 to 0.43 kg a kWh: the grids of BLOOM (France) and GPT-3",
            ),
            (
                "fewest to hold it",
                f"{e.fewest:,}" if e.fewest else "unknown",
                "16 bytes a parameter, all shared (ZeRO 2020); no activations",
            ),
            ("ten checkpoints", gigabytes(e.storage.checkpoints), "14 bytes a parameter each, as BLOOM's"),
            (
                "the text",
                f"{gigabytes(e.storage.text.low)} to {gigabytes(e.storage.text.high)}",
                "3 to 5 bytes a token: LLaMA-1 3.7, BLOOM 4.7",
            ),
        ]
        return {"what": [r[0] for r in rows], "how much": [r[1] for r in rows], "rests on": [r[2] for r in rows]}

    def dollars(self) -> str:
        """Return the dollars with the price of an hour and its date."""
        bill = self.estimate.bill
        if bill.cost_usd is None:
            return "no price in the table"
        return f"{about(bill.cost_usd)} (an hour: {bill.price.note})"

    def __repr__(self) -> str:
        e = self.estimate
        head = (
            f"{short(e.parameters_total)} parameters, {short(e.tokens)} tokens, {e.accelerator.name}, {e.options.job}"
        )
        return printable(f"{head}\n{table_text(self.columns())}")

    def _repr_html_(self) -> str:
        return self.table()

    def table(self) -> str:
        """Return the price as an HTML table."""
        head, _, _ = repr(self).partition("\n")
        return table_html(self.columns(), head)


def price(parameters: float | str, tokens: float | str, accelerator: str = "h100", job: str = "cluster") -> Price:
    """Return the price of a run; numbers may be written 7B, 2T or 7e9. ConfigError names what cannot be."""
    kind = job_kind(str(job))
    counts = []
    for value, what, (low, high) in ((parameters, "parameters", PARAMETERS), (tokens, "tokens", TOKENS)):
        number = parse_number(value, what)
        if not low <= number <= high:
            raise ConfigError(f"{what} is {short(number)}.", f"Use {short(low)} to {short(high)}.")
        counts.append(number)
    options = Options(accelerator=find_accelerator(accelerator).id, job=kind)
    return Price(estimate_totals(*counts, options=options))


def offered() -> list[str]:
    """Return the accelerators that can be priced: those with a 16-bit peak and a quotation."""
    return [a.id for a in accelerators() if (a.peak_bf16_tflops or a.peak_fp16_tflops) and a.prices]


class PriceForm:
    """Sliders and fields that price a run; the plain twin is `price`."""

    def __repr__(self) -> str:
        return f'Price a run with price_form.price("7B", "2T", "h100", "cluster"). For example:\n{price(*START)!r}'

    def _ipython_display_(self):
        said = "Price a run: move the sliders, or type into the fields beside them. For example:"
        show(repr(self), f"<p>{escaped(said)}</p>{price(*START).table()}", self.form)

    def form(self):
        """Build the widget: for each number a slider and a field that holds the same, two lists, the price.

        The field beside a slider is for typing: JupyterLab takes letter keys on a slider as commands.
        """
        import ipywidgets as w

        told, board, rows, fields = w.HTML(status("")), w.HTML(), [], {}
        wide = {"description_width": "8em"}

        def show_price(_=None):
            try:
                found = price(fields["parameters"].value, fields["tokens"].value, device.value, job.value)
            except ConfigError as error:
                told.value = status(str(error))
                return
            bill = found.estimate.bill
            told.value = status(f"{about(bill.accelerator_hours)} accelerator-hours; dollars: {found.dollars()}.")
            board.value = found.table()

        def couple(slider, typed):
            def from_slider(change):
                value = float(f"{10 ** change['new']:.2g}")
                if _read(typed.value) is None or abs(math.log10(_read(typed.value)) - change["new"]) > 0.06:
                    typed.value = short(value)

            def from_field(_):
                value = _read(typed.value)
                if value and slider.min <= math.log10(value) <= slider.max:
                    slider.value = round(math.log10(value), 1)
                show_price()

            slider.observe(from_slider, names="value")
            typed.observe(from_field, names="value")

        for what, (low, high), start in zip(("parameters", "tokens"), (PARAMETERS, TOKENS), START[:2], strict=True):
            ends = math.log10(low), math.log10(high)
            slider = w.FloatSlider(
                value=round(math.log10(parse_number(start, what)), 1),
                min=ends[0],
                max=ends[1],
                step=0.1,
                description=f"log10 {what}",
                readout=False,
                style={"description_width": "9em"},
                layout=w.Layout(width="24em"),
            )
            fields[what] = w.Text(
                value=start,
                description=what,
                continuous_update=False,
                layout=w.Layout(width="14em"),
                style={"description_width": "6em"},
            )
            couple(slider, fields[what])
            rows.append(w.HBox([slider, fields[what]]))
        device = w.Dropdown(options=offered(), value=START[2], description="accelerator", style=wide)
        job = w.Dropdown(
            options=[(f"{k}: {v}", k) for k, v in JOBS.items()], value=START[3], description="kind of job", style=wide
        )
        for chosen in (device, job):
            chosen.observe(show_price, names="value")
        show_price()
        return w.VBox([*rows, device, job, told, board])


def _read(text: str) -> float | None:
    """Return the number in a field, or None."""
    try:
        return parse_number(text, "number")
    except ConfigError:
        return None
