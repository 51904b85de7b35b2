"""The game of five press claims: one impossible, by arithmetic that is done here again."""

import re
from collections import Counter

import pytest

from minillm.classroom.cost import press_claims
from minillm.classroom.cost.press_claims import LETTERS, Game, draw, play
from minillm.errors import ConfigError

SEEDS = range(150)
UNIT = {"": 1, "M": 1e6, "B": 1e9, "T": 1e12}


def numbers(text):
    """Return the numbers of a text, suffixes read."""
    found = re.findall(r"(?<![\w-])\$?(\d[\d,]*(?:\.\d+)?)([MBT]?)\b", text)
    return [float(digits.replace(",", "")) * UNIT[unit] for digits, unit in found]


def recomputed(text):
    """Return what kind of claim a text is, and whether it can be, from its words alone."""
    n = numbers(text)
    if "read" in text:
        size, tokens, hours = n[:3]
        share = 6 * size * tokens / (hours * 3600 * 989e12)
        assert share < 0.6 or share > 2, "neither usual nor beyond an 8-bit peak"
        return "hours", share < 1
    if "was trained on" in text:
        size, devices = n[:2]
        return "memory", devices * 80e9 >= 16 * size
    if "drew" in text:
        hours, energy = n[:2]
        watts = energy * 1e6 / hours
        assert watts < 60 or 500 < watts < 1000
        return "energy", watts > 60
    if "drive" in text:
        size, gigabytes = n[0], n[-1]
        return "storage", gigabytes * 1e9 >= 14 * size
    devices, days, rate, dollars = n[:4]
    stated = dollars / (devices * days * 24 * rate)
    assert stated == pytest.approx(1, rel=0.01) or stated < 0.5
    return "money", stated > 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_one_of_five_is_impossible_and_the_words_alone_say_which(seed):
    found = [recomputed(claim.text) for claim in draw(seed).claims]
    assert [can for _, can in found] == [claim.possible for claim in draw(seed).claims]
    assert [can for _, can in found].count(False) == 1
    assert len({kind for kind, _ in found}) == 5


def test_every_kind_and_every_place_gets_its_turn():
    kinds, places = Counter(), Counter()
    for seed in SEEDS:
        claims = draw(seed)
        place = LETTERS.index(claims.impossible)
        kinds[recomputed(claims.claims[place].text)[0]] += 1
        places[claims.impossible] += 1
    assert len(kinds) == len(places) == 5
    assert min(*kinds.values(), *places.values()) > len(SEEDS) / 5 / 3


def test_the_same_seed_gives_the_same_claims_and_another_others():
    assert draw(5) == draw(5)
    assert len({draw(seed).claims for seed in SEEDS}) == len(SEEDS)


def test_play_judges_and_shows_the_arithmetic_of_all():
    claims = draw(3)
    assert play(claims, claims.impossible.upper()).right is True
    wrong = next(letter for letter in LETTERS if letter != claims.impossible)
    verdict = play(claims, f" {wrong} ")
    assert verdict.right is False
    assert all(claim.why in repr(verdict) for claim in claims.claims)
    assert repr(verdict).count("IMPOSSIBLE") == 1
    assert play(claims).right is None


@pytest.mark.parametrize("letter", ["f", "", "ab", 3])
def test_what_is_no_letter_is_refused(letter):
    with pytest.raises(ConfigError):
        play(draw(0), letter)


def test_the_claims_do_not_say_which_and_are_marked_as_invented():
    said = repr(draw(1))
    assert "invented" in said
    assert "IMPOSSIBLE" not in said and not any(claim.why in said for claim in draw(1).claims)


def test_the_form_plays_all_sets():
    game = Game([draw(seed) for seed in (1, 2, 3)])
    told, prompt, chosen, buttons, board = game.form().children
    check, skip = buttons.children
    check.click()
    assert "empty" in told.value and not game.verdicts
    chosen.value = "z"
    check.click()
    assert "Use one of" in told.value and not game.verdicts
    chosen.value = draw(1).impossible
    check.click()
    assert game.verdicts[0].right is True
    assert "Found so far: 1 of 1" in told.value
    assert draw(1).claims[0].why.split(":")[0].split(";")[0][:20] in board.value
    assert draw(2).claims[0].text[:30] in prompt.value
    skip.click()
    chosen.value = "a"
    check.click()
    assert len(game.verdicts) == 3 and check.disabled and skip.disabled and chosen.disabled


def test_names_are_drawn_from_our_own():
    for seed in SEEDS:
        assert all(any(name in claim.text for name in press_claims.NAMES) for claim in draw(seed).claims)


def test_the_page_shows_claims_and_verdict_as_html():
    claims = draw(4)
    assert all(f"{letter}) " in claims._repr_html_() for letter in LETTERS)
    shown = play(claims, "a")._repr_html_()
    assert shown.count("<tr>") == 6 and "IMPOSSIBLE" in shown
