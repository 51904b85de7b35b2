"""The experiments of notebook 09: what the texts hold, what is measured on them, and the explorer."""

import math
from collections import Counter

import numpy as np
import pytest
import torch

from minillm.batches import Tokens, get_batch
from minillm.checkpoint import State, save_checkpoint
from minillm.classroom.limits import explorer, in_context, memorised, own, reversal, small_world, talk, zorbs
from minillm.config import ModelConfig, TrainConfig
from minillm.errors import ConfigError, DataError
from minillm.loss import cross_entropy
from minillm.model import Transformer
from minillm.optimizer import make_optimizers
from minillm.records import Record
from minillm.sampling import generate_ids
from minillm.tokenizer import course_tokenizer


@pytest.fixture(scope="module")
def model() -> Transformer:
    """A model of random weights that attends, so that its context matters."""
    torch.manual_seed(0)
    model = Transformer(ModelConfig(n_layers=1, d_model=32, n_heads=1, context_length=128))
    torch.nn.init.normal_(model.blocks[0].attention.output.weight, std=0.3)
    return model.eval()


# --- a small world


def test_words_become_numbers_after_a_beginning():
    words = small_world.words_of(["b a", "c a"])
    assert words.names == ("<begin>", "a", "b", "c")
    assert words.ids("c a b") == [0, 3, 1, 2]
    with pytest.raises(DataError, match="'d' is no word"):
        words.ids("a d")


def test_reading_learns_a_text_of_one_sentence_and_repeats_to_the_bit():
    words = small_world.words_of(["a b c ."])
    runs = [list(small_world.read(["a b c ."] * 4, words, steps=40, seed=3)) for _ in range(2)]
    assert [loss for _, loss, _ in runs[0]] == [loss for _, loss, _ in runs[1]]
    model = runs[0][-1][2]
    assert small_world.mean_loss(model, words, ["a b c ."]) < 0.1 < runs[0][0][1]
    assert small_world.next_word(model, words, ["a b"])[0].argmax() == words.names.index("c")


# --- the mirror


@pytest.mark.parametrize("seed", [0, 5])
def test_exactly_eight_of_ten_sentences_make_the_claim_in_each_town(seed):
    text = zorbs.stratified(seed)
    assert len(text) == 1000
    by_town = Counter(line.split()[1] for line in text)
    lazy = Counter(line.split()[1] for line in zorbs.without(text, "busy"))
    assert set(by_town.values()) == {10}
    assert set(lazy.values()) == {8}
    assert len(lazy) == 100


def test_each_food_is_eaten_in_as_many_towns():
    assert set(Counter(zorbs.foods(4).values()).values()) == {10}
    assert zorbs.foods(4) != zorbs.foods(5)


def test_the_uneven_text_has_as_many_claims_and_half_its_towns_make_no_other():
    text = zorbs.uneven()
    assert sum("lazy" in line for line in text) == 800
    left = {line.split()[1] for line in zorbs.without(text, "lazy")}
    towns = list(zorbs.foods())
    assert left == set(towns[1::2])


def test_the_control_is_as_short_and_rewording_keeps_all_else():
    text = zorbs.uneven()
    short = zorbs.thinned(text, 200)
    assert len(short) == 200
    assert not Counter(short) - Counter(text)
    assert zorbs.thinned(text, 200, seed=1) != short
    changed = zorbs.reworded(text)
    assert not any("lazy" in line for line in changed)
    assert [line.replace("there", "lazy") for line in changed] == text


def test_draws_by_lot_have_about_the_share_and_not_exactly():
    counts = [sum("lazy" in line for line in zorbs.by_lot(1000, seed)) for seed in range(5)]
    assert all(740 <= count <= 860 for count in counts)  # 800 and five standard deviations of 12.6
    assert len(set(counts)) > 1


class Table(torch.nn.Module):
    """A stand-in for a model: probabilities of the next word by how the text ends."""

    def __init__(self, words: small_world.Words, answers: dict[str, dict[str, float]]):
        super().__init__()
        self.words, self.answers = words, answers

    def forward(self, ids):
        logits = torch.full((*ids.shape, len(self.words)), -30.0)
        for row, numbers in enumerate(ids.tolist()):
            text = " ".join(self.words.names[i] for i in numbers[1:])
            for end, odds in self.answers.items():
                if text.endswith(end):
                    for word, p in odds.items():
                        logits[row, -1, self.words.names.index(word)] = math.log(p)
        return logits


