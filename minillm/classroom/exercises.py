"""Exercises with a checker: not attempted, not yet and which mistake it looks like, or correct.

One keyed source holds everything about an exercise (see `lessons/`). A checker takes the answer as an argument, draws
fresh random cases, and never raises for what the learner's code does.
"""

import contextlib
import copy
import difflib
import importlib
import inspect
import math
import random
import signal
import textwrap
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from minillm.classroom.markup import escaped, paragraphs, printable, status
from minillm.errors import ConfigError

TIME_LIMIT_S = 10.0
NEAR = 1e-3
"""Answers off by less than this are told about rounding."""
NOT_ATTEMPTED, NOT_YET, CORRECT = "not attempted", "not yet", "correct"


@dataclass(frozen=True)
class Wrong:
    """A mistake that learners make: how it computes, and what to tell who makes it."""

    name: str
    answer: Callable
    message: str


@dataclass(frozen=True)
class Exercise:
    """One exercise: question, starter, hints, reference and named mistakes in one place.

    For a function to write, `cases(rng)` returns fresh argument tuples and `reference` is the function itself. For a
    value to give, `solution` holds the code that makes it, `cases(rng)` returns dicts of what the value depends on,
    and `reference(**given)` is the value.
    """

    key: str
    question: str
    difficulty: int
    starter: str
    hints: tuple[str, str, str]
    reference: Callable
    wrong: tuple[Wrong, ...]
    cases: Callable[[random.Random], Sequence]
    properties: tuple[Callable[[Callable, random.Random], str | None], ...] = ()
    solution: str | None = None
    tolerance: float = 1e-6
    equivalent: tuple[str, ...] = field(default=())
    """Automatic mutants of the reference that compute the same, as the tests describe them."""

    @property
    def is_function(self) -> bool:
        """Tell whether the answer is a function to write."""
        return self.solution is None

    def solution_code(self) -> str:
        """Return the code of the reference solution."""
        return self.solution or textwrap.dedent(inspect.getsource(self.reference))


@dataclass(frozen=True)
class Result:
    """What a checker found: one of three outcomes, and a message."""

    outcome: str
    message: str

    def __repr__(self) -> str:
        return printable(f"{self.outcome.capitalize()}. {self.message}")

    def _repr_html_(self) -> str:
        return status(repr(self))


@dataclass(frozen=True)
class Note:
    """A text for the learner, shown as it is."""

    text: str

    def __repr__(self) -> str:
        return printable(self.text)

    def _repr_html_(self) -> str:
        return f"<div>{paragraphs(self.text)}</div>"


@dataclass(frozen=True)
class Code:
    """Code for the learner to read."""

    text: str

    def __repr__(self) -> str:
        return printable(self.text)

    def _repr_html_(self) -> str:
        return f"<pre>{escaped(self.text)}</pre>"


def find(key: str) -> Exercise:
    """Return the exercise of that key, such as 03.surprise; ConfigError with the nearest key if there is none."""
    return lookup(key, "EXERCISES", "exercise")


def lookup(key: str, table: str, what: str):
    """Return the item of a lesson's table by its key, whose first two digits are the notebook's number."""
    module = f"minillm.classroom.lessons.lesson{str(key)[:2]}"
    try:
        items = {item.key: item for item in getattr(importlib.import_module(module), table)}
    except ModuleNotFoundError:
        raise ConfigError(f"There is no {what} '{key}'.", "A key begins with its notebook's number: 03.name") from None
    if key not in items:
        near = difflib.get_close_matches(key, items, 1, 0.0) or [f"{key[:2]} has none"]
        raise ConfigError(f"There is no {what} '{key}'.", f"The nearest is '{near[0]}'.")
    return items[key]


def check(key: str, answer: object, *, seed: int | None = None, **given: object) -> Result:
    """Check an answer: the function itself, or a value with what it depends on as named arguments.

    Fresh random cases at every call unless `seed` is given. Never raises for what the answer is or does.
    """
    return judge(find(key), answer, random.Random(seed), given)


