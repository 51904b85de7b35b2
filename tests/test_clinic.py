"""The clinic of broken runs: each fault is what it says, the rule names it, the forms and their twins agree."""

import itertools
import json
import math

import ipywidgets
import numpy as np
import pytest
import torch

from minillm.classroom import diary, figures, runs
from minillm.classroom.loop import clinic, diagnosis, faults, patient
from minillm.classroom.loop.diagnosis import LN_V, Signals, diagnose
from minillm.classroom.loop.patient import MODEL, TRAINING, Run
from minillm.classroom.loop.symptoms import CHECKS, FAULTS, LOOKS
from minillm.errors import ConfigError, DataError
from minillm.model import Attention

PASSED = {"future": 0.0, "twice": 0.0, "overlap": 0.12, "positions": 3.0}


@pytest.fixture(autouse=True)
def one_thread_and_own_diary(monkeypatch, tmp_path):
    monkeypatch.setattr(diary, "path", lambda: tmp_path / "diary.jsonl")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def take(run, steps):
    return list(itertools.islice(run.train(), steps))


def gradient(run, windows):
    inputs, targets = run.cut(windows)
    run.loss(run.model(inputs), targets).backward()
    return torch.cat([p.grad.flatten() for p in run.model.parameters() if p.grad is not None]).clone()


# --- each fault is what it says


def test_healthy_targets_are_the_next_bytes_and_the_text_is_apart():
    run = Run(0)
    inputs, targets = run.cut(torch.arange(33)[None])
    assert inputs.tolist() == [list(range(32))]
    assert targets.tolist() == [list(range(1, 33))]
    assert bytes(run.train_ids.astype(np.uint8)).decode("utf-8") == run.train_text
    assert not any(story in run.train_text for story in run.held_out_text.split("\n"))
    windows = run.draw(1)
    assert windows.shape == (TRAINING.batch_size, MODEL.context_length + 1)
    assert bytes(windows[0].tolist()).decode("utf-8") in run.train_text


def test_targets_unshifted_or_in_a_wrong_order():
    windows = torch.arange(33)[None]
    inputs, targets = faults.UnshiftedTargets(0).cut(windows)
    assert torch.equal(inputs, targets)
    inputs, targets = faults.ShuffledTargets(0).cut(windows)
    assert inputs.tolist() == [list(range(32))]
    assert sorted(targets[0].tolist()) == list(range(1, 33)) != targets[0].tolist()


def test_rates():
    healthy = Run(0)
    assert [healthy.rate(step) for step in (1, 5, 60)] == [0.2, 1.0, 1.0]
    assert 0 < healthy.rate(TRAINING.steps) < 0.05
    assert faults.RateTooHigh(0).rate(60) == pytest.approx(30)
    assert faults.RateTooLow(0).rate(60) == pytest.approx(0.01)
    early = faults.ScheduleEndsEarly(0)
    assert (early.rate(20), early.rate(33)) == (healthy.rate(80), 0.0)
    assert all(early.rate(step) == 0 for step in range(33, TRAINING.steps + 1))


def test_gradients_add_up_where_they_are_kept():
    healthy, kept = Run(0), faults.GradientsKept(0)
    windows = healthy.draw(1)
    for run, factor in ((healthy, 1), (kept, 2)):
        once = gradient(run, windows)
        run.zero_gradients()
        assert torch.allclose(gradient(run, windows), factor * once, atol=1e-6)


