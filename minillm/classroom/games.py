"""Guess the next token, scored in bits: you, counts of pairs (the bigram), and the model, on the same options.

A round has a context and four options, one of which came next. Whoever gives the true one the probability p pays
-log2 p bits. Your probability is your confidence; the other options share the rest.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from minillm.classroom import diary, forms
from minillm.classroom.markup import escaped, number, printable, show, status, table_html, table_text
from minillm.errors import ConfigError

LETTERS = "abcd"
COMMON = 200
HOW_TO_PLAY = (
    "Type a letter and how sure you are, then press the button: Tab leads on, Space presses, Shift and Tab twice lead "
    "back from the button to the letter."
)


@dataclass(frozen=True)
class Round:
    """One round: context, options as text, the place of the true one, both players' probabilities of the options."""

    context: str
    options: tuple[str, ...]
    truth: int
    bigram: tuple[float, ...]
    model: tuple[float, ...]

    def record(self) -> dict:
        """Return the round as a record that `runs.stream` can carry."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: dict) -> "Round":
        """Return the round of a record."""
        return cls(**{key: tuple(v) if isinstance(v, list) else v for key, v in record.items()})

    def __repr__(self) -> str:
        listed = "\n".join(f"  {letter}) {o!r}" for letter, o in zip(LETTERS, self.options, strict=True))
        return printable(f"... {self.context}|?|\n{listed}")


@dataclass(frozen=True)
class Score:
    """Bits paid in a round, or in several together, by each player; `you` is None if you did not play."""

    you: float | None
    bigram: float
    model: float
    truth: str = ""

    def __repr__(self) -> str:
        you = "you did not play" if self.you is None else f"you {self.you:.2f} bits"
        came = f"It was {self.truth!r}. " if self.truth else ""
        return printable(f"{came}{you}, bigram {self.bigram:.2f} bits, model {self.model:.2f} bits. Fewer is better.")


def make_rounds(
    ids: Sequence[int],
    text_of: Callable[[Sequence[int]], str],
    bigram: Callable[[Sequence[int]], Sequence[float]],
    model: Callable[[Sequence[int]], Sequence[float]],
    *,
    count: int = 10,
    context: int = 40,
    seed: int = 0,
) -> list[Round]:
    """Make rounds from held-out ids; bigram and model take the ids so far and return V probabilities.

    All options are among the `COMMON` tokens that the text uses most, so none is rare, and the false ones are drawn
    evenly from them. Then nothing but the text before gives the true one away, and a player with the right
    probabilities plays best by dividing them by their sum over the options. `text_of` decodes ids.
    """
    rng = random.Random(seed)
    common = {int(i) for i, _ in Counter(ids).most_common(COMMON)}
    places = [place for place in range(context, len(ids)) if ids[place] in common]
    rounds = []
    for place in rng.sample(places, count):
        before, true = list(ids[place - context : place]), int(ids[place])
        players = [list(map(float, player(before))) for player in (bigram, model)]
        options = [true, *rng.sample(sorted(common - {true}), 3)]
        rng.shuffle(options)
        shares = [tuple(p[i] / sum(p[j] for j in options) for i in options) for p in players]
        texts = tuple(text_of([i]) for i in options)
        rounds.append(Round(text_of(before), texts, options.index(true), *shares))
    return rounds


def play(round_: Round, choice: str | None = None, confidence: float = 70) -> Score:
    """Score one round; choice is a letter from a to d, confidence its probability in percent (25 to 99).

    Raises ConfigError for another letter or a confidence out of range.
    """
    bits = [-math.log2(max(player[round_.truth], 1e-9)) for player in (round_.bigram, round_.model)]
    truth = round_.options[round_.truth]
    if choice is None:
        return Score(None, *bits, truth)
    letter = str(choice).strip().lower()
    if len(letter) != 1 or letter not in LETTERS:
        raise ConfigError(f"{choice!r} is no option.", "Choose a, b, c or d.")
    if not 25 <= confidence <= 99:
        raise ConfigError(f"The confidence is {confidence}.", "Use 25 (a blind guess among four) to 99 percent.")
    right = LETTERS.index(letter) == round_.truth
    p = confidence / 100 if right else (1 - confidence / 100) / 3
    return Score(-math.log2(p), *bits, truth)


def play_all(rounds: Sequence[Round], choices: str | Sequence[str | None] = "", confidence: float = 70) -> Score:
    """Score several rounds together, in mean bits a round; rounds without a choice count for the other two alone."""
    letters = [*choices, *[None] * (len(rounds) - len(choices))]
    scores = [play(r, c, confidence) for r, c in zip(rounds, letters, strict=True)]
    played = [s.you for s in scores if s.you is not None]
    means = [
        math.fsum(s.bigram for s in scores) / len(scores),
        math.fsum(s.model for s in scores) / len(scores),
    ]
    return Score(math.fsum(played) / len(played) if played else None, *means)


def scoreboard(scores: Sequence[Score]) -> dict[str, list]:
    """Return the rounds' bits as columns."""
    return {
        "round": list(range(1, len(scores) + 1)),
        "it was": [repr(s.truth) for s in scores],
        "you": ["-" if s.you is None else f"{s.you:.2f}" for s in scores],
        "bigram": [f"{s.bigram:.2f}" for s in scores],
        "model": [f"{s.model:.2f}" for s in scores],
    }