def hint(key: str, number: int = 1) -> Note:
    """Return one of three hints, each saying more than the one before."""
    exercise = find(key)
    if number not in (1, 2, 3):
        raise ConfigError(f"There is no hint {number!r}.", "Ask for 1, 2 or 3.")
    return Note(f"Hint {number} of 3: {exercise.hints[number - 1]}")


def solution(key: str) -> Code:
    """Return the reference solution."""
    return Code(find(key).solution_code())


def question(key: str) -> Note:
    """Return the question with its difficulty, 1 to 5."""
    exercise = find(key)
    return Note(f"Exercise {key}, difficulty {exercise.difficulty} of 5. {exercise.question}")


def judge(exercise: Exercise, answer: object, rng: random.Random, given: Mapping[str, object]) -> Result:
    """Compare an answer with the reference on fresh cases, and name the mistake it looks like."""
    if answer is None or answer is ...:
        return Result(NOT_ATTEMPTED, "Replace the three dots with your answer, then run the cell again.")
    if not exercise.is_function:
        return _judge_value(exercise, answer, given)
    if not callable(answer):
        return Result(NOT_YET, "Hand over the function itself, without parentheses after its name.")
    cases = list(exercise.cases(rng))
    found = [attempt(answer, case) for case in cases]
    if found[0] is ... or (isinstance(found[0], Failure) and found[0].kind == "NotImplementedError"):
        return Result(NOT_ATTEMPTED, "Replace the three dots with your answer, then run the cell again.")
    expected = [attempt(exercise.reference, case) for case in cases]
    bad = [i for i in range(len(cases)) if not agree(found[i], expected[i], exercise.tolerance)]
    if not bad:
        return _judge_properties(exercise, answer, rng)
    named = _name_mistake(exercise, found, [lambda w, c=case: attempt(w, c) for case in cases])
    return Result(NOT_YET, named or _describe(cases[bad[0]], found[bad[0]], expected[bad[0]], exercise.tolerance))


def _judge_value(exercise: Exercise, answer: object, given: Mapping[str, object]) -> Result:
    """Compare a value with the reference for what was given."""
    try:
        inspect.signature(exercise.reference).bind(**given)
    except TypeError:
        needed = ", ".join(f"{name}=..." for name in inspect.signature(exercise.reference).parameters)
        call = f'exercises.check("{exercise.key}", your_answer, {needed})'
        return Result(NOT_YET, f"The checker needs to know what the value depends on: {call}.")
    expected = attempt(lambda: exercise.reference(**given), ())
    if isinstance(expected, Failure):
        return Result(NOT_YET, f"Nothing can be computed from what you gave the checker: {expected}.")
    if agree(answer, expected, exercise.tolerance):
        return Result(CORRECT, "")
    named = _name_mistake(exercise, [answer], [lambda wrong: attempt(lambda: wrong(**given), ())])
    comment = _type_comment(answer, expected, exercise.tolerance)
    return Result(NOT_YET, named or f"{_short(answer)} is not it. {comment}".strip())


def _judge_properties(exercise: Exercise, answer: Callable, rng: random.Random) -> Result:
    """Check what must hold besides the cases; a property returns a message where it does not."""
    for holds in exercise.properties:
        message = attempt(holds, (answer, rng))
        if message is not None:
            return Result(NOT_YET, str(message))
    return Result(CORRECT, "")


def _name_mistake(exercise: Exercise, found: list, tries: list[Callable]) -> str | None:
    """Return the message of the named mistake that gives the same answers in every case."""
    for wrong in exercise.wrong:
        if all(agree(f, run(wrong.answer), exercise.tolerance) for f, run in zip(found, tries, strict=True)):
            return wrong.message
    return None


def _describe(case: Sequence, found: object, expected: object, tolerance: float) -> str:
    """Describe one case in which the answer differs."""
    arguments = ", ".join(_short(argument) for argument in case)
    if isinstance(found, Failure):
        return f"For the arguments ({arguments}) your code stopped: {found}."
    if found is None:
        return f"For the arguments ({arguments}) your function returns nothing: is its `return` missing?"
    told = f"For the arguments ({arguments}) your function returns {_short(found)}; it should be {_short(expected)}."
    return f"{told} {_type_comment(found, expected, tolerance)}".strip()


