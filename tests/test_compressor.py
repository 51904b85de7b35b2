"""The arithmetic coder without a model, and the model as a compressor: nothing is lost, and little is wasted."""

import math
from bisect import bisect_right
from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm.classroom.loss import arithmetic_coding
from minillm.classroom.loss.arithmetic_coding import Decoder, Encoder
from minillm.classroom.loss.compressor import TOTAL, Predictor, compress, decompress, frequencies, softmax
from minillm.config import ModelConfig
from minillm.errors import DataError, TokenizerError, TrainingError
from minillm.model import Transformer

# --- the coder: symbols with whole numbers as odds ---


def write(symbols, tables) -> bytes:
    encoder = Encoder()
    for symbol, table in zip(symbols, tables, strict=True):
        ends = [0, *accumulate(table)]
        encoder.encode(ends[symbol], ends[symbol + 1], ends[-1])
    return encoder.finish()


def read(data: bytes, tables) -> list[int]:
    decoder, symbols = Decoder(data), []
    for table in tables:
        ends = [0, *accumulate(table)]
        symbol = bisect_right(ends, decoder.target(ends[-1])) - 1
        decoder.decode(ends[symbol], ends[symbol + 1], ends[-1])
        symbols.append(symbol)
    return symbols


def ideal_bits(symbols, tables) -> float:
    return sum(math.log2(sum(table) / table[symbol]) for symbol, table in zip(symbols, tables, strict=True))


def test_worked_example():
    # Odds a 2, b 1, c 1 of 4. The message "b, a" keeps [2/4, 3/4) and of it the first half: [4/8, 5/8).
    # The first three bits of every number in it are 100: nothing is left to say but where in [0, 1) of the rest,
    # for which `finish` writes 0 and 1, a quarter of it. 10001 and three zeros to a byte: 0x88.
    encoder = Encoder()
    encoder.encode(2, 3, 4)
    assert (encoder.bits, encoder.low, encoder.high) == ([1, 0], 0, arithmetic_coding.ONE - 1)
    encoder.encode(0, 2, 4)
    assert (encoder.bits, encoder.low, encoder.high) == ([1, 0, 0], 0, arithmetic_coding.ONE - 1)
    assert encoder.finish() == bytes([0b10001000])
    assert read(bytes([0b10001000]), [[2, 1, 1]] * 2) == [1, 0]


def test_bits_in_the_middle_wait():
    # The middle half [1/4, 3/4) says nothing yet about the first bit. Its middle half again: [3/8, 5/8). Then the upper
    # half of that, [1/2, 5/8): the first bit is 1, and the two that waited are 0.
    encoder = Encoder()
    encoder.encode(1, 3, 4)
    encoder.encode(1, 3, 4)
    assert encoder.bits == [] and encoder.waiting == 2
    encoder.encode(1, 2, 2)
    assert encoder.bits == [1, 0, 0] and encoder.waiting == 0


tables = st.lists(st.integers(1, 2**20), min_size=1, max_size=12)
messages = st.lists(
    tables.flatmap(lambda table: st.tuples(st.just(table), st.integers(0, len(table) - 1))), max_size=60
)


@settings(max_examples=300, deadline=None)
@given(messages)
def test_any_symbols_come_back_in_little_more_than_their_bits(message):
    odds, symbols = [table for table, _ in message], [symbol for _, symbol in message]
    data = write(symbols, odds)
    assert read(data, odds) == symbols
    # 2 bits at the end, 7 to fill a byte; rounding ends of a share to 2^-32 of at least a quarter costs next to nothing
    n_bits = 8 * len(data)
    assert ideal_bits(symbols, odds) <= n_bits + 0.01 <= ideal_bits(symbols, odds) + 2 + 7 + 0.02


def exact_interval(symbols, tables) -> tuple[Fraction, Fraction]:
    """Return low end and width of a message's interval, computed without any rounding."""
    low, width = Fraction(0), Fraction(1)
    for symbol, table in zip(symbols, tables, strict=True):
        ends = [0, *accumulate(table)]
        low += width * Fraction(ends[symbol], ends[-1])
        width *= Fraction(table[symbol], ends[-1])
    return low, width


def fewest_bits(low: Fraction, width: Fraction) -> int:
    """Return the length of the shortest binary number all of whose continuations lie in the interval."""
    n_bits = 1
    while math.ceil(low * 2**n_bits) + 1 > (low + width) * 2**n_bits:
        n_bits += 1
    return n_bits


