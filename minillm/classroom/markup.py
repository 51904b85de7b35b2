"""Text made safe to show: escaped as HTML, free of control characters, with a plain twin of every table."""

import html
import unicodedata
from collections.abc import Callable, Mapping, Sequence

Columns = Mapping[str, Sequence]


def printable(text: object) -> str:
    """Return text without the control characters that could command a terminal; newline and tab stay."""
    kept = (c for c in str(text) if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    return "".join(kept)


def escaped(text: object) -> str:
    """Return text that HTML shows as it is written, never as markup."""
    return html.escape(printable(text), quote=True)


def paragraphs(text: str) -> str:
    """Return escaped HTML of plain text, its line breaks kept."""
    return escaped(text).replace("\n", "<br>")


def status(text: str) -> str:
    """Return escaped HTML that a screen reader announces when it changes."""
    return f'<div role="status">{paragraphs(text)}</div>'


def number(value: object) -> str:
    """Return a number with up to four significant digits, anything else as printable text."""
    if isinstance(value, bool) or not hasattr(value, "__float__") or isinstance(value, str):
        return printable(value)
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{float(value):.4g}"


def table_text(columns: Columns) -> str:
    """Return columns of equal length as plain text with a heading: numbers to the right, texts to the left."""
    aligned = []
    for name, values in columns.items():
        cells = [printable(name), *(number(v) for v in values)]
        width = max(map(len, cells))
        left = any(isinstance(v, str) for v in values)
        aligned.append([cell.ljust(width) if left else cell.rjust(width) for cell in cells])
    return "\n".join("  ".join(row).rstrip() for row in zip(*aligned, strict=True))


def table_html(columns: Columns, caption: str) -> str:
    """Return columns of equal length as an escaped HTML table whose headings name their columns."""
    head = "".join(f'<th scope="col">{escaped(name)}</th>' for name in columns)
    rows = zip(*columns.values(), strict=True)
    body = "".join("<tr>" + "".join(f"<td>{escaped(number(v))}</td>" for v in row) + "</tr>" for row in rows)
    return f"<table><caption>{escaped(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def show(text: str, markup: str, form: Callable[[], object] | None = None) -> None:
    """Display one output: a form where there is a kernel and ipywidgets, else HTML, else plain text.

    `form` builds the widget. The stored page keeps the HTML and the text, so it shows something without a kernel.
    """
    from IPython.display import display

    bundle = {"text/plain": text, "text/html": markup}
    try:
        import ipywidgets  # noqa: F401  (present only with the extra `lab`)
    except ImportError:
        form = None
    if form is not None:
        view = {"version_major": 2, "version_minor": 0, "model_id": form().model_id}
        bundle["application/vnd.jupyter.widget-view+json"] = view
    display(bundle, raw=True)
