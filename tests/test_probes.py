"""The probes score what they claim to score, and the first run's comparisons with its text count rightly."""

import dataclasses
import json
import math
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from minillm import checkpoint
from minillm.batches import Tokens, get_batch, prepare_tokens
from minillm.classroom.first_reading import associations, first_run, grammar, rises, statements
from minillm.classroom.first_reading.probes import (
    ACROSS,
    GROUPS,
    PROBES,
    SETS,
    Probe,
    all_margins,
    chance_interval,
    count_right,
    crossed,
    end_alike,
    group_of,
    log_probabilities,
    margins,
    parts,
    score,
    scores,
    times_stated,
)
from minillm.config import SIZES
from minillm.errors import DataError
from minillm.model import Transformer
from minillm.optimizer import make_optimizers
from minillm.records import Record
from minillm.tokenizer import course_tokenizer
from minillm.train import train


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


@pytest.fixture(scope="module")
def embedded(tokenizer):
    return prepare_tokens("embedded", tokenizer)


class Bigram(torch.nn.Module):
    """Random odds of each token after the one before it, and blind to all else."""

    device = torch.device("cpu")

    def __init__(self, vocab_size):
        super().__init__()
        self.table = torch.randn(vocab_size, vocab_size, generator=torch.Generator().manual_seed(1))

    def forward(self, ids):
        return self.table[ids]


def test_sets_are_large_and_every_item_is_another_question():
    assert {name: len(items) for name, items in SETS.items()} == {
        "grammar": 56,
        "association": 44,
        "facts": 56,
        ACROSS: 40,
    }
    assert list(PROBES) == ["grammar", "association", "facts"]
    asked = [frozenset({(p.first, p.first_ending), (p.second, p.second_ending)}) for p in sum(SETS.values(), ())]
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize("name", SETS)
def test_items_are_valid(name, tokenizer):
    for probe in SETS[name]:
        assert probe.first.strip() and probe.second.strip() and probe.first != probe.second, probe
        assert probe.first_ending != probe.second_ending, probe
        for context, ending in crossed(probe):
            assert ending.strip() not in context.split(), f"{probe}: the answer stands in the context"
            # scored as context, then ending: that must be how the whole text is cut
            assert tokenizer.encode(context) + tokenizer.encode(ending) == tokenizer.encode(context + ending)


def test_grammar_has_eight_items_of_each_matter_and_says_where_the_last_token_cannot_decide(tokenizer):
    assert Counter(p.about for p in PROBES["grammar"]) == dict.fromkeys(grammar.RULES, 8)
    alike = Counter(p.about for p in PROBES["grammar"] if end_alike(p, tokenizer))
    assert alike == {"both or either": 8, "Python": 4}


def test_across_a_noun_the_nearest_noun_has_the_other_number(tokenizer):
    for probe in SETS[ACROSS]:
        (_, head, *_, near), (_, heads, *_, far) = probe.first.split(), probe.second.split()
        assert (heads, near) == (head + "s", far + "s")
        assert (probe.first_ending, probe.second_ending) in grammar.BE_OR_HAVE
    # whoever goes by the nearest noun answers these as agreement asks, and is wrong in each
    turned = [Probe(p.second, p.first_ending, p.first, p.second_ending) for p in SETS[ACROSS]]
    model = small_model(tokenizer)
    assert margins(model, tokenizer, turned) == pytest.approx([-m for m in margins(model, tokenizer, SETS[ACROSS])])


def test_a_table_of_pairs_cannot_answer_where_the_contexts_end_alike(tokenizer):
    model = Bigram(tokenizer.vocab_size)
    for items in SETS.values():
        for probe, margin in zip(items, margins(model, tokenizer, items), strict=True):
            first_tokens = {tokenizer.encode(ending)[0] for ending in (probe.first_ending, probe.second_ending)}
            must_tie = end_alike(probe, tokenizer) or len(first_tokens) == 1
            assert (abs(margin) < 1e-4) == must_tie, probe
    association = score("association", margins(model, tokenizer, PROBES["association"]))
    assert (association.share, association.items) == (0.5, 44)


