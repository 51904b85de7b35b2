"""Free text: ideas seen or not seen, on answers right and wrong, with negation, order, typos and spelling."""

import itertools

import pytest

from minillm.classroom import diary, evidence
from minillm.classroom.practice import free_text, language, questions, sample_answers
from minillm.errors import ConfigError

QUESTIONS = {question.key: question for question in questions.PRACTICE}
SETS = {
    "first": sample_answers.FIRST,
    "held back": sample_answers.HELD_BACK,
    "held back again": sample_answers.HELD_BACK_AGAIN,
    "third": sample_answers.HELD_BACK_THIRD,
    "fourth": sample_answers.HELD_BACK_FOURTH,
    "fifth": sample_answers.HELD_BACK_FIFTH,
    "sixth": sample_answers.HELD_BACK_SIXTH,
    "seventh": sample_answers.HELD_BACK_SEVENTH,
}
PHASE, OBJECTIVE, DATA = QUESTIONS
NEXT, BEFORE, ITSELF, GRADED = range(4)


@pytest.fixture(autouse=True)
def own_diary(monkeypatch, tmp_path):
    monkeypatch.setattr(diary, "path", lambda: tmp_path / "learner" / "diary.jsonl")
    monkeypatch.setattr(diary, "_session", [])


def seen(key, text):
    """Return the places of the ideas that are seen."""
    return [i for i, found in enumerate(QUESTIONS[key].coverage(text).values()) if found]


# --- on many answers


@pytest.mark.parametrize("key", QUESTIONS)
@pytest.mark.parametrize("name", SETS)
def test_what_is_seen_was_stated(key, name):
    trust = sample_answers.trust(SETS[name], key)
    assert trust.precision >= 0.9 and trust.recall >= 0.75, trust


@pytest.mark.parametrize("key", QUESTIONS)
def test_there_are_ten_right_and_ten_wrong_answers_at_least(key):
    found = [s for s in sample_answers.samples(SETS["first"]) if s.key == key]
    assert sum(any(s.states) for s in found) >= 10 and sum(not any(s.states) for s in found) >= 10
    everything = [s.text for lines in SETS.values() for s in sample_answers.samples(lines)]
    assert len(everything) == len(set(everything))


@pytest.mark.parametrize("key", QUESTIONS)
def test_every_idea_of_the_model_answer_is_seen_in_it(key):
    assert seen(key, free_text.model_answer(key)) == list(range(len(QUESTIONS[key].concepts)))
    assert 3 <= len(QUESTIONS[key].concepts) <= 5


@pytest.mark.parametrize("key", QUESTIONS)
def test_a_model_answer_denied_is_not_seen(key):
    text = free_text.model_answer(key)
    assert seen(key, f"{text} That is wrong.") == seen(key, text.rsplit(". ", 1)[0] + ".")
    for sentence in text.split(". "):
        assert seen(key, f"It is not true that {sentence}") == []
        assert seen(key, f"Is it true that {sentence.rstrip('.')}?") == []


# --- negation


@pytest.mark.parametrize(
    "text",
    [
        "It is not trained to predict the next token.",
        "It isn't trained to predict the next token",
        "it doesnt predict the next token",
        "The model never predicts the next word.",
        "Nobody asks it to predict the next token.",
        "Predicting the next token is not the objective.",
        "It does not, however, predict the next token.",
        "It learns grammar instead of predicting the next token.",
        "Rather than predicting the next token, it classifies texts.",
        "Next-token prediction? No.",
        "People think it predicts the next token, but that's false.",
        "It predicts the next token. This is a myth.",
        "It is wrong to say that it predicts the next token.",
        "Without predicting the next token it learns rules.",
    ],
)
def test_a_negation_reaches_the_idea(text):
    assert NEXT not in seen(OBJECTIVE, text)


@pytest.mark.parametrize(
    "text",
    [
        "It is not told any rules, it predicts the next token.",
        "Not labels but the next token is what it predicts.",
        "It does not just read, it predicts the next token.",
        "It doesn't chat; it predicts the next token.",
        "Instead of labels, it predicts the next token.",
        "It predicts the next token, not the previous one.",
        "I'm not sure, but I think it predicts the next token",
        "It predicts the next token without labels.",
        "It predicts the next token, right?",
    ],
)
def test_a_negation_of_something_else_does_not(text):
    assert NEXT in seen(OBJECTIVE, text)


@pytest.mark.parametrize(
    "text",
    [
        "no labels are needed",
        "Nobody labels the data",
        "it does not need any labels",
        "unlabelled text",
        "un-labeled data",
        "self-supervised",
        "Self supervised learning",
        "without human labels",
    ],
)
def test_an_idea_that_is_a_negation(text):
    assert seen(OBJECTIVE, text) == [ITSELF]


