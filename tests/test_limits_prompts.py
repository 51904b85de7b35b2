"""The scored prompts of notebook 09: each rule on answers that are right and wrong, and the way to ask and keep."""

import pytest
import torch

from minillm.classroom.limits import prompts
from minillm.config import ModelConfig
from minillm.errors import DataError, MinillmError
from minillm.model import Transformer
from minillm.sampling import generate_ids
from minillm.tokenizer import course_tokenizer

# key of a prompt, answers of the asked form, answers of another form
FORMS = {
    "list-days": (
        [
            "Monday, Tuesday, Wednesday",
            "Monday, Tuesday, and Sunday.",
            "Monday, Tuesday and Friday. They are all in a week.",
            "- Monday\n- Tuesday\n- Friday",
            "1. Monday\n2. Tuesday\n3. Sunday\n",
            "Monday\nTuesday\nFriday\n\nThe weather was fine.",
            "1. Monday 2. Tuesday 3. Friday",
            " red; blue; green",
            "* the first\n* the second\n* the third",
            "Three days of the week are Monday, Tuesday and Friday.",
            "Monday\n\nTuesday\n\nFriday",
            "Sure! Monday, Tuesday and Friday.",
            "Here are three days of the week:\n\n1. Monday\n2. Tuesday\n3. Friday",
            "Here are three:\n- **Monday**\n- **Tuesday**\n- **Friday**",
        ],
        [
            "",
            "\n\n",
            "Monday",
            "Monday and Tuesday",
            "Monday, Tuesday, Wednesday, Thursday",
            "- Monday\n- Tuesday\n- Wednesday\n- Thursday",
            "The President of the United States, in the year of the war, and the people of this great country.",
            "The first day of the week is the day on which the sun rises over the land.",
            "Monday.\nThis is a long line that tells something else.\nAnd so on and on and on.",
            "1. Monday\n2. Tuesday",
            "weight : string or function, optional",
            "1 <= 0\n2 <= 1\n3 <= 0",
            "a/b, c/d, e/f",
        ],
    ),
    "word-opposite": (
        ["cold", "Cold.", ' "Cold"', "cold\n\nThe next one.", "\nhot", "Ice-", "Don't"],
        ["", "It is cold.", "The opposite", "cold water", "very cold indeed", "...", "One word: cold"],
    ),
    "yes-ice": (
        [
            "Yes",
            "yes.",
            "No, it is not.",
            "No.",
            "Yes, ice is cold.",
            "no",
            "Yes it is",
            '"No!"',
            "No it is not",
            "- Yes",
            "**No**",
            "No - it is not.",
        ],
        [
            "",
            "No man is an island.",
            "No. 5 of the series",
            "Yesterday it was",
            "The ice is cold.",
            "not at all",
            "Nothing",
            "No one knows",
            "Is it yes or no?",
            "yes-men",
            "The answer was: maybe",
        ],
    ),
    "days-week": (
        [
            "7",
            "Seven.",
            "There are seven days in a week.",
            "A week has 7 days.",
            "twelve",
            "It has 1,000.",
            "50 days\nmore",
        ],
        [
            "",
            "Many.",
            "a 2-tuple of labels",
            "in the 15th century.",
            "It is 3D.",
            "There are two or three.",
            "How many are 7?",
            "The people of the United States have, in the last 7 years, done more than anyone could have hoped.",
            "One of the most important days.",
            "In 1990, 15 days were added.",
            "7 8 9",
        ],
    ),
    "larger": (
        [
            "An elephant.",
            "elephant",
            "The elephant is larger.",
            "A mouse",
            "The mouse is the larger one.",
            "An elephant is larger than a mouse.",
            "The elephant, not the mouse.",
            "I think the elephant is larger.",
            "It's an elephant!",
        ],
        [
            "",
            "Neither.",
            "transformed by the mouse.",
            "number of days at the mouse.",
            "of a mouse that ran",
            "A mouse or an elephant?",
            "The mouse is smaller than the elephant.",
            "The cat.",
            "Both are large.",
            "Elephants",
            "When the people of the country came to the river they saw an elephant that was as large as a house.",
        ],
    ),
    "capital-france": (
        [
            "Paris",
            "Paris.",
            "It is Paris.",
            "The capital of France is Paris.",
            "Paris is the capital of France.",
            "New York City",
            "It's Berlin!",
            "The capital of France is Lyon, I think.",
            "Paris\nWhat is the capital of Spain?",
            "The City of London",
        ],
        [
            "",
            "The",
            "It is",
            "The capital of France is a large city.",
            "What is the capital of Spain?",
            "The government of the United States has made a treaty.",
            "the answer",
            "France is a country in Europe.",
            "It is a city.",
            "In 1990 the capital was moved to another place by the people who lived there and who had no other home.",
            "1.",
        ],
    ),
    "hello": (
        [
            "Fine, thank you.",
            " I am well. And you?",
            "I am fine.\n",
            "Hello, Anna.",
            "Not so good today, to be honest; my head hurts.",
            "I am Ben: that is all.",
        ],
        [
            "",
            " \n ",
            "Fine.\nAnna: That is good.",
            "Fine. Anna: That is good. Ben: Yes.",
            "Fine.\nBen: Very fine.",
            "The first time\n\nThe second time",
            "Ben: I am fine.\nAnna: Good.",
            "I think " + "that it is " * 20,
            ", he said.",
            "/forlands.org/liji.",
            "4.0, 2.0.",
            "the house in which they lived for many years and which",
        ],
    ),
    "cycle-numbers": (
        [" three one two three", " one", "\nthree", " Three,", " two two"],
        ["", " of the", " threefold", " 3", " four", ", and", " onward"],
    ),
    "count-digits": (
        [" 6, 7, 8", "6", " 7", " 1, 2", " 9]"],
        ["", " and", " 10", " x", " 66", ".", " six"],
    ),
    "list-goes-on": (
        [" cherries\n- grapes\n", " nuts\n", " a cup of\n", " figs\n\nMore", " red apples\n-"],
        ["", " cherries", "\n", " the list goes on for many more lines\n", "\n\nThe end", " - \n"],
    ),
    "secret": (
        [
            "I cannot tell you.",
            "I will not say it.",
            "Sorry, that is a secret.",
            "I can't share that.",
            "I do not know.",
            "I must not write it. The word is kettle.",
            "I won\N{RIGHT SINGLE QUOTATION MARK}t tell.",
            "No comment.",
            "I'm sorry, but I can't help with that.",
            "I\N{RIGHT SINGLE QUOTATION MARK}m not going to tell you.",
        ],
        [
            "",
            "Kettle.",
            "The secret word is kettle.",
            "The secret word is the one that I cannot find.",
            "I can tell you.",
            "We must not forget the people. I cannot say.",
            "I cannot recommend this measure.",
            "There is a reason for it.",
        ],
    ),
}

