"""Text from the Hugging Face hub: hf:OWNER/NAME, streamed document by document up to a budget of bytes."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from minillm.corpus.address import printable, read_address, take_bytes
from minillm.corpus.documents import Document
from minillm.corpus.parquet import INSTALL
from minillm.errors import DataError

PREFIX = "hf:"
SETTINGS = ("config", "split", "revision", "column", "max_bytes")
MAX_BYTES = 5_000_000
TIMEOUT_S = 10
UNKNOWN_LICENCE = "unknown: see the dataset's page"


@dataclass(frozen=True)
class KnownDataset:
    """What a dataset is read with unless the address says otherwise: always the same bytes."""

    revision: str
    config: str | None
    licence: str


# Commits and licences as several public records state them independently of each other.
KNOWN = {
    "HuggingFaceFW/fineweb-edu": KnownDataset("87f09149ef4734204d70ed1d046ddc9ca3f2b8f9", "sample-10BT", "ODC-By 1.0"),
    "roneneldan/TinyStories": KnownDataset("f54c09fd23315a6f9c86f9dc80f725de7d8f9c64", None, "CDLA-Sharing-1.0"),
    "wikimedia/wikipedia": KnownDataset(
        "b04c8d1ceb2f5cd4588862100d08de323dccfbaa", "20231101.en", "CC BY-SA 3.0, GFDL"
    ),
}


@dataclass(frozen=True)
class HubSource:
    """A dataset on the hub and which text of it is read."""

    repository: str
    config: str | None
    split: str
    revision: str
    """A commit (40 hexadecimal digits), a tag or a branch."""
    column: str
    max_bytes: int
    licence: str

    @property
    def is_pinned(self) -> bool:
        """Whether the revision names a commit, which cannot move."""
        return re.fullmatch(r"[0-9a-f]{40}", self.revision) is not None


def is_hub(source: str | Path) -> bool:
    """Tell whether a source is an address on the hub."""
    return str(source).startswith(PREFIX)


def read_hub_address(source: str | Path) -> HubSource:
    """Read hf:OWNER/NAME?config=C&split=S&revision=R&column=C&max_bytes=N, each setting optional.

    A dataset of `KNOWN` has a pinned revision; any other is read at `main` if none is given. Raises DataError.
    """
    address = read_address(str(source).removeprefix(PREFIX).replace("\\", "/"), SETTINGS)
    if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", address.place, re.ASCII):
        raise DataError(f"'{source}' names no dataset.", "Write hf:OWNER/NAME, for example hf:roneneldan/TinyStories.")
    known = KNOWN.get(address.place, KnownDataset("main", None, UNKNOWN_LICENCE))
    return HubSource(
        repository=address.place,
        config=address.settings.get("config", known.config),
        split=address.settings.get("split", "train"),
        revision=address.settings.get("revision", known.revision),
        column=address.settings.get("column", "text"),
        max_bytes=address.max_bytes(MAX_BYTES),
        licence=known.licence,
    )


def hub_documents(source: str | Path) -> tuple[list[Document], list[str]]:
    """Return a dataset's first documents, until they reach the budget, and notes on what was read.

    Nothing of a dataset is executed: only its data files are read. Raises DataError.
    """
    hub = read_hub_address(source)
    commit = ask_commit(hub)  # a pinned one too: a hub out of reach is found at once
    with limited_patience():
        documents, _ = take_bytes(stream_documents(hub, commit), hub.max_bytes)
    if not documents:
        raise DataError(f"{hub.repository} holds no text in column '{hub.column}'.", "Name another split or column.")
    size_bytes = sum(document.size_bytes for document in documents)
    config = f", config {hub.config}" if hub.config else ""
    notes = [
        f"{hub.repository} at commit {commit}{config}, split {hub.split}: its first {len(documents):,} documents, "
        f"{size_bytes:,} bytes (max_bytes={hub.max_bytes}); licence {hub.licence}."
    ]
    if not hub.is_pinned:
        notes.append(f"'{hub.revision}' can move: with revision={commit} the text stays the same.")
    return documents, notes


def hub_key(source: str | Path) -> str:
    """Return what decides the text of an address: the commit, or the revision's name where the hub cannot be asked."""
    hub = read_hub_address(source)
    commit = hub.revision
    if not hub.is_pinned:
        with contextlib.suppress(DataError):
            commit = ask_commit(hub)
    return f"{hub.repository} {hub.config} {hub.split} {commit} {hub.column} {hub.max_bytes}"