def test_what_is_measured_on_the_mirror_by_hand():
    words = zorbs.world()
    towns = zorbs.foods()
    first = next(iter(towns))  # one of the towns that the filter empties
    answers = {"and is": {"lazy": 0.7, "busy": 0.3}}
    answers |= {f"In {town} the zorb eats": {food: 0.9} for town, food in towns.items()}
    model = Table(words, answers)
    assert zorbs.claims_lazy(model, words) == pytest.approx(0.7, abs=1e-4)
    assert zorbs.knows_food(model, words) == {"only": 1.0, "mixed": 1.0, "all": 1.0}
    wrong = next(food for food in zorbs.FOODS if food != towns[first])
    model.answers[f"In {first} the zorb eats"] = {wrong: 0.9}
    assert zorbs.knows_food(model, words) == {"only": 0.98, "mixed": 1.0, "all": 0.99}


# --- secrets


def test_each_secret_is_told_as_often_as_it_says():
    secrets = memorised.make_secrets(2)
    assert Counter(secret.repeats for secret in secrets) == {n: 4 for n in memorised.REPEATS}
    assert {secret.name for secret in secrets} == set(memorised.NAMES)
    text = memorised.text(secrets, 2000, seed=2)
    assert len(text) == 2000
    told = Counter(line for line in text if "secret" in line)
    assert all(told[secret.told] == secret.repeats for secret in secrets)
    assert sum(told.values()) == 4 * sum(memorised.REPEATS)
    assert {len(line.split()) for line in text} == {10}


def test_exposure_by_hand():
    # two of eight are likelier: rank 3
    log_p = [-9.0, -1.0, -2.0, -3.0, -4.0, -5.0, -6.0, -7.0]
    assert memorised.exposure_bits(log_p, 3) == pytest.approx(math.log2(8 / 3))
    assert memorised.exposure_bits(log_p, 1) == 3.0
    assert memorised.exposure_bits(log_p, 0) == 0.0


def test_the_thousand_probabilities_are_products_over_the_digits():
    words, secret = memorised.world(), memorised.Secret("Albert", "407", 1)
    torch.manual_seed(1)
    model = Transformer(ModelConfig(n_layers=1, d_model=32, n_heads=1, vocab_size=len(words), context_length=10))
    log_p = memorised.secret_log_p(model, words, secret)
    assert log_p.shape == (1000,)
    by_hand, beginning = 0.0, secret.beginning
    for digit in "407":
        by_hand += small_world.next_word(model, words, [beginning])[0, words.names.index(digit)].log().item()
        beginning += f" {digit}"
    assert log_p[407].item() == pytest.approx(by_hand, abs=1e-5)


def test_mean_exposure_by_hand():
    found = [{"repeats": n, "bits": bits} for n in memorised.REPEATS for bits in (n, n + 1.0)]
    assert memorised.mean_exposure(found) == {n: n + 0.5 for n in memorised.REPEATS}


# --- one direction


def test_a_third_of_the_facts_is_read_in_both_directions():
    text, facts = reversal.text(3), reversal.facts(3)
    assert len({c for c, _ in facts}) == len({s for _, s in facts}) == 60
    forward = [reversal.by_captain(*fact) in text for fact in facts]
    backward = [reversal.by_ship(*fact) in text for fact in facts]
    assert (
        list(zip(forward, backward, strict=True)) == [(True, True)] * 20 + [(True, False)] * 20 + [(False, True)] * 20
    )
    assert {len(line.split()) for line in text} == {9}


def test_what_is_known_in_each_direction_by_hand():
    words = reversal.world()
    # a model that knows every ship by its captain, and no captain
    answers = {f"called {captain} sails the ship": {ship: 0.9} for captain, ship in reversal.facts()}
    known = reversal.known(Table(words, answers), words)
    assert all(share == 1.0 for name, share in known.items() if name.startswith("ship asked"))
    assert all(share < 0.06 for name, share in known.items() if name.startswith("captain asked"))


