"""Tables of counts and the distance of a model from them, against counting by hand."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
import torch

from minillm.classroom.loop import table_divergence as td
from minillm.classroom.loop.loop_lab import characters

IDS = np.array([0, 1, 2, 0, 1, 2, 0, 1, 3, 31, 0, 1], dtype=np.uint16)


def test_a_table_by_hand():
    single = td.count_table(IDS, 1, strength=2.0)
    assert single[0, 0].item() == pytest.approx((4 + 2 / 32) / (12 + 2))
    pairs = td.count_table(IDS, 2, strength=2.0)
    # 1 is followed by 2, 2 and 3; the single characters count as two more tokens
    assert pairs[1, 2].item() == pytest.approx((2 + 2 * single[0, 2].item()) / (3 + 2))
    triples = td.count_table(IDS, 3, strength=2.0)
    # after 0 and 1 came 2, 2, 3; row 0 * 32 + 1
    assert triples[1, 3].item() == pytest.approx((1 + 2 * pairs[1, 3].item()) / (3 + 2))
    # never seen together: the row of the shorter table, which is that of the last token
    assert torch.allclose(triples[5 * 32 + 1], pairs[1])
    for table in (single, pairs, triples):
        assert torch.allclose(table.sum(1), torch.ones(len(table)), atol=1e-5)


def test_row_numbers_read_the_tokens_before_as_digits():
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    assert td.row_numbers(ids, 1)[0].tolist() == [0] * 5
    assert td.row_numbers(ids, 2)[0].tolist() == [3, 1, 4, 1, 5]
    assert td.row_numbers(ids, 3)[0, 1:].tolist() == [3 * 32 + 1, 32 + 4, 4 * 32 + 1, 32 + 5]


def test_divergence_by_hand_and_zero_only_where_equal():
    shares, model = torch.tensor([[0.5, 0.5], [0.9, 0.1]]), torch.tensor([[0.25, 0.75], [0.9, 0.1]])
    by_hand = (0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)) / 2  # the second row adds nothing
    assert td.divergence(shares, model.log()).item() == pytest.approx(by_hand, abs=1e-6)
    assert td.divergence(shares, shares.log()).item() == pytest.approx(0, abs=1e-6)


def test_a_model_that_is_a_table_is_nearest_to_that_table():
    for name, rows in td.table_rows().items():
        distances = td.distances(rows.log())
        assert distances[name] == pytest.approx(0, abs=1e-6)
        assert all(distances[other] > 0.05 for other in td.TABLES if other != name)


def test_the_straight_way_is_never_nearer_than_the_best_mixture():
    rows = td.table_rows()["bigram"]
    straight = td.straight_way(rows.log(), parts=5)
    assert straight["bigram"] == pytest.approx(0, abs=1e-6)  # its end is the table itself
    assert straight["unigram"] <= td.distances(rows.log())["unigram"] + 1e-9


def test_losses_of_long_tables_are_those_of_dense_ones():
    losses = td.table_losses(3, 2.0)
    held_out = characters().held_out["speeches"].astype(np.int64)
    table = td.count_table(characters().train["speeches"], 3, 2.0)
    surprise = -table.log()[held_out[:-2] * 32 + held_out[1:-1], torch.from_numpy(held_out[2:])]
    surprise = torch.cat([torch.zeros(1), surprise])  # the second token's target has but one token before it
    assert losses[2] == pytest.approx(td.scored_windows(surprise)[:, td.SCORED_FROM :].mean().item(), abs=1e-4)
    assert losses[0] > losses[1] > losses[2]


def test_the_model_is_scored_on_the_same_targets(monkeypatch):
    class Table(torch.nn.Module):
        def forward(self, ids):
            return td.count_table(characters().train["speeches"], 2, 2.0).log()[ids]

    assert td.model_loss(Table()) == pytest.approx(td.table_losses(2, 2.0)[1], abs=1e-4)


def test_dips_and_watched_steps():
    courses = [{"unigram": u, "bigram": b, "trigram": t} for u, b, t in ((1, 3, 5), (2, 2, 4), (3, 4, 3))]
    assert td.dips([1, 10, 100], courses) == {"unigram": 1, "bigram": 10, "trigram": 100}
    steps = td.watched_steps(500)
    assert steps == sorted(set(steps)) and steps[:3] == [1, 2, 3] and steps[-1] == 500
    assert set(td.SAMPLED) <= set(steps)


def test_text_drawn_from_a_table_uses_its_rows():
    text = td.written_by_table(2, 3000, seed=1)
    drawn, known = Counter(itertools.pairwise(text)), Counter()
    ids = characters().train["speeches"]
    for a, b in itertools.pairwise(ids):
        known[td.ALPHABET[a], td.ALPHABET[b]] += 1
    assert len(text) == 3000
    assert sum(count for pair, count in drawn.items() if known[pair]) > 0.98 * 2999