def test_bad_batch_comes_once_and_nothing_is_clipped():
    run = faults.BadBatch(0)
    empty = [step for step in range(1, TRAINING.steps + 1) if not run.draw(step).any()]
    assert empty == [TRAINING.steps // 2]
    for maker, left in ((faults.BadBatch, 3.0), (Run, TRAINING.grad_clip)):
        run = maker(0)
        scale = 3 / gradient(run, run.draw(1)).norm()
        for p in run.model.parameters():
            p.grad.mul_(scale)  # the whole gradient now has the length 3
        assert run.clip() == pytest.approx(3, rel=1e-4)
        assert sum(p.grad.square().sum().item() for p in run.model.parameters()) == pytest.approx(left**2, rel=1e-4)


def test_texts_that_are_tiny_or_leak():
    tiny, leak = faults.Overfitting(0), faults.Leak(0)
    assert len(tiny.train_text) < len(Run(0).train_text) / 50
    assert faults.check(tiny)["overlap"] == 0
    assert leak.held_out_text in leak.train_text
    assert faults.check(leak)["overlap"] == 1
    assert faults.check(Run(0))["overlap"] < 0.4


def test_wrong_tokenizer_is_a_table_one_to_one_for_the_training_text_alone():
    wrong, healthy = faults.WrongTokenizer(0), Run(0)
    assert wrong.held_out_text == healthy.held_out_text
    table = dict(zip(healthy.train_text, wrong.train_text, strict=True))
    assert len(set(table.values())) == len(table)
    assert "".join(table[c] for c in healthy.train_text) == wrong.train_text
    assert sum(a == b for a, b in table.items()) < len(table) / 4


@pytest.mark.parametrize(("name", "still"), [("frozen embedding", "embedding"), ("frozen head", "head")])
def test_frozen_parts_keep_every_weight_and_the_others_move(name, still):
    run = faults.RUNS[name](0)
    before = patient.parts(run.model)
    first, *_ = take(run, 2)
    after = patient.parts(run.model)
    assert {part for part in before if torch.equal(before[part], after[part])} == {still}
    assert {part for part, ratio in first["update_ratio"].items() if ratio == 0} == {still}
    assert [name for name, p in run.model.named_parameters() if not p.requires_grad] == [
        {"embedding": "token_embedding.weight", "head": "head.weight"}[still]
    ]


def test_update_ratio_is_the_length_of_the_change_over_that_of_the_weights():
    before = {"head": torch.tensor([3.0, 4.0])}
    assert patient.update_ratios(before, {"head": torch.tensor([3.0, 4.5])}) == {"head": pytest.approx(0.1)}


@torch.no_grad()
def test_without_the_mask_the_future_counts_and_only_there():
    ids = torch.randint(256, (1, MODEL.context_length), generator=torch.Generator().manual_seed(0))
    changed = ids.clone()
    changed[0, -1] += 1 if ids[0, -1] < 255 else -1
    for run, moves in ((Run(0), False), (faults.MissingMask(0), True)):
        difference = (run.model(ids) - run.model(changed))[0, :-1].abs().amax(dim=1)
        assert bool((difference > 1e-7).all()) == moves == bool((difference > 0).any())


@torch.no_grad()
def test_attention_that_sees_all_is_the_formula():
    torch.manual_seed(0)
    attention = faults.SeesAll(MODEL)
    x = torch.randn(2, 5, MODEL.d_model)
    parts = []
    for head in range(MODEL.n_heads):
        cut = slice(head * MODEL.d_head, (head + 1) * MODEL.d_head)
        q, k, v = attention.query(x)[..., cut], attention.key(x)[..., cut], attention.value(x)[..., cut]
        parts.append(torch.softmax(q @ k.mT / math.sqrt(MODEL.d_head), dim=-1) @ v)
    assert torch.allclose(attention(x, None), attention.output(torch.cat(parts, dim=-1)), atol=1e-6)
    masked = Attention(MODEL)
    masked.load_state_dict(attention.state_dict())
    last = [m(x, None)[:, -1] for m in (attention, masked)]  # the last token has no future: there both agree
    assert torch.allclose(*last, atol=1e-6)


def test_without_positions_all_places_are_alike():
    ids = torch.full((1, MODEL.context_length), ord("e"))
    for run, alike in ((Run(0), False), (faults.MissingPositions(0), True)):
        with torch.no_grad():
            logits = run.model(ids)[0]
        assert torch.allclose(logits, logits[:1].expand_as(logits), atol=1e-5) == alike
    run = faults.MissingPositions(0)
    take(run, 2)
    assert not run.model.position_embedding.weight.any()


def test_dropout_is_left_on_by_the_evaluation_and_not_by_the_model():
    run = faults.DropoutLeftOn(0)
    run.model.train()
    assert run.held_out_loss() != run.held_out_loss()
    assert Run.held_out_loss(run) == Run.held_out_loss(run)  # with eval() the same model is steady
    assert run.model.training
    healthy = Run(0)
    assert healthy.held_out_loss() == healthy.held_out_loss()


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("healthy", LN_V - 0.15, LN_V + 0.15),
        ("wrong axis", math.log(32) - 0.1, math.log(32) + 0.1),
        ("loss divided twice", LN_V / 32 - 0.01, LN_V / 32 + 0.01),
        ("large first weights", 2 * LN_V, 10 * LN_V),
    ],
)
def test_first_losses(name, low, high):
    (first,) = take(faults.RUNS[name](3), 1)
    assert low < first["train_loss_nats"] < high


