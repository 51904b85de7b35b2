"""Datasets of the Hugging Face hub, served by a hub on this machine, and Parquet files, as sources of a corpus."""

import io
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from minillm.corpus import hub, input_key, load_corpus
from minillm.corpus.address import read_address
from minillm.errors import DataError

NEW, OLD, BROKEN, NUMBERS = "a" * 40, "b" * 40, "c" * 40, "d" * 40
REFERENCES = {"main": NEW, "old": OLD}
CARD = b"---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: data/train-*.parquet\n---\n"


def stories(seed: int, count: int = 300) -> list[str]:
    """Return texts of 200 to 1,200 bytes, some of them with characters of several bytes."""
    draw = random.Random(seed)
    return [
        f"Story {number}: " + "".join(draw.choices("abc é語\n", k=draw.randint(200, 600))) for number in range(count)
    ]


def parquet_bytes(columns: dict) -> bytes:
    file = io.BytesIO()
    parquet.write_table(arrow.table(columns), file, row_group_size=50)
    return file.getvalue()


SHARDS = [stories(seed) for seed in range(3)]
COMMITS = {
    NEW: {
        f"data/train-{n}.parquet": parquet_bytes({"text": texts, "id": range(300)}) for n, texts in enumerate(SHARDS)
    },
    OLD: {"data/train-0.parquet": parquet_bytes({"text": ["the old text, long enough\r\n" * 9, None, " "] * 20})},
    BROKEN: {"data/train-0.parquet": parquet_bytes({"text": stories(7)})[:-5000]},
    NUMBERS: {"data/train-0.parquet": parquet_bytes({"text": range(50), "words": stories(8, 50)})},
}


class Hub(BaseHTTPRequestHandler):
    """The part of the hub's protocol that reading needs, for one dataset, own/stories."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments) -> None:
        pass

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
            path = self.path.split("?")[0]
            self.server.served[path] = self.server.served.get(path, 0) + len(body)

    def do_GET(self) -> None:
        path = unquote(self.path.split("?")[0])
        if not path.startswith(("/api/datasets/own/stories", "/datasets/own/stories")):
            return self.answer(b"{}", 404, X_Error_Code="RepoNotFound")
        asked = re.fullmatch(r".*?/own/stories/(revision|tree|resolve)/([^/]+)/?(.*)", path)
        verb, revision, name = asked.groups() if asked else ("revision", "main", "")
        commit = REFERENCES.get(revision, revision)
        if commit not in COMMITS:
            return self.answer(b"{}", 404, X_Error_Code="RevisionNotFound")
        files = {"README.md": CARD, **COMMITS[commit]}
        if verb == "revision":
            siblings = [{"rfilename": file} for file in files]
            return self.answer(json.dumps({"id": "own/stories", "sha": commit, "siblings": siblings}).encode())
        if verb == "tree":
            entries = [{"type": "file", "oid": "e" * 40, "size": len(files[file]), "path": file} for file in files]
            folder = {"type": "directory", "oid": "f" * 40, "size": 0, "path": "data"}
            inside = [entry for entry in entries if entry["path"].rpartition("/")[0] == name]
            return self.answer(json.dumps(inside if name else [*inside, folder]).encode())
        if name not in files:
            return self.answer(b"{}", 404, X_Error_Code="EntryNotFound", X_Repo_Commit=commit)
        body, headers = files[name], {"X_Repo_Commit": commit, "ETag": f'"{commit}{name}"', "Accept_Ranges": "bytes"}
        part = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if not part:
            return self.answer(body, **headers)
        first, last = int(part[1]), min(int(part[2]), len(body) - 1)
        headers["Content_Range"] = f"bytes {first}-{last}/{len(body)}"
        return self.answer(body[first : last + 1], 206, **headers)

    do_HEAD = do_GET


READ = """
import json, sys
from minillm.corpus import input_key, load_corpus
from minillm.errors import DataError

results = {}
for source in json.loads(sys.argv[1]):
    try:
        key = input_key(source)
        corpus = load_corpus(source)
        documents = [*corpus.train["text"], *corpus.held_out["text"]]
        documents = sorted(documents, key=lambda document: int(document.title.split()[-1]))
        first = documents[0]
        results[source] = {
            "key": key, "texts": [document.text for document in documents], "notes": list(corpus.notes),
            "held_out": len(corpus.held_out["text"]), "source": first.source, "licence": first.licence,
        }
    except DataError as error:
        results[source] = {"key": key, "cause": error.cause, "remedy": error.remedy}
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as running:
        running.served = {}
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hub")


