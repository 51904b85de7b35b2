"""What a token costs: against one forward pass, over windows, and as a highlighted text."""

import math

import numpy as np
import pytest
import torch

from minillm.classroom.loss import highlighter, surprise
from minillm.classroom.loss.highlighter import Highlighted
from minillm.config import ModelConfig
from minillm.errors import ConfigError
from minillm.loss import token_surprise
from minillm.model import Transformer
from minillm.tokenizer import course_tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return course_tokenizer()


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    made = Transformer(ModelConfig(n_layers=1, d_model=16, n_heads=1, context_length=16))
    for weight in made.parameters():  # differences between tokens, as after training
        torch.nn.init.normal_(weight, std=0.3)
    return made.eval()


def test_a_short_text_is_one_pass(model):
    ids = torch.arange(3, 15)
    with torch.no_grad():
        expected = token_surprise(model(ids[None, :-1]), ids[None, 1:])[0] / math.log(2)
    assert np.allclose(surprise.token_bits(model, ids.tolist()), expected, atol=1e-5)


@pytest.mark.parametrize("length", [16, 17, 18, 24, 25, 26, 60])
def test_a_long_text_is_priced_once_a_token_and_never_without_half_a_context(model, length):
    rng = np.random.default_rng(length)
    ids = rng.integers(0, 1024, length)
    bits = surprise.token_bits(model, ids)
    assert len(bits) == length - 1
    # each price must be that of some window of at least 8 tokens before it (all before it, at the beginning)
    for place in range(1, length):
        found = []
        for start in range(max(0, place - 16), max(1, place - 8 + 1)):
            window = torch.from_numpy(ids[start : place + 1])
            with torch.no_grad():
                nats = token_surprise(model(window[None, :-1]), window[None, 1:])[0, -1].item()
            found.append(nats / math.log(2))
        assert min(abs(bits[place - 1] - price) for price in found) < 1e-4


def test_no_token_costs_nothing(model):
    assert len(surprise.token_bits(model, [3])) == 0


def test_documents_come_back_from_their_stream(tokenizer):
    texts = ["My fellow citizens:", "Ünïcode, and\nnew lines", "x"]
    assert surprise.documents(tokenizer.encode_documents(texts), tokenizer) == texts


def test_an_untrained_model_pays_log2_of_the_vocabulary(tokenizer):
    priced = highlighter.highlight(surprise.untrained(), tokenizer, "The people of this country")
    assert priced.mean_bits == pytest.approx(10, abs=0.3)


def test_a_highlight_shows_each_price_as_number_bar_and_title():
    shown = Highlighted((" <b>", "\n"), (0.2, 15.0))
    html = shown._repr_html_()
    assert "<b>" not in html and "&lt;b&gt;" in html  # a text is never markup
    assert "15.0 bits" in html and "<small" in html and "border-top: 6px" in html
    assert repr(shown).startswith(" <b>[0]\n[15]") and "2 tokens, 7.6 bits a token" in repr(shown)


def test_dear_tokens_are_darker_and_higher():
    def luminance(color):
        return sum(int(color[i : i + 2], 16) for i in (1, 3, 5))

    shades = [luminance(highlighter.shade(bits)) for bits in (-1, 0, 3, 6, 12, 40)]
    assert shades == sorted(shades, reverse=True) and shades[1] == 3 * 255 and shades[-1] == shades[-2]
    assert [highlighter.bar_height(bits) for bits in (0, 4, 12, 40)] == [0, 2, 6, 6]


@pytest.mark.parametrize("text", ["", "  \n", None, "x" * 2001])
def test_texts_that_cannot_be_priced_are_refused(tokenizer, text):
    with pytest.raises(ConfigError):
        highlighter.highlight(surprise.untrained(), tokenizer, text)


def test_the_form_prices_a_text_and_names_an_empty_one(tokenizer):
    form = highlighter.Highlighter(surprise.untrained(), tokenizer, "one two").form()
    field, button, told, shown = form.children
    assert "one" in shown.value and "bits a token" in told.value
    field.value = "<script>"
    button.click()
    assert "<script>" not in shown.value and "&lt;" in shown.value
    field.value = " "
    assert "There is no text" in told.value


def test_reading_makes_the_records_of_its_moments(tokenizer):
    from minillm.batches import Tokens

    ids = np.tile(np.array(tokenizer.encode_documents(["a b c d e f g"])), 60).astype(np.uint16)
    tokens = Tokens({"books": ids}, {"books": ids[:200]}, {"books": 300}, {"books": 1.0}, "made", {})
    records = [record for record, _ in surprise.read_addresses(tokens, tokenizer, steps=4)]
    assert [("text" in r, "packed" in r) for r in records] == [(True, False), (False,) * 2, (False,) * 2, (True, True)]
    assert records[0]["train_loss_nats"] == pytest.approx(math.log(1024), abs=0.1)
    assert records[-1]["held_out_loss_nats"] < records[0]["held_out_loss_nats"]
