"""Pictures of attention: what they say in words, and the form over several checkpoints with its plain twin."""

import pytest

from minillm.classroom import figures
from minillm.classroom.attention import attention_view
from minillm.classroom.attention.attention_view import Viewer
from minillm.errors import ConfigError

TOKENS = ["A", "B", "A", "<b>"]
EVEN = [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.4, 0.3, 0.3, 0], [0.25, 0.25, 0.25, 0.25]]
BACK = [[1, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]


@pytest.fixture
def viewer():
    return Viewer(TOKENS, {0: [EVEN, EVEN], 50: [BACK, EVEN]})


def test_mean_shares_by_hand():
    assert attention_view.followed_places(TOKENS, 2) == [1]
    assert attention_view.mean_shares(EVEN, TOKENS) == {  # over the rows 2 and 3
        "the token just before": 0.28,  # (0.3 + 0.25) / 2
        "earlier copies of the token": 0.2,  # (0.4 + 0) / 2
        "what followed earlier copies": 0.15,  # (0.3 + 0) / 2
        "the token itself": 0.28,
    }
    assert attention_view.mean_shares(BACK, TOKENS)["the token just before"] == 1.0


def test_a_look_names_the_largest_shares_first(viewer):
    look = viewer.look(step=0, layer=2, token=2, count=2)
    assert look.columns == {"place": [0, 1], "token": ["A", "B"], "after": ["-", "A"], "share": ["0.40", "0.30"]}
    assert "token 2 (A)" in repr(look)
    assert "&lt;b&gt;" in viewer.look(0, 1, 3)._repr_html_()


@pytest.mark.parametrize("wrong", [(7, 1, 0), (0, 3, 0), (0, 0, 0), (0, 1, 4), (0, 1, -1)])
def test_what_was_not_recorded_is_named(viewer, wrong):
    with pytest.raises(ConfigError):
        viewer.look(*wrong)


@pytest.mark.parametrize("wrong", [([0], 1, 0), ("0", 1, 0), (0, "1", 0), (0, 1, "A"), (0, 1, None), (10**30, 1, 0)])
def test_what_is_no_number_is_named_too(viewer, wrong):
    with pytest.raises(ConfigError):
        viewer.look(*wrong)


@pytest.mark.parametrize("count", [0, -1, "all", 1.5])
def test_a_look_shows_at_least_one_place(viewer, count):
    with pytest.raises(ConfigError, match="1 or more"):
        viewer.look(0, 1, 0, count)


def test_a_number_in_another_type_is_the_same_number(viewer):
    assert viewer.look(50.0, 1.0, 3.0) == viewer.look(50, 1, 3)


def test_a_picture_has_an_escaped_description(viewer):
    picture = viewer.picture(50, 1, 3)
    assert 'alt="Map of attention: layer 1 at step 50. 4 tokens' in picture
    assert "1.00 on the token just before" in picture
    assert picture.count("<") == 1  # nothing but the image


def test_the_form_redraws_at_every_choice(viewer):
    step, layer, token, table, picture = viewer.form().children
    seen = {(table.value, picture.value)}
    for part, value in ((step, 0), (step, 50), (layer, 1), (token, 1)):
        part.value = value
        seen.add((table.value, picture.value))
    assert len(seen) == 5 - 1  # at step 0 and 50 layer 2 is the same map, under another name
    assert "Step 50, layer 1: where token 1 (B) looks" in table.value
    assert all(part.description for part in (step, layer, token))


def test_maps_are_shown_with_words_and_numbers(monkeypatch):
    shown = []
    monkeypatch.setattr(figures, "show_figure", lambda figure, alt, table: shown.append((alt, table)))
    attention_view.show_maps({"before": EVEN, "after": BACK}, TOKENS, ring=True)
    ((alt, table),) = shown
    assert "before" in alt and "after" in alt
    assert table["after"] == ["1.00", "0.00", "0.50", "0.00"]
