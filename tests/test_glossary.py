"""The glossary: in order, and every link of a notebook leads to an entry."""

import re

import nbformat
import pytest

from minillm.classroom import notebooks

FOLDER = notebooks.ROOT / "notebooks"
TEXT = (FOLDER / "glossary.md").read_text(encoding="utf-8")
TERMS = re.findall(r"^## (.+)$", TEXT, flags=re.MULTILINE)
ANCHORS = {term.replace(" ", "-") for term in TERMS}
"""Lower-case words and hyphens: JupyterLab and GitHub make the same anchor of them."""


def linked(path):
    """Return the anchors that a notebook links to, with the heading lines that hold a link."""
    cells = [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown"]
    found = [anchor for source in cells for anchor in re.findall(r"\]\(glossary\.md#([^)]*)\)", source)]
    headings = [line for source in cells for line in source.splitlines() if line.startswith("#") and "glossary" in line]
    return found, headings


def test_entries_are_in_order_and_each_ends_with_its_notebooks():
    assert sorted(TERMS) == TERMS and len(set(TERMS)) == len(TERMS)
    assert all(re.fullmatch(r"[a-z][a-z -]*", term) for term in TERMS)
    for entry in TEXT.split("\n## ")[1:]:
        numbers = re.fullmatch(r"[a-z -]+\n\n.+ \(([\d*, ]+)\)", entry.strip())
        assert numbers, entry
        for number in numbers.group(1).split(", "):
            written = bool(list(FOLDER.glob(f"{number.strip('*')}_*.ipynb")))
            assert written == ("*" not in number), f"{entry.splitlines()[0]}: notebook {number}"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_links_of_a_notebook_lead_to_entries(path):
    found, headings = linked(path)
    assert [anchor for anchor in found if anchor not in ANCHORS] == []
    assert headings == []
    if path.name[:2] != "00":
        assert len(found) >= 5, "terms are linked where they are first used"
