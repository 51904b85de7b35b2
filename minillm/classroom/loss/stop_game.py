"""The when-to-stop game as a form: a loss curve unrolls in chunks, and the learner goes on or stops.

Its plain twins are `stopping.watch` and `stopping.play`.
"""

from collections.abc import Sequence

from minillm.classroom import diary, figures
from minillm.classroom.loss.stopping import CHUNKS, Run, play, scoreboard, watch
from minillm.classroom.markup import escaped, show, status, table_html


def picture(run: Run, chunks: int) -> str:
    """Return HTML of the curve so far, with alternative text that lists its losses."""
    figure, ax = figures.new(6, 3)
    ax.plot(range(chunks + 1), run.losses[: chunks + 1], color=figures.PALETTE[0], marker="o")
    ax.set(xlim=(-0.5, len(run.losses) - 0.5), xlabel="chunks", ylabel="held-out loss, nats")
    alt = "Held-out loss by chunks: " + ", ".join(f"{loss:.2f}" for loss in run.losses[: chunks + 1])
    return f'<img style="max-width: 100%" alt="{escaped(alt)}" src="data:image/png;base64,{figures.png(figure)}">'


class StopGame:
    """The game as a form: watch a loss, go on or stop; its plain twins are `watch` and `play`."""

    def __init__(self, runs: Sequence[Run]):
        self.runs, self.outcomes, self.chunks = list(runs), [], 0

    def __repr__(self) -> str:
        return (
            f"{len(self.runs)} runs of up to {CHUNKS} chunks. The first one begins:\n{watch(self.runs[0], 1)}\n"
            "See more with stopping.watch(game_runs[0], 2), stop with stopping.play(game_runs[0], 2)."
        )

    def _ipython_display_(self):
        show(repr(self), f"<pre>{escaped(repr(self))}</pre>", self.form)

    def form(self):
        """Build the widget: the curve so far, two buttons, and the score."""
        import ipywidgets as w

        told, drawn, board = w.HTML(), w.HTML(), w.HTML()
        go_on, stop = w.Button(description="Go on"), w.Button(description="Stop here")

        def show_run(before: str = ""):
            run = self.runs[len(self.outcomes)]
            drawn.value = picture(run, self.chunks)
            place = f"Run {len(self.outcomes) + 1} of {len(self.runs)}, after {self.chunks} of {CHUNKS} chunks"
            told.value = status(f"{before}{place}: loss {run.losses[self.chunks]:.2f}. Go on, or stop here?")

        def end_run(_=None):
            outcome = play(self.runs[len(self.outcomes)], self.chunks)
            diary.note("game", "stopping", run=outcome.name, value=self.chunks, above=outcome.you)
            self.outcomes.append(outcome)
            board.value = table_html(scoreboard(self.outcomes), "Nats above the best in hindsight, fewer is better")
            if len(self.outcomes) == len(self.runs):
                go_on.disabled = stop.disabled = True
                told.value = status(f"{outcome!r}\nThat was the last run.")
                return
            self.chunks = 1
            show_run(f"{outcome!r}\n")

        def more(_):
            self.chunks += 1
            if self.chunks == CHUNKS:
                end_run()
            else:
                show_run()

        self.chunks, self.outcomes = 1, []
        go_on.on_click(more)
        stop.on_click(end_run)
        show_run()
        return w.VBox([told, drawn, w.HBox([go_on, stop]), board])
