"""The runs of notebook 01's laboratory, its meter, and its figures."""

import numpy as np
import pytest
import torch

from minillm.batches import Tokens
from minillm.classroom.data import data_view, mixture_meter, mixture_runs
from minillm.errors import ConfigError
from minillm.tokenizer import course_tokenizer


@pytest.fixture
def small(monkeypatch):
    """Four kinds that follow four simple rules, so that a short run learns them."""
    tokenizer = course_tokenizer()
    texts = {
        "web": "the sea is wide. ",
        "books": "my fellow citizens, ",
        "code": "return x + 1\n",
        "docs": "a list of ",
    }
    made = {kind: tokenizer.encode_documents([text * 40] * 60) for kind, text in texts.items()}
    held_out = {kind: tokenizer.encode_documents([text * 30]) for kind, text in texts.items()}
    tokens = Tokens(made, held_out, {kind: 1 for kind in made}, {kind: 0.25 for kind in made}, "small", {})
    monkeypatch.setattr(mixture_runs, "whole_corpus", lambda: tokens)
    monkeypatch.setattr(mixture_runs, "DOCS_BYTES", 2_000)
    monkeypatch.setattr(mixture_runs, "WINDOWS", 128)
    for cached in (mixture_runs.held_out_samples, mixture_runs._train_mixture):
        cached.cache_clear()
    yield tokens
    for cached in (mixture_runs.held_out_samples, mixture_runs._train_mixture):
        cached.cache_clear()


def test_weights_become_shares():
    assert mixture_runs.shares_of({"docs": 60, "code": 20}) == {"web": 0, "books": 0, "code": 0.25, "docs": 0.75}
    assert sum(mixture_runs.docs_share(0.4).values()) == pytest.approx(1)


@pytest.mark.parametrize(
    "weights",
    [
        {"cod": 1},
        {"docs": -1, "web": 2},
        {"docs": 0},
        {},
        {"docs": float("nan")},
        {"web": float("inf")},
        {"web": 1e308, "docs": 1e308},
        {"docs": "many"},
        {"docs": None},
        {"docs": 10**5000},
        {"<script>" * 100: 1},
        None,
        "docs",
    ],
)
def test_weights_that_cannot_be_are_named(weights):
    with pytest.raises(ConfigError) as caught:
        mixture_runs.shares_of(weights)
    assert len(str(caught.value)) < 300


def test_few_documents_are_whole_ones_and_just_enough(small):
    tokenizer = course_tokenizer()
    few = mixture_runs.few_documents(small.train["docs"], tokenizer, 2_000, seed=1)
    whole = mixture_runs.documents_of(small.train["docs"], tokenizer.end_of_text)
    parts = mixture_runs.documents_of(few, tokenizer.end_of_text)
    assert all(any(np.array_equal(part, document) for document in whole) for part in parts)
    size = mixture_runs.text_bytes(few, tokenizer)
    assert 2_000 <= size < 2_000 + len("a list of ") * 40 + 1
    assert few[0] == few[-1] == tokenizer.end_of_text


def test_windows_come_from_the_kinds_in_proportion():
    streams = {kind: np.full(500, i, np.uint16) for i, kind in enumerate(mixture_runs.KINDS)}
    shares = {"web": 0.5, "books": 0.0, "code": 0.25, "docs": 0.25}
    windows, following = mixture_runs.draw_windows(streams, shares, np.random.default_rng(0))
    assert windows.shape == (mixture_runs.WINDOWS, mixture_runs.RUN)
    counts = torch.bincount(following, minlength=4) / mixture_runs.WINDOWS
    assert counts[1] == 0 and abs(counts[0] - 0.5) < 0.05 and torch.equal(windows[:, -1], following)


def test_tables_tell_runs_apart_by_their_order_and_look_at_no_more_than_four_tokens():
    model = mixture_runs.RunTables(1024)
    with torch.no_grad():
        a, b = model(torch.tensor([[1, 2, 3, 4]])), model(torch.tensor([[2, 1, 3, 4]]))
        assert not torch.allclose(a, b)
        assert torch.equal(a, model(torch.tensor([[9, 1, 2, 3, 4]])[:, 1:]))


