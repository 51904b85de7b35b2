"""Figures as they are drawn: every name inside the picture, none on another, live pictures with a description."""

import io
import itertools
import math

import pytest

from minillm.classroom import figures, predictions

STEPS = list(range(1, 101))
FALLING = [3.4 + 3.5 * math.exp(-step / 5) for step in STEPS]


def texts_of(ax):
    """Draw the figure and return the place of each text within the axes, in pixels."""
    ax.figure.savefig(io.BytesIO(), format="png")
    return {text.get_text(): text.get_window_extent() for text in ax.texts}


SERIES = {
    "three that end at the top": {"grammar": [0, 1, 2], "association": [0, 1.9, 2], "facts": [0, 1.8, 2]},
    "one that ends below": {"a": [5, 4, 0], "b": [0, 2, 0.01]},
    "close together": {name: [0, 1 + i / 1000, 1 + i / 1000] for i, name in enumerate("abcdefg")},
    "flat": {"one": [1, 1, 1], "two": [1, 1, 1]},
}


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("levels", [None, {"chance": 0.0}, {"ln V": 6.93, "far below": -40.0}])
@pytest.mark.parametrize("log_x", [False, True])
def test_every_name_is_inside_the_figure_and_none_on_another(name, levels, log_x):
    figure, ax = figures.new()
    figures.lines(ax, [1, 2, 3], SERIES[name], x_name="step", y_name="nats", levels=levels, log_x=log_x)
    places = texts_of(ax)
    assert set(places) == {*SERIES[name], *(levels or {})}
    for text, place in places.items():
        assert place.width > 0
        assert figure.bbox.x0 <= place.x0 and place.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= place.y0 and place.y1 <= figure.bbox.y1, text
    for (one, here), (other, there) in itertools.combinations(places.items(), 2):
        shared = min(here.y1, there.y1) - max(here.y0, there.y0)
        assert not here.overlaps(there) or shared < 0.35 * here.height, (one, other)


@pytest.mark.parametrize(
    ("y", "level"),
    [(FALLING, 6.93), (FALLING, 3.4), (FALLING, 3.0), ([10 - v for v in FALLING], 6.5), ([v + 1 for v in FALLING], 0)],
)
def test_the_name_of_a_level_lies_on_no_line(y, level):
    _, ax = figures.new()
    figures.lines(ax, STEPS, {"loss": y}, x_name="step", y_name="nats", levels={"a level with a name": level})
    place = texts_of(ax)["a level with a name"]
    for x, height in ax.transData.transform(list(zip(STEPS, y, strict=True))):
        assert not (place.x0 < x < place.x1 and place.y0 < height < place.y1)


def test_names_are_moved_apart_and_kept_under_the_top():
    assert figures.spread([1.0, 1.0, 5.0], 0.5) == [1.0, 1.5, 5.0]
    assert figures.spread([2.0, 2.0, 2.0], 0.5, top=2.0) == [1.0, 1.5, 2.0]
    assert figures.spread([0.0, 1.9, 2.0], 0.5, top=2.0) == [0.0, 1.5, 2.0]


def test_a_prediction_outside_the_range_leaves_the_names_in_place(monkeypatch):
    drawn = []
    monkeypatch.setattr(figures, "show_figure", lambda figure, alt, table: drawn.append(figure))
    guess = predictions.predict_number("k", "q", "nats", 0, 20, value=20)
    figures.show_lines(
        "w", STEPS, {"a": FALLING, "b": FALLING}, x_name="x", y_name="y", predictions=[guess], levels={"level": 3.4}
    )
    places = texts_of(drawn[0].axes[0])
    assert not places["a"].overlaps(places["b"])
    assert drawn[0].axes[0].get_ylim()[1] > 20


def test_bars_show_the_digits_of_their_table():
    _, ax = figures.new()
    figures.bars(ax, ["x", "y"], {"bits": [1.585, 0.0]}, y_name="bits")
    assert [text.get_text() for text in ax.texts] == ["1.585", "0"]


def test_a_live_picture_describes_what_it_shows(monkeypatch):
    shown = []

    class Handle:
        def update(self, picture, metadata, raw):
            shown.append((picture, metadata))

    def display(picture, metadata, raw, display_id):
        shown.append((picture, metadata))
        return Handle()

    monkeypatch.setattr("IPython.display.display", display)

    def draw(ax, records):
        loss = {"learned": [r["loss"] for r in records]}
        figures.lines(
            ax, [r["step"] for r in records], loss, x_name="step", y_name="nats", levels={"counted": 3.25}, marks=1
        )

    view = figures.Live(draw)
    view.update([{"step": 1, "loss": 6.5}])
    view.update([{"step": 1, "loss": 6.5}, {"step": 2, "loss": 5.0}], done=True)
    assert len(shown) == 2
    picture, metadata = shown[-1]
    assert (
        metadata["image/png"]["alt"]
        == picture["text/plain"]
        == (
            "Line chart: the run so far. nats against step, from 1 to 2. learned starts at 6.5 and ends at 5. "
            "A level marks counted at 3.25."
        )
    )
    view = figures.Live(lambda ax, records: ax.bar([1], [2]))
    view.update([{}], done=True)
    assert shown[-1][1]["image/png"]["alt"] == "A picture of 1 records so far."