class Game:
    """The game as a form; its plain twins are `play` and `play_all`."""

    def __init__(self, rounds: Sequence[Round]):
        self.rounds, self.scores = list(rounds), []

    def __repr__(self) -> str:
        return f"{len(self.rounds)} rounds. Round 1:\n{self.rounds[0]!r}\nPlay with games.play(rounds[0], 'a', 70)."

    def _ipython_display_(self):
        show(repr(self), f"<pre>{escaped(repr(self))}</pre>", self.form)

    def form(self):
        """Build the widget: the last round's result, the question, fields for a letter and a confidence, buttons."""
        import ipywidgets as w

        told, prompt, board = w.HTML(status(HOW_TO_PLAY)), w.HTML(), w.HTML()
        chosen, sure = forms.letter_field(LETTERS), forms.percent_field(forms.BLIND, 99)
        button, skip = w.Button(description="Score this round"), w.Button(description="Skip")

        def ask():
            now = self.rounds[len(self.scores)]
            options = {x: repr(o) for x, o in zip(LETTERS, now.options, strict=True)}
            prompt.value = (
                f"<p><strong>Round {len(self.scores) + 1} of {len(self.rounds)}.</strong> What comes next?</p>"
                f'<pre style="white-space: pre-wrap">{escaped(now.context)}<b>|?|</b></pre>'
                f"{forms.options_html(options)}"
            )

        def end_round(letter=None, confidence=None):
            paid = play(self.rounds[len(self.scores)], letter, confidence)
            self.scores.append(paid)
            diary.note("game", "next_token", skipped=letter is None, value=letter, confidence=confidence)
            board.value = table_html(scoreboard(self.scores), "Bits paid, fewer is better")
            told.value = status(f"Round {len(self.scores)}: {paid!r}")
            chosen.value = ""
            if len(self.scores) < len(self.rounds):
                ask()
                forms.focus(chosen)
            else:
                prompt.value = "<p>That was the last round.</p>"
                chosen.disabled = sure.disabled = button.disabled = skip.disabled = True

        def score(_):
            try:
                if not chosen.value.strip():
                    forms.refuse(chosen, "The answer", "Choose first, or press Skip.")
                end_round(forms.read_letter(chosen, LETTERS), forms.read_percent(sure, forms.BLIND, 99))
            except ConfigError as error:
                told.value = status(str(error))

        ask()
        button.on_click(score)
        skip.on_click(lambda _: end_round())
        return w.VBox([told, prompt, chosen, sure, w.HBox([button, skip]), board])


class Samples:
    """What a model wrote at several moments of its training; as a form with a slider, or all of them as a table.

    samples: dicts with step, prompt and text. The plain twin is the table itself.
    """

    def __init__(self, samples: Sequence[dict], width: int = 90):
        self.samples, self.width = list(samples), width

    def columns(self) -> dict[str, list]:
        """Return the samples as columns, each cut to the width."""
        texts = [" ".join(printable(s["prompt"] + s["text"]).split()) for s in self.samples]
        cut = [t if len(t) <= self.width else t[: self.width - 4] + " ..." for t in texts]
        return {"step": [number(s["step"]) for s in self.samples], "what it wrote": cut}

    def table(self) -> str:
        """Return the samples as an HTML table."""
        return table_html(self.columns(), "Prompt and continuation at several moments")

    def __repr__(self) -> str:
        return table_text(self.columns())

    def _ipython_display_(self):
        show(repr(self), self.table(), self.form)

    def form(self):
        """Build the widget: a slider over the moments, the whole sample under it, and the table to unfold."""
        import ipywidgets as w

        options = [(number(s["step"]), i) for i, s in enumerate(self.samples)]
        slider = w.SelectionSlider(
            options=options,
            value=0,
            description="Step",
            continuous_update=False,
            layout=w.Layout(width="30em"),
        )
        shown = w.HTML()
        table = w.HTML(f"<details><summary>All moments as a table</summary>{self.table()}</details>")

        def show_sample(_=None):
            s = self.samples[slider.value]
            shown.value = (
                f'<div role="status" style="white-space: pre-wrap"><strong>{escaped(s["prompt"])}</strong>'
                f"{escaped(s['text'])}</div>"
            )

        slider.observe(show_sample, names="value")
        show_sample()
        return w.VBox([slider, shown, table])
