"""A reader's own text: a file or a folder of .txt, .md and .jsonl files (field `text`)."""

import json
from pathlib import Path

from minillm.corpus.documents import Document
from minillm.errors import DataError

SUFFIXES = (".txt", ".md", ".jsonl")
KIND = "text"


def user_files(path: Path) -> list[Path]:
    """Return the readable files of a source, sorted by their place in it; raise DataError if there are none."""
    if path.is_file():
        if path.suffix.lower() not in SUFFIXES:
            raise DataError(f"{path} is not a text source.", f"Give a file that ends in {', '.join(SUFFIXES)}.")
        return [path]
    if not path.is_dir():
        raise DataError(f"There is no file or folder {path}.", "Give 'embedded', 'synthetic' or the path of your text.")
    found = [file for file in path.rglob("*") if file.is_file() and file.suffix.lower() in SUFFIXES]
    visible = [file for file in found if not any(p.startswith(".") for p in file.relative_to(path).parts)]
    if not visible:
        raise DataError(f"The folder {path} holds no {', '.join(SUFFIXES)} file.", "Put text into it, or name another.")
    return sorted(visible, key=lambda file: file.relative_to(path).as_posix())


def user_documents(path: Path) -> list[Document]:
    """Return one document for each text file and each line of a .jsonl file, as they stand, newlines as \\n.

    Raises DataError for what is missing, empty, not UTF-8, or not JSON with a field `text`.
    """
    root = path if path.is_dir() else path.parent
    documents = []
    for file in user_files(path):
        name = file.relative_to(root).as_posix()
        text = read_utf8(file)
        if file.suffix.lower() == ".jsonl":
            texts = [(f"{name} line {line}", record) for line, record in jsonl_texts(file, text)]
        else:
            texts = [(name, text)]
        documents += [Document(t, KIND, name, title, "yours") for title, t in texts if t.strip()]
    if not documents:
        raise DataError(f"{path} holds no text.", "Use a file with at least a few kilobytes of text.")
    return documents


def read_bytes(file: Path) -> bytes:
    """Return a file's bytes; raise DataError if it cannot be read."""
    try:
        return file.read_bytes()
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


def jsonl_texts(file: Path, content: str) -> list[tuple[int, str]]:
    """Return line number and field `text` of each line that is not blank."""
    texts = []
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise DataError(f"{file}, line {number}, is not JSON.", "Write one JSON object on each line.") from error
        if not isinstance(record, dict) or not isinstance(record.get("text"), str):
            raise DataError(
                f"{file}, line {number}, has no field 'text' with a string.",
                'Write lines such as {"text": "Once upon a time."}.',
            )
        try:
            record["text"].encode("utf-8")
        except UnicodeEncodeError as error:
            raise DataError(
                f"{file}, line {number}, holds half of a surrogate pair.",
                "Write whole characters, not escapes of halves.",
            ) from error
        texts.append((number, record["text"].replace("\r\n", "\n").replace("\r", "\n")))
    return texts