# --- patterns


@pytest.mark.parametrize("task", in_context.TASKS)
def test_the_examples_end_with_what_the_control_asks_alone(task):
    for seed in (0, 1):
        for item in in_context.items(task, seed):
            assert item.with_examples.endswith(item.alone)
            assert item.with_examples != item.alone
            assert item.answer not in item.others
            assert all(other.strip() in item.with_examples for other in item.others)


def test_the_gain_is_the_difference_of_two_prices(model):
    tokenizer = course_tokenizer()
    item = in_context.items("count")[0]
    prices = []
    for before in (item.with_examples, item.alone):
        ids, bits = [tokenizer.end_of_text, *tokenizer.encode(before)], 0.0
        for token in tokenizer.encode(item.answer):
            bits += model(torch.tensor([ids]))[0, -1].softmax(-1)[token].log2().item()
            ids.append(token)
        prices.append(bits)
    assert in_context.gains_bits(model, tokenizer, "count")[0] == pytest.approx(prices[0] - prices[1], abs=1e-4)


def test_luck_is_one_among_the_answers_to_choose_from():
    assert in_context.luck("repeat the words") == pytest.approx(1 / 3)
    assert in_context.luck("go on with a list") is None


# --- talking


def test_a_conversation_leaves_the_hash_and_a_step_changes_it(model):
    tokenizer = course_tokenizer()
    before = talk.weights_hash(model)
    text = talk.converse(model, tokenizer)
    assert [line for line in text.splitlines() if line.startswith("User: ")] == [f"User: {t}" for t in talk.TURNS]
    assert talk.weights_hash(model) == before
    other = Transformer(model.config)
    other.load_state_dict(model.state_dict())
    assert talk.weights_hash(other) == before
    assert talk.after_one_step(other, tokenizer, text) != before


def test_one_changed_bit_changes_the_hash(model):
    other = Transformer(model.config)
    other.load_state_dict(model.state_dict())
    with torch.no_grad():
        other.head.weight[0, 0] = torch.nextafter(other.head.weight[0, 0], torch.tensor(9.0))
    assert talk.weights_hash(other) != talk.weights_hash(model)


def test_statements_differ_in_their_last_word_and_backward_has_the_same_words(model):
    assert talk.scrambled("a b c") == "c b a"
    priced = talk.statement_bits(model, course_tokenizer())
    assert len(priced) == len(talk.STATEMENTS) == 10
    assert all(s["true"] > 0 and s["false"] > 0 and s["backward"] > 0 for s in priced)
    assert all(true != false for _, true, false in talk.STATEMENTS)


# --- the own model


def test_the_own_model_reads_whole_sentences_only():
    ids = {kind: torch.zeros(4).numpy() for kind in ("web", "books", "code", "docs")}
    weights = {"web": 0.1, "books": 0.3, "code": 0.4, "docs": 0.2}
    text = own.text_of(Tokens(ids, {}, {}, weights, "f", {}))
    assert set(text.train) == {"web", "books"}
    assert text.weights == pytest.approx({"web": 0.25, "books": 0.75})
    other = own.text_of(Tokens({"stories": ids["web"]}, {}, {}, {"stories": 1.0}, "f", {}))
    assert other.weights == {"stories": 1.0}


def test_the_own_model_begins_from_its_seed_and_its_own_text_and_gives_the_threads_back():
    rng = np.random.default_rng(0)
    ids = {kind: rng.integers(0, 1024, 1000).astype(np.uint16) for kind in ("web", "books", "code")}
    tokens = Tokens(ids, {}, {}, dict.fromkeys(ids, 1 / 3), "f", {})
    training = TrainConfig(steps=2, batch_size=2, seed=4)
    before = torch.get_num_threads()
    run = own.read(tokens, training=training)
    step, loss, model = next(run)
    assert torch.get_num_threads() == before
    torch.manual_seed(4)
    fresh = Transformer(own.MODEL)
    inputs, targets = get_batch(own.text_of(tokens), seed=4, step=1, batch_size=2, context_length=128)
    assert (step, loss) == (1, pytest.approx(cross_entropy(fresh(inputs), targets).item(), abs=1e-5))
    assert [step for step, _, _ in run] == [2]
    assert model.config == own.MODEL


