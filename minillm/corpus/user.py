"""A reader's own text: a file or a folder of .txt, .md, .jsonl and .parquet files (field or column `text`)."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from minillm.corpus.address import Address, read_address, take_bytes
from minillm.corpus.documents import Document
from minillm.corpus.parquet import parquet_texts
from minillm.errors import DataError

SUFFIXES = (".txt", ".md", ".jsonl", ".parquet")
SETTINGS = ("column", "max_bytes")
PARQUET_MAX_BYTES = 100_000_000
"""A shard of a web corpus holds gigabytes: without a limit of the reader's own, this much text is read."""
KIND = "text"


def read_path(source: str | Path) -> Address:
    """Cut PATH?column=NAME&max_bytes=N into path and settings; a path that exists as it is written has none."""
    if Path(source).exists() or "?" not in str(source):
        return Address(str(source), {})
    return read_address(str(source), SETTINGS)


def user_files(path: Path) -> list[Path]:
    """Return the readable files of a source, sorted by their place in it; raise DataError if there are none."""
    if path.is_file():
        if path.suffix.lower() not in SUFFIXES:
            raise DataError(f"{path} is not a text source.", f"Give a file that ends in {', '.join(SUFFIXES)}.")
        return [path]
    if not path.is_dir():
        raise DataError(
            f"There is no file or folder {path}.",
            "Give 'embedded', 'synthetic', the path of your text, or hf:OWNER/NAME.",
        )
    found = [file for file in path.rglob("*") if file.is_file() and file.suffix.lower() in SUFFIXES]
    visible = [file for file in found if not any(p.startswith(".") for p in file.relative_to(path).parts)]
    if not visible:
        raise DataError(f"The folder {path} holds no {', '.join(SUFFIXES)} file.", "Put text into it, or name another.")
    return sorted(visible, key=lambda file: file.relative_to(path).as_posix())


def user_documents(source: str | Path) -> tuple[list[Document], list[str]]:
    """Return one document for each text file, line of a .jsonl and row of a .parquet file, and notes on what was left.

    The texts stand as they are, newlines as \\n. `source` is a path, or PATH?column=NAME&max_bytes=N. Raises DataError
    for what is missing, empty, damaged, not UTF-8, or without a text in the field or column.
    """
    address = read_path(source)
    path = Path(address.place)
    files = user_files(path)
    has_parquet = any(file.suffix.lower() == ".parquet" for file in files)
    limit = address.max_bytes(PARQUET_MAX_BYTES if has_parquet else None)
    every = file_documents(path, files, address.settings.get("column", "text"))
    documents, cut = take_bytes((document for document in every if document.text.strip()), limit)
    if not documents:
        raise DataError(f"{path} holds no text.", "Use a file with at least a few kilobytes of text.")
    return documents, [f"Reading stopped at max_bytes={limit}: {path} holds more text."] if cut else []


def file_documents(path: Path, files: list[Path], column: str) -> Iterator[Document]:
    """Yield the documents of each file in turn, blank ones included."""
    root = path if path.is_dir() else path.parent
    for file in files:
        name = file.relative_to(root).as_posix()
        if file.suffix.lower() == ".parquet":
            texts = ((f"{name} row {row}", text) for row, text in parquet_texts(file, column))
        elif file.suffix.lower() == ".jsonl":
            texts = ((f"{name} line {line}", text) for line, text in jsonl_texts(file, read_utf8(file), column))
        else:
            texts = [(name, read_utf8(file))]
        for title, text in texts:
            yield Document(text, KIND, name, title, "yours")


def read_bytes(file: Path) -> bytes:
    """Return a file's bytes; raise DataError if it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}.", "Check its permissions.") from None


def file_sha256(file: Path) -> bytes:
    """Return the digest of a file's bytes, read piece by piece; raise DataError if it cannot be read."""
    try:
        with open(file, "rb") as opened:
            return hashlib.file_digest(opened, "sha256").digest()
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}.", "Check its permissions.") from None


def read_utf8(file: Path) -> str:
    """Return a file's text with newlines as \\n; raise DataError with the place of a byte that is not UTF-8."""
    data = read_bytes(file)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{file} is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}.",
            "Save it as UTF-8, for example with `iconv -f LATIN1 -t UTF-8`.",
        ) from error
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def jsonl_texts(file: Path, content: str, field: str = "text") -> list[tuple[int, str]]:
    """Return line number and text of each line that is not blank."""
    texts = []
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise DataError(f"{file}, line {number}, is not JSON.", "Write one JSON object on each line.") from error
        if not isinstance(record, dict) or not isinstance(record.get(field), str):
            raise DataError(
                f"{file}, line {number}, has no field '{field}' with a string.",
                f'Write lines such as {{"{field}": "Once upon a time."}}.',
            )
        try:
            record[field].encode("utf-8")
        except UnicodeEncodeError as error:
            raise DataError(
                f"{file}, line {number}, holds half of a surrogate pair.",
                "Write whole characters, not escapes of halves.",
            ) from error
        texts.append((number, record[field].replace("\r\n", "\n").replace("\r", "\n")))
    return texts