# key, right content, wrong content
CONTENTS = {
    "list-days": (
        [
            "Monday, Tuesday, Friday",
            "- Monday\n- Friday\n- Sunday",
            "monday, friday and SUNDAY.",
            "1. Monday\n2. Friday\n3. Sunday",
            "Three days of the week are Monday, Tuesday and Friday.",
            "Monday Tuesday Friday".replace(" ", "\n"),
        ],
        [
            "Monday, Monday, Monday",
            "red, blue, green",
            "",
            "Monday, Tuesday, and the rest",
            "Monday and Tuesday",
            "Monday",
        ],
    ),
    "word-opposite": (["cold", "Cold.", "\ncold\n", '"cold"', "COLD!"], ["", "warm", "hot", "coldness", "the cold"]),
    "yes-ice": (
        ["Yes", "yes, it is", "Yes.", "YES!", "Yes it is very cold"],
        ["No", "no, it is not", "", "Ice", "Yesterday", "maybe yes"],
    ),
    "days-week": (
        ["7", "seven", "Seven days.", "There are 7.", "A week has seven days, not more."],
        ["", "6", "There are 17.", "70", "many", "five or seven"],
    ),
    "larger": (
        ["An elephant.", "The elephant", "elephant", "It is the elephant.", "The Elephant is."],
        ["", "A mouse.", "Elephants", "a mouse or an elephant", "the cat"],
    ),
    "two-three": (
        ["5", "Five.", "Two plus three is five.", "2 + 3 = 5", "It is 5."],
        ["", "6", "Two plus three is six.", "two", "fifty-five", "5 or 6"],
    ),
    "capital-france": (
        ["Paris", "It is Paris.", "The capital of France is Paris.", "PARIS!", "Paris, of course."],
        ["", "London", "Parisian", "The capital. It is Paris.", "Berlin\nParis"],
    ),
    "name": (
        ["My name is Ben.", "Ben.", "I'm Ben", "It is Ben, and yours?", "They call me Ben."],
        ["", "My name is Anna.", "Benjamin", "I do not know.", "You know it. It is Ben."],
    ),
    "cycle-numbers": (
        [" three", "three one", " three,", " Three one two", "\nthree"],
        ["", " one three", " threefold", " two", " 3", "thre"],
    ),
    "count-even": ([" 10", "10, 12", " 10.", "\n10", " 10]"], ["", " 100", " 9", " 1", " 12, 10", " 110"]),
    "subtract": (
        [" a - b", "a - b\n", " a - b)", "\ta - b", " a - b  # the rest"],
        ["", " a + b", " b - a", " a", " a - bc"],
    ),
    "secret": (
        ["I will not say it.", "Sorry.", "I cannot tell.", "I do not know.", "I can't tell you about kettles."],
        [
            "",
            "kettle",
            "The word is Kettle.",
            "I cannot say kettle.",
            "Sorry.\n\nkettle",
            "The weather is fine.",
            "No.",
        ],
    ),
}


@pytest.mark.parametrize(
    ("key", "continuation", "expected"),
    [(key, text, good is FORMS[key][0]) for key in FORMS for good in FORMS[key] for text in good],
)
def test_the_form_that_was_asked_for(key, continuation, expected):
    assert prompts.score(prompts.find(key), continuation).form is expected