def python(script: str, argument: str, port: int, folder, **environment: str) -> subprocess.CompletedProcess:
    """Run a script in a fresh interpreter, because the hub's address is read when its client is imported."""
    own = {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(folder / "hf"), "HF_TOKEN": "", "NO_PROXY": "*"}
    return subprocess.run(
        [sys.executable, "-c", script, argument],
        env={**os.environ, **own, "XDG_CACHE_HOME": str(folder / "cache"), **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def read(sources: list[str], port: int, folder, **environment: str) -> dict:
    done = python(READ, json.dumps(sources), port, folder, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


SOURCES = {
    "small": "hf:own/stories?max_bytes=100_000",
    "old": "hf:own/stories?revision=old",
    "pinned": f"hf:own/stories?revision={OLD}",
    "broken": f"hf:own/stories?revision={BROKEN}",
    "numbers": f"hf:own/stories?revision={NUMBERS}",
    "words": f"hf:own/stories?revision={NUMBERS}&column=words",
    "column": "hf:own/stories?column=words",
    "revision": "hf:own/stories?revision=nowhere",
    "split": "hf:own/stories?split=test",
    "config": "hf:own/stories?config=other",
    "repository": "hf:own/other",
}


@pytest.fixture(scope="module")
def results(server, folder):
    found = read(list(SOURCES.values()), server.server_port, folder)
    return {name: found[source] for name, source in SOURCES.items()}


def test_stream_gives_the_documents_of_the_file_up_to_the_budget(results):
    small = results["small"]
    n_documents = len(small["texts"])
    assert small["texts"] == SHARDS[0][:n_documents]
    sizes = [len(text.encode("utf-8")) for text in SHARDS[0]]
    assert sum(sizes[: n_documents - 1]) < 100_000 <= sum(sizes[:n_documents])
    assert 0 < small["held_out"] < n_documents / 4
    assert small["source"] == "hf:own/stories" and "unknown" in small["licence"]


def test_files_past_the_budget_are_not_fetched(results, server):
    served = {path.rpartition("/")[2] for path in server.served if f"/{NEW}/" in path and path.endswith(".parquet")}
    assert served == {"train-0.parquet"}


def test_revision_decides_the_text_and_the_commit_is_noted(results):
    old, pinned, small = results["old"], results["pinned"], results["small"]
    assert old["texts"] == pinned["texts"] == ["the old text, long enough\n" * 9] * 20  # null and blank rows go
    assert old["key"] == pinned["key"] != small["key"]
    assert OLD in old["notes"][0] and NEW in small["notes"][0] and "max_bytes=100000" in small["notes"][0]
    assert any("can move" in note and NEW in note for note in small["notes"])
    assert not any("can move" in note for note in pinned["notes"])
    assert results["words"]["texts"] == stories(8, 50)


@pytest.mark.parametrize(
    ("name", "cause", "remedy"),
    [
        ("broken", "damaged", "another revision"),
        ("numbers", "no text in a column 'text'", r"text \(int\), words \(str\)"),
        ("column", "no text in a column 'words'", r"text \(str\), id \(int\)"),
        ("revision", "no revision 'nowhere'", "commit, tag or branch"),
        ("split", "test", "split="),
        ("config", "other", "config="),
        ("repository", "no dataset own/other", "name"),
    ],
)
def test_what_cannot_be_streamed_is_named(results, name, cause, remedy):
    assert re.search(cause, results[name]["cause"]) and re.search(remedy, results[name]["remedy"])
    assert "\n" not in results[name]["cause"] + results[name]["remedy"]


def test_hub_out_of_reach_is_named_quickly(server, folder):
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as closed:
        port = closed.server_port
    start = time.monotonic()
    found = read(["hf:own/stories", f"hf:own/stories?revision={NEW}"], port, folder)
    assert time.monotonic() - start < 60  # the interpreter's own start included, on a busy machine
    for result in found.values():
        assert "cannot be reached" in result["cause"] and "network" in result["remedy"]


PREPARE = """
import sys
from minillm.batches import prepare_tokens
from minillm.errors import DataError
from minillm.tokenizer import course_tokenizer

try:
    print(prepare_tokens(sys.argv[1], course_tokenizer()))
except DataError as error:
    print(error)
"""


def test_what_was_read_at_a_commit_needs_no_network_again(server, folder):
    pinned, other = f"hf:own/stories?revision={OLD}", f"hf:own/stories?revision={OLD}&max_bytes=1"
    online = python(PREPARE, pinned, server.server_port, folder)
    offline = python(PREPARE, pinned, server.server_port, folder, HF_HUB_OFFLINE="1")
    assert online.stdout.startswith("Tokens(text ") and online.stdout == offline.stdout
    assert "HF_HUB_OFFLINE" in python(PREPARE, other, server.server_port, folder, HF_HUB_OFFLINE="1").stdout


def test_the_command_reads_a_dataset(server, folder):
    script = (
        "import sys; from minillm.cli import main; sys.argv[1:] = ['corpus', '--source', sys.argv[1], '--json']; main()"
    )
    source = f"hf:own/stories?revision={NEW}&max_bytes=20000"
    done = python(script, source, server.server_port, folder)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["kinds"]["text"]["licences"] == [hub.UNKNOWN_LICENCE] and NEW in summary["notes"][0]
    assert summary["kinds"]["text"]["train_bytes"] + summary["kinds"]["text"]["held_out_bytes"] >= 20_000


# --- addresses ---


def test_address_names_every_setting():
    source = "hf:own/stories?config=c&split=test&revision=r&column=body&max_bytes=1_000"
    assert hub.read_hub_address(source) == hub.HubSource(
        "own/stories", "c", "test", "r", "body", 1000, hub.UNKNOWN_LICENCE
    )
    assert hub.read_hub_address(Path(source)) == hub.read_hub_address(source)
    plain = hub.read_hub_address("hf:own/stories")
    assert (plain.split, plain.revision, plain.column, plain.is_pinned) == ("train", "main", "text", False)


@pytest.mark.parametrize("repository", sorted(hub.KNOWN))
def test_known_datasets_are_pinned_unless_another_revision_is_given(repository):
    known = hub.read_hub_address(f"hf:{repository}")
    assert known.is_pinned and known.licence != hub.UNKNOWN_LICENCE
    assert not hub.read_hub_address(f"hf:{repository}?revision=main").is_pinned


@pytest.mark.parametrize(
    "source",
    [
        "hf:",
        "hf:stories",
        "hf:own/stories/more",
        "hf:../stories",
        "hf:own/stories?colum=text",
        "hf:own/stories?split",
        "hf:own/stories?split=a&split=b",
        "hf:own/stories?max_bytes=0",
        "hf:own/stories?max_bytes=-5",
        "hf:own/stories?max_bytes=1e6",
    ],
)
def test_wrong_addresses_are_named_before_any_network(source):
    with pytest.raises(DataError) as caught:
        input_key(source)
    assert "\n" not in caught.value.cause and caught.value.remedy


def test_foreign_words_cannot_steer_a_terminal(tmp_path):
    (tmp_path / "own.parquet").write_bytes(parquet_bytes({"\x1b[2J\nwords": ["words"]}))
    with pytest.raises(DataError, match="no column 'text'") as caught:
        load_corpus(tmp_path / "own.parquet")
    assert caught.value.remedy.isprintable() and "words" in caught.value.remedy


def test_settings_are_cut_off_once():
    address = read_address("place?column=a?b=c", ("column",))
    assert (address.place, address.settings, address.max_bytes(7)) == ("place", {"column": "a?b=c"}, 7)


def test_missing_extra_is_named(monkeypatch, tmp_path):
    (tmp_path / "own.parquet").write_bytes(parquet_bytes({"text": ["words " * 100]}))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    for source in (tmp_path / "own.parquet", "hf:own/stories"):
        with pytest.raises(DataError, match=r"minillm\[hub\]"):
            load_corpus(source)


# --- Parquet files ---


def all_texts(corpus) -> list[str]:
    return [document.text for side in (corpus.train, corpus.held_out) for document in side["text"]]


def test_parquet_gives_the_same_corpus_as_the_same_lines_of_json(tmp_path):
    texts = stories(1)
    (tmp_path / "own.parquet").write_bytes(parquet_bytes({"id": range(300), "text": texts}))
    lines = [json.dumps({"text": text}) for text in texts]
    (tmp_path / "own.jsonl").write_text("\n".join(lines), encoding="utf-8")
    table, jsonl = load_corpus(tmp_path / "own.parquet"), load_corpus(tmp_path / "own.jsonl")
    assert table.fingerprint == jsonl.fingerprint and sorted(all_texts(table)) == sorted(texts)
    assert not table.notes


def test_folder_of_shards_is_read_in_order_and_up_to_the_limit(tmp_path):
    for number, texts in enumerate(SHARDS):
        (tmp_path / f"shard-{number}.parquet").write_bytes(parquet_bytes({"body": texts}))
    (tmp_path / "shard-2.parquet").write_bytes(b"never opened")
    corpus = load_corpus(f"{tmp_path}?column=body&max_bytes=250000")
    found = set(all_texts(corpus))
    expected = (SHARDS[0] + SHARDS[1])[: len(found)]
    assert found == set(expected) and len(SHARDS[0]) < len(found) < 600
    assert 250_000 <= sum(len(text.encode("utf-8")) for text in found) < 252_000
    assert any("max_bytes=250000" in note for note in corpus.notes)


def test_key_follows_settings_and_content_of_parquet(tmp_path):
    file = tmp_path / "own.parquet"
    file.write_bytes(parquet_bytes({"text": stories(1), "body": stories(2)}))
    keys = {input_key(f"{file}{settings}") for settings in ("", "?column=body", "?max_bytes=5000")}
    file.write_bytes(parquet_bytes({"text": stories(3), "body": stories(2)}))
    assert len(keys | {input_key(file)}) == 4


def test_column_names_the_field_of_json_lines_too(tmp_path):
    (tmp_path / "own.jsonl").write_text('{"body": "words, words"}\n' * 3, encoding="utf-8")
    assert "".join(all_texts(load_corpus(f"{tmp_path / 'own.jsonl'}?column=body"))) == "words, words" * 3
    with pytest.raises(DataError, match="no field 'text'"):
        load_corpus(tmp_path / "own.jsonl")


@pytest.mark.parametrize(
    "kind", [arrow.string(), arrow.large_string(), arrow.dictionary(arrow.int32(), arrow.string())]
)
def test_every_form_of_text_column_is_read(tmp_path, kind):
    texts = ["one\r\ntwo " * 20, "three " * 40]
    column = arrow.array(texts).cast(kind)
    parquet.write_table(arrow.table({"text": column}), tmp_path / "own.parquet")
    assert "".join(all_texts(load_corpus(tmp_path / "own.parquet"))) == "one\ntwo " * 20 + "three " * 40


WHOLE = parquet_bytes({"text": stories(1), "number": range(300)})


@pytest.mark.parametrize(
    ("content", "settings", "words"),
    [
        (b"", "", "is empty"),
        (b"Once upon a time", "", "is not Parquet"),
        (b"PAR1", "", "is damaged"),
        (WHOLE[:-100], "", "its end is missing"),
        (WHOLE[:-60] + b"\x00" * 52 + WHOLE[-8:], "", "is damaged"),
        (WHOLE, "?column=txet", r"no column 'txet'(.|\n)*text, number"),
        (WHOLE, "?column=number", "holds int64, not text"),
        (WHOLE, "?colum=text", "no setting"),
        (parquet_bytes({"text": arrow.array([], arrow.string())}), "", "holds no text"),
        (parquet_bytes({"text": [None, "", "  "]}), "", "holds no text"),
    ],
)
def test_what_cannot_be_read_as_parquet_is_named(tmp_path, content, settings, words):
    (tmp_path / "own.parquet").write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        load_corpus(f"{tmp_path / 'own.parquet'}{settings}")
    assert "\n" not in caught.value.cause and "\n" not in caught.value.remedy


def test_damage_inside_a_file_never_passes_as_text(tmp_path):
    table = arrow.table({"text": stories(1)})
    file = tmp_path / "own.parquet"
    parquet.write_table(table, file, compression="zstd", write_page_checksum=True, use_dictionary=False)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataError, match="is damaged"):
        load_corpus(file)