# --- association: drawn, not chosen


def test_associations_are_what_the_rule_draws_from_the_training_text(embedded, tokenizer):
    for kind in associations.KINDS:
        text = statements.text_of(embedded.train[kind], tokenizer).decode("utf-8")
        drawn = associations.draw(text)
        assert ", ".join(" ".join(pair) for pair in drawn) == associations.DRAWN[kind]
        for probe in associations.ask(kind, drawn):
            for context, ending in crossed(probe)[:2]:
                assert (context + ending).removeprefix("It is about the ") not in text


def test_associations_hold_in_text_that_took_no_part_in_the_drawing(embedded, tokenizer):
    held_out = {kind: statements.text_of(ids, tokenizer).decode("utf-8") for kind, ids in embedded.held_out.items()}
    own, swapped = associations.count_company(held_out, PROBES["association"])
    assert own >= 100
    assert own > 10 * swapped


def test_log_likelihood_ratio_is_the_g_statistic_of_the_four_cells():
    # 30 of 1,000 sentences hold both words, 50 the first, 60 the second
    seen = [30, 20, 30, 920]
    expected = [50 * 60 / 1000, 50 * 940 / 1000, 950 * 60 / 1000, 950 * 940 / 1000]
    by_cells = 2 * sum(o * math.log(o / e) for o, e in zip(seen, expected, strict=True))
    assert associations.log_likelihood_ratio(30, 50, 60, 1000) == pytest.approx(by_cells)
    assert associations.log_likelihood_ratio(3, 50, 60, 1000) == 0  # 3 is what chance has
    assert associations.log_likelihood_ratio(1, 50, 60, 1000) == 0  # less than chance


def test_draw_finds_company_beyond_chance_and_only_that():
    sentences = []
    for i in range(70):
        sentences += [
            "the baker is fond of the bread. ",
            "we saw the miller and he was at the river. ",
            "the hammer was new and for the anvil. ",
            "a kettle is on the stove. ",
            "the nation is one of the nations. ",  # one word's two forms
            "the sugar and the flour is here. ",  # the form in which it would be asked
            f"the bread is number {i}. ",
        ]
    expected = {("baker", "bread"), ("miller", "river"), ("hammer", "anvil"), ("kettle", "stove")}
    assert set(associations.draw("".join(sentences))) == expected
    assert associations.draw("the cat is here. " * 500) == []


def test_partners_never_keep_company_crosswise():
    pairs = [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]
    company = {("a", "2")}
    assert associations.apart(pairs, lambda x, y: (x, y) in company) == [("a", "1"), ("c", "3"), ("b", "2"), ("d", "4")]


# --- facts: how often they are stated


def test_facts_are_stated_as_often_as_their_group_says(embedded, tokenizer):
    stated = times_stated(embedded, tokenizer, PROBES["facts"])
    groups = [group_of(times) for times in stated]
    assert groups == [group for group in GROUPS for _ in range(14)]
    alike = Counter(g for p, g in zip(PROBES["facts"], groups, strict=True) if end_alike(p, tokenizer))
    assert alike == dict.fromkeys(GROUPS, 7)  # the groups differ in how often, not in what the last token tells
    text = b"".join(statements.text_of(ids, tokenizer) for ids in embedded.train.values())
    for probe, times in list(zip(PROBES["facts"], stated, strict=True))[::9]:
        counts = [text.count((context + ending).encode("utf-8")) for context, ending in crossed(probe)[:2]]
        assert {group_of(count) for count in counts} == {group_of(times)}, probe  # both halves, not one alone


def test_groups_begin_where_their_names_say():
    assert [group_of(times) for times in (0, 1, 3, 4, 31, 32, 10_000)] == [
        GROUPS[0],
        GROUPS[1],
        GROUPS[1],
        GROUPS[2],
        GROUPS[2],
        GROUPS[3],
        GROUPS[3],
    ]


