"""From the form in which text is published to plain text: pages to prose, Python files to code and to docstrings."""

import ast
import gc
import html
import io
import textwrap
import warnings
from collections.abc import Iterable, Iterator

from minillm.corpus.documents import clean_text

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/all">All projects</a></li><li><a href="/help">Help</a></li>
<li><a href="/account">Log in</a></li></ul></nav>
<main><article>
{body}
</article></main>
<footer><p>This page uses cookies. <a href="/terms">Terms of use</a> <a href="/privacy">Privacy</a></p></footer>
</body></html>
"""


def render_page(title: str, markdown: str) -> str:
    """Return Markdown as a web page with a navigation and a footer around it, as a project's site would show it."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark").enable("table").render(markdown)
    return PAGE.format(title=html.escape(title), body=body)


def write_warc(pages: Iterable[tuple[str, str]]) -> bytes:
    """Return pages (address, HTML) as a gzipped WARC file, the form in which web crawls are kept."""
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True)
    for address, page in pages:
        headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
        payload = io.BytesIO(page.encode("utf-8"))
        writer.write_record(writer.create_warc_record(address, "response", payload=payload, http_headers=headers))
    return buffer.getvalue()


def read_warc(archive: bytes) -> Iterator[tuple[str, str]]:
    """Yield address and HTML of each answer in a WARC file."""
    from warcio.archiveiterator import ArchiveIterator

    for record in ArchiveIterator(io.BytesIO(archive)):
        if record.rec_type == "response":
            yield record.rec_headers.get_header("WARC-Target-URI"), record.content_stream().read().decode("utf-8")


def page_text(page: str) -> str:
    """Return the main text of a web page, without navigation, footer, scripts and alternative texts of images."""
    from resiliparse.extract.html2text import extract_plain_text

    return clean_text(extract_plain_text(page, preserve_formatting=True, main_content=True, alt_texts=False))


def parse_python(source: str) -> ast.Module:
    """Return the syntax tree of a Python file, without the warnings that newer versions give on old string escapes."""
    collecting = gc.isenabled()
    gc.disable()  # a tree is a million small objects: looking for garbage among them takes as long as parsing
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    finally:
        if collecting:
            gc.enable()


def docstring_nodes(tree: ast.Module) -> Iterator[tuple[str, ast.Expr, int]]:
    """Yield dotted name, docstring statement and number of statements in the body of each documented definition.

    Looks at the module, its classes and functions and theirs, in the order of the file.
    """
    stack: list[tuple[str, ast.AST]] = [("", tree)]
    while stack:
        name, node = stack.pop()
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            yield name, first, len(node.body)
        inner = [n for n in node.body if isinstance(n, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)]
        stack += [(f"{name}.{n.name}".strip("."), n) for n in reversed(inner)]


def dedent_docstring(text: str) -> str:
    """Return a docstring without the indentation of the code around it.

    Written out, because `inspect.cleandoc` differs between versions of Python and the corpus must not.
    """
    first, _, rest = text.expandtabs().partition("\n")
    return clean_text(first.lstrip() + "\n" + textwrap.dedent(rest))


def docstrings(source: str) -> Iterator[tuple[str, str]]:
    """Yield dotted name and text of each docstring of a Python file."""
    for name, node, _ in docstring_nodes(parse_python(source)):
        yield name, dedent_docstring(node.value.value)


def without_docstrings(source: str) -> str:
    """Return a Python file without its docstrings, still valid Python, everything else as it was written.

    A docstring that shares its lines with other code stays.
    """
    lines = source.split("\n")
    for _, node, statements in docstring_nodes(parse_python(source)):
        start, end = node.lineno - 1, node.end_lineno - 1
        # offsets count bytes of UTF-8
        before = lines[start].encode("utf-8")[: node.col_offset]
        after = lines[end].encode("utf-8")[node.end_col_offset :]
        if before.strip() or after.strip():
            continue
        lines[start : end + 1] = [None] * (end + 1 - start)
        if statements == 1:
            lines[start] = before.decode("utf-8") + "pass"
    return clean_text("\n".join(line for line in lines if line is not None)) + "\n"