def _type_comment(found: object, expected: object, tolerance: float) -> str:
    """Say what is odd about an answer's type or its digits, if anything is."""
    if isinstance(expected, int | float) and isinstance(found, str):
        return f"It is a text: {'True or False' if isinstance(expected, bool) else 'a number'} is needed."
    if inspect.isgenerator(found):
        return "It is a generator: wrap it in list( )."
    if isinstance(found, list | tuple | str) and isinstance(expected, type(found)) and len(found) != len(expected):
        return f"Its length is {len(found)}, and {len(expected)} is needed."
    if agree(found, expected, NEAR) and not agree(found, expected, tolerance):
        return (
            "That is near, but not near enough. Was it rounded, or computed in float32, which keeps seven digits? "
            "That is too coarse beside large numbers: use Python's own numbers or float64."
        )
    return ""


def _short(value: object, limit: int = 80) -> str:
    """Return a value's text, cut to a readable length; a value that cannot be shown is named by its type."""
    try:
        text = printable(repr(value))
    except Exception:
        text = f"an object of type {type(value).__name__}"
    return text if len(text) <= limit else text[: limit - 4] + " ..."


@dataclass(frozen=True)
class Failure:
    """An exception in the learner's code, by kind and message; two of the same kind agree."""

    kind: str
    message: str = field(compare=False, default="")

    def __repr__(self) -> str:
        return f"{self.kind}: {self.message}"


class _TooLong(BaseException):
    """The time is up; no `except Exception` of the learner's stops it."""


def attempt(function: Callable, arguments: Sequence) -> object:
    """Call with copies of the arguments and return the value, or a Failure for an exception, an exit or a time-out."""
    try:
        with time_limit(TIME_LIMIT_S):
            return function(*copy.deepcopy(tuple(arguments)))
    except _TooLong:
        return Failure("Time is up", f"no result after {TIME_LIMIT_S:g} seconds; does a loop never end?")
    except (Exception, SystemExit) as error:
        return Failure(type(error).__name__, _short(str(error), 200).strip("'\""))


@contextlib.contextmanager
def time_limit(seconds: float):
    """Stop the block after so many seconds; where the system has no alarm (Windows, a thread), without a limit."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_):
        raise _TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def agree(found: object, expected: object, tolerance: float) -> bool:
    """Compare two answers: numbers within the tolerance, sequences and dicts element by element, a tensor as a list."""
    try:
        return _agree(found, expected, tolerance)
    except (Exception, RecursionError):  # an answer of a type that cannot be compared is not the right one
        return False


def _agree(found: object, expected: object, tolerance: float) -> bool:
    expected = expected.tolist() if hasattr(expected, "tolist") else expected
    if hasattr(found, "tolist"):
        found = found.tolist()
        while isinstance(found, list) and len(found) == 1 and not isinstance(expected, list | tuple):
            found = found[0]  # an array of one number is that number
    if isinstance(expected, Failure) and expected.kind == "OverflowError" and isinstance(found, float):
        return not math.isfinite(found)  # where Python stops, numpy and torch go on with inf and nan
    if isinstance(expected, Failure) or isinstance(found, Failure):
        return type(found) is type(expected) and found == expected
    if isinstance(expected, bool) or isinstance(found, bool):
        return found is expected
    if isinstance(expected, int | float):
        is_number = isinstance(found, int | float)
        return is_number and (found == expected or math.isclose(found, expected, rel_tol=tolerance, abs_tol=tolerance))
    if isinstance(expected, list | tuple):
        same = isinstance(found, list | tuple) and len(found) == len(expected)
        return same and all(_agree(_as_asked(f, e), e, tolerance) for f, e in zip(found, expected, strict=True))
    if isinstance(expected, dict):
        same = isinstance(found, dict) and found.keys() == expected.keys()
        return same and all(_agree(found[k], expected[k], tolerance) for k in expected)
    return type(found) is type(expected) and bool(found == expected)


def _as_asked(found: object, expected: object) -> object:
    """Return True and False in a list as 1 and 0 where these are asked for: a mask may be written either way."""
    found = found.tolist() if hasattr(found, "tolist") else found
    is_count = isinstance(expected, int) and not isinstance(expected, bool)
    return int(found) if is_count and isinstance(found, bool) else found