def test_a_run_is_repeated_by_its_seed_and_differs_with_another():
    losses = [[r["train_loss_nats"] for r in take(Run(seed), 3)] for seed in (4, 4, 5)]
    assert losses[0] == losses[1] != losses[2]


def test_faults_are_described_and_short():
    assert list(FAULTS) == list(faults.RUNS)
    assert len(FAULTS) >= 13
    for name, fault in FAULTS.items():
        assert fault.symptom.endswith(".") and fault.cure.endswith(".") and fault.what.endswith(".")
        assert fault.look_at and set(fault.look_at) <= set(LOOKS)
        assert name == "healthy" or len(fault.code.splitlines()) <= 14
    assert set(CHECKS) == set(diagnosis.CHECKED) <= set(FAULTS)


# --- a whole run, and the rule


@pytest.fixture(scope="module")
def healthy_records():
    torch.set_num_threads(1)
    return list(clinic.run("healthy", 0))


def test_records_are_plain_and_of_a_healthy_run(healthy_records):
    assert [runs.plain(r) for r in healthy_records] == json.loads(json.dumps([runs.plain(r) for r in healthy_records]))
    assert [r["step"] for r in healthy_records] == [*range(1, TRAINING.steps + 1), TRAINING.steps]
    signals = Signals.from_records(healthy_records)
    assert signals.look_steps[:3] == (1, 5, 10)
    assert 1.0 < signals.held_out_end < 1.35
    assert len(signals.sample) > 50
    checked = clinic.checks(healthy_records)
    assert checked["future"] == checked["twice"] == 0 < 0.1 < checked["positions"]
    assert diagnose(signals) == diagnose(signals, checked) == "healthy"
    with pytest.raises(DataError, match="has not ended"):
        clinic.checks(healthy_records[:-1])


def test_unknown_run():
    with pytest.raises(ConfigError, match="Did you mean 'overfitting'"):
        list(clinic.run("overfiting"))


def made(**changes) -> Signals:
    """Return signals of a made run: a fall from even odds to 1.2, with some of its properties changed."""
    steps = np.arange(1, 131)
    train = changes.get("start", LN_V) * np.exp(-steps / 8) + changes.get("end", 1.2) + changes.get("slow", 0.0)
    train[0] = changes.get("start", LN_V)
    train[19] = changes.get("settled", train[19])
    train[64] += changes.get("leap", 0.0)
    looks = (1, *range(5, 131, 5))
    held_out = [train[step - 1] + changes.get("gap", 0.0) * (step > 60) for step in looks]
    still, size = changes.get("still"), changes.get("size", 0.03)
    ratio = {part: tuple(0.0 if part == still else size for _ in looks) for part in patient.PARTS}
    if "first" in changes:
        ratio["attention"] = (changes["first"], *ratio["attention"][1:])
    if "stops" in changes:
        ratio = {part: tuple(size if step < changes["stops"] else 0.0 for step in looks) for part in ratio}
    norm = np.full(130, changes.get("norm", 0.6))
    return Signals(tuple(train), tuple(norm), looks, tuple(held_out), ratio, "It was a dark night")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("healthy", {}),
        ("large first weights", {"start": 22.0}),
        ("wrong axis", {"start": math.log(32)}),
        ("loss divided twice", {"start": LN_V / 32, "end": 0.04}),
        ("frozen embedding", {"still": "embedding", "end": 1.5}),
        ("frozen head", {"still": "head", "end": 4.0}),
        ("schedule ends early", {"stops": 33, "end": 2.3}),
        ("rate too low", {"size": 0.0012, "end": 4.4}),
        ("rate too high", {"first": 0.7, "end": 2.8}),
        ("bad batch", {"leap": 10.0}),
        ("wrong tokenizer", {"gap": 9.0}),
        ("unshifted targets", {"settled": 0.05, "end": 0.0}),
        ("shuffled targets", {"end": 2.95}),
        ("overfitting", {"settled": 2.3, "end": 0.3, "gap": 2.5}),
        ("missing mask", {"settled": 2.5, "end": 0.1}),
        ("leak", {"end": 0.7}),
        ("gradients kept", {"end": 2.05, "norm": 1.4}),
        ("dropout left on", {"end": 2.05}),
        ("missing positions", {"end": 1.6}),
    ],
)
def test_rule_on_made_signals(name, changes):
    found = diagnose(made(**changes))
    assert found == name, found.because
    assert found.because


