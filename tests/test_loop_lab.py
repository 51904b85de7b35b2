"""The loop's experiments: the lesson's five lines, scoring by hand, and runs that are stopped and go on."""

import itertools
import math

import pytest
import torch
from torch import nn

from minillm.classroom.loop import loop_lab
from minillm.errors import ConfigError
from minillm.loss import cross_entropy


class Successor(nn.Module):
    """Is sure that the next token is the one `ahead` places further in the alphabet; a model with known predictions."""

    def __init__(self, ahead):
        super().__init__()
        self.config, self.ahead, self.calls = loop_lab.MODEL, ahead, 0

    def forward(self, ids):
        return 20.0 * nn.functional.one_hot((ids + self.ahead) % 32, 32).float()


def test_text_is_in_the_alphabet_and_comes_back():
    train_text, held_out_text, _ = loop_lab.speeches()
    assert set(train_text) | set(held_out_text) <= set(loop_lab.ALPHABET)
    assert loop_lab.decode(loop_lab.encode("fellow-citizens,\n")) == "fellow-citizens,\n"
    tokens = loop_lab.characters()
    assert loop_lab.decode(tokens.train["speeches"][:200].tolist()) == train_text[:200]
    assert len(tokens.held_out["speeches"]) == len(held_out_text)


def test_a_copier_copies_everywhere_and_pays_for_it():
    copier, successor = Successor(0), Successor(1)
    assert loop_lab.copied_share(copier, 640) == 1.0
    assert loop_lab.copied_share(successor, 640) == 0.0
    ids = loop_lab.characters().held_out["speeches"][:641].astype(int)
    same = sum(a == b for a, b in itertools.pairwise(ids)) / 640
    # it pays 20 nats wherever the next character is another one, and next to nothing elsewhere
    assert loop_lab.held_out_loss(copier, 640) == pytest.approx(
        20 * (1 - same) + math.log1p(31 * math.exp(-20)), abs=1e-3
    )


def test_the_five_lines_start_at_even_odds_and_differ_by_the_shift_alone():
    _, unshifted, model = next(loop_lab.five_lines(shift=False, steps=1))
    _, shifted, _ = next(loop_lab.five_lines(shift=True, steps=1))
    assert unshifted == pytest.approx(math.log(32), abs=0.15)
    assert shifted == pytest.approx(math.log(32), abs=0.15)
    batch = torch.from_numpy(loop_lab.characters().train["speeches"][:512].astype(int)).view(16, 32)
    before = loop_lab.new_model()
    assert cross_entropy(before(batch), batch).item() == unshifted
    assert cross_entropy(before(batch)[:, :-1], batch[:, 1:]).item() == shifted
    assert not torch.equal(model.head.weight, before.head.weight)  # an update has been made


def test_one_thread_gives_the_number_back_after_an_error():
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), loop_lab.one_thread():
        assert torch.get_num_threads() == 1
        1 / 0  # noqa: B018
    assert torch.get_num_threads() == before


def test_a_bad_batch_comes_at_its_step_only(monkeypatch):
    monkeypatch.setattr(loop_lab, "BAD_STEP", 4)
    monkeypatch.setattr(loop_lab, "BAD_RUN_STEPS", 5)
    good, bad = (list(loop_lab.meet_bad_batch("sgd", 1.0, bad=bad)) for bad in (False, True))
    assert good[:3] == bad[:3]
    assert bad[3]["train_loss_nats"] > good[3]["train_loss_nats"] + 0.2
    assert bad[4] != good[4]
    with pytest.raises(ConfigError, match="sgd or adamw"):
        next(loop_lab.meet_bad_batch("lion", 1.0))


def test_what_a_resumed_run_gets_back_decides_its_losses():
    records = list(loop_lab.stop_and_go_on(seed=3))
    saved = loop_lab.SAVED_STEP
    whole = loop_lab.losses_of(records, "never stopped")
    killed = loop_lab.losses_of(records, "killed")
    assert len(whole) == loop_lab.STOP_TRAINING.steps
    assert killed == whole[: loop_lab.KILLED_STEP]
    by_run = {name: loop_lab.losses_of(records, name) for name in loop_lab.RESUMED}
    assert by_run["weights, step, optimizer"] == whole[saved:]
    assert by_run["weights, step"][0] == whole[saved]  # the first loss needs the weights alone
    assert by_run["weights, step"][1] != whole[saved + 1]
    assert by_run["weights"][0] != whole[saved]  # another batch
    assert loop_lab.unlike([1.0, 2.0], [1.5, 1.75]) == 0.5
