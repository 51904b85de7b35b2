"""What an installation with all extras consists of; run as a script, it prints constraints.txt."""

import importlib.metadata
import itertools
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parent.parent
HEADER = """\
# The versions tested: everything that `pip install .[lab,hub,offline,test]` brings on Linux without a GPU.
# Printed by `python tests/closure.py`; they resolve on Python 3.11, 3.12 and 3.13.
"""


def direct_requirements() -> list[Requirement]:
    """Return the requirements that pyproject.toml names, those of the extras included."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = itertools.chain.from_iterable(project["optional-dependencies"].values())
    return [Requirement(line) for line in [*project["dependencies"], *extras]]


def closure() -> dict[str, str]:
    """Return name and version of every installed distribution that the requirements need, directly or not."""
    versions, seen, waiting = {}, set(), direct_requirements()
    while waiting:
        requirement = waiting.pop()
        extras = requirement.extras or {""}
        key = (canonicalize_name(requirement.name), frozenset(extras))
        if key in seen:
            continue
        seen.add(key)
        distribution = importlib.metadata.distribution(requirement.name)
        # a local part such as +cpu names a build of the same version
        versions[key[0]] = distribution.version.split("+")[0]
        for line in distribution.requires or []:
            needed = Requirement(line)
            marker = needed.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(needed)
    return versions


if __name__ == "__main__":
    print(HEADER + "\n".join(f"{name}=={version}" for name, version in sorted(closure().items())))
