"""Pages to prose, Python files to code and docstrings."""

import ast

from minillm.corpus.extract import (
    dedent_docstring,
    docstrings,
    page_text,
    read_warc,
    render_page,
    without_docstrings,
    write_warc,
)

MARKDOWN = """# Kettle

[![badge](https://img.invalid/badge.svg)](https://ci.invalid)

Kettle boils water in a loop until the water is hot enough, and then it stops & whistles.

| option | meaning |
| --- | --- |
| `--hot` | boil longer than usual |
"""


def test_the_web_chain_keeps_the_text_and_loses_navigation_and_footer():
    page = render_page("Kettle <3", MARKDOWN)
    assert "Kettle &lt;3" in page and "<nav>" in page and "Privacy" in page
    archive = write_warc([("https://projects.invalid/kettle", page), ("https://projects.invalid/pot", page)])
    assert archive[:2] == b"\x1f\x8b"  # gzip
    read = list(read_warc(archive))
    assert read == [("https://projects.invalid/kettle", page), ("https://projects.invalid/pot", page)]
    text = page_text(page)
    assert "until the water is hot enough, and then it stops & whistles." in text
    assert "boil longer than usual" in text
    for made in ("All projects", "Log in", "cookies", "Privacy", "badge", "<"):
        assert made not in text


SOURCE = '''"""Module words."""
import os


class Pot:
    """Class words, é."""

    def boil(self):
        r"""Only words \\d."""

    def pour(self): "stays, it shares its line"; return 1

    async def wait(self):
        """Words
        in two lines."""
        text = """not a docstring"""
        return text
'''


def test_code_without_docstrings_does_the_same():
    stripped = without_docstrings(SOURCE)
    for gone in ("Module words", "Class words", "Only words", "in two lines"):
        assert gone not in stripped
    assert '"""not a docstring"""' in stripped and "stays" in stripped
    names = [node.name for node in ast.walk(ast.parse(stripped)) if hasattr(node, "name") and node.name != "os"]
    assert names == ["Pot", "boil", "pour", "wait"]
    assert "def boil(self):\n        pass" in stripped


def test_docstrings_come_with_dotted_names_and_without_indentation():
    assert dict(docstrings(SOURCE)) == {
        "": "Module words.",
        "Pot": "Class words, é.",
        "Pot.boil": "Only words \\d.",
        "Pot.pour": "stays, it shares its line",
        "Pot.wait": "Words\nin two lines.",
    }


def test_a_docstring_keeps_its_inner_indentation():
    assert dedent_docstring("First.\n\n    x : int\n        A number.   \n    ") == "First.\n\nx : int\n    A number."
