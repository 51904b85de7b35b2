"""The clinic's runs in notebook 05: who is shown, and the table of the rule against the recorded evidence."""

import itertools
from collections import Counter

from minillm.classroom import evidence
from minillm.classroom.loop import clinic, ward


def test_the_healthy_run_comes_first_and_all_patients_exist():
    first = next(iter(ward.admit()))
    assert first["run"] == ward.PATIENTS[0] == "healthy"
    assert set(ward.PATIENTS) <= set(clinic.FAULTS)


def test_every_run_of_the_clinic_was_tried_on_two_seeds():
    tried = itertools.chain.from_iterable(names.split(", ") for names in ward.rounds()["runs"])
    assert Counter(tried) == {name: 2 for name in clinic.FAULTS}


def test_the_shares_are_counts_of_runs(monkeypatch):
    stored = {"05_clinic_curves": {"2": 0.8, "3": 1.0}, "05_clinic_checks": {"2": 1.0, "3": 1.0}}  # of 5 and 4 runs
    monkeypatch.setattr(evidence, "load", lambda name: {"values": stored[name]})
    columns = ward.rounds()
    assert columns["from the curves"] == ["4 of 5", "4 of 4"]
    assert columns["with the checks"] == ["5 of 5", "4 of 4"]
    assert ward.share_right() == 100 * 8 / 9


def test_the_table_of_faults_explains_each():
    columns = ward.faults()
    assert len({len(column) for column in columns.values()}) == 1
    assert all(text.strip() for column in columns.values() for text in column)
