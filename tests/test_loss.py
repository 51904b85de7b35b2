"""The loss: nats, perplexity and bits a byte, by hand."""

import math

import core
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm.errors import DataError
from minillm.loss import bits_per_byte, cross_entropy, perplexity, token_surprise


def test_surprise_by_hand():
    # probabilities 1/2, 1/4, 1/4: surprise at the targets is ln 2, then ln 4; the mean is 1.5 ln 2
    logits = torch.log(torch.tensor([[[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]]))
    targets = torch.tensor([[0, 2]])
    torch.testing.assert_close(token_surprise(logits, targets), torch.tensor([[math.log(2), math.log(4)]]))
    assert cross_entropy(logits, targets).item() == pytest.approx(1.5 * math.log(2))
    assert cross_entropy(logits, targets, torch.tensor([[0, 1]])).item() == pytest.approx(math.log(4))


def test_even_odds_cost_the_logarithm_of_the_vocabulary():
    loss = cross_entropy(torch.zeros(2, 3, 50), core.random_ids(core.MODERN, 2, 3) % 50).item()
    assert loss == pytest.approx(math.log(50))
    assert perplexity(loss) == pytest.approx(50)


def test_bits_a_byte_by_hand():
    # 3 tokens, each a surprise of ln 4 = 2 bits, spell 6 bytes: 6 bits / 6 bytes = 1
    assert bits_per_byte(3 * math.log(4), 6) == pytest.approx(1.0)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 7), st.integers(0, 10**6), st.floats(-50, 50))
def test_equals_torch_and_does_not_change_when_all_logits_move(n_batch, n_tokens, seed, shift):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(n_batch, n_tokens, 11, generator=generator)
    targets = torch.randint(11, (n_batch, n_tokens), generator=generator)
    expected = F.cross_entropy(logits.transpose(1, 2), targets)
    torch.testing.assert_close(cross_entropy(logits, targets), expected)
    torch.testing.assert_close(cross_entropy(logits + shift, targets), expected, rtol=1e-4, atol=1e-4)


def test_a_masked_target_changes_neither_loss_nor_gradient():
    logits = torch.randn(1, 4, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)
    targets, mask = torch.tensor([[0, 1, 2, 3]]), torch.tensor([[1, 0, 1, 0]])
    loss = cross_entropy(logits, targets, mask)
    loss.backward()
    assert loss.item() == cross_entropy(logits, torch.tensor([[0, 4, 2, 4]]), mask).item()
    assert logits.grad[0, [1, 3]].abs().max() == 0 and logits.grad[0, [0, 2]].abs().min() > 0


def test_half_precision_logits_are_measured_in_32_bits():
    logits = torch.zeros(1, 1, 3000, dtype=torch.bfloat16)
    assert cross_entropy(logits, torch.tensor([[7]])).item() == pytest.approx(math.log(3000), abs=1e-5)


def test_nothing_to_measure_is_refused():
    with pytest.raises(DataError, match="Every target is masked"):
        cross_entropy(torch.zeros(1, 2, 3), torch.tensor([[0, 1]]), torch.tensor([[0, 0]]))
    with pytest.raises(DataError, match="empty text"):
        bits_per_byte(1.0, 0)
