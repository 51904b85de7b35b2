"""The base model explorer: a prompt, a temperature, a seed; the continuation, its tokens' probabilities, a score."""

import math
from dataclasses import dataclass

import torch

from minillm.classroom import forms
from minillm.classroom.limits.prompts import PROMPTS, continued_ids
from minillm.classroom.limits.rules import RULES, Prompt, Score, score
from minillm.classroom.markup import escaped, printable, show, status, table_html, table_text
from minillm.classroom.threads import one_thread
from minillm.errors import ConfigError
from minillm.model import Transformer
from minillm.tokenizer import Tokenizer

LONGEST_CHARACTERS = 600
TOKENS = 24


@dataclass(frozen=True)
class Explored:
    """A prompt and its continuation, token by token with its probability (at temperature 1), and its score if any."""

    prompt: str
    continuation: str
    ended: bool
    pieces: tuple[str, ...]
    probabilities: tuple[float, ...]
    rule: str
    score: Score | None

    def columns(self) -> dict[str, list]:
        """Return tokens and their probabilities as columns of a table."""
        return {
            "token": [repr(piece) for piece in self.pieces],
            "probability": [float(f"{p:.2g}") for p in self.probabilities],
        }

    def verdict(self) -> str:
        """Return the rule and the score in words."""
        if self.score is None:
            return "No rule: this prompt is yours."
        content = {None: "no right answer to check", True: "content right", False: "content not right"}
        return f"Asked for {self.rule}: {'yes' if self.score.form else 'no'}; {content[self.score.content]}."

    def __repr__(self) -> str:
        end = "[ended by itself]" if self.ended else "..."
        return printable(f"{self.prompt}|{self.continuation}{end}\n{self.verdict()}\n\n{table_text(self.columns())}")

    def _repr_html_(self) -> str:
        text = f"{escaped(self.prompt)}<b>{escaped(self.continuation)}</b>"
        end = " (ended by itself)" if self.ended else "..."
        prose = f'<pre style="white-space: pre-wrap">{text}{end}</pre><p>{escaped(self.verdict())}</p>'
        table = table_html(self.columns(), "Each token drawn, and the probability that the model gave it")
        return f"{prose}<details><summary>Token by token</summary>{table}</details>"


def of_key(key: str) -> Prompt | None:
    """Return the scored prompt with this key, or None."""
    return next((prompt for prompt in PROMPTS if prompt.key == key), None)


def explore(model: Transformer, tokenizer: Tokenizer, prompt: str, temperature: float = 0.7, seed: int = 0) -> Explored:
    """Continue a prompt by 24 tokens: a text of yours, or the key of a scored prompt such as list-days.

    Raises ConfigError for an empty or a long prompt, a temperature out of 0 to 5 or a seed that is no whole number.
    """
    known = of_key(prompt)
    text = known.text if known else prompt
    if not isinstance(text, str) or not text.strip():
        raise ConfigError("There is no prompt.", "Give some text, or the key of a scored prompt, such as list-days.")
    if len(text) > LONGEST_CHARACTERS:
        raise ConfigError(f"The prompt has {len(text):,} characters.", f"Give at most {LONGEST_CHARACTERS}.")
    if not isinstance(temperature, int | float) or not 0 <= temperature <= 5:
        raise ConfigError(f"The temperature is {temperature!r}.", "Use 0 (always the likeliest token) to 5.")
    if not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise ConfigError(f"The seed is {seed!r}.", "Use a whole number from 0.")
    with one_thread():
        ((ids, ended),) = continued_ids(model, tokenizer, text, (seed,), max_tokens=TOKENS, temperature=temperature)
        p = priced(model, [tokenizer.end_of_text, *tokenizer.encode(text)], ids)
    continuation, pieces = tokenizer.decode(ids), tuple(tokenizer.decode([token]) for token in ids)
    found = score(known, continuation) if known else None
    return Explored(text, continuation, ended, pieces, p, RULES[known.rule].asks if known else "", found)


@torch.no_grad()
def priced(model: Transformer, before: list[int], after: list[int]) -> tuple[float, ...]:
    """Return the probability that the model gives each of the later ids after all before it."""
    before = before[-max(1, model.config.context_length - len(after)) :]
    if not after:
        return ()
    logs = model(torch.tensor([before + after], device=model.device))[0].log_softmax(-1).cpu()
    return tuple(math.exp(logs[len(before) - 1 + i, token].item()) for i, token in enumerate(after))


class Explorer:
    """Fields for a prompt, a temperature and a seed; its plain twin is `explore`."""

    def __init__(self, model: Transformer, tokenizer: Tokenizer, prompt: str = "list-days"):
        self.model, self.tokenizer, self.prompt = model, tokenizer, prompt

    def first(self) -> Explored:
        """Return what is shown before anything is typed."""
        return explore(self.model, self.tokenizer, self.prompt)

    def __repr__(self) -> str:
        return f'{self.first()!r}\n\nWithout the form: explorer.explore(base, tokenizer, "your text", 0.7, 0)'

    def _ipython_display_(self):
        show(repr(self), self.first()._repr_html_(), self.form)

    def form(self):
        """Build the widget: three fields, a button, and the continuation."""
        import ipywidgets as w

        prompt = forms.field("Prompt", "a text of yours, or a key such as list-days")
        temperature, seed = forms.number_field("Temperature", "", 0, 5), forms.number_field("Seed", "", 0, 10**6)
        button, told, shown = w.Button(description="Continue"), w.HTML(), w.HTML()
        prompt.value, temperature.value, seed.value = self.prompt, "0.7", "0"

        def go_on(_=None):
            try:
                explored = explore(
                    self.model,
                    self.tokenizer,
                    prompt.value.replace("\\n", "\n"),
                    forms.read_number(temperature, "The temperature", 0, 5, ""),
                    forms.read_number(seed, "The seed", 0, 10**6, ""),
                )
            except ConfigError as error:
                told.value = status(str(error))
                return
            shown.value = explored._repr_html_()
            told.value = status(f"{len(explored.pieces)} tokens written. {explored.verdict()}")

        go_on()
        button.on_click(go_on)
        keys = ", ".join(escaped(prompt.key) for prompt in PROMPTS)
        listed = w.HTML(f"<details><summary>Keys of the scored prompts</summary>{keys}</details>")
        return w.VBox([prompt, temperature, seed, button, told, shown, listed])
