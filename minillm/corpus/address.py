"""A source with settings, PLACE?key=value&key=value: one string that commands, config.json and notebooks can carry."""

from collections.abc import Iterable
from dataclasses import dataclass

from minillm.corpus.documents import Document
from minillm.errors import DataError


@dataclass(frozen=True)
class Address:
    """Where text lies, and how it is read."""

    place: str
    settings: dict[str, str]

    def max_bytes(self, default: int | None) -> int | None:
        """Return how many bytes of text are read at most. Raises DataError if it is no whole number above 0."""
        value = self.settings.get("max_bytes")
        if value is None:
            return default
        digits = value.replace("_", "")
        if not (digits.isascii() and digits.isdigit() and int(digits) > 0):
            raise DataError(f"max_bytes is '{value}'.", "Give a whole number of bytes, such as max_bytes=2_000_000.")
        return int(digits)


def read_address(source: str, known: tuple[str, ...]) -> Address:
    """Cut a source into its place and its settings. Raises DataError for a setting that is not among the known."""
    place, _, query = source.partition("?")
    settings = {}
    for pair in query.split("&") if query else ():
        key, _, value = pair.partition("=")
        if key not in known or key in settings or not value:
            raise DataError(
                f"'{pair}' is no setting of {place}.",
                f"Write each at most once, as name=value, joined by &: {', '.join(known)}.",
            )
        settings[key] = value
    return Address(place, settings)


def printable(text: str) -> str:
    """Return foreign words on one line, without characters that would steer a terminal."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())


def take_bytes(documents: Iterable[Document], max_bytes: int | None) -> tuple[list[Document], bool]:
    """Return whole documents until their bytes reach the limit, and whether it was the limit that ended them."""
    taken, total = [], 0
    for document in documents:
        if max_bytes is not None and total >= max_bytes:
            return taken, True
        taken.append(document)
        total += document.size_bytes
    return taken, False