@pytest.mark.parametrize(
    ("name", "changes", "failed"),
    [
        ("missing mask", {"end": 1.9}, {"future": 5.0}),  # early, before the loss collapses
        ("leak", {"end": 1.2}, {"overlap": 1.0}),
        ("dropout left on", {"end": 1.6}, {"twice": 0.03}),
        ("missing positions", {"end": 2.0}, {"positions": 2e-6}),
        ("healthy", {}, {}),
        ("gradients kept", {"end": 2.05, "norm": 1.4}, {}),
        ("shuffled targets", {"end": 2.95}, {"twice": 0.02}),  # random too, but its curve leaves no doubt
    ],
)
def test_checks_decide_what_curves_leave_open(name, changes, failed):
    assert diagnose(made(**changes), PASSED | failed) == name


def test_passed_checks_rule_out_what_they_would_have_found():
    signals = made(end=1.6)
    assert diagnose(signals) == "missing positions"
    assert diagnose(signals, PASSED) not in diagnosis.CHECKED


def test_signals_are_those_of_the_records(healthy_records):
    rounded = [runs.plain(r) for r in healthy_records]
    signals = Signals.from_records(rounded)
    assert signals.train_loss[6] == rounded[6]["train_loss_nats"]
    assert signals.held_out_loss[1] == rounded[4]["held_out_loss_nats"]
    assert signals.update_ratio["head"][2] == rounded[9]["update_ratio"]["head"]
    assert signals.train_end == pytest.approx(sum(r["train_loss_nats"] for r in rounded[120:130]) / 10)


# --- cases


def case(name, **changes):
    """Return a case whose records are made from made signals."""
    signals = made(**changes)
    records = [{"run": name, "step": step + 1, "train_loss_nats": loss} for step, loss in enumerate(signals.train_loss)]
    for record in records:
        record["grad_norm"] = signals.grad_norm[record["step"] - 1]
    for i, step in enumerate(signals.look_steps):
        records[step - 1]["held_out_loss_nats"] = signals.held_out_loss[i]
        records[step - 1]["update_ratio"] = {part: signals.update_ratio[part][i] for part in patient.PARTS}
    failed = {"missing positions": {"positions": 2e-6}}.get(name, {})
    records.append({"run": name, "step": 130, "sample": signals.sample, "checks": PASSED | failed})
    return clinic.Case("Patient A", records)


def test_every_wrong_diagnosis_is_told_what_speaks_against_it():
    ill = case("frozen head", still="head", end=4.0)
    for name, fault in FAULTS.items():
        told = clinic.answer(ill, name)
        if name == "frozen head":
            assert told.startswith("Right: frozen head.") and "the head by 0%" in told and fault.cure in told
        else:
            assert told.startswith(f"Not {name}.") and fault.symptom in told and " Here " in told
            assert (CHECKS[name][2](PASSED) in told) if name in CHECKS else True
            assert "frozen head" not in told.replace(f"Not {name}", "")  # the answer is not given away
    assert [entry["hit"] for entry in diary.session()[-len(FAULTS) :]].count(True) == 1