# --- scoring


def test_chance_interval_holds_what_tossing_coins_gives_in_19_of_20_cases():
    assert chance_interval(40) == (14 / 40, 26 / 40)
    for items in (8, 14, 40, 44, 56):
        low, high = (round(share * items) for share in chance_interval(items))
        tail = sum(math.comb(items, k) for k in range(low)) / 2**items
        assert tail <= 0.025 < tail + math.comb(items, low) / 2**items
        assert high == items - low


def test_score_counts_and_takes_the_median():
    found = score("made", [1.0, -2.0, 0.0, 4.0])
    assert (found.right, found.items, found.share, found.median_margin_nats) == (2.5, 4, 0.625, 0.5)
    assert (found.clearly_right, found.clearly_wrong) == (1, 1)
    assert "2.5 of 4 right" in repr(found)


def test_scores_follow_sets_and_groups():
    margins_of = {"grammar": [1.0, 1.0], "facts": [-1.0, 2.0, 3.0, 0.0]}
    found = scores(margins_of, [0, 40, 32, 5])
    assert [(s.name, s.right, s.items) for s in found] == [
        ("grammar", 2.0, 2),
        ("facts", 2.5, 4),
        ("facts, never", 0.0, 1),
        ("facts, 4 to 31 times", 0.5, 1),
        ("facts, 32 times or more", 2.0, 2),
    ]
    assert [s.name for s in scores(margins_of)] == ["grammar", "facts"]
    assert [(s.name, s.right) for s in parts([1.0, -1.0, 1.0], ["b", "a", "b"])] == [("b", 2.0), ("a", 0.0)]


def test_rows_are_scored_in_parts_as_at_once(tokenizer, monkeypatch):
    model = small_model(tokenizer)
    items = PROBES["facts"][:5]
    at_once = margins(model, tokenizer, items)
    monkeypatch.setattr("minillm.classroom.first_reading.scoring.ROWS", 3)
    assert margins(model, tokenizer, items) == pytest.approx(at_once, abs=1e-4)


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

    for items in SETS.values():
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
    for items in SETS.values():
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
    assert statements.repeats(probe, b"the fiscal year, the fiscal year; the Soviet Union; the fiscal policy") == 1
    assert statements.repeats(probe, b"the fiscal year") == 0


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
    assert {name: len(values) for name, values in looks[0]["margins"].items()} == {
        name: len(items) for name, items in SETS.items()
    }
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
    assert found["repeats"] == [0] * 56
    assert statements.text_of(tokens.train["web"], tokenizer).count(b"The army won the war.") == 40
    assert statements.text_of(np.tile(tokens.train["web"], 200), tokenizer).count(b"The army won the war.") == 8000


# --- what rises when


def test_a_seed_is_looked_at_in_its_moments(tokenizer):
    training = dataclasses.replace(first_run.TRAINING, steps=9, batch_size=4)
    tokens = stories(tokenizer)
    records = list(rises.watch_seed(tokens, tokenizer, 3, model=SIZES["micro"], training=training, moments=(0, 2, 5)))
    sets = ["grammar", "association", "facts", "facts, never", ACROSS]  # this text states none of the facts
    assert [(r["step"], r["set"]) for r in records] == [(step, name) for step in (0, 2, 5) for name in sets]
    assert {r["run"] for r in records} == {"seed 3"}
    # the same run by hand
    torch.manual_seed(3)
    model = Transformer(SIZES["micro"])
    steps = train(model, tokens, dataclasses.replace(training, seed=3))
    losses = [next(steps).train_loss_nats for _ in range(5)]
    assert [r["train_loss_nats"] for r in records[::5]] == [None, losses[1], losses[4]]
    assert [r["tokens_seen"] for r in records[::5]] == [0, 2 * 4 * 64, 5 * 4 * 64]
    expected = scores(all_margins(model, tokenizer), [0] * 56)
    assert [(r["right"], r["median_margin_nats"]) for r in records[10:]] == [
        (s.right, pytest.approx(s.median_margin_nats)) for s in expected
    ]


