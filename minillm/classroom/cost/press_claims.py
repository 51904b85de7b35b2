"""The game of five press claims, all of our own making, one of which is impossible: find it by computing.

    claims = draw(seed)            five invented claims with their numbers
    play(claims, "c")              the verdict on each, with the arithmetic

Numbers and order are drawn, so that the game can be played again.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from minillm.classroom import diary, forms
from minillm.classroom.markup import escaped, printable, show, status, table_html
from minillm.cost import six_n_d
from minillm.cost.bill import PUE, find_accelerator, peak_flops
from minillm.cost.memory import model_states
from minillm.cost.numbers import short
from minillm.errors import ConfigError

LETTERS = "abcde"
NAMES = ("Larch", "Heron", "Basalt", "Quince", "Tern", "Marl", "Alder", "Plover", "Gneiss", "Sorrel")
"""Invented, like the claims."""


@dataclass(frozen=True)
class PressClaim:
    """One invented claim, whether it can be, and the arithmetic that decides."""

    text: str
    possible: bool
    why: str


@dataclass(frozen=True)
class ClaimSet:
    """Five claims, exactly one of them impossible."""

    seed: int
    claims: tuple[PressClaim, ...]

    @property
    def impossible(self) -> str:
        """The letter of the claim that cannot be."""
        return LETTERS[[c.possible for c in self.claims].index(False)]

    def __repr__(self) -> str:
        listed = "\n".join(f"  {letter}) {c.text}" for letter, c in zip(LETTERS, self.claims, strict=True))
        return printable(f"Five invented press claims, one of them impossible:\n{listed}")

    def _repr_html_(self) -> str:
        texts = {letter: claim.text for letter, claim in zip(LETTERS, self.claims, strict=True)}
        return f"<p>Five invented press claims, one of them impossible:</p>{forms.options_html(texts)}"


@dataclass(frozen=True)
class Verdict:
    """What became of an answer: right or not (None: not played), and the arithmetic of every claim."""

    claims: ClaimSet
    letter: str | None

    @property
    def right(self) -> bool | None:
        """Whether the impossible claim was found."""
        return None if self.letter is None else self.letter == self.claims.impossible

    def head(self) -> str:
        """Say in a sentence how it went."""
        if self.letter is None:
            return f"Not played. The impossible one was {self.claims.impossible}."
        word = "Right" if self.right else "No"
        return f"{word}: the impossible one was {self.claims.impossible}, you chose {self.letter}."

    def columns(self) -> dict[str, list]:
        """Return the arithmetic of each claim as columns."""
        return {
            "claim": list(LETTERS),
            "verdict": ["possible" if c.possible else "IMPOSSIBLE" for c in self.claims.claims],
            "why": [c.why for c in self.claims.claims],
        }

    def __repr__(self) -> str:
        rows = zip(*self.columns().values(), strict=True)
        return printable("\n".join([self.head(), *(f"  {a}) {verdict}: {why}" for a, verdict, why in rows)]))

    def _repr_html_(self) -> str:
        return f"<p>{escaped(self.head())}</p>{table_html(self.columns(), 'The arithmetic')}"


def hours_claim(rng: random.Random, name: str, possible: bool) -> PressClaim:
    """Hours that need a share of the peak below or above 1."""
    size, ratio = rng.choice((3, 7, 13, 30)) * 1e9, rng.choice((20, 60, 100))
    share = (
        rng.uniform(0.28, 0.48) if possible else rng.uniform(2.2, 3.5)
    )  # beyond the peak of 8-bit numbers, twice as high, too
    peak = peak_flops(find_accelerator("h100"))
    tokens = ratio * size
    hours = rounded(six_n_d(size, tokens) / peak / 3600 / share)
    share = six_n_d(size, tokens) / (hours * 3600 * peak)
    text = f"{name} ({short(size)} parameters) read {short(tokens)} tokens in {short(hours)} H100-hours, in 16 bits."
    need = (
        f"6ND is {short(six_n_d(size, tokens))}; these hours at the full 16-bit peak hold {short(hours * 3600 * peak)}"
    )
    return PressClaim(text, possible, f"{need}: a share of {share:.0%}.")


def memory_claim(rng: random.Random, name: str, possible: bool) -> PressClaim:
    """Accelerators that hold, or cannot hold, 16 bytes a parameter."""
    size = rng.choice((13, 30, 70)) * 1e9
    device = find_accelerator("h100")
    held, need = device.memory_gb * 1e9, model_states(size).total
    fewest = -(-need // held)
    devices = int(fewest * rng.choice((4, 8)) if possible else max(1, fewest // rng.choice((2, 3))))
    text = (
        f"{name} ({short(size)} parameters) was trained on {devices} H100 of 80 GB, with 16-bit weights and gradients "
        "and Adam in 32 bits, nothing moved to other memory."
    )
    there = f"{devices} x 80 GB are {devices * 80:,}"
    why = f"16 bytes a parameter are {short(need / 1e9)} GB before any activation; {there}."
    return PressClaim(text, possible, why)


def energy_claim(rng: random.Random, name: str, possible: bool) -> PressClaim:
    """Energy that fits, or cannot fit, hours of a device that draws 700 W."""
    hours = rng.choice((2e5, 5e5, 1e6, 2e6))
    device = find_accelerator("h100")
    watts = device.power_w * (rng.uniform(0.85, 1.1) * PUE.low if possible else rng.uniform(0.03, 0.06))
    energy = rounded(hours * watts / 1e6)
    watts = energy * 1e6 / hours
    text = f"{name} took {short(hours)} H100-hours, and its data centre drew {short(energy)} MWh for them."
    compare = "about its rated 700 W" if possible else "less than a light bulb, for a device rated at 700 W"
    return PressClaim(text, possible, f"{short(energy)} MWh / {short(hours)} h is {watts:.0f} W a device: {compare}.")


def storage_claim(rng: random.Random, name: str, possible: bool) -> PressClaim:
    """A checkpoint to go on from that fits, or cannot fit, a drive."""
    size = rng.choice((7, 13, 30, 70)) * 1e9
    full = 14 * size
    drive = rounded(full * (rng.uniform(1.4, 3.0) if possible else rng.uniform(0.15, 0.4)))
    text = (
        f"All that {name} ({short(size)} parameters) needs to go on training, 16-bit weights, 32-bit weights and both "
        f"of Adam's means, was carried out on one {short(drive / 1e9)} GB drive."
    )
    return PressClaim(
        text, possible, f"14 bytes a parameter are {short(full / 1e9)} GB; the drive has {short(drive / 1e9)}."
    )


def money_claim(rng: random.Random, name: str, possible: bool) -> PressClaim:
    """A price that follows, or does not, from devices, days and dollars an hour."""
    devices, days = rng.choice((256, 512, 1024, 2048)), rng.choice((14, 21, 30, 60))
    rate = rng.choice((2.0, 2.5, 3.0))
    true = devices * days * 24 * rate
    stated = true if possible else rounded(true * rng.uniform(0.08, 0.15))
    text = f"{name} rented {devices:,} H100 for {days} days at ${rate:.2f} each an hour: ${short(stated)} in all."
    why = f"{devices:,} x {days} x 24 x ${rate:.2f} is ${short(true)}, and ${short(stated)} was stated."
    return PressClaim(text, possible, why)


MAKERS: tuple[Callable[[random.Random, str, bool], PressClaim], ...] = (
    hours_claim,
    memory_claim,
    energy_claim,
    storage_claim,
    money_claim,
)


def rounded(value: float) -> float:
    """Return a number as the press writes it, in two digits."""
    return float(f"{value:.2g}")


def draw(seed: int) -> ClaimSet:
    """Return five invented claims, exactly one of them impossible; the same for the same seed."""
    rng = random.Random(seed)
    names, wrong = rng.sample(NAMES, len(MAKERS)), rng.randrange(len(MAKERS))
    made = [make(rng, name, i != wrong) for i, (make, name) in enumerate(zip(MAKERS, names, strict=True))]
    rng.shuffle(made)
    return ClaimSet(seed, tuple(made))


def play(claims: ClaimSet, letter: str | None = None) -> Verdict:
    """Say which claim is impossible and see the arithmetic; ConfigError for a letter that is none of them."""
    if letter is None:
        return Verdict(claims, None)
    chosen = str(letter).strip().lower()
    if len(chosen) != 1 or chosen not in LETTERS:
        raise ConfigError(f"{letter!r} is no claim.", f"Use one of {', '.join(LETTERS)}.")
    return Verdict(claims, chosen)


class Game:
    """The game as a form, one set after the other; its plain twins are `draw` and `play`."""

    def __init__(self, sets: Sequence[ClaimSet]):
        self.sets, self.verdicts = list(sets), []

    def __repr__(self) -> str:
        return f'{len(self.sets)} sets. Set 1:\n{self.sets[0]!r}\nAnswer with press_claims.play(sets[0], "letter").'

    def _ipython_display_(self):
        show(repr(self), f"<pre style='white-space: pre-wrap'>{escaped(repr(self))}</pre>", self.form)

    def form(self):
        """Build the widget: five claims, a field for a letter, buttons to answer, to skip and to go on."""
        import ipywidgets as w

        told, prompt, board = w.HTML(status("Type the letter of the impossible one.")), w.HTML(), w.HTML()
        chosen = forms.letter_field(LETTERS)
        button, skip = w.Button(description="Check this set"), w.Button(description="Skip")

        def ask():
            now = self.sets[len(self.verdicts)]
            texts = {letter: c.text for letter, c in zip(LETTERS, now.claims, strict=True)}
            head = f"Set {len(self.verdicts) + 1} of {len(self.sets)}."
            prompt.value = (
                f"<p><strong>{head}</strong> Invented claims; which is impossible?</p>{forms.options_html(texts)}"
            )

        def end_set(letter: str | None):
            verdict = play(self.sets[len(self.verdicts)], letter)
            self.verdicts.append(verdict)
            diary.note("game", "press_claims", skipped=letter is None, value=letter, hit=verdict.right)
            board.value = table_html(verdict.columns(), f"Set {len(self.verdicts)}, the arithmetic")
            found = sum(bool(v.right) for v in self.verdicts)
            told.value = status(f"{verdict.head()} Found so far: {found} of {len(self.verdicts)}.")
            chosen.value = ""
            if len(self.verdicts) < len(self.sets):
                ask()
                forms.focus(chosen)
            else:
                prompt.value = "<p>That was the last set. More of them: press_claims.draw(seed).</p>"
                chosen.disabled = button.disabled = skip.disabled = True

        def check(_):
            try:
                end_set(forms.read_letter(chosen, LETTERS))
            except ConfigError as error:
                told.value = status(str(error))

        ask()
        button.on_click(check)
        skip.on_click(lambda _: end_set(None))
        return w.VBox([told, prompt, chosen, w.HBox([button, skip]), board])
