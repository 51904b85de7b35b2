"""Fine-tuning: what counts in the loss, the loop, the form, the prompts kept apart, what is asked before and after."""

import copy
import re
from itertools import islice

import numpy as np
import pytest
import torch
from test_checkpoint import trained

from minillm import base_model
from minillm.batches import Tokens
from minillm.classroom.limits.prompts import PROMPTS
from minillm.classroom.tuning import contents, drill, experiment, fine_tuning, two_panes
from minillm.classroom.tuning.form import in_form, is_one_sentence
from minillm.classroom.tuning.held_out import HELD_OUT, all_prompts
from minillm.classroom.tuning.pairs import LAYOUT, Pair, all_pairs, made, written
from minillm.config import ModelConfig
from minillm.errors import CheckpointError, ConfigError, DataError
from minillm.evaluate import stream_nats
from minillm.loss import cross_entropy, token_surprise
from minillm.model import Transformer
from minillm.sampling import generate_ids
from minillm.tokenizer import course_tokenizer

CATS = Pair("Do cats bark?", "No, they do not.")
LONG = Pair("What is the name of the river that flows by the old town in the north?", "It is the Elm.")


@pytest.fixture(scope="module")
def tokenizer():
    return course_tokenizer()


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    made = Transformer(ModelConfig(n_layers=1, d_model=32, n_heads=1, context_length=96))
    for weight in made.parameters():  # differences between tokens, as after training
        torch.nn.init.normal_(weight, std=0.2)
    return made.eval()


# --- pairs, masks, batches


def test_pairs_are_made_from_templates_and_lines():
    assert made("What is {a}?", "It is {b}.", "ice=cold, fire=hot") == (
        Pair("What is ice?", "It is cold."),
        Pair("What is fire?", "It is hot."),
    )
    assert written("\n  1 + 1 = => It is 2.\n  A:\\nB: => Yes.\n") == (
        Pair("1 + 1 =", "It is 2."),
        Pair("A:\nB:", "Yes."),
    )


def test_the_counted_targets_are_the_answer_and_its_end(tokenizer):
    ids, counts = fine_tuning.pair_ids(tokenizer, CATS)
    assert len(counts) == len(ids) - 1
    counted = [target for target, count in zip(ids[1:], counts, strict=True) if count]
    assert tokenizer.decode(counted[:-1]) == " No, they do not."
    assert counted[-1] == tokenizer.end_of_text
    assert ids[0] == tokenizer.end_of_text
    assert tokenizer.decode(ids[1:-1]) == "Question: Do cats bark?\nAnswer: No, they do not."


def test_an_answer_is_cut_into_the_tokens_that_its_prompt_leads_to(tokenizer):
    for pair in all_pairs():
        whole = tokenizer.encode(LAYOUT.format(prompt=pair.prompt) + f" {pair.answer}")
        assert fine_tuning.pair_ids(tokenizer, pair)[0][1:-1] == whole


def test_a_batch_of_two_is_two_batches_of_one(model, tokenizer):
    inputs, targets, mask = fine_tuning.pair_batch(tokenizer, [CATS, LONG], 96)
    together = cross_entropy(model(inputs), targets, mask)
    total, count = 0.0, 0
    for pair in (CATS, LONG):
        ids, counts = fine_tuning.pair_ids(tokenizer, pair)
        surprise = token_surprise(model(torch.tensor([ids[:-1]])), torch.tensor([ids[1:]]))[0]
        total += (surprise * torch.tensor(counts)).sum().item()
        count += sum(counts)
    assert together.item() == pytest.approx(total / count, abs=1e-5)
    assert mask.sum() == count


def test_what_does_not_count_cannot_change_the_gradient(model, tokenizer):
    inputs, targets, mask = fine_tuning.pair_batch(tokenizer, [CATS, LONG], 96)
    gradients = []
    for asked in (targets, torch.where(mask.bool(), targets, torch.full_like(targets, 7))):
        pupil = copy.deepcopy(model)
        cross_entropy(pupil(inputs), asked, mask).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in pupil.parameters()]))
    assert torch.equal(*gradients)


def test_a_pair_that_does_not_fit_is_named(tokenizer):
    with pytest.raises(DataError, match="the model sees 20"):
        fine_tuning.pair_batch(tokenizer, [CATS, LONG], 20)