@settings(max_examples=60, deadline=None)
@given(messages)
def test_size_is_that_of_exact_fractions(message):
    odds, symbols = [table for table, _ in message], [symbol for _, symbol in message]
    assert abs(len(write(symbols, odds)) - math.ceil(fewest_bits(*exact_interval(symbols, odds)) / 8)) <= 1


halves = st.sampled_from(
    [[2, 1, 1], [1, 1, 2], [1, 2, 1], [4, 2, 1, 1], [1, 1, 2, 4], [1, 1], [1] * 8, [8, 1, 1, 2, 4]]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(halves.flatmap(lambda table: st.tuples(st.just(table), st.integers(0, len(table) - 1))), max_size=80))
def test_number_lies_inside_the_exact_interval_where_every_share_is_a_power_of_two(message):
    odds, symbols = [table for table, _ in message], [symbol for _, symbol in message]
    low, width = exact_interval(symbols, odds)
    data = write(symbols, odds)
    assert low <= Fraction(int.from_bytes(data, "big"), 256 ** len(data)) < low + width
    assert len(data) <= math.ceil((ideal_bits(symbols, odds) + 2) / 8)


@pytest.mark.parametrize("likely", [0, 1, 49_999])
def test_one_symbol_nearly_certain_among_fifty_thousand(likely):
    table = [1] * 50_000
    table[likely] = 2**29
    symbols = [likely] * 2000 + [7, 49_998, 0] + [likely] * 2000
    odds = [table] * len(symbols)
    ends = [0, *accumulate(table)]
    encoder = Encoder()
    for symbol in symbols:
        encoder.encode(ends[symbol], ends[symbol + 1], ends[-1])
    data, found = encoder.finish(), []
    decoder = Decoder(data)
    for _ in symbols:
        found.append(bisect_right(ends, decoder.target(ends[-1])) - 1)
        decoder.decode(ends[found[-1]], ends[found[-1] + 1], ends[-1])
    assert found == symbols
    assert 8 * len(data) <= ideal_bits(symbols, odds) * 1.001 + 9


def test_certain_symbols_cost_nothing():
    assert len(write([0] * 10_000, [[5]] * 10_000)) == 1


@pytest.mark.parametrize("share", [(3, 3, 4), (3, 2, 4), (-1, 2, 4), (0, 5, 4), (0, 1, 2**30 + 1)])
def test_impossible_shares_are_named(share):
    with pytest.raises(DataError, match="no share"):
        Encoder().encode(*share)