def test_a_diagnosis_may_be_shortened_but_not_ambiguous():
    assert clinic.chosen("  Over ") == "overfitting"
    assert clinic.chosen("LEAK") == "leak"
    with pytest.raises(ConfigError, match=r"more than one diagnosis[.]\nUse one of: rate too high, rate too low"):
        clinic.chosen("rate")
    with pytest.raises(ConfigError, match="is no diagnosis"):
        clinic.chosen("")
    with pytest.raises(ConfigError, match="Use one of: overfitting"):
        clinic.chosen("overfiting")


def test_ordered_checks_name_what_they_found():
    columns = clinic.order(case("missing positions", end=1.6))
    assert columns["so"] == ["nothing wrong here"] * 3 + ["missing positions"]
    assert clinic.order(case("healthy"))["so"] == ["nothing wrong here"] * 4
    assert "12% of the held-out text" in columns["found"][2]


def test_form_and_function_say_the_same():
    ill = case("missing positions", end=1.6)
    form = ill.form()
    heading, told, field, buttons, found = form.children
    assert isinstance(field, ipywidgets.Combobox) and field.description and not field.value
    assert set(field.options) == set(FAULTS) and all(f"<li>{name}</li>" in heading.value for name in FAULTS)
    give, check = buttons.children
    give.click()
    assert "is no diagnosis" in told.value and 'role="status"' in told.value
    for typed in ("dropout", "missing pos"):
        field.value = typed
        give.click()
        expected = clinic.answer(ill, typed)
        assert clinic.status(expected) == told.value
    check.click()
    assert "nothing wrong here" in found.value and "<caption>" in found.value


def test_what_is_shown_cannot_become_markup():
    attack = "<img src=x onerror=alert(1)>"
    ill = case("healthy")
    ill.label = attack
    field = ill.form().children[2]
    field.value = attack
    ill.form().children[3].children[0].click()
    assert all(attack not in part.value for part in ill.form().children if isinstance(part, ipywidgets.HTML))


def test_picture_words_and_numbers_show_the_same_run(monkeypatch, healthy_records):
    shown = []
    monkeypatch.setattr(figures, "show_figure", lambda *parts: shown.append(parts))
    ill = clinic.Case("Patient A", healthy_records)
    ill.show()
    ((figure, alt, table),) = shown
    losses, norms, updates, text = figure.axes
    assert list(losses.lines[0].get_ydata()) == list(ill.signals.train_loss)
    assert list(losses.lines[1].get_xdata()) == list(ill.signals.look_steps)
    assert [line.get_label() for line in updates.lines] == list(patient.PARTS)
    assert len(norms.lines[0].get_ydata()) == TRAINING.steps and text.texts
    assert f"{ill.signals.held_out_end:.2f}" in alt and alt in repr(ill)
    assert not any(name in alt for name in FAULTS)
    assert table["step"][:2] == [1, 15] and len({len(column) for column in table.values()}) == 1
    assert figures.png(figure)


def test_zero_updates_are_drawn_at_the_bottom():
    figure, axes = figures.new(12, 3, columns=4)
    clinic.draw(axes, made(still="head"))
    head = next(line for line in axes[2].lines if line.get_label() == "head")
    assert set(head.get_ydata()) == {clinic.LEAST_UPDATE}
    assert figures.png(figure)


def test_scoreboard_counts_and_marks():
    results = {"leak": ("leak", "leak"), "missing positions": ("healthy", "missing positions")}
    board = clinic.scoreboard(results)
    assert board["from the curves"] == ["right", "healthy (wrong)"]
    assert board["with the checks"] == ["right", "right"]
    assert clinic.score(results) == "1 of 2 named right from the curves, 2 of 2 with the checks."


def test_records_of_several_runs_are_sorted_by_run():
    records = [{"run": name, "step": step} for name in ("healthy", "leak") for step in (1, 2)]
    assert clinic.by_run(records) == {"healthy": records[:2], "leak": records[2:]}