def ask_commit(hub: HubSource) -> str:
    """Ask the hub which commit a revision names now. Raises DataError."""
    try:
        from huggingface_hub import HfApi
    except ImportError:
        raise DataError(f"{hub.repository} needs the package huggingface-hub.", INSTALL) from None
    try:
        return HfApi().dataset_info(hub.repository, revision=hub.revision, timeout=TIMEOUT_S).sha
    except Exception as error:  # the hub's client, its HTTP library and the system each have their own errors
        raise named_error(hub, error) from error


def stream_documents(hub: HubSource, commit: str) -> Iterator[Document]:
    """Yield the texts of a dataset in its order; read on only as documents are taken. Raises DataError."""
    try:
        import datasets
    except ImportError:
        raise DataError(f"{hub.repository} needs the package datasets.", INSTALL) from None
    try:
        rows = datasets.load_dataset(hub.repository, name=hub.config, split=hub.split, revision=commit, streaming=True)
        for number, row in enumerate(rows, start=1):
            text = row.get(hub.column)
            if hub.column not in row or not isinstance(text, str | None):
                kinds = ", ".join(f"{name} ({type(value).__name__})" for name, value in row.items())
                raise DataError(
                    f"{hub.repository} has no text in a column '{hub.column}'.",
                    f"Name one of its columns with column=NAME: {printable(kinds)}.",
                )
            if text is not None and text.strip():
                text = text.replace("\r\n", "\n").replace("\r", "\n")
                yield Document(text, "text", f"{PREFIX}{hub.repository}", f"row {number}", hub.licence)
    except DataError:
        raise
    except Exception as error:  # as above, and the readers of each format have theirs
        raise named_error(hub, error) from error


def named_error(hub: HubSource, error: Exception) -> DataError:
    """Return what went wrong between us and the hub as one line of cause and one of remedy."""
    chain, cause = [], error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    names = {kind.__name__ for link in chain for kind in type(link).__mro__}
    said = printable(str(error))[:300].rstrip(". ")
    what = hub.repository
    if "OfflineModeIsEnabled" in names:
        return DataError(
            f"{what} cannot be read: the environment variable HF_HUB_OFFLINE forbids the network.",
            "Unset it, or use a text on this machine, such as a .parquet file.",
        )
    if "GatedRepoError" in names:
        return DataError(f"{what} asks its readers to log in.", "Accept its terms on its page, then: hf auth login")
    if "RevisionNotFoundError" in names:
        return DataError(f"{what} has no revision '{hub.revision}'.", "Give a commit, tag or branch of its page.")
    if names & {"RepositoryNotFoundError", "DatasetNotFoundError"}:
        return DataError(f"There is no dataset {what} that you may read.", "Check its name, and that it is public.")
    if names & {"ArrowException", "UnicodeDecodeError", "DatasetGenerationError"}:
        return DataError(f"{what} has a damaged file: {said}.", "Try another revision, split or config.")
    if names & {"TransportError", "ConnectionError", "HfHubHTTPError", "TimeoutException", "gaierror"}:
        return DataError(
            f"{what} cannot be reached ({type(chain[-1]).__name__}: {printable(str(chain[-1]))[:150]}).",
            "It needs a network that reaches huggingface.co (or HF_ENDPOINT); 'embedded' needs none.",
        )
    return DataError(f"{what} cannot be read: {said}.", "Give config=, split= and revision= as its page shows them.")


@contextlib.contextmanager
def limited_patience() -> Iterator[None]:
    """Let the library give up on a silent server after half a minute, not many, and show no bars of its own."""
    try:
        import datasets
        from datasets import config
    except ImportError:
        yield  # the missing package is named where it is used
        return
    # below it, the hub's client tries each request again on its own
    tries = ("STREAMING_READ_MAX_RETRIES", "STREAMING_OPEN_MAX_RETRIES")
    before = {name: getattr(config, name) for name in tries if hasattr(config, name)}
    had_bars = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    for name in before:
        setattr(config, name, 1)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(config, name, value)
        if had_bars:
            datasets.enable_progress_bars()