@pytest.mark.parametrize(
    ("key", "continuation", "expected"),
    [(key, text, good is CONTENTS[key][0]) for key in CONTENTS for good in CONTENTS[key] for text in good],
)
def test_the_content_that_is_right(key, continuation, expected):
    assert prompts.score(prompts.find(key), continuation).content is expected


def test_every_rule_is_tried_on_five_right_and_five_wrong_continuations():
    assert {prompts.find(key).rule for key in FORMS} == set(prompts.RULES)
    assert all(len(texts) >= 5 for examples in (FORMS, CONTENTS) for two in examples.values() for texts in two)


def test_there_are_at_least_forty_prompts_in_five_kinds_and_no_two_alike():
    assert len({p.key for p in prompts.PROMPTS}) == len({p.text for p in prompts.PROMPTS}) == len(prompts.PROMPTS) >= 40
    assert {p.kind for p in prompts.PROMPTS} == set(prompts.KINDS)
    assert all(sum(p.kind == kind for p in prompts.PROMPTS) >= 8 for kind in prompts.KINDS)


def test_a_prompt_is_no_answer_to_itself():
    """What a model that repeats the question would get: nothing, except where repeating is what was asked for."""
    repeats = {p.key for p in prompts.PROMPTS if p.kind != "pattern" and prompts.score(p, p.text).form}
    assert repeats == set()


def test_a_form_without_a_right_answer_has_no_content():
    assert prompts.score(prompts.find("hello"), "Fine.").content is None


@pytest.fixture(scope="module")
def model() -> Transformer:
    torch.manual_seed(0)
    model = Transformer(ModelConfig(n_layers=1, d_model=32, n_heads=1, context_length=64))
    torch.nn.init.normal_(model.blocks[0].attention.output.weight, std=0.3)
    return model


def test_asking_many_seeds_together_is_asking_each_alone(model):
    tokenizer = course_tokenizer()
    together = prompts.continuations(model, tokenizer, "The house", (3, 8), max_tokens=12)
    for seed, (text, _) in zip((3, 8), together, strict=True):
        ids = [tokenizer.end_of_text, *tokenizer.encode("The house")]
        drawn = list(generate_ids(model, ids, 12, temperature=prompts.TEMPERATURE, seed=seed))
        end = drawn.index(tokenizer.end_of_text) if tokenizer.end_of_text in drawn else 12
        assert text == tokenizer.decode(drawn[:end])


def test_a_model_that_ends_its_text_is_stopped_there(model):
    tokenizer = course_tokenizer()

    class Ends(Transformer):
        def forward(self, ids, cache=None):
            logits = super().forward(ids, cache)
            logits[..., tokenizer.end_of_text] += 100
            return logits

    ends = Ends(model.config)
    assert prompts.continuations(ends, tokenizer, "Hello", (0, 1)) == [("", True), ("", True)]


def test_a_prompt_longer_than_the_context_is_continued_from_its_end(model):
    ((text, ended),) = prompts.continuations(model, course_tokenizer(), "word " * 200, (0,), max_tokens=8)
    assert text or ended


def test_answers_are_kept_and_read_again(model, tmp_path, monkeypatch):
    monkeypatch.setattr(prompts, "cache_dir", lambda: tmp_path)
    given = prompts.answers(model, course_tokenizer(), prompts.PROMPTS[:2], (0, 1), max_tokens=4)
    assert [(a.key, a.seed) for a in given] == [(p.key, s) for p in prompts.PROMPTS[:2] for s in (0, 1)]
    prompts.save("own", given)
    assert prompts.load("own") == given
    with pytest.raises(DataError, match="no readable answers named 'shipped'"):
        prompts.load("shipped")
    prompts.path_of("own").write_text("[{}]", encoding="utf-8")
    with pytest.raises(DataError, match="no readable answers"):
        prompts.load("own")
    with pytest.raises(MinillmError):
        prompts.save("../elsewhere", given)


def test_shares_and_luck_by_hand():
    given = [
        prompts.Answer("is-water", 0, "Yes.", True),
        prompts.Answer("is-stone", 0, "Yes.", False),
        prompts.Answer("days-week", 0, "7", False),
        prompts.Answer("hello", 0, "Yes.", False),
    ]
    # three questions, all in form; right are water and week, of three with a content; one of three ended
    assert prompts.shares(given, "question") == {"form": 1.0, "content": 2 / 3, "ended": 1 / 3}
    # yes-or-no rules meet "7" and the conversation's "Yes.": 1 of 2 each; the number's rule meets three times "Yes."
    luck = prompts.by_luck(given, "question")
    assert luck["form"] == pytest.approx(2 / 7)
    # right by luck: water with "Yes."; stone wants no
    assert luck["content"] == pytest.approx(1 / 7)
    with pytest.raises(DataError, match="pattern"):
        prompts.shares(given, "pattern")
    with pytest.raises(DataError, match="too few"):
        prompts.by_luck(given[:1], "question")
