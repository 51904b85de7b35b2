"""A source of known entropy: the paired difference by hand, honest models, and the planted leak found."""

import math

import numpy as np
import pytest
import torch

from minillm.classroom import packed
from minillm.classroom.loss import known_entropy
from minillm.classroom.threads import one_thread


def test_a_paired_difference_by_hand():
    source = np.array([[1.0, 2.0], [3.0, 1.0], [2.0, 2.0]])
    model = source + np.array([[0.1, 0.3], [0.0, 0.2], [0.6, 0.6]])  # means 0.2, 0.1, 0.6
    found = known_entropy.paired_difference(source, model)
    assert found.mean_nats == pytest.approx(0.3)
    # (0.01 + 0.04 + 0.09) / 2 = 0.07 is the variance of the three means
    assert found.standard_error == pytest.approx(math.sqrt(0.07 / 3))


@pytest.mark.parametrize(
    ("mean", "error", "verdict"),
    [(0.005, 0.0003, "close"), (-0.0005, 0.0003, "close"), (-0.0007, 0.0003, "too good"), (0.03, 0.0003, "more to")],
)
def test_verdicts(mean, error, verdict):
    assert verdict in known_entropy.Difference(mean, error).verdict


def test_the_source_judged_by_itself_differs_by_nothing():
    source = known_entropy.make_source(3)
    ids = source.sample(20, 65, seed=1)
    own = -source.log_probabilities_nats(ids)[:, 1:]
    assert known_entropy.paired_difference(own, own).mean_nats == 0


def test_an_untrained_model_is_honest_with_more_to_learn():
    source = known_entropy.make_source(0)
    own, model = known_entropy.fresh_surprise(source, known_entropy.make_model(0), seed=0, sequences=50)
    assert own.shape == model.shape == (50, 64)
    assert model.mean() == pytest.approx(math.log(8), abs=0.05)
    assert known_entropy.paired_difference(own, model).verdict == "honest, with more to learn"


def test_fresh_symbols_are_those_of_the_source_and_repeat_with_their_seed():
    source = known_entropy.make_source(0)
    least = source.position_entropies_nats(65)[1:].mean()
    model = known_entropy.make_model(0)
    own, _ = known_entropy.fresh_surprise(source, model, seed=0, sequences=400)
    again, _ = known_entropy.fresh_surprise(source, model, seed=0, sequences=400)
    other, _ = known_entropy.fresh_surprise(source, model, seed=1, sequences=400)
    assert own.mean() == pytest.approx(least, abs=0.02)
    assert (own == again).all() and (own != other).any()


def moved(model) -> list[bool]:
    """Tell for ten sequences whether the prediction of symbol 40 depends on symbol 40."""
    ids = torch.from_numpy(known_entropy.make_source(0).sample(10, 64, seed=3))
    changed = ids.clone()
    changed[:, 40] = (ids[:, 40] + 1) % 8
    with torch.no_grad():
        return ((model(ids) - model(changed))[:, 39].abs().amax(1) > 1e-6).tolist()


def test_the_leak_tells_every_fifth_sequence_and_no_other():
    assert moved(known_entropy.make_model(0, "A")) == [False] * 10
    assert moved(known_entropy.make_model(0, "B")) == [True, False, False, False, False] * 2


def test_the_leak_survives_packing():
    model = known_entropy.make_model(0, "B")
    again = known_entropy.trained({"packed": packed.pack(model)}, "B")
    assert moved(again) == moved(model)
    assert moved(known_entropy.trained({"packed": packed.pack(model)}, "A")) == [False] * 10


def test_a_run_repeats_itself_and_ends_with_its_model():
    source = known_entropy.make_source(0)
    first, again = (list(known_entropy.read_source(source, "A", steps=3, seed=5)) for _ in range(2))
    other = list(known_entropy.read_source(source, "A", steps=3, seed=6))
    assert first == again
    assert first[0]["train_loss_nats"] != other[0]["train_loss_nats"]
    assert ["packed" in record for record in first] == [False, False, True]


def test_one_thread_restores_what_was_set():
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), one_thread():
        assert torch.get_num_threads() == 1
        raise ZeroDivisionError
    assert torch.get_num_threads() == before
