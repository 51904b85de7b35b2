"""The probes score what they claim to score, and the first run's comparisons with its text count rightly."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from minillm.batches import Tokens, get_batch
from minillm.classroom.first_reading import first_run
from minillm.classroom.first_reading.probes import (
    PROBES,
    Probe,
    count_right,
    crossed,
    end_alike,
    log_probabilities,
    margins,
)
from minillm.config import SIZES
from minillm.model import Transformer
from minillm.tokenizer import course_tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return course_tokenizer()


@pytest.fixture(autouse=True)
def short_samples(monkeypatch):
    monkeypatch.setattr(first_run, "SAMPLE_TOKENS", 4)


def small_model(tokenizer):
    torch.manual_seed(0)
    config = dataclasses.replace(SIZES["micro"], vocab_size=tokenizer.vocab_size)
    model = Transformer(config).eval()
    for block in model.blocks:  # as initialised they add nothing: a model that could not tell contexts apart
        torch.nn.init.normal_(block.attention.output.weight, std=0.2)
        torch.nn.init.normal_(block.feed_forward.down.weight, std=0.2)
    return model


def test_each_set_has_twelve_items_that_all_differ(tokenizer):
    assert list(PROBES) == ["grammar", "association", "facts"]
    for items in PROBES.values():
        assert len(set(items)) == 12
        for probe in items:
            assert probe.first != probe.second
            assert probe.first_ending != probe.second_ending
            for context, ending in crossed(probe):
                # scored as context, then ending: that must be how the whole text is cut
                assert tokenizer.encode(context) + tokenizer.encode(ending) == tokenizer.encode(context + ending)


def test_log_probability_of_an_ending_is_the_product_over_its_tokens_computed_one_by_one(tokenizer):
    model = small_model(tokenizer)
    pairs = [("The river flows into the", " sea"), ("the", " Representatives"), ("Berlin is the capital of", " Egypt")]
    found = log_probabilities(model, tokenizer, pairs)
    for (context, ending), value in zip(pairs, found, strict=True):
        ids, product = [tokenizer.end_of_text, *tokenizer.encode(context)], 1.0
        for token in tokenizer.encode(ending):
            with torch.no_grad():
                product *= torch.softmax(model(torch.tensor([ids]))[0, -1], dim=0)[token].item()
            ids.append(token)
        assert value == pytest.approx(math.log(product), abs=1e-4)


def test_margin_is_the_difference_of_differences(tokenizer):
    model = small_model(tokenizer)
    probe = PROBES["association"][1]
    a_in_a, b_in_b, b_in_a, a_in_b = (log_probabilities(model, tokenizer, [pair])[0] for pair in crossed(probe))
    assert crossed(probe)[2] == (probe.first, probe.second_ending)
    expected = (a_in_a - b_in_a) - (a_in_b - b_in_b)
    assert margins(model, tokenizer, [probe])[0] == pytest.approx(expected, abs=1e-4)
    assert expected != pytest.approx(0, abs=1e-3)


def test_exchanging_the_endings_turns_the_sign_and_exchanging_both_changes_nothing(tokenizer):
    model = small_model(tokenizer)
    probe = PROBES["facts"][4]
    turned = Probe(probe.first, probe.second_ending, probe.second, probe.first_ending)
    renamed = Probe(probe.second, probe.second_ending, probe.first, probe.first_ending)
    value, minus, same = margins(model, tokenizer, [probe, turned, renamed])
    assert minus == pytest.approx(-value, abs=1e-4)
    assert same == pytest.approx(value, abs=1e-4)


def test_a_model_that_ignores_its_context_stands_at_chance(tokenizer):
    class Frequencies(torch.nn.Module):
        device = torch.device("cpu")

        def forward(self, ids):
            return torch.linspace(-5, 5, tokenizer.vocab_size).expand(*ids.shape, -1)

    for items in PROBES.values():
        assert count_right(margins(Frequencies(), tokenizer, items)) == len(items) / 2


def test_count_right_gives_a_tie_a_half():
    assert count_right([2.0, -1.0, 0.0, 0.1, 1e-6]) == 1 + 0 + 0.5 + 1 + 0.5


def test_contexts_that_end_in_the_same_token(tokenizer):
    assert end_alike(Probe("The army and the", " navy", "The father and the", " mother"), tokenizer)
    assert not end_alike(Probe("These books", " are", "This book", " is"), tokenizer)
    # the same last letter, another last token
    assert not end_alike(Probe("It was sent to", " them", "We said so", " then"), tokenizer)


def test_random_weights_go_by_the_last_token_alone(tokenizer):
    torch.manual_seed(0)
    untrained = Transformer(dataclasses.replace(SIZES["micro"], vocab_size=tokenizer.vocab_size))
    for items in PROBES.values():
        for probe, margin in zip(items, margins(untrained, tokenizer, items), strict=True):
            first_tokens = {tokenizer.encode(ending)[0] for ending in (probe.first_ending, probe.second_ending)}
            must_tie = end_alike(probe, tokenizer) or len(first_tokens) == 1
            assert (abs(margin) < 1e-5) == must_tie, probe


def test_scoring_leaves_the_model_in_training(tokenizer):
    model = small_model(tokenizer).train()
    margins(model, tokenizer, PROBES["facts"][:1])
    assert model.training


def test_longest_copied_run_begins_at_a_word():
    text = b"the quick brown fox jumps over the lazy dog"
    assert first_run.longest_copied(b"a slow brown fox jumps under", text) == b"brown fox jumps "
    assert first_run.longest_copied(b"aquick BROWN", text) == b"a"
    assert first_run.longest_copied(b"QUICK", text) == b""
    assert first_run.longest_copied(b"lazy dog", text) == b"lazy dog"


def test_repeats_counts_the_rarer_statement():
    probe = Probe("the fiscal", " year", "the Soviet", " Union")
    assert first_run.repeats(probe, b"the fiscal year, the fiscal year; the Soviet Union; the fiscal policy") == 1
    assert first_run.repeats(probe, b"the fiscal year") == 0


def stories(tokenizer) -> Tokens:
    """Return a text so small and so even that a few steps learn some of it."""
    train = tokenizer.encode_documents(["The army won the war. The team won the game. "] * 40)
    held_out = tokenizer.encode_documents(["The team won the war and lost the game in the end. " * 4])
    about = {"kinds": {"web": {"train_documents": 40, "train_bytes": 1800}}}
    return Tokens({"web": train}, {"web": held_out}, {"web": 204}, {"web": 1.0}, "made", about)


def test_the_first_run_yields_a_record_a_step_and_looks_at_the_moments(tokenizer):
    training = dataclasses.replace(first_run.TRAINING, steps=6, batch_size=4)
    records = list(
        first_run.pretrain(stories(tokenizer), tokenizer, model=SIZES["micro"], training=training, moments=(0, 3))
    )
    assert [record["step"] for record in records] == [0, 1, 2, 3, 3, 4, 5, 6, 6]
    looks = [record for record in records if "samples" in record]
    assert [look["step"] for look in looks] == [0, 3, 6]
    assert [sample["prompt"] for sample in looks[0]["samples"]] == list(first_run.PROMPTS)
    assert {name: len(values) for name, values in looks[0]["margins"].items()} == {name: 12 for name in PROBES}
    a_in_a, b_in_b, b_in_a, a_in_b = looks[-1]["example_log_p"]
    assert looks[-1]["margins"]["grammar"][0] == pytest.approx(a_in_a + b_in_b - b_in_a - a_in_b, abs=1e-4)
    assert ["read_loss_nats" in look for look in looks] == [False, False, True]
    losses = [record["train_loss_nats"] for record in records if "train_loss_nats" in record]
    assert losses[0] == pytest.approx(math.log(SIZES["micro"].vocab_size), abs=0.2)
    assert losses[-1] < losses[0] - 0.3


def test_looking_does_not_change_the_run(tokenizer):
    training = dataclasses.replace(first_run.TRAINING, steps=4, batch_size=4)
    watched, alone = (
        [
            record["train_loss_nats"]
            for record in first_run.pretrain(
                stories(tokenizer), tokenizer, model=SIZES["micro"], training=training, moments=moments
            )
            if "train_loss_nats" in record
        ]
        for moments in ((0, 2), ())
    )
    assert watched == alone


def test_the_model_is_shown_its_own_batches_and_the_next_ones(tokenizer, monkeypatch):
    monkeypatch.setattr(first_run, "SHOWN_AGAIN", 3)
    tokens, model = stories(tokenizer), small_model(tokenizer)
    training = dataclasses.replace(first_run.TRAINING, steps=5, batch_size=2, seed=7)

    def loss(step):  # one token after the other
        inputs, targets = get_batch(tokens, seed=7, step=step, batch_size=2, context_length=model.config.context_length)
        p = torch.softmax(model(inputs), dim=-1).tolist()
        return (
            sum(-math.log(p[b][t][targets[b, t]]) for b in range(2) for t in range(targets.shape[1])) / targets.numel()
        )

    found = first_run.show_again(model, tokens, training)
    assert found["read_loss_nats"] == pytest.approx((loss(1) + loss(3) + loss(5)) / 3, abs=2e-5)
    assert found["new_loss_nats"] == pytest.approx((loss(6) + loss(7) + loss(8)) / 3, abs=2e-5)
    assert found["read_loss_nats"] != pytest.approx(found["new_loss_nats"], abs=1e-4)


def test_comparison_with_the_text(tokenizer):
    tokens = stories(tokenizer)
    (found,) = first_run.compare_with_text(tokens, tokenizer, ["Yes, the team won the game. Yes."])
    assert found["copied"] == ["team won the game. "]
    assert len(found["copied_by_people"]) == 1
    assert found["repeats"] == [0] * 12
    assert first_run.text_of(tokens.train["web"], tokenizer).count(b"The army won the war.") == 40
    assert first_run.text_of(np.tile(tokens.train["web"], 200), tokenizer).count(b"The army won the war.") == 8000