def test_a_run_learns_its_mixture_and_says_how_often_it_read(small):
    records = mixture_runs.train_mixture({"docs": 100}, steps=40)
    assert len(records) == 40 and records[-1]["train_loss_nats"] < 0.5 * records[0]["train_loss_nats"]
    last = records[-1]
    assert last["shares"]["docs"] == 1 and last["docs"] == 100
    assert min(last["bits"], key=last["bits"].get) == "docs"
    n_docs = len(mixture_runs.scarce_streams()["docs"])
    assert last["epochs"] == pytest.approx(40 * 128 / n_docs)
    assert mixture_runs.train_mixture({"docs": 7}, steps=40) is records  # the same shares: not trained again
    other = mixture_runs.train_mixture({"docs": 100}, steps=40, seed=1)
    assert other[0]["train_loss_nats"] != records[0]["train_loss_nats"]


def test_the_matrix_of_kinds_that_share_nothing_has_its_diagonal(small, monkeypatch):
    records = list(mixture_runs.train_matrix(steps=12))
    bits = {r["read"]: r["bits"] for r in records if "bits" in r}
    assert len(records) == 48 and list(bits) == list(mixture_runs.KINDS)
    for kind in bits:
        assert min(bits, key=lambda read: bits[read][kind]) == kind


# --- the meter


def record(shares):
    return {
        "shares": shares,
        "bits": {k: 2.0 + abs(shares["docs"] - 0.6) for k in shares},
        "epochs": 8 * shares["docs"],
    }


def test_the_meter_counts_and_stops():
    meter = mixture_meter.Meter("LIVE", budget=3, train=record)
    first = meter.mixture_run({"docs": 100})
    assert meter.left == 2 and "docs 100%: 2.40 bits" in repr(first) and "read 8.0 times" in repr(first)
    assert meter.mixture_run({"docs": 5}) is first and meter.left == 2  # the same mixture costs nothing
    meter.mixture_run({"docs": 60, "web": 40})
    with pytest.raises(ConfigError):
        meter.mixture_run({"dogs": 1})
    assert meter.left == 1
    meter.mixture_run({"web": 1})
    with pytest.raises(ConfigError, match="All 3 runs are spent"):
        meter.mixture_run({"code": 1})
    assert meter.best.shares["docs"] == 0.6 and meter.columns()["run"] == [1, 2, 3]


def test_in_replay_the_nearest_recording_answers_and_says_so(monkeypatch):
    recorded = [record(mixture_runs.docs_share(share)) for share in (1.0, 0.6, 0.2)]
    monkeypatch.setattr(mixture_meter, "recorded_runs", lambda: recorded)
    meter = mixture_meter.Meter("REPLAY")
    assert meter.mixture_run({"docs": 100}).note == ""
    near = meter.mixture_run({"docs": 70, "code": 30})
    assert near.shares["docs"] == 0.6 and "nearest to docs 70%, code 30%" in near.note
    assert meter.mixture_run({"docs": 55, "web": 45}) is near and meter.left == 3  # the same recording again is free


def test_the_form_spends_the_same_budget(monkeypatch):
    meter = mixture_meter.Meter("LIVE", budget=1, train=record)
    form = meter.form()
    *rows, mixture, button, told, board = form.children
    fields = {row.children[0].description: row.children for row in rows}
    for kind, (slider, number) in fields.items():
        number.value = 30 if kind == "docs" else 10
        assert slider.value == number.value
    assert "docs 50%" in mixture.value
    button.click()
    assert meter.left == 0 and "0 of 1 runs left" in told.value and button.disabled and "docs 50%" in board.value


def test_the_form_refuses_an_empty_mixture():
    meter = mixture_meter.Meter("LIVE", train=record)
    *rows, mixture, button, told, _ = meter.form().children
    for row in rows:
        row.children[1].value = 0
    button.click()
    assert "above 0" in told.value and meter.left == 5 and not button.disabled and "Nothing chosen" in mixture.value


# --- the figures


def test_published_shares_sum_to_one():
    for mixture in data_view.MIXTURES:
        shares = data_view.category_shares(mixture)
        assert sum(shares.values()) == pytest.approx(1) and shares["web"] > 0
    assert data_view.category_shares("GPT-3")["books"] == pytest.approx(0.16 / 1.01)


def test_the_matrix_figure_names_the_lowest_of_each_column(monkeypatch):
    shown = []
    monkeypatch.setattr(data_view.figures, "show_figure", lambda figure, alt, table: shown.append((alt, table)))
    data_view.show_matrix({"a": {"x": 1.0, "y": 3.0}, "b": {"x": 2.0, "y": 2.5}}, "who reads what")
    ((alt, table),) = shown
    assert "on x, a is lowest; on y, b is lowest" in alt and table["on y"] == [3.0, 2.5]
