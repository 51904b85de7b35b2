"""The form that prices a run, and its plain twin."""

import re

import pytest

from minillm.classroom.cost import price_form
from minillm.classroom.cost.price_form import PriceForm, offered, price
from minillm.cost.bill import find_accelerator, peak_flops
from minillm.cost.utilisation import Job, seen_on_new_runs
from minillm.errors import ConfigError


def cell(found, what):
    columns = found.columns()
    return columns["how much"][columns["what"].index(what)]


def test_a_price_by_hand():
    found = price("7B", "2T", "a100-80gb", "cluster")
    bill = found.estimate.bill
    assert found.estimate.model_flops == 6 * 7e9 * 2e12
    done_at_peak = bill.accelerator_hours.high * 3600 * 312e12
    assert bill.utilisation.low * done_at_peak == pytest.approx(8.4e22)
    assert bill.cost_usd.high == pytest.approx(bill.accelerator_hours.high * bill.price.high_usd_per_hour)
    assert bill.cost_usd.low == pytest.approx(bill.accelerator_hours.low * bill.price.low_usd_per_hour)
    assert cell(found, "operations") == "8.4e22"
    assert cell(found, "ten checkpoints") == "980 GB"  # 14 bytes x 7e9 x 10
    assert cell(found, "the text") == "6 TB to 10 TB"
    low, high = map(float, re.findall(r"[\d.]+", cell(found, "days on 1,024")))
    assert low * 24 * 1024 == pytest.approx(bill.accelerator_hours.low, rel=5e-3)
    assert high * 24 * 1024 == pytest.approx(bill.accelerator_hours.high, rel=5e-3)


def test_every_line_says_on_what_it_rests_and_prices_have_dates():
    columns = price("1.5B", "30B").columns()
    assert all(columns["rests on"])
    assert re.search(r"20\d\d", cell(price("1.5B", "30B"), "dollars"))
    assert find_accelerator("h100").source in " ".join(columns["rests on"])


def test_numbers_may_be_written_in_any_form():
    assert repr(price("7B", "2T")) == repr(price(7e9, 2e12)) == repr(price("7e9", "2000B"))
    assert repr(price("7B", "2T", job="frontier")) == repr(price("7B", "2T", job="cluster"))


@pytest.mark.parametrize("name", offered())
def test_every_offered_accelerator_is_priced(name):
    bill = price("1B", "20B", name, "node").estimate.bill
    assert bill.cost_usd is not None
    assert peak_flops(bill.accelerator) > 1e13


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("10B?", "2T"), "10B?"),
        (("7B", "0"), "tokens"),
        (("7B", "2T", "h1000"), "h1000"),
        (("7B", "2T", "h100", "garage"), "garage"),
        (("7", "2T"), "parameters is 7"),
        (("7B", "1e30"), "tokens"),
    ],
)
def test_what_cannot_be_is_named(given, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        price(*given)


@pytest.fixture
def form():
    return PriceForm().form()


def parts(form):
    sizes, tokens, device, job, told, board = form.children
    return sizes.children, tokens.children, device, job, told, board


def test_the_form_shows_the_price_of_its_start(form):
    *_, board = parts(form)
    assert board.value == price(*price_form.START).table()


def test_typing_moves_the_slider_and_prices(form):
    (slider, field), _, device, job, told, board = parts(form)
    field.value = "70B"
    assert slider.value == pytest.approx(10.8)
    assert field.value == "70B"
    device.value, job.value = "b200", "cluster"
    assert board.value == price("70B", price_form.START[1], "b200", "cluster").table()
    assert "accelerator-hours" in told.value


def test_the_slider_writes_the_field_and_prices(form):
    _, (slider, field), device, job, _, board = parts(form)
    slider.value = 12.3
    assert field.value == "2T"
    assert board.value == price(price_form.START[0], "2T", device.value, job.value).table()


def test_a_number_that_is_none_is_told_and_the_price_stays(form):
    (slider, field), _, _, _, told, board = parts(form)
    before = slider.value, board.value
    field.value = "10B?"
    assert "10B?" in told.value
    assert (slider.value, board.value) == before
    field.value = "2B"
    assert "10B?" not in told.value


def test_every_control_has_a_name(form):
    sizes, tokens, device, job, *_ = parts(form)
    assert len({control.description for control in (*sizes, *tokens, device, job)} - {""}) == 6


def test_it_shows_something_without_a_kernel():
    assert "accelerator-hours" in repr(PriceForm())
    assert "<script" not in price("7B", "2T").table()


@pytest.mark.parametrize("asked", [(None, "2T"), ("7B", "2T", None), ("7B", "2T", 5), ("7B", "2T", "h100", None)])
def test_what_is_no_text_is_named_too(asked):
    with pytest.raises(ConfigError):
        price(*asked)


def test_a_price_says_how_often_such_intervals_hold():
    said = cell(price("7B", "2T", "h100", "cluster"), "such intervals hold")
    new = seen_on_new_runs(Job(8.4e22, 7e9, 1, "cluster"))
    assert said == f"{new.coverage:.0%} of {new.runs} runs"