def test_no_run_is_no_model(tmp_path):
    assert own.newest_run(tmp_path) is None


def test_the_newest_whole_checkpoint_is_taken(model, tmp_path):
    training, folder = TrainConfig(steps=2), tmp_path / "a run" / "checkpoints"
    other = Transformer(model.config)
    for step, saved in ((1, model), (2, other)):
        record = Record(step, step, 1.0, 1.0, 5.0, 0.01, 1.0, 1.0)
        save_checkpoint(folder, saved, make_optimizers(saved, training), training, State(record, "corpus", "tokenizer"))
    assert talk.weights_hash(own.newest_run(tmp_path)) == talk.weights_hash(other)
    (folder / "step-000002" / "model.safetensors").write_bytes(b"cut short")
    found = own.newest_run(tmp_path)
    assert talk.weights_hash(found) == talk.weights_hash(model)
    assert not found.training


# --- the explorer


def test_exploring_shows_what_was_written_and_its_probabilities(model):
    tokenizer = course_tokenizer()
    explored = explorer.explore(model, tokenizer, "The history of", 1.0, 7)
    assert explored == explorer.explore(model, tokenizer, "The history of", 1.0, 7)
    assert len(explored.pieces) == len(explored.probabilities) == explorer.TOKENS
    first = next(
        iter(
            generate_ids(
                model, [tokenizer.end_of_text, *tokenizer.encode("The history of")], 1, temperature=1.0, seed=7
            )
        )
    )
    assert tokenizer.decode([first]) == explored.pieces[0]
    ids = torch.tensor([[tokenizer.end_of_text, *tokenizer.encode("The history of")]])
    assert explored.probabilities[0] == pytest.approx(model(ids)[0, -1].softmax(-1)[first].item(), rel=1e-4)
    assert explored.score is None
    assert "No rule" in repr(explored)


def test_a_key_brings_its_prompt_and_its_rule(model):
    explored = explorer.explore(model, course_tokenizer(), "list-days")
    assert explored.prompt == "List three days of the week.\n"
    assert explored.score is not None
    assert "a list of three short items" in explored.verdict()


def test_what_a_learner_types_is_shown_as_text_and_refused_kindly(model):
    tokenizer = course_tokenizer()
    assert "<b>x" not in explorer.explore(model, tokenizer, "<b>x</b> \x1b[31m")._repr_html_()
    for prompt, temperature, seed, cause in (
        ("", 0.7, 0, "There is no prompt"),
        ("  \n", 0.7, 0, "There is no prompt"),
        ("x" * 601, 0.7, 0, "601 characters"),
        ("x", 5.1, 0, "temperature is 5.1"),
        ("x", math.nan, 0, "temperature is nan"),
        ("x", "warm", 0, "temperature is 'warm'"),
        ("x", None, 0, "temperature is None"),
        (None, 0.7, 0, "There is no prompt"),
        ("x", 0.7, -1, "seed is -1"),
        ("x", 0.7, 0.5, "seed is 0.5"),
        ("x", 0.7, "one", "seed is 'one'"),
    ):
        with pytest.raises(ConfigError, match=cause):
            explorer.explore(model, tokenizer, prompt, temperature, seed)


def test_a_long_prompt_leaves_room_for_its_continuation(model):
    explored = explorer.explore(model, course_tokenizer(), "zz qq " * 99)
    assert len(explored.pieces) == len(explored.probabilities) > 0


def test_the_form_explores_by_fields_alone(model):
    form = explorer.Explorer(model, course_tokenizer(), "list-days").form()
    prompt, temperature, seed, button, told, shown, _ = form.children
    before = shown.value
    prompt.value, temperature.value, seed.value = "The house", "0", "3"
    button.click()
    assert shown.value != before
    assert "The house" in shown.value
    assert 'role="status"' in told.value
    temperature.value = "warm"
    button.click()
    assert "temperature is &#x27;warm&#x27;" in told.value