def test_checkpoints_are_read_in_the_order_of_their_steps(tokenizer, tmp_path):
    model, training = small_model(tokenizer), first_run.TRAINING
    optimizers = make_optimizers(model, training)
    for step in (20, 10):
        record = Record(step, step * 100, 1.0, 1.0, 5.0 - step / 100, 0.01, 1.0, 100.0)
        state = checkpoint.State(record, "made", tokenizer.fingerprint)
        checkpoint.save_checkpoint(tmp_path, model, optimizers, training, state)
    records = list(rises.watch_checkpoints(tmp_path, stories(tokenizer), tokenizer))
    assert [r["step"] for r in records] == [10] * 5 + [20] * 5
    assert [(r["tokens_seen"], r["train_loss_nats"]) for r in records[::5]] == [(1000, 4.9), (2000, 4.8)]
    grammar_score = score("grammar", margins(model, tokenizer, PROBES["grammar"]))
    assert rises.line(records, rises.BASE_MODEL, "grammar") == ([10, 20], [grammar_score.share] * 2)
    with pytest.raises(DataError, match="no checkpoints"):
        next(rises.watch_checkpoints(tmp_path / "none", stories(tokenizer), tokenizer))


def test_writing_one_part_of_the_file_keeps_the_other(tokenizer, tmp_path, monkeypatch):
    monkeypatch.setattr(rises, "data_dir", lambda: tmp_path)
    with pytest.raises(DataError, match=r"no readable rises\.json"):
        rises.load()
    about = SimpleNamespace(fingerprint="made")
    seeds = [{"run": "seed 0", "step": 1, "set": "grammar", "right": 0.5, "items": 2}]
    base = [{"run": "base model", "step": 9, "set": "grammar", "right": 2.0, "items": 2}]
    rises.write("seeds", seeds, about, about)
    rises.write("base_model", [{**base[0], "right": 1.0}], about, about)
    rises.write("base_model", base, about, about)
    assert sorted(rises.load(), key=lambda r: r["step"]) == seeds + base


def test_the_recorded_rises_are_of_these_items_and_this_text(embedded, tokenizer):
    parts_of_file = json.loads(rises.path().read_text(encoding="utf-8"))
    assert set(parts_of_file) == {"seeds", "base_model"}
    for part in parts_of_file.values():
        assert part["probes"] == rises.probes_fingerprint()
        assert (part["corpus"], part["tokenizer"]) == (embedded.fingerprint, tokenizer.fingerprint)
    records = rises.load()
    for run in [f"seed {seed}" for seed in rises.SEEDS]:
        assert rises.line(records, run, "grammar")[0] == list(rises.MOMENTS)
    sizes = {r["set"]: r["items"] for r in records}
    assert sizes == {name: len(items) for name, items in SETS.items()} | {f"facts, {group}": 14 for group in GROUPS}


def test_a_seed_begins_as_recorded(embedded, tokenizer):
    again = list(rises.watch_seed(embedded, tokenizer, 1, moments=(0, 10)))
    recorded = [r for r in rises.load() if r["run"] == "seed 1" and r["step"] in (0, 10)]
    assert len(again) == len(recorded) == 16
    for now, before in zip(again, recorded, strict=True):
        assert now["train_loss_nats"] == pytest.approx(before["train_loss_nats"], abs=1e-3)
        assert now["right"] == pytest.approx(before["right"], abs=1)  # one item may lie within rounding of a tie


def test_the_command_names_what_is_wrong(tmp_path, capsys):
    assert rises.main(["base_model", str(tmp_path)]) == 2
    assert "no checkpoints" in capsys.readouterr().err