def test_every_pair_is_drawn_once_before_any_comes_again():
    pairs = [Pair(str(i), ".") for i in range(12)]
    drawn = [p for batch in islice(fine_tuning.draw_pairs(pairs, 4, seed=3), 6) for p in batch]
    assert sorted(drawn[:12], key=str) == sorted(pairs, key=str) == sorted(drawn[12:], key=str)
    assert drawn[:12] != pairs
    assert drawn == [p for batch in islice(fine_tuning.draw_pairs(pairs, 4, seed=3), 6) for p in batch]
    assert drawn != [p for batch in islice(fine_tuning.draw_pairs(pairs, 4, seed=4), 6) for p in batch]


# --- the loop and the answers


@pytest.fixture(scope="module")
def learned(model, tokenizer):
    """A tiny model that knows two pairs by heart, and its losses."""
    pupil = copy.deepcopy(model)
    losses = [
        loss
        for _, loss in fine_tuning.fine_tune(pupil, tokenizer, [CATS, LONG], steps=60, rate=0.01, batch_size=2, seed=1)
    ]
    return pupil, losses


def test_the_loop_learns_two_pairs_by_heart(learned, tokenizer):
    pupil, losses = learned
    assert losses[0] > 4 > 0.05 > losses[-1]
    assert fine_tuning.answers(pupil, tokenizer, [CATS.prompt, LONG.prompt], temperature=0) == [
        (" No, they do not.", True),
        (" It is the Elm.", True),
    ]


def test_rehearsal_keeps_what_was_known(learned, model, tokenizer):
    old = np.array(fine_tuning.pair_ids(tokenizer, LONG)[0] * 9, dtype=np.uint16)
    text = Tokens({"old": old}, {"old": old}, {"old": 1}, {"old": 1.0}, "", {})
    knows = learned[0]
    after = {}
    for rehearsal in (None, text):
        pupil = copy.deepcopy(knows)
        for _ in fine_tuning.fine_tune(
            pupil, tokenizer, [CATS], steps=15, rate=0.01, batch_size=2, rehearsal=rehearsal
        ):
            pass
        after[rehearsal is not None] = stream_nats(pupil, old)
    assert after[True] < stream_nats(knows, old) < after[False]


def test_the_answer_of_one_does_not_hang_on_the_others(model, tokenizer):
    prompts = [CATS.prompt, "Do dogs bark?", LONG.prompt, "Is it?"]
    together = fine_tuning.answers(model, tokenizer, prompts, max_tokens=6)
    assert together == [fine_tuning.answers(model, tokenizer, [prompt], max_tokens=6)[0] for prompt in prompts]
    assert together != fine_tuning.answers(model, tokenizer, prompts, max_tokens=6, seed=1)


def test_the_likeliest_answer_is_the_samplers(learned, tokenizer):
    ids = fine_tuning.prompt_ids(tokenizer, "Do cows bark?")
    expected = list(generate_ids(learned[0], ids, 12, temperature=0))
    ended = tokenizer.end_of_text in expected
    text = tokenizer.decode(expected[: expected.index(tokenizer.end_of_text)] if ended else expected)
    assert fine_tuning.answers(learned[0], tokenizer, ["Do cows bark?"], temperature=0, max_tokens=12) == [
        (text, ended)
    ]


def test_a_prompt_without_room_is_refused(model, tokenizer):
    with pytest.raises(ConfigError, match="too many"):
        fine_tuning.answers(model, tokenizer, ["long " * 90])


def test_a_run_of_ones_own_can_be_the_start(tmp_path):
    saved, _, _ = trained(tmp_path / "checkpoints")
    start = fine_tuning.start_from(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(start.parameters(), saved.parameters(), strict=True))
    assert not start.training
    with pytest.raises(CheckpointError):
        fine_tuning.start_from(tmp_path / "nothing")


# --- form


@pytest.mark.parametrize(
    "reply", [" Snow is white.", "8.", " No, it is hot. ", " " + "word " * 0 + "A" + " b" * 19 + "."]
)
def test_replies_in_form(reply):
    assert in_form(reply, True)
    assert not in_form(reply, False)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        " .",
        " snow is white.",
        " Snow is white",
        " It is. It was.",
        " It is.\n",
        "\nIt is.",
        " Is it? It is.",
        " A" + " b" * 20 + ".",
    ],
)
def test_replies_out_of_form(reply):
    assert not is_one_sentence(reply)
    assert not in_form(reply, True)