@pytest.mark.parametrize(
    "text",
    [
        "It is not true that no labels are needed",
        "labels are needed",
        "It cannot learn without labels",
        "people label it",
    ],
)
def test_and_its_denial(text):
    assert ITSELF not in seen(OBJECTIVE, text)


# --- order, typos, spelling


def test_order_of_words():
    for text in ("It predicts the next token", "The next token is predicted", "The token that comes next is predicted"):
        assert NEXT in seen(OBJECTIVE, text)
    for text in ("It predicts the previous token given the next", "Given the next token, predict the previous one"):
        assert seen(OBJECTIVE, text) == []
    assert 0 in seen(PHASE, "First pretraining, then fine-tuning")
    for text in ("First fine-tuning, then pretraining", "Fine-tuning comes before pretraining", "Fine-tuning is first"):
        assert seen(PHASE, text) == []


def one_letter_typos(word):
    """Yield the word with a letter left out, doubled or exchanged with the next, its first letter kept."""
    for i in range(1, len(word) - 1):
        yield word[:i] + word[i + 1 :]
        yield word[:i] + word[i] + word[i:]
        yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]


@pytest.mark.parametrize(
    "word, place, key, text",
    [
        ("predict", NEXT, OBJECTIVE, "it must {} the next token"),
        ("token", NEXT, OBJECTIVE, "predict the next {}"),
        ("previous", BEFORE, OBJECTIVE, "given the {} tokens"),
        ("pretraining", 0, PHASE, "it is called {}"),
        ("websites", 0, DATA, "it reads {}"),
        ("articles", 1, DATA, "it reads {}"),
        ("documentation", 3, DATA, "it reads {}"),
    ],
)
def test_a_typo_of_one_letter_is_mended(word, place, key, text):
    typos = {typo for typo in one_letter_typos(word) if typo != word}
    missed = [typo for typo in typos if place not in seen(key, text.format(typo))]
    assert missed in ([], ["taken"]), missed


@pytest.mark.parametrize("text", ["It is called retraining", "It is called pretending", "It predicts the next taken"])
def test_other_words_one_letter_away_are_not(text):
    assert seen(PHASE, text) == [] and seen(OBJECTIVE, text) == []


@pytest.mark.parametrize(
    "one, other",
    [
        ("unlabelled data", "unlabeled data"),
        ("it minimises the loss", "it minimizes the loss"),
        ("pre-training", "pretraining"),
        ("pre training", "Pre–training"),
        ("specialised later, in fine-tuning", "specialized later, in finetuning"),
        ("fine-tuning comes later", "Finetuning comes later"),
    ],
)
def test_spelling_and_hyphens_make_no_difference(one, other):
    for key in QUESTIONS:
        assert seen(key, one) == seen(key, other)
    assert any(seen(key, one) for key in QUESTIONS)


# --- what is no answer


@pytest.mark.parametrize("key", QUESTIONS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "?",
        "🤖📚",
        "idk",
        "none",
        "x" * 5000,
        "\x00\x1b[31m",
        "<script>alert(1)</script>",
        "token next predict probability loss label gradient context model",
        "prétraining le texte est prédit par le modèle avec des données",
        "Was ist das nächste Wort, das vorhergesagt wird?",
        "What is the next token?",
        "is it pretraining on web pages and books",
        "I don't know whether it predicts the next token from web pages in pretraining",
        "7",
        "((((",
        "~3 not .*",
    ],
)
def test_no_answer_states_nothing(key, text):
    assert seen(key, text) == []


def test_long_and_odd_texts_are_read_quickly():
    for text in (
        "predict " * 3000,
        "next, " * 3000,
        "not " * 3000,
        "a" * 100_000,
        "it predicts the next token. " * 2000,
    ):
        QUESTIONS[OBJECTIVE].coverage(text)


def test_obstacles_are_named():
    assert "statements" in language.obstacle("What is the next token?")
    assert "Latin" in language.obstacle("データ")
    assert "English" in language.obstacle("Das Modell sagt das nächste Wort voraus und liest viel")
    assert "row of words" in language.obstacle("token next predict probability loss label gradient context")
    assert language.obstacle("It predicts the next token.") == ""


# --- the rules themselves


def test_every_rule_is_well_formed():
    for question in questions.PRACTICE:
        for concept in question.concepts:
            for rule in itertools.chain(concept.patterns, concept.denials, concept.unless, concept.never):
                language.pattern(rule)
                assert all(item.count("(") == item.count(")") for item in rule.split()), rule


def test_a_rule_may_name_any_member_of_a_family():
    for rule in ("guess ~2 following word", "predict ~2 next token"):
        assert language.pattern(rule).search("predict the next token")
        assert not language.pattern(rule).search("predict the very same next token")
        assert not language.pattern(rule).search("predict not next token")


