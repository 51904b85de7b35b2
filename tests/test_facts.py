"""The published figures: every cell arrives, numbers are numbers, and every row has its source."""

import csv
from dataclasses import dataclass

import pytest

from minillm import facts
from minillm.errors import ConfigError, DataError
from minillm.facts import accelerators, find, held_out_runs, memory, mixtures, programmes, runs, scaling_laws, shapes
from minillm.paths import data_dir

TABLES = {
    "pretraining_runs.csv": runs,
    "held_out_runs.csv": held_out_runs,
    "accelerators.csv": accelerators,
    "memory.csv": memory,
    "mixtures.csv": mixtures,
    "scaling_laws.csv": scaling_laws,
    "shapes.csv": shapes,
}
each_table = pytest.mark.parametrize(("file_name", "read"), TABLES.items(), ids=TABLES.keys())


def cells(file_name: str) -> list[dict[str, str]]:
    with open(data_dir() / "facts" / file_name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@each_table
def test_every_row_arrives_with_source_and_quality(file_name, read):
    rows = read()
    assert len(rows) == len(cells(file_name)) > 15
    qualities = ("primary seen here", "secondary seen here", "from memory, to be checked", "computed here")
    for row in rows:
        assert row.source
        assert row.quality in qualities
        assert row.name
        assert not row.name.startswith("EXTRA")
    assert len({row.name for row in rows}) == len(rows)


def test_numbers_of_known_runs():
    gpt3 = find(runs(), "GPT-3")
    assert (gpt3.name, gpt3.year, gpt3.training_tokens) == ("GPT-3 175B", 2020, 300e9)
    assert gpt3.reported_cost_usd is None
    assert gpt3.training_flops == pytest.approx(6 * gpt3.parameters_total * gpt3.training_tokens, rel=0.01)
    deepseek = find(runs(), "deepseek-v3")
    assert deepseek.parameters_active < deepseek.parameters_total / 10
    llama = find(runs(), "Llama-3.1 405B")
    implied = 6 * llama.parameters_total * llama.training_tokens / (llama.accelerator_hours * 3600)
    assert implied / (llama.peak_bf16_tflops * 1e12) == pytest.approx(0.346, abs=0.001)


def test_no_number_of_a_run_or_device_is_lost():
    numbers = {
        "parameters_total": "parameters_total",
        "parameters_active": "parameters_active",
        "training_tokens": "training_tokens",
        "training_flops": "training_flops",
        "accelerator_count": "accelerator_count",
        "accelerator_hours": "accelerator_hours",
        "peak_bf16_tflops_of_accelerator": "peak_bf16_tflops",
        "reported_mfu": "reported_mfu",
        "reported_cost_usd": "reported_cost_usd",
        "energy_mwh": "energy_mwh",
        "co2e_tonnes": "co2e_tonnes",
    }
    for row, raw in zip(runs(), cells("pretraining_runs.csv"), strict=True):
        for column, name in numbers.items():
            assert getattr(row, name) == (float(raw[column]) if raw[column] else None)
    for row, raw in zip(accelerators(), cells("accelerators.csv"), strict=True):
        assert row.peak_bf16_tflops == (float(raw["peak_dense_bf16_tflops"]) if raw["peak_dense_bf16_tflops"] else None)
        assert row.power_w == (float(raw["tdp_w"]) if raw["tdp_w"] else None)
        assert bool(row.prices) == bool(raw["cloud_price_usd_per_hour"])


def test_no_size_of_a_shape_is_lost():
    words = ("name", "organisation", "positions", "norm", "source")
    for row, raw in zip(shapes(), cells("shapes.csv"), strict=True):
        for column, cell in raw.items():
            if column in words:
                assert getattr(row, column) == cell
            elif column in ("parameters_total", "parameters_active"):
                assert getattr(row, column) == (float(cell) if cell else None)
            elif column != "source_quality":
                assert getattr(row, column) == int(cell or 0)


def test_runs_point_at_rows_that_exist():
    shape_names, devices = {row.name for row in shapes()}, {row.id: row for row in accelerators()}
    assert len(devices) == len(accelerators())
    for run in (*runs(), *held_out_runs()):
        assert run.shape in shape_names | {""}
        assert run.job in ("cluster", "node", "hobby", "")
        assert run.flops_counting in ("6nd", "full", "hardware", "other", "unstated", "")
        assert bool(run.flops_counting) == (run.training_flops is not None)
        assert run.accelerator_id in devices or run.accelerator_id == ""
        if run.accelerator_id and run.peak_bf16_tflops:
            device = devices[run.accelerator_id]
            assert run.peak_bf16_tflops == (device.peak_bf16_tflops or device.peak_fp16_tflops)
        if run.shape and run.parameters_total:
            (shape,) = [row for row in shapes() if row.name == run.shape]
            assert run.parameters_total == pytest.approx(shape.parameters_total or run.parameters_total, rel=0.015)


def test_programmes_against_their_final_runs():
    ratios = {row.name: (row.ratio, row.counts_research) for row in programmes()}
    assert ratios["LLaMA-1"] == (pytest.approx(3.4, abs=0.01), True) and ratios["OPT"] == (2, True)
    # 82,432 + 135,168 + 530,432 + 1,022,362 hours of 400 W, in a building that draws 1.1 times as much
    hours = sum(run.accelerator_hours for run in runs() if run.name.startswith("LLaMA-1"))
    assert hours * 400 * 1.1 / 1e6 == pytest.approx(777, rel=0.005)
    assert ratios["DeepSeek-V3"] == (pytest.approx(1.047, abs=0.001), False)
    assert all(row.source and row.quality for row in programmes())


def test_prices_are_ranges_with_their_dates():
    h100 = find(accelerators(), "H100")
    assert [(price.low_usd_per_hour, price.high_usd_per_hour) for price in h100.prices] == [
        (7, 12),
        (2.85, 3.5),
        (1.7, 3),
        (1.99, 6.88),
    ]
    assert "2023" in h100.prices[0].note
    assert find(accelerators(), "P100").prices == ()
    b200 = find(accelerators(), "B200 SXM").prices[0]
    assert (b200.low_usd_per_hour, b200.high_usd_per_hour) == (2.8, 10.57)


def test_memory_sizes():
    assert find(accelerators(), "V100").memory_gb == 16
    assert find(accelerators(), "V100").memory_text == "16-32"
    assert find(accelerators(), "M3 Max").memory_gb == 128
    assert find(accelerators(), "2-core").memory_gb is None


def test_mixtures_add_up_to_one():
    parts = [part for part in mixtures() if part.mixture == "LLaMA-1"]
    assert sum(part.weight for part in parts) == pytest.approx(1)
    assert find(mixtures(), "LLaMA-1: C4").amount == 783e9
    assert find(mixtures(), "LLaMA-1: C4").unit == "bytes"
    assert find(mixtures(), "MassiveText: Books").weight == 0.30
    assert find(mixtures(), "The Pile: ArXiv").amount == 56.21 * 2**30
    common_crawl = find(mixtures(), "GPT-3: Common Crawl filtered")
    assert (common_crawl.amount, common_crawl.unit) == (410e9, "tokens")
    assert common_crawl.epochs == pytest.approx(common_crawl.weight * 300e9 / common_crawl.amount, abs=0.005)
    for part in mixtures():
        assert (part.amount is None) == (part.amount_text == "")
        assert (part.weight is None) == (part.weight_text == "")
        assert (part.epochs is None) == (part.epochs_text == "")


def test_scaling_constants():
    constants = {row.quantity: row.value for row in scaling_laws() if row.law == "Besiroglu 2024"}
    # Chinchilla's law as refitted, minimised under C = 6ND: N^(alpha+beta) = (alpha A / beta B) (C/6)^beta.
    alpha, beta = constants["alpha"], constants["beta"]
    compute = 5.76e23
    size = (alpha * constants["A"] / (beta * constants["B"]) * (compute / 6) ** beta) ** (1 / (alpha + beta))
    assert compute / 6 / size / size == pytest.approx(18.4, abs=0.1)  # tokens for each parameter
    assert find(scaling_laws(), "Kaplan 2020: training compute").value is None
    assert find(scaling_laws(), "Kaplan 2020: training compute").text == "C = 6 N B S"
    assert find(scaling_laws(), "Muennighoff 2023 (data-constrained): A").value == 521


def test_cells_of_every_form():
    assert facts.plain_number("3.1e8") == 3.1e8
    assert facts.plain_number("about 20 (a rule)") == 20
    assert facts.plain_number("0.45 [0.48]") == 0.45
    for no_number in ("", "0.49 / 0.51", "1.03-1.10", "D grows as N^0.74", "6B on 1.18x data"):
        assert facts.plain_number(no_number) is None
    assert facts.parse_amount("about 950e9 tokens in all") == (950e9, "tokens")
    assert facts.parse_amount("5e12 (600e9 public) tokens") == (5e12, "tokens")
    assert facts.parse_amount("") == (None, None)


def test_find_names_the_nearest():
    with pytest.raises(ConfigError, match=r"no 'GPT33'.*\nDid you mean 'GPT-3 175B'"):
        find(runs(), "GPT33")
    with pytest.raises(ConfigError, match=r"fits (\d+) rows.*\nSay which: .*, .* and \d+ more\.") as raised:
        find(runs(), "Llama")
    listed, _, more = raised.value.remedy.removeprefix("Say which: ").rpartition(" and ")
    fitting = [run for run in runs() if "llama" in run.name.casefold()]
    assert len(listed.split(", ")) + int(more.split()[0]) == len(fitting)
    with pytest.raises(ConfigError, match="H100 SXM5"):
        find(accelerators(), "H1000")
    with pytest.raises(ConfigError, match=r"fits 2 rows.*\nSay which: A100-40GB SXM4, A100-80GB SXM4"):
        find(accelerators(), "a100")
    with pytest.raises(ConfigError):
        find(runs(), "")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Llama-2-7B", "Llama-2 7B"),
        ("Llama 2 7B", "Llama-2 7B"),
        ("llama-3.1-405b", "Llama-3.1 405B"),
        ("deepseek v3", "DeepSeek-V3"),
        ("GPT3", "GPT-3 175B"),
        ("smol_lm2 1.7b", "SmolLM2 1.7B"),
    ],
)
def test_separators_do_not_matter(name, found):
    assert find(runs(), name).name == found


def test_a_name_as_it_is_written_comes_first():
    @dataclass(frozen=True)
    class Thing:
        name: str

    close, exact = Thing("a-b 1"), Thing("ab 1")
    assert find((close, exact), "AB 1") is exact and find((close, exact), "a-b 1") is close
    assert find((close, exact, Thing("ab 1 more")), "ab 1") is exact
    # numbers stay whole: 270b is no 70b of a second generation, 27b no 7b
    for name in ("270b", "llama27b"):
        with pytest.raises(ConfigError, match="There is no"):
            find((Thing("Llama-2 70B"), Thing("Llama-2 7B")), name)


def test_a_missing_table_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(facts, "data_dir", lambda: tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        facts.read_table("memory.csv")
