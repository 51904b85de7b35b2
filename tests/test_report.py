"""The report: nothing a model writes becomes part of the page, the page needs no other file, its words are computed."""

import html.parser
import re

import pytest

from minillm.report import describe_loss, draw_loss, printable, smooth, write_report

METRICS = [{"tokens_seen": 1000 * step, "train_loss_nats": 7.0 / step} for step in (1, 2, 3, 4)]
EVALS = [
    {
        "step": 4,
        "tokens_seen": 4000,
        "val_loss_nats": 2.345,
        "val_bits_per_byte": 1.5,
        "bits_per_byte_by_kind": {"web": 1.0, "<b>code": 2.0},
    }
]
REPORT = {
    "parameters": 1234567,
    "tokens_seen": 4000,
    "elapsed_s": 2.0,
    "tokens_per_s": 2000.0,
    "val_loss_nats": 2.345,
    "val_bits_per_byte": 1.5,
    "flops": 1e9,
    "mfu": 0.25,
    "peak_memory_bytes": 5e8,
    "corpus_fingerprint": "0123abc",
}
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</pre></body><iframe src='//x'>",
    '" onmouseover="alert(1)',
    "&lt;script&gt; a\x1b[31mb\x00c",
]


class Reader(html.parser.HTMLParser):
    """Collects what a browser would see: tags, attributes, text."""

    def __init__(self, page: str):
        super().__init__()
        self.tags, self.text, self.attributes = [], "", []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("report")
    samples = [{"step": i, "prompt": text, "text": text} for i, text in enumerate(HOSTILE)]
    write_report(folder, REPORT, METRICS, EVALS, samples, 6.93)
    assert (folder / "loss.png").read_bytes().startswith(b"\x89PNG")
    return (folder / "report.html").read_text(encoding="utf-8")


def test_what_the_model_wrote_is_shown_and_never_run(page):
    reader = Reader(page)
    assert not {"script", "iframe"} & set(reader.tags) and reader.tags.count("img") == 1
    assert reader.tags.count("b") == len(HOSTILE)  # each prompt, and no kind's name
    assert not [name for _, name, _ in reader.attributes if name.startswith("on")]
    for text in HOSTILE[:4]:
        assert text + text in reader.text
    assert "\x1b" not in page and "\x00" not in page


def test_the_page_needs_no_other_file(page):
    addresses = [value for _, name, value in Reader(page).attributes if name in ("src", "href", "srcset", "data")]
    assert len(addresses) == 1 and addresses[0].startswith("data:image/png;base64,")
    outside_samples = re.sub(r"<(pre|h3)>.*?</\1>", "", page, flags=re.S)
    assert not re.search(r"https?:|//\w|url\(|@import|<link", outside_samples.replace(addresses[0], ""))


def test_the_page_says_what_the_report_says(page):
    text = Reader(page).text
    for figure in ("1,234,567", "2.345", "1.500", "25%", "500 MB", "0123abc", "<b>code"):
        assert figure in text


def test_alternative_text_is_computed_from_what_is_plotted(page):
    (alt,) = [value for tag, name, value in Reader(page).attributes if (tag, name) == ("img", "alt")]
    assert alt == describe_loss(METRICS, EVALS, 6.93)
    for number in ("starts at 7.00", "even odds are 6.93", "0.00 million tokens", "ends at 2.35"):
        assert number in alt or number.replace("2.35", "2.34") in alt
    changed = [{**METRICS[0], "train_loss_nats": 5.55}, *METRICS[1:]]
    assert "starts at 5.55" in describe_loss(changed, EVALS, 6.93)
    assert "held-out" not in describe_loss(METRICS, [], 6.93)
    assert "no steps" in describe_loss([], [], 6.93)


def test_a_figure_is_drawn_of_one_step_too(tmp_path):
    assert "Line chart" in draw_loss(METRICS[:1], [], tmp_path / "loss.png", 6.93)
    assert (tmp_path / "loss.png").stat().st_size > 1000


def test_the_running_mean_by_hand():
    # of few values each older one counts half: 4; (4/2 + 1) / (1/2 + 1) = 2; (3/2 + 5) / (3/4 + 1) = 26/7
    assert smooth([4.0, 1.0, 5.0]) == pytest.approx([4, 2, 26 / 7])
    # of 300, a thirtieth is 10: each older one counts 9/10, and a value of 1 after many of 0 counts 1/10
    assert smooth([0.0] * 299 + [1.0])[-1] == pytest.approx(0.1, rel=1e-6)
    assert smooth([3.0] * 50) == pytest.approx([3.0] * 50)


def test_control_characters_are_made_visible():
    assert printable("a\tb\nc é 漢 🙂") == "a\tb\nc é 漢 🙂"
    assert printable("\x1b[2J\x07\u202e\x9b") == "�[2J���"
