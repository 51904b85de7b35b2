"""What every lesson's material keeps: exercises that judge rightly, quiz items that explain, claims that hold."""

import ast
import importlib
import inspect
import json
import pkgutil
import random
from pathlib import Path

import notebook_lesson99
import pytest
from notebook_mutants import mutants

from minillm.classroom import evidence, exercises, lessons
from minillm.classroom.exercises import CORRECT, NOT_ATTEMPTED, NOT_YET, judge

MODULES = [notebook_lesson99] + [
    importlib.import_module(f"{lessons.__name__}.{module.name}")
    for module in pkgutil.iter_modules(lessons.__path__)
    if module.name.startswith("lesson")
]
EXERCISES = [exercise for module in MODULES for exercise in getattr(module, "EXERCISES", ())]
QUIZ = [item for module in MODULES for item in getattr(module, "QUIZ", ())]
CLAIMS = list(evidence.claims().values())
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
DRAWS = 20


def by_key(item):
    return getattr(item, "key", None) or item.name


def verdicts(exercise, function, draws=DRAWS):
    """Judge an answer, or a function that computes the value asked for, in so many draws of fresh cases."""
    for seed in range(draws):
        rng = random.Random(seed)
        if exercise.is_function:
            yield judge(exercise, function, rng, {})
            continue
        for given in exercise.cases(rng):
            yield judge(exercise, exercises.attempt(lambda g=given: function(**g), ()), rng, given)


@pytest.fixture(autouse=True)
def short_limit(monkeypatch):
    monkeypatch.setattr(exercises, "TIME_LIMIT_S", 1.0)


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_key)
def test_exercise_is_complete(exercise):
    assert 1 <= exercise.difficulty <= 5
    assert len(set(exercise.hints)) == 3
    assert exercise.question and exercise.starter.count("...") == 1
    assert len(exercise.wrong) >= 3
    assert len({wrong.message for wrong in exercise.wrong}) == len(exercise.wrong)
    assert ast.parse(exercise.solution_code()).body


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_key)
def test_reference_is_correct_and_starter_is_not_attempted(exercise):
    found = list(verdicts(exercise, exercise.reference))
    assert [result for result in found if result.outcome != CORRECT] == []
    scope = {}
    exec(exercise.starter, scope)
    (name,) = [name for name in scope if name != "__builtins__"]
    if exercise.is_function:
        assert name == exercise.reference.__name__
    assert judge(exercise, scope[name], random.Random(0), {}).outcome == NOT_ATTEMPTED


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_key)
def test_each_wrong_answer_gets_its_own_message(exercise):
    for wrong in exercise.wrong:
        for result in verdicts(exercise, wrong.answer):
            assert (result.outcome, result.message) == (NOT_YET, wrong.message), wrong.name


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_key)
def test_mutants_of_the_reference_are_rejected(exercise):
    reference = exercise.reference
    source = inspect.cleandoc("\n" + inspect.getsource(reference))
    made = list(mutants(source, reference.__name__, dict(reference.__globals__)))
    judged = [(told, mutant) for told, mutant in made if told not in exercise.equivalent]
    assert len(judged) >= 3, "a reference with so little in it needs no function"
    passed = [told for told, mutant in judged if all(r.outcome == CORRECT for r in verdicts(exercise, mutant, draws=1))]
    assert len(passed) <= 0.1 * len(judged), f"{len(passed)} of {len(judged)} pass: {passed}"
    unknown = set(exercise.equivalent) - {told for told, _ in made}
    assert not unknown, "listed as equivalent, but no such mutant is made"


@pytest.mark.parametrize("item", QUIZ, ids=by_key)
def test_quiz_item_explains_every_option(item):
    assert list(item.options) == list(item.explanations) == ["a", "b", "c", "d"]
    assert item.right in item.options
    assert len({text.strip() for text in item.explanations.values()} - {""}) == 4
    assert len(set(item.options.values())) == 4
    assert item.notebook.isdigit() and 0 <= int(item.notebook) <= 12


@pytest.mark.parametrize("item", QUIZ, ids=by_key)
def test_a_section_that_a_quiz_item_names_is_a_heading_of_its_notebook(item):
    (text,) = [path.read_text(encoding="utf-8") for path in NOTEBOOKS.glob(f"{item.notebook}_*.ipynb")] or [""]
    headings = {
        line.lstrip("# ")
        for cell in (json.loads(text)["cells"] if text else [])
        if cell["cell_type"] == "markdown"
        for line in "".join(cell["source"]).splitlines()
        if line.startswith("#")
    }
    assert not item.section or item.section in headings
    assert ("(planned)" in item.where()) == (not text)


def test_keys_are_unique_and_begin_with_their_lesson():
    keys = [item.key for item in [*EXERCISES, *QUIZ]]
    assert len(set(keys)) == len(keys)
    for module in MODULES:
        number = module.__name__[-2:]
        for item in [*getattr(module, "EXERCISES", ()), *getattr(module, "QUIZ", ())]:
            assert item.key.startswith(f"{number}.")


@pytest.mark.parametrize("claim", CLAIMS, ids=by_key)
def test_evidence_lies_in_its_band_and_is_current(claim):
    assert evidence.faults(claim, evidence.load(claim.name)) == []


@pytest.mark.parametrize("claim", CLAIMS, ids=by_key)
def test_one_seed_of_each_claim_again(claim):
    value = claim.measure(claim.seeds[0])
    assert claim.low <= value <= claim.high


def test_evidence_belongs_to_a_claim():
    stored = {path.stem for path in evidence.path_of("any").parent.glob("*.json")}
    assert stored <= {claim.name for claim in CLAIMS}
