"""Text from a Parquet file: one column, read in batches, so that a large file needs little memory."""

from collections.abc import Iterator
from pathlib import Path

from minillm.corpus.address import printable
from minillm.errors import DataError

MAGIC = b"PAR1"
"""What a Parquet file begins and ends with."""
ROWS_AT_ONCE = 1000
INSTALL = 'Install it with: pip install "minillm[hub]"'


def parquet_texts(file: Path, column: str) -> Iterator[tuple[int, str]]:
    """Yield row number and text of each row of a column that is not null; read on only as rows are taken.

    Raises DataError for a file that is not Parquet, or damaged, and for a column that is missing or holds no text.
    """
    try:
        import pyarrow as arrow
        import pyarrow.parquet
    except ImportError:
        raise DataError(f"{file} needs the package pyarrow, which is not installed.", INSTALL) from None
    check_magic(file)
    number = 0
    try:
        with arrow.parquet.ParquetFile(file, page_checksum_verification=True) as table:
            check_column(file, table.schema_arrow, column)
            for batch in table.iter_batches(ROWS_AT_ONCE, columns=[column]):
                for text in batch.column(0).to_pylist():
                    number += 1
                    if text is not None:
                        yield number, text.replace("\r\n", "\n").replace("\r", "\n")
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        what = printable(str(error))[:200].rstrip(". ") or type(error).__name__
        raise DataError(
            f"{file} is damaged after row {number}: {what}.", "Fetch it again, and compare its size or checksum."
        ) from error


def check_magic(file: Path) -> None:
    """Raise DataError if a file does not begin and end as Parquet does."""
    try:
        with open(file, "rb") as opened:
            first = opened.read(4)
            size = opened.seek(0, 2)
            opened.seek(max(0, size - 4))
            last = opened.read(4)
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}.", "Check its permissions.") from None
    if not size:
        raise DataError(f"{file} is empty.", "Use a file with at least a few kilobytes of text.")
    if first != MAGIC:
        raise DataError(f"{file} is not Parquet.", "Give it the ending of what it is: .txt, .md or .jsonl.")
    if last != MAGIC or size < 12:
        raise DataError(f"{file} is damaged: its end is missing.", "Fetch it again, and compare its size or checksum.")


def check_column(file: Path, schema, column: str) -> None:
    """Raise DataError, naming the columns there are, if one is missing or is not text."""
    import pyarrow as arrow

    columns = printable(", ".join(schema.names))
    if column not in schema.names:
        raise DataError(
            f"{file} has no column '{column}'.",
            f"Name one of its columns with ?column=NAME: {columns}.",
        )
    kind = schema.field(column).type
    value = kind.value_type if arrow.types.is_dictionary(kind) else kind
    if not (arrow.types.is_string(value) or arrow.types.is_large_string(value) or arrow.types.is_string_view(value)):
        raise DataError(
            f"The column '{column}' of {file} holds {kind}, not text.",
            f"Name a column of text with ?column=NAME: {columns}.",
        )
