"""The figures of the cost notebook: their tables hold the facts, every row with its source."""

import pytest

from minillm import facts
from minillm.classroom import figures
from minillm.classroom.cost import cost_view
from minillm.cost import audit, bill, estimate, shapes
from minillm.cost.numbers import Interval


@pytest.fixture
def shown(monkeypatch):
    """What is shown, as (description, table)."""
    found = []

    def take(figure, alt, table):
        figures.png(figure)  # it must draw
        assert len({len(column) for column in table.values()}) == 1
        assert all(table["source"]) and list(table)[-1] == "source"
        found.append((alt, table))

    monkeypatch.setattr(figures, "show_figure", take)
    return found


def test_devices_and_days_follow_from_hours(shown):
    cost_view.show_devices_and_days()
    alt, table = shown[0]
    place = table["run"].index("Llama-3.1 405B")
    assert table["days"][place] == 78.4  # 30.84e6 / 16,384 / 24
    assert "16,384 for 78 days" in alt
    assert not any("planned" in name for name in table["run"])


def test_dollars_are_those_of_the_tables(shown):
    cost_view.show_dollars()
    _, table = shown[0]
    for name, dollars in zip(table["run"], table["dollars"], strict=True):
        assert facts.find(facts.runs(), name).reported_cost_usd == dollars


def test_six_n_off_by_hand():
    shape = facts.Shape("tiny", 2, 8, 2, 2, 4, 16, 10, 3, gated=False, norm="none")
    matrices = 2 * (4 * 8 * 8 + 2 * 8 * 16)  # two layers, without the head
    scores = 2 * 4 * 8 * 2  # two layers, 4 d_model for each of (3 + 1) / 2 tokens
    exact = 3 * (2 * (matrices + 80) + scores)
    assert cost_view.six_n_off(shape) == pytest.approx(6 * (matrices + 160) / exact - 1)


def test_six_n_lists_every_shape(shown):
    cost_view.show_six_n()
    alt, table = shown[0]
    assert sorted(table["model"]) == sorted(shape.name for shape in facts.shapes())
    off = [float(value) for value in table["6 N off, %"]]
    assert off == sorted(off)
    assert f"{off[0]}%" in alt


def test_memory_parts_add_up_and_sharing_only_helps(shown):
    cost_view.show_memory("Llama-2 7B", bill.find_accelerator("h100"))
    alt, table = shown[0]
    for place, total in enumerate(table["total"]):
        parts = sum(float(table[part][place]) for part in cost_view.PARTS)
        assert parts == pytest.approx(float(total), abs=0.2)
    totals = [float(total) for total in table["total"]]
    assert totals == sorted(totals, reverse=True)
    size = shapes.count_shape(shapes.named_shape("Llama-2 7B")).total
    assert float(table["optimizer"][0]) == pytest.approx(12 * size / 1e9, abs=0.05)
    assert "80 GB" in alt


def test_storage_by_hand(shown):
    cost_view.show_storage(["GPT-3 175B", "Llama-2 7B"])
    _, table = shown[0]
    assert table["10 checkpoints, TB"][0] == "24.4"  # 174.6e9 x 14 x 10
    assert table["text, TB"][0] == "0.9 to 1.5"  # 300e9 tokens of 3 to 5 bytes


def test_shares_are_those_of_the_audit(shown):
    cost_view.show_shares()
    _, table = shown[0]
    rows = {row.name: row for row in audit.audit()}
    assert len(table["run"]) == sum(row.hours_inside is not None for row in rows.values())
    for name, share in zip(table["run"], table["share, %"], strict=True):
        assert float(share) == pytest.approx(100 * rows[name].utilisation, abs=0.051)
    cluster = sorted(row.utilisation for row in rows.values() if row.hours_inside is not None and row.job == "node")
    assert cost_view.typical_share("node") == pytest.approx(50 * (cluster[3] + cluster[4]))  # eight of them


def test_hours_say_who_is_outside(shown):
    cost_view.show_hours(cost_view.audited(), "runs")
    alt, table = shown[0]
    outside = [name for name, inside in zip(table["run"], table["inside"], strict=True) if inside == "no"]
    assert set(outside) == set(audit.summarise(audit.audit()).hours_outside)
    assert all(name in alt for name in outside)


def test_bills_show_intervals_and_what_was_published(shown):
    cost_view.show_bills([estimate.estimate_named("BLOOM 176B"), estimate.estimate_named("DeepSeek-V3")])
    _, table = shown[0]
    assert table["published MWh"] == ["433", "-"]
    assert table["published dollars"][1] == "5.33M"
    assert all("20" in note for note in table["$ an hour"])


def test_about_keeps_three_digits():
    assert cost_view.about(521_916) == "522,000"
    assert cost_view.about(Interval(1234, 5_678_901)) == "1,230 to 5.68M"