def test_one_apart_is_one_letter():
    for word in ("token", "predict", "aab"):
        for typo in one_letter_typos(word):
            assert typo == word or language.one_apart(typo, word)
    for other in ("tokxyn", "broken", "toke s", "nekot"):
        assert not language.one_apart(other, "token")


# --- the response


def test_a_response_shows_ideas_and_the_model_answer_and_no_score():
    response = free_text.respond(OBJECTIVE, "It predicts the next token.", claim=" C ", number="6.95 nats")
    text = repr(response)
    assert "seen: it predicts the next token" in text and text.count("not seen:") == 3
    assert "This is no score" in text and free_text.model_answer(OBJECTIVE) in text
    assert "Claim c: So it is" in text and "Your number: 6.95 nats. Recorded runs: 6.9" in text
    assert "of that kind" in text
    (entry,) = diary.session()
    assert (entry["claim"], entry["number"], entry["skipped"]) == ("c", 6.95, False) and "hit" not in entry


def test_a_number_off_the_band_is_sent_to_its_notebook():
    assert "look it up in notebook 00" in repr(free_text.respond(OBJECTIVE, number=3))
    for question in questions.PRACTICE:
        low, high = question.own.expected()
        least, most = question.own.stated()
        assert least <= low <= high <= most and evidence.load(question.own.claim)
        assert question.own.notebook == question.own.claim[:2]


@pytest.mark.parametrize("key", QUESTIONS)
def test_everything_may_be_left_out(key):
    for text in (None, ..., "", "  "):
        response = free_text.respond(key, text)
        assert repr(response).startswith("Not attempted.") and free_text.model_answer(key) not in repr(response)
    assert all(entry["skipped"] for entry in diary.session()) and diary.entries() == []
    assert "Claim a:" in repr(free_text.respond(key, claim="a")) and "Model" not in repr(
        free_text.respond(key, claim="a")
    )


@pytest.mark.parametrize("given", [{"claim": "e"}, {"claim": 3}, {"claim": ""}, {"number": "many"}, {"number": True}])
def test_nonsense_beside_the_text_is_named(given):
    with pytest.raises(ConfigError) as refused:
        free_text.respond(DATA, "web pages", **given)
    assert refused.value.remedy and diary.session() == []
    with pytest.raises(ConfigError, match="nearest is"):
        free_text.ask("10.dta")
    for key in ("04.data", "77.data", "", None):
        with pytest.raises(ConfigError, match="There is no practice question"):
            free_text.ask(key)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), [1], {}, "1,2,3", object()])
def test_a_number_that_is_none(number):
    with pytest.raises(ConfigError, match="The number is"):
        free_text.respond(DATA, number=number)


def test_any_object_is_read_as_text_and_escaped():
    page = free_text.respond(DATA, "<b>books</b> & code", claim="a")._repr_html_()
    assert "<b>" not in page and 'role="status"' in page
    for text in (5, ["web pages"], {"a": 1}, b"books"):
        free_text.respond(DATA, text)


def test_the_form_compares_and_names_what_is_wrong():
    form = free_text.ask(DATA).form()
    _, claim, _, number, _, text, button, told = form.children
    assert [w.description for w in (claim, number, text)] == ["Claim 3", "Your number 3", "Your sentence 3"]
    button.click()
    assert "Not attempted." in told.value
    text.value, claim.value = "Web pages and <i>books</i>.", "x"
    button.click()
    assert "Use one of a, b, c, d." in told.value
    claim.value, number.value = "D", "lots"
    button.click()
    assert "Use a number, in bits a byte." in told.value
    number.value = "0.45 bits a byte"
    button.click()
    assert "Claim d: So it is" in told.value and "seen: web pages" in told.value and "<i>" not in told.value


def test_what_a_question_shows_without_a_kernel(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle))
    free_text.ask(PHASE)._ipython_display_()
    for text in (shown[0]["text/plain"], shown[0]["text/html"]):
        assert QUESTIONS[PHASE].question in text and QUESTIONS[PHASE].options["d"] in text


@pytest.mark.parametrize(
    "text", ["Everything except web pages, books and code.", "Anything other than books, web pages or code."]
)
def test_an_exception_reaches_its_whole_list(text):
    assert seen(DATA, text) == []


def test_a_leading_instead_of_reaches_only_up_to_the_comma():
    assert NEXT in seen(OBJECTIVE, "Instead of labels, it predicts the next token.")


def test_labels_that_are_not_needed_are_labels_that_nobody_writes():
    assert seen(OBJECTIVE, "Labels are not needed.") == [ITSELF]