def test_damaged_and_missing_bits_end_too():
    table = [[3, 1, 9, 2]] * 400
    data = write([2, 0, 2, 3] * 100, table)
    for damaged in (b"", data[: len(data) // 2], bytes(len(data)), b"\xff" * len(data), data[:9] + b"\x55" + data[10:]):
        found = read(damaged, table)
        assert len(found) == 400 and set(found) <= {0, 1, 2, 3}
    assert read(data[:9] + b"\x55" + data[10:], table) != read(data, table)


# --- the model ---

TINY = ModelConfig(n_layers=2, d_model=32, n_heads=2, vocab_size=64, context_length=16)


@pytest.fixture(scope="module")
def text() -> list[int]:
    """A made language: words of a few tokens, drawn at random, with a misprint in every fourth token."""
    draw = np.random.default_rng(0)
    words = [draw.integers(1, 64, size=draw.integers(2, 6)).tolist() for _ in range(20)]
    tokens = [token for _ in range(1200) for token in [*words[int(20 * draw.random() ** 2)], 0]]
    return [int(draw.integers(64)) if draw.random() < 0.25 else token for token in tokens]


@pytest.fixture(scope="module")
def model(text) -> Transformer:
    """A tiny model, trained for a moment on the language's first part."""
    torch.manual_seed(0)
    model = Transformer(TINY)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    stream = torch.tensor(text[:3000])
    for _ in range(60):
        starts = torch.randint(0, len(stream) - 17, (32,))
        windows = torch.stack([stream[start : start + 17] for start in starts.tolist()])
        loss = torch.nn.functional.cross_entropy(model(windows[:, :-1]).flatten(0, 1), windows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def test_model_decodes_exactly_across_the_border_of_its_context(model, text):
    for n_tokens in (0, 1, 2, 15, 16, 17, 24, 25, 100):  # the context is 16, and goes on with 8
        ids = text[3000 : 3000 + n_tokens]
        packed = compress(model, ids)
        assert packed.n_tokens == n_tokens
        assert decompress(model, packed.data, n_tokens) == ids


def test_size_is_the_models_own_bits_and_training_pays(model, text):
    ids = text[3000:4200]
    packed = compress(model, ids)
    assert packed.model_bits <= 8 * packed.n_bytes <= 1.01 * packed.model_bits
    assert packed.model_bits < 0.75 * 6 * len(ids)  # even odds among 64 tokens are 6 bits each
    torch.manual_seed(1)
    assert compress(Transformer(TINY), ids[:300]).model_bits > 0.95 * 6 * 300


def test_model_bits_are_those_of_whole_passes_over_the_same_contexts(model, text):
    ids = text[3000:3100]
    bits = math.log2(64)
    with torch.no_grad():
        for position in range(1, len(ids)):
            # Contexts grow to 16 tokens; then the newest 8 stay, among them the one that came last: 9 predictions
            # from contexts of 8 to 16 tokens that start at 9, then 9 that start at 18, ...
            start = 9 * ((position - 17) // 9 + 1) if position > 16 else 0
            logits = model(torch.tensor([ids[start:position]]))[0, -1].double()
            bits -= float(torch.log_softmax(logits, dim=0)[ids[position]]) / math.log(2)
    assert compress(model, ids).model_bits == pytest.approx(bits, rel=1e-5)


def test_threads_mode_and_weights_stay_as_they_were(model, text):
    before = [parameter.clone() for parameter in model.parameters()]
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    seen = []
    try:
        for training in (True, False):
            model.train(training)
            compress(model, text[:3], progress=lambda done, of: seen.append((done, of, torch.get_num_threads())))
            assert model.training is training and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert seen == [(1, 3, 1), (2, 3, 1), (3, 3, 1)] * 2
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_another_model_and_damaged_data_give_other_tokens(model, text):
    ids = text[3000:3200]
    data = compress(model, ids).data
    torch.manual_seed(1)
    assert decompress(Transformer(TINY), data, len(ids)) != ids
    for damaged in (b"", b"\xff" * 300, data[:20] + bytes([data[20] ^ 1]) + data[21:]):
        found = decompress(model, damaged, len(ids))
        assert len(found) == len(ids) and found != ids and all(0 <= token < 64 for token in found)


def test_worked_frequencies():
    # 2^24 = 16,777,216 parts for 4 tokens: 4 are handed out first, the rest by share, rounded down.
    found = frequencies(np.array([0.5, 0.25, 0.25, 0.0]))
    assert found.tolist() == [8_388_607, 4_194_304, 4_194_304, 1] and found.sum() == TOTAL


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 50_000), st.floats(0, 60), st.integers(0, 2**32 - 1))
def test_frequencies_keep_every_token_and_cost_little(n_tokens, scale, seed):
    p = softmax((scale * np.random.default_rng(seed).standard_normal(n_tokens)).astype(np.float32))
    found = frequencies(p)
    assert found.min() >= 1 and found.sum() <= TOTAL and p.sum() == pytest.approx(1)
    used = p > 0
    cost_bits = -np.log2(found[used] / found.sum()) + np.log2(p[used])
    assert cost_bits.max() <= -math.log2(1 - n_tokens / TOTAL) + 1e-9


def test_softmax_agrees_with_torch_and_refuses_what_is_not_finite():
    logits = torch.tensor([1000.0, 999.0, -1000.0, 0.0])
    assert np.allclose(softmax(logits.numpy()), torch.softmax(logits.double(), 0).numpy(), atol=1e-15)
    with pytest.raises(TrainingError, match="not finite"):
        softmax(np.array([0.0, math.nan], dtype=np.float32))


@pytest.mark.parametrize("token", [-1, 64])
def test_unknown_ids_are_named(model, token):
    with pytest.raises(TokenizerError, match=f"no token {token}"):
        compress(model, [1, token])


def test_predictor_takes_steps_of_one_token(model, text):
    lengths = []
    hook = model.register_forward_pre_hook(lambda module, arguments: lengths.append(arguments[0].shape[1]))
    try:
        compress(model, text[:40])
    finally:
        hook.remove()
    assert lengths == [1] * 16 + [8] + [1] * 8 + [8] + [1] * 8 + [8] + [1] * 4
    assert Predictor(model).next().tolist() == [1 / 64] * 64
