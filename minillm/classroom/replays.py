"""Record the runs of a notebook: python -m minillm.classroom.replays record NOTEBOOK ..., or list what is recorded."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from minillm.classroom import notebooks, runs
from minillm.errors import MinillmError
from minillm.paths import data_dir


def record(path: Path, folder: Path | None = None) -> notebooks.Execution:
    """Run a notebook LIVE and write each run that passes through `runs.stream` into the folder (data/replays)."""
    folder = folder or data_dir() / "replays"
    command = f"python -m minillm.classroom.replays record notebooks/{path.name}"
    first = f"from minillm.classroom import runs\nruns.record_to({str(folder)!r}, {command!r})"
    return notebooks.run(path, "LIVE", first=first)


def listing() -> list[str]:
    """Return a line for each recording: name, size, records, what it was recorded with."""
    lines = []
    for path in sorted((data_dir() / "replays").glob("*.jsonl.gz")):
        lines.append(f"{path.stat().st_size / 1000:8.1f} kB  {runs.read(path)!r}")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 2 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m minillm.classroom.replays", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("record").add_argument("notebooks", nargs="*", type=Path)
    commands.add_parser("list")
    options = parser.parse_args(arguments)
    try:
        if options.command == "record":
            for path in options.notebooks or sorted((notebooks.ROOT / "notebooks").glob("*.ipynb")):
                print(f"{path.name}: recorded in {record(path)!r}.")
        print(*listing(), sep="\n")
    except MinillmError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
