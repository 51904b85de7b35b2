"""README.md tells the truth where a machine can check it."""

import re

import readme
import source


def part(name: str) -> str:
    """Return a machine-written part as it stands in the README."""
    text = readme.README.read_text(encoding="utf-8")
    return re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end -->", text, flags=re.DOTALL)[1]


def test_address_stands_in_one_setting():
    assert part("badges") == readme.badges() and part("clone") == readme.clone(), "run: python tests/readme.py"
    others = readme.README.read_text(encoding="utf-8").replace(part("badges"), "").replace(part("clone"), "")
    assert readme.notebooks.repository()[0] not in others


def test_tree_names_every_file_with_its_phrase():
    assert part("tree") == readme.tree(), "run: python tests/readme.py"
    for line in part("tree").splitlines()[1:-1]:
        assert re.fullmatch(r" *\S+  +\S.*", line), f"no phrase: {line}"


def test_lengths_are_right_within_a_tenth():
    counts = source.package_code_lines()
    stated = [int(number.replace(",", "")) for number in re.findall(r"about ([\d,]+)", part("lines"))]
    true = [sum(counts.get(room, 0) for room in source.CORE), sum(counts.values())]
    for said, counted in zip(stated, true, strict=True):
        assert abs(said - counted) <= 0.1 * counted, "run: python tests/readme.py"


def test_every_named_file_and_target_exists(repository):
    text = readme.README.read_text(encoding="utf-8") + (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(((?!http)[^)#]+)[^)]*\)", text)
    assert links and not [link for link in links if not (repository / link).exists()]
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"make ([a-z]+)", text))
    assert {"lesson", "test", "lab"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