def test_every_answer_of_the_pairs_has_the_form():
    assert [pair for pair in all_pairs() if not in_form(f" {pair.answer}", True)] == []
    assert 60 <= len(all_pairs()) <= 200
    assert len({pair.prompt.casefold() for pair in all_pairs()}) == len(all_pairs())


# --- kept apart

FUNCTION_WORDS = {"that", "which", "with", "would", "does", "what", "should", "when", "this", "shall", "from", "they"}


def words_of(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{4,}", text.lower())) - FUNCTION_WORDS


def test_no_word_of_the_held_out_prompts_stands_in_a_prompt_of_the_pairs():
    seen = set().union(*(words_of(pair.prompt) for pair in all_pairs()))
    assert {prompt: words_of(prompt) & seen for prompt in all_prompts() if words_of(prompt) & seen} == {}
    assert [len(prompts) for prompts in HELD_OUT.values()] == [10] * 8


def test_no_question_and_no_prompt_of_notebook_09_is_near_a_pair():
    def near(a: str, b: str) -> float:
        first, second = (set(re.findall(r"\w+", text.lower())) for text in (a, b))
        return len(first & second) / max(1, len(first | second))

    asked = [p.text for p in PROMPTS] + [item.question for group in contents.QUESTIONS.values() for item in group]
    prompts = [pair.prompt for pair in all_pairs()]
    assert [(a, p) for a in asked for p in prompts if near(a, p) > 0.6] == []


# --- content


def test_a_right_word_counts_as_a_whole_word_wherever_it_stands():
    item = contents.Asked("Who?", "Rome")
    assert contents.is_right(item, " It lies in rome, they say")
    assert contents.is_right(contents.Asked("How many?", "edge"), "Edges.")
    assert not contents.is_right(item, " It is Romeo.")
    assert not contents.is_right(item, "")


def test_no_question_holds_its_answer():
    items = [item for group in contents.QUESTIONS.values() for item in group]
    assert len(items) == 60
    assert [item for item in items if contents.is_right(item, item.question)] == []


def test_the_towns_are_twelve_and_twenty_different_ones():
    taught, never = contents.couples(contents.TAUGHT), contents.couples(contents.NEVER_TAUGHT)
    names = [name for couple in (*taught, *never) for name in couple]
    assert (len(taught), len(never), len(set(names))) == (12, 20, 64)


def test_a_drilled_town_is_right_in_its_own_direction(model, tokenizer):
    probes = drill.choices(contents.couples(contents.TAUGHT))
    assert (
        probes["drilled"][0].first == "Question: Name the chief town of Velmora.\nAnswer: The chief town of Velmora is"
    )
    assert probes["drilled"][0].second_ending == " Okkel"
    assert probes["drilled"][-1].first_ending == " Arvo"
    assert probes["drilled"][-1].second_ending == " Pelt"  # the third after the last: around the corner
    assert [len(items) for items in probes.values()] == [36, 36, 36, 60]
    assert probes["the other way round"][0].first.endswith(" Tasin is the chief town of")
    first, second = drill.towns_of(0), drill.towns_of(1)
    assert first != second == drill.towns_of(1)
    assert sorted(town for _, town in first) == sorted(town for _, town in second)
    *_, last = drill.drill(model, tokenizer, tiny_text(tokenizer), steps=30, rate=0.01)
    assert last["choices"]["drilled"] >= 0.9
    assert len(last["replies"]) == 20


# --- looks and runs


def tiny_text(tokenizer) -> Tokens:
    """Some text as both training and held-out part, of two kinds."""
    streams = {
        kind: tokenizer.encode_documents([f"{kind} {i}: the town of Tasin lies by the sea." for i in range(60)])
        for kind in ("web", "books")
    }
    sizes = {kind: len(tokenizer.decode_bytes([i for i in ids.tolist() if i != 1023])) for kind, ids in streams.items()}
    return Tokens(streams, streams, sizes, {"web": 0.5, "books": 0.5}, "tiny", {})


def test_a_sample_of_the_held_out_text_has_its_own_bytes(tokenizer):
    text = tiny_text(tokenizer)
    sample = experiment.sample_held_out(text, tokenizer, window=32, count=4)
    for kind, ids in sample.held_out.items():
        assert len(ids) == 4 * 32
        assert np.array_equal(ids[:32], text.held_out[kind][:32])
        assert np.array_equal(ids[-32:], text.held_out[kind][-33:-1])
        told = tokenizer.decode([i for i in ids[1:].tolist() if i != tokenizer.end_of_text])
        assert sample.held_out_bytes[kind] == len(told.encode())
    assert sample.train is text.train


def test_a_run_looks_where_it_is_told_to(model, tokenizer):
    text = tiny_text(tokenizer)
    settings = {"steps": 2, "moments": (2,), "closely": ()}
    plain, mixed = (
        list(experiment.run(copy.deepcopy(model), tokenizer, text, rehearse=rehearse, **settings))
        for rehearse in (False, True)
    )
    assert [sorted(record) for record in plain] == [
        ["step", "train_loss_nats"],
        ["bits_per_byte", "in_form", "step", "train_loss_nats"],
    ]
    assert plain[0] == mixed[0]  # the loss on the answers, before anything was learned
    assert plain[1]["bits_per_byte"] != mixed[1]["bits_per_byte"]
    assert list(plain[1]["in_form"]) == list(HELD_OUT)
    close = experiment.look(model, tokenizer, text, closely=True)
    assert set(close) == {"in_form", "bits_per_byte", "replies", "from_09", "questions", "choices"}
    assert [(r["kind"], r["prompt"]) for r in close["replies"]] == [
        (k, p) for k, asked in HELD_OUT.items() for p in asked
    ]
    assert close["in_form"] == experiment.count_form(close["replies"])
    assert experiment.look(model, tokenizer, text)["in_form"] == close["in_form"]


def test_the_parts_of_the_form_are_counted_apart():
    replies = [
        {"kind": "a", "reply": " It is.", "ended": True},
        {"kind": "a", "reply": " It is.\nIt was", "ended": False},
        {"kind": "b", "reply": " x = 1", "ended": True},
    ]
    assert experiment.parts_of_form(replies) == {
        "ended by itself": 2,
        "one sentence": 1,
        "first line is one sentence": 2,
        "all of it": 1,
    }
    assert experiment.count_form(replies) == {"a": 1, "b": 0}
    assert experiment.share_in_form(replies) == pytest.approx(1 / 3)


def test_the_base_model_has_the_form_in_less_than_a_tenth(tokenizer):
    prompts = all_prompts()[::4]
    replies = fine_tuning.answers(base_model.load(), tokenizer, prompts)
    assert sum(in_form(reply, ended) for reply, ended in replies) < len(prompts) / 10


# --- two panes

KNOWN = [
    two_panes.Panes("Is it <b>?", (" x\n y", False), (" No.", True)),
    two_panes.Panes("Why?", ("", True), (" So.", True)),
]


def test_panes_are_found_by_number_and_by_text():
    panes = two_panes.TwoPanes(KNOWN)
    assert panes.look_up(2) == panes.look_up("2") == panes.look_up(" why? ") == KNOWN[1]
    for asked in (0, 3, "-1", "--1", "", "   ", "\N{SUPERSCRIPT TWO}", "9" * 60, 1.5, None):
        with pytest.raises(ConfigError):
            panes.look_up(asked)
    with pytest.raises(ConfigError, match="LIVE"):
        panes.look_up("A prompt of mine")


def test_a_prompt_of_ones_own_goes_to_both_models():
    panes = two_panes.TwoPanes(KNOWN, lambda prompt: ((prompt + "!", False), (prompt, True)))
    assert panes.look_up("Mine") == two_panes.Panes("Mine", ("Mine!", False), ("Mine", True))
    with pytest.raises(ConfigError, match="401 characters"):
        panes.look_up("x" * 401)
    assert repr(panes) == repr(two_panes.TwoPanes(KNOWN))  # so that a page looks the same with and without models
    assert "after:  No. [end]" in repr(panes)


def test_panes_show_text_as_text():
    page = KNOWN[0]._repr_html_()
    assert "<b>?" not in page and "&lt;b&gt;?" in page
    assert "x<br> y [cut off]" in page and "No. [end]" in page
    assert "(nothing) [end]" in KNOWN[1]._repr_html_()


def test_the_form_answers_a_number_and_a_mistake():
    pytest.importorskip("ipywidgets")
    field, button, told, shown = two_panes.TwoPanes(KNOWN).form().children
    field.value = "2"
    assert "Why?" in shown.value and "ended by itself" in told.value
    field.value = "9"
    assert "Use 1 to 2" in told.value and "Why?" in shown.value
    button.click()
    assert "Use 1 to 2" in told.value
