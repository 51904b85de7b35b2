"""The material of notebook 02: exercises and quiz items about tokens and vocabularies."""

import itertools
import math
from collections import Counter
from itertools import pairwise

from minillm.bpe import count_pairs, merge, most_frequent
from minillm.classroom.exercises import Exercise, Wrong
from minillm.classroom.quiz import QuizItem

# --- words never seen


def share_unseen(known, text):
    unseen = 0
    for word in text:
        if word not in known:
            unseen += 1
    return unseen / len(text)


def unseen_cases(rng):
    made = []
    while len(made) < 4:
        words = rng.sample(["sun", "moon", "star", "sky", "sea", "tide", "sand", "wind"], 8)
        known = words[: rng.randint(3, 5)]
        text = [words[0], words[0], words[6], words[6], words[6], *rng.choices(words, k=rng.randint(4, 9))]
        answers = [
            f(known, text) for f in (share_unseen, of_different_words, new_over_all, seen, counted_unseen, of_known)
        ]
        if all(abs(a - b) > 0.01 for a, b in itertools.combinations(answers, 2)):
            made.append((known, text))
    return made


def new_over_all(known, text):
    return len(set(text) - set(known)) / len(text)


def of_different_words(known, text):
    return share_unseen(known, sorted(set(text)))


def seen(known, text):
    return 1 - share_unseen(known, text)


def counted_unseen(known, text):
    return sum(word not in known for word in text)


def of_known(known, text):
    return sum(word not in known for word in text) / len(known)


# --- pairs, each different chunk once


def count_all_pairs(chunk_counts):
    counts = {}
    for ids, times in chunk_counts.items():
        for i in range(len(ids) - 1):
            pair = (ids[i], ids[i + 1])
            counts[pair] = counts.get(pair, 0) + times
    return counts


def pairs_cases(rng):
    made = []
    for _ in range(4):
        a, b, c, d = rng.sample(range(97, 123), 4)
        chunks = {(a, b, a, b, c): rng.randint(2, 9), (c, a, b): rng.randint(2, 9), (b, a): rng.randint(2, 9)}
        made.append((chunks | {(a, a, a): rng.randint(2, 9), (d,): rng.randint(2, 9)},))
    return [*made, ({(5,): 3},)]


def each_chunk_once(chunk_counts):
    return count_all_pairs(dict.fromkeys(chunk_counts, 1))


def without_order(chunk_counts):
    counts = Counter()
    for pair, times in count_all_pairs(chunk_counts).items():
        counts[tuple(sorted(pair))] += times
    return counts


def not_overlapping(chunk_counts):
    counts = Counter()
    for ids, times in chunk_counts.items():
        place = 0
        while place < len(ids) - 1:
            pair = ids[place], ids[place + 1]
            counts[pair] += times
            place += 2 if ids[place + 1 : place + 3] == (pair[0], pair[0]) and pair[0] == pair[1] else 1
    return counts


def once_a_chunk(chunk_counts):
    counts = Counter()
    for ids, times in chunk_counts.items():
        for pair in set(pairwise(ids)):
            counts[pair] += times
    return counts


def across_borders(chunk_counts):
    return dict(Counter(pairwise(id for ids, n in chunk_counts.items() for _ in range(n) for id in ids)))


# --- one round of learning


def learn_one(chunks, new_id):
    counts = Counter(pair for ids in chunks for pair in pairwise(ids))
    most = max(counts.values())
    pair = min(pair for pair, count in counts.items() if count == most)
    return pair, [merge(ids, pair, new_id) for ids in chunks]


def learn_cases(rng):
    made = []
    for _ in range(4):
        a, b, c, d = sorted(rng.sample(range(97, 123), 4))
        # three times each: (b, a) is met first, (c, d) has the largest ids, (a, b) the smallest
        chunks = [[b, a], [c, d], [b, a], [d, c, d], [a, b, d, a, b], [c], [b, a], [c, d], [a, b]]
        made.append((chunks, rng.randint(256, 900)))
    a, b, c, d = sorted(rng.sample(range(97, 123), 4))
    made.append(([[a, b], [b, a], [c, d], [a, b], [b, a], [d, c, d], [c, d, b]], rng.randint(256, 900)))  # (c, d) leads
    for _ in range(2):
        b, a = sorted(rng.sample(range(97, 123), 2))
        made.append(([[a] * 3, [a] * 5, [b, a], [b, a, b]], rng.randint(256, 900)))  # runs of one id
    return made


def round_with(pair, chunks, new_id):
    return pair, [merge(ids, pair, new_id) for ids in chunks]


def first_of_equals(chunks, new_id):
    counts = count_pairs(chunks)
    return round_with(max(counts, key=counts.get), chunks, new_id)


def largest_of_equals(chunks, new_id):
    counts = count_pairs(chunks)
    return round_with(max(counts, key=lambda pair: (counts[pair], pair)), chunks, new_id)


def smallest_ids(chunks, new_id):
    return round_with(min(count_pairs(chunks)), chunks, new_id)


def order_ignored(chunks, new_id):
    counts = Counter(tuple(sorted(pair)) for ids in chunks for pair in pairwise(ids))
    return round_with(most_frequent(counts), chunks, new_id)


def exchanged(chunks, new_id):
    return learn_one(chunks, new_id)[::-1]


def tail_lost(chunks, new_id):
    pair, _ = learn_one(chunks, new_id)
    merged = []
    for ids in chunks:
        row, place = [], 0
        while place < len(ids) - 1:
            found = (ids[place], ids[place + 1]) == pair
            row.append(new_id if found else ids[place])
            place += 2 if found else 1
        merged.append(row)
    return pair, merged


def places_overlap(chunks, new_id):
    pair, _ = learn_one(chunks, new_id)
    merged = []
    for ids in chunks:
        found = [both == pair for both in pairwise(ids)]
        starts, ends = [*found, False], [False, *found]
        merged.append([new_id if s else id for id, s, e in zip(ids, starts, ends, strict=True) if s or not e])
    return pair, merged


def from_the_right(chunks, new_id):
    pair, _ = learn_one(chunks, new_id)
    return pair, [merge(ids[::-1], pair[::-1], new_id)[::-1] for ids in chunks]


def first_place_only(chunks, new_id):
    pair, _ = learn_one(chunks, new_id)
    merged = []
    for ids in chunks:
        place = next((i for i, found in enumerate(pairwise(ids)) if found == pair), None)
        merged.append(ids if place is None else [*ids[:place], new_id, *ids[place + 2 :]])
    return pair, merged


def in_one_row(chunks, new_id):
    return learn_one([list(itertools.chain.from_iterable(chunks))], new_id)


def chunks_stay_as_they_are(answer, rng):
    chunks = [[97, 98, 97, 98], [98]]
    answer(chunks, 256)
    if chunks != [[97, 98, 97, 98], [98]]:
        return "Your function changes the chunks it is given: make new lists instead."
    return None


# --- encoding by ranks


def encode_word(word, ranks):
    parts = [word[i : i + 1] for i in range(len(word))]
    while True:
        joined = [left + right for left, right in pairwise(parts)]
        known = [part for part in joined if part in ranks]
        if not known:
            return [ranks[part] for part in parts]
        first = min(known, key=ranks.get)
        place = joined.index(first)
        parts[place : place + 2] = [first]


def encode_cases(rng):
    made = []
    for _ in range(3):
        a, b, c, d, e = (bytes([byte]) for byte in rng.sample(range(97, 123), 5))
        tokens = [a, b, c, d, e, b + c, d + e, b + c + d + e, a + b + c + d + e, a + b, c + d, d + d]
        start = rng.randint(0, 500)
        ranks = {token: start + i for i, token in enumerate(tokens)}
        long = b"".join(rng.choices([a, b, c, d, e], k=9))
        made += [(word, ranks) for word in (a + b + c + d + e, a + b + c, b + c + d, d + d + d, long, a)]
    return [*made, (b"", ranks)]


def join_parts(word, ranks, choose):
    parts = [word[i : i + 1] for i in range(len(word))]
    while known := [i for i in range(len(parts) - 1) if parts[i] + parts[i + 1] in ranks]:
        place = choose(known, [ranks[parts[i] + parts[i + 1]] for i in known])
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return [ranks[part] for part in parts]


def leftmost_first(word, ranks):
    return join_parts(word, ranks, lambda places, _: places[0])


def highest_first(word, ranks):
    return join_parts(word, ranks, lambda places, ids: places[ids.index(max(ids))])


def longest_match(word, ranks):
    ids = []
    while word:
        n = max(n for n in range(1, len(word) + 1) if word[:n] in ranks)
        ids.append(ranks[word[:n]])
        word = word[n:]
    return ids


def single_bytes(word, ranks):
    return [ranks[word[i : i + 1]] for i in range(len(word))]


def one_join(word, ranks):
    parts = [word[i : i + 1] for i in range(len(word))]
    known = [left + right for left, right in pairwise(parts) if left + right in ranks]
    if known:
        first = min(known, key=ranks.get)
        place = [left + right for left, right in pairwise(parts)].index(first)
        parts[place : place + 2] = [first]
    return [ranks[part] for part in parts]


# --- bits a byte


def bits_from_nats(nats_a_token, targets, n_bytes):
    return nats_a_token * targets / n_bytes / math.log(2)


def bits_cases(rng):
    made = []
    while len(made) < 3:
        nats, targets, n_bytes = rng.uniform(2, 6), rng.randint(200, 900), rng.randint(1500, 4000)
        bits = nats / math.log(2)
        near = (bits, bits * n_bytes / targets)  # mistakes that may come out like the one with the perplexity
        if all(abs(math.exp(nats) * targets / n_bytes / other - 1) > 0.1 for other in near):
            made.append({"nats_a_token": nats, "targets": targets, "n_bytes": n_bytes})
    return made


# --- bytes to text


def decode_ids(ids, tokens):
    found = b""
    for id in ids:
        found += tokens[id]
    return found.decode("utf-8", errors="replace")


def decode_cases(rng):
    letter = rng.choice("éñßжλ").encode()
    sign = rng.choice("猫漢語").encode()
    tokens = {0: b"a", 1: b" b", 2: letter[:1], 3: letter[1:], 4: sign[:2], 5: sign[2:], 6: b"c" + letter[:1]}
    rows = ([0, 1], [0, 2, 3, 1], [4, 5, 0], [6, 3], [0, 2], [3, 0, 4], [])
    numbers = rng.sample(range(300, 900), 7)
    renamed = {numbers[id]: token for id, token in tokens.items()}
    return [([numbers[id] for id in row], renamed) for row in rows]


def one_by_one(ids, tokens):
    return "".join(tokens[id].decode("utf-8", errors="replace") for id in ids)


def left_out(ids, tokens):
    return b"".join(tokens[id] for id in ids).decode("utf-8", errors="ignore")


def strict(ids, tokens):
    return b"".join(tokens[id] for id in ids).decode("utf-8")


def a_letter_a_byte(ids, tokens):
    return b"".join(tokens[id] for id in ids).decode("latin-1")


# --- perplexity in other tokens


def other_perplexity(perplexity, bytes_per_token, other_bytes_per_token):
    nats_per_byte = math.log(perplexity) / bytes_per_token
    return math.exp(nats_per_byte * other_bytes_per_token)


def perplexity_cases(rng):
    return [
        (rng.uniform(5, 60), rng.uniform(1.5, 2.5), rng.uniform(3, 4.5)),
        (rng.uniform(5, 60), rng.uniform(3, 4.5), 1),
        (rng.uniform(2, 9), 1, rng.uniform(2, 4)),
    ]


# --- the share of table and head


def vocabulary_share(vocab_size, d_model, rest, tied):
    tables = 1 if tied else 2
    words = tables * vocab_size * d_model
    return words / (words + rest)


def share_cases(rng):
    return [
        (rng.randint(300, 60_000), rng.choice([64, 128, 768]), rng.randint(10**5, 10**7), tied)
        for tied in (True, False, False, True)
    ]


EXERCISES = (
    Exercise(
        key="02.unseen",
        question=(
            "Write `share_unseen(known, text)`: of all running words in the list `text`, which share is not among the "
            "words of the list `known`? A word that comes three times counts three times."
        ),
        difficulty=1,
        starter="def share_unseen(known, text):\n    return ...\n",
        hints=(
            "Go through the text word by word and count the strangers.",
            "Divide by the number of running words in the text.",
            "sum(word not in known for word in text) counts them; len(text) is the number of running words.",
        ),
        reference=share_unseen,
        wrong=(
            Wrong(
                "different words",
                of_different_words,
                "You counted each different word once. A reader stumbles at every occurrence: count running words.",
            ),
            Wrong(
                "new over all",
                new_over_all,
                "You counted each new word once, but divided by all running words: count every occurrence.",
            ),
            Wrong(
                "percent",
                lambda known, text: 100 * share_unseen(known, text),
                "That is in percent. A share lies between 0 and 1: leave out the 100.",
            ),
            Wrong("the others", seen, "That is the share of words that are known: the rest is wanted."),
            Wrong("count", counted_unseen, "That is how many; divide by the number of running words in the text."),
            Wrong("of known", of_known, "You divided by the number of known words; divide by that of the text."),
        ),
        cases=unseen_cases,
    ),
    Exercise(
        key="02.pairs",
        question=(
            "The first idea that makes learning fast: look at each different chunk once. Write "
            "`count_all_pairs(chunk_counts)`: the dict has a tuple of ids for each chunk and how often it occurs; "
            "return a dict from each pair of neighbours to how often it occurs in the whole text. Pairs may overlap; "
            "none crosses the border of a chunk."
        ),
        difficulty=2,
        starter="def count_all_pairs(chunk_counts):\n    return ...\n",
        hints=(
            "Go through the chunks; in each, through the places but the last.",
            "A pair in a chunk that occurs seven times occurs seven times as well.",
            "counts[pair] = counts.get(pair, 0) + times",
        ),
        reference=count_all_pairs,
        wrong=(
            Wrong(
                "each chunk once",
                each_chunk_once,
                "Each chunk counts as often as it occurs: add its number of times, not 1.",
            ),
            Wrong("without order", without_order, "(a, b) and (b, a) are two pairs: keep the order."),
            Wrong(
                "not overlapping",
                not_overlapping,
                "Pairs may overlap while counting: a a a holds the pair (a, a) twice.",
            ),
            Wrong("once a chunk", once_a_chunk, "A pair can stand in one chunk several times: count every place."),
            Wrong(
                "across", across_borders, "Some of your pairs cross the border of a chunk: pair up within chunks only."
            ),
        ),
        cases=pairs_cases,
    ),
    Exercise(
        key="02.learn",
        question=(
            "Write one round of learning, `learn_one(chunks, new_id)`: find the most frequent pair in the chunks (a "
            "list of lists of ids), of equally frequent ones that with the smallest ids, and replace it from left to "
            "right in every chunk. Return the pair and the new list of chunks. The functions above may help."
        ),
        difficulty=3,
        starter="def learn_one(chunks, new_id):\n    return ...\n",
        hints=(
            "Three steps: count, choose, replace.",
            "count_pairs(chunks) counts. Of the pairs with the highest count, min() gives the smallest ids.",
            "merge(ids, pair, new_id) replaces in one chunk; return the pair and a list with each chunk merged.",
        ),
        reference=learn_one,
        wrong=(
            Wrong(
                "first of equals",
                first_of_equals,
                "Of equally frequent pairs you took the one met first. The order of the text must not decide: take the "
                "smallest ids.",
            ),
            Wrong(
                "largest", largest_of_equals, "Of equally frequent pairs you took the largest ids: take the smallest."
            ),
            Wrong("smallest ids", smallest_ids, "You took the smallest ids without looking at the counts first."),
            Wrong("without order", order_ignored, "(a, b) and (b, a) are two pairs: keep the order while counting."),
            Wrong("exchanged", exchanged, "Return the pair first, then the new chunks."),
            Wrong("pair only", lambda chunks, new_id: learn_one(chunks, new_id)[0], "Return the new chunks as well."),
            Wrong("chunks only", lambda chunks, new_id: learn_one(chunks, new_id)[1], "Return the pair as well."),
            Wrong(
                "places overlap",
                places_overlap,
                "In a a a your places overlap: join the first two and go on behind them.",
            ),
            Wrong("tail lost", tail_lost, "The last id of a chunk is lost where it ends no merged pair: keep it."),
            Wrong(
                "from the right", from_the_right, "You replace from the right: in a a a the first two belong together."
            ),
            Wrong(
                "first place", first_place_only, "You replace the first place in each chunk only: replace every one."
            ),
            Wrong(
                "one row",
                in_one_row,
                "You joined the chunks first. Then pairs cross their borders: keep the chunks apart.",
            ),
        ),
        cases=learn_cases,
        properties=(chunks_stay_as_they_are,),
    ),
    Exercise(
        key="02.encode",
        question=(
            "tiktoken stores no merges, only each token's bytes and id: the ranks. Write `encode_word(word, ranks)`: "
            "start from the single bytes of `word` (a bytes object); as long as two neighbours joined are a token, "
            "join the two whose token has the lowest id, the leftmost of several; return the ids. An empty word has "
            "none."
        ),
        difficulty=4,
        starter="def encode_word(word, ranks):\n    return ...\n",
        hints=(
            "Keep a list of parts, at first one byte each: word[i : i + 1] is a bytes object of one byte.",
            "In a loop: join each part with its neighbour, keep those in ranks, and find the lowest id.",
            "Replace two parts by one with parts[place : place + 2] = [joined]; stop when no joined part is in ranks.",
        ),
        reference=encode_word,
        wrong=(
            Wrong(
                "leftmost",
                leftmost_first,
                "You join the leftmost pair that fits. The one learned first comes first: the lowest id.",
            ),
            Wrong("highest", highest_first, "You join the highest id first: early merges have low ids."),
            Wrong(
                "longest match",
                longest_match,
                "You take the longest token from the left. BPE replays its merges instead; the result can differ.",
            ),
            Wrong("bytes", single_bytes, "These are the ids of single bytes: nothing was joined."),
            Wrong(
                "numbers as keys",
                lambda word, ranks: [ranks[byte] for byte in word],
                "A key is not in `ranks`. Its keys are bytes objects: `word[i]` is a number, `word[i : i + 1]` is one.",
            ),
            Wrong(
                "tokens",
                lambda word, ranks: [{id: token for token, id in ranks.items()}[id] for id in encode_word(word, ranks)],
                "These are the tokens' bytes. Return their ids: look each one up in `ranks`.",
            ),
            Wrong("one join", one_join, "You joined once: go on until no two neighbours fit."),
        ),
        cases=encode_cases,
    ),
    Exercise(
        key="02.bits",
        question=(
            "`nats_a_token` is the held-out loss of the model with the largest vocabulary, `targets` the number of "
            "tokens it was scored on, `n_bytes` that of the text's bytes. How many bits does the model pay for a byte? "
            "Compute it from these three; two decimals will do."
        ),
        difficulty=2,
        starter="answer_bits = ...\n",
        hints=(
            "First all the nats of the text, then its bytes.",
            "nats_a_token * targets is what the whole text costs, in nats.",
            "A bit is math.log(2) nats: divide by it, and by n_bytes.",
        ),
        reference=bits_from_nats,
        wrong=(
            Wrong(
                "a token",
                lambda nats_a_token, targets, n_bytes: nats_a_token / math.log(2),
                "These are bits a token. Multiply by the tokens and divide by the bytes.",
            ),
            Wrong(
                "nats",
                lambda nats_a_token, targets, n_bytes: nats_a_token * targets / n_bytes,
                "These are nats a byte. A bit is ln 2 nats.",
            ),
            Wrong(
                "the whole text",
                lambda nats_a_token, targets, n_bytes: nats_a_token * targets / math.log(2),
                "These are the bits of the whole text: divide by its bytes.",
            ),
            Wrong(
                "one token over all bytes",
                lambda nats_a_token, targets, n_bytes: nats_a_token / math.log(2) / n_bytes,
                "You spread the bits of one token over the whole text: take those of all targets.",
            ),
            Wrong(
                "times ln 2",
                lambda nats_a_token, targets, n_bytes: nats_a_token * targets / n_bytes * math.log(2),
                "You multiplied by ln 2. A bit is less than a nat, so there are more bits: divide.",
            ),
            Wrong(
                "upside down",
                lambda nats_a_token, targets, n_bytes: nats_a_token / math.log(2) * n_bytes / targets,
                "Tokens and bytes are exchanged: a token has several bytes, so a byte costs less than a token.",
            ),
            Wrong(
                "perplexity",
                lambda nats_a_token, targets, n_bytes: math.exp(nats_a_token) * targets / n_bytes,
                "You started from the perplexity. Start from the nats: they add up over a text, perplexities do not.",
            ),
        ),
        cases=bits_cases,
        tolerance=0.006,
        solution="answer_bits = nats_a_token * targets / n_bytes / math.log(2)",
    ),
    Exercise(
        key="02.decode",
        question=(
            "Write `decode_ids(ids, tokens)`: `tokens` has the bytes of each id. Return the text. A letter may be "
            "spread over several tokens; bytes that are no UTF-8 become U+FFFD, the replacement character, and never "
            "an error."
        ),
        difficulty=3,
        starter="def decode_ids(ids, tokens):\n    return ...\n",
        hints=(
            "Join the bytes of all tokens before you decode anything.",
            "b''.join(...) joins bytes; .decode('utf-8', errors=...) has a setting for what is no UTF-8.",
            "errors='replace' puts U+FFFD.",
        ),
        reference=decode_ids,
        wrong=(
            Wrong(
                "one by one",
                one_by_one,
                "You decode each token alone. Half a letter here and half in the next token make one: join first.",
            ),
            Wrong("left out", left_out, "Bytes that are no UTF-8 vanish: show that something was there, with U+FFFD."),
            Wrong(
                "strict", strict, "Your function stops at bytes that are no UTF-8. A model may write them at any time."
            ),
            Wrong("latin-1", a_letter_a_byte, "You read each byte as a letter of its own: the bytes are UTF-8."),
        ),
        cases=decode_cases,
    ),
    Exercise(
        key="02.perplexity",
        question=(
            "Two models pay the same bits a byte. Write `other_perplexity(perplexity, bytes_per_token, "
            "other_bytes_per_token)`: from the perplexity of the first and the mean length of both models' tokens "
            "return the perplexity of the second."
        ),
        difficulty=3,
        starter="def other_perplexity(perplexity, bytes_per_token, other_bytes_per_token):\n    return ...\n",
        hints=(
            "From perplexity to nats a token, then to nats a byte, then back with the other length.",
            "nats a token is the logarithm of the perplexity; divide by the bytes of a token for nats a byte.",
            "math.exp(math.log(perplexity) / bytes_per_token * other_bytes_per_token)",
        ),
        reference=other_perplexity,
        wrong=(
            Wrong(
                "in proportion",
                lambda p, b, other: p * other / b,
                "You scaled the perplexity. It is the nats that grow with the length of a token; a perplexity is e to "
                "them.",
            ),
            Wrong(
                "upside down",
                lambda p, b, other: p ** (b / other),
                "The lengths are exchanged: longer tokens hold more surprise each.",
            ),
            Wrong(
                "unchanged",
                lambda p, b, other: p,
                "Equal bits a byte are not equal perplexities: that is the point.",
            ),
            Wrong(
                "nats",
                lambda p, b, other: math.log(p) / b * other,
                "These are the nats a token of the second model. Its perplexity is e to them.",
            ),
        ),
        cases=perplexity_cases,
    ),
    Exercise(
        key="02.share",
        question=(
            "Write `vocabulary_share(vocab_size, d_model, rest, tied)`: which share of a model's parameters depends on"
            " the vocabulary? The embedding has `vocab_size` rows of `d_model` numbers, the head as many again unless "
            "it is tied, that is, the same table. `rest` is the number of all other parameters."
        ),
        difficulty=2,
        starter="def vocabulary_share(vocab_size, d_model, rest, tied):\n    return ...\n",
        hints=(
            "One table has vocab_size * d_model numbers.",
            "Untied: two tables. Tied: one.",
            "The share is tables / (tables + rest).",
        ),
        reference=vocabulary_share,
        wrong=(
            Wrong(
                "always one",
                lambda v, d, rest, tied: v * d / (v * d + rest),
                "You counted one table always. An untied head is a second table of the same size.",
            ),
            Wrong(
                "always two",
                lambda v, d, rest, tied: 2 * v * d / (2 * v * d + rest),
                "You counted two tables always. A tied head uses the embedding again: one table.",
            ),
            Wrong(
                "exchanged",
                lambda v, d, rest, tied: (2 if tied else 1) * v * d / ((2 if tied else 1) * v * d + rest),
                "Tied means shared, so one table; untied means two.",
            ),
            Wrong(
                "percent",
                lambda v, d, rest, tied: 100 * vocabulary_share(v, d, rest, tied),
                "That is in percent. A share lies between 0 and 1: leave out the 100.",
            ),
            Wrong(
                "of the rest",
                lambda v, d, rest, tied: (1 if tied else 2) * v * d / rest,
                "You divided by the rest. A share is a part of the whole, the tables included.",
            ),
        ),
        cases=share_cases,
    ),
)

QUIZ = (
    QuizItem(
        key="02.unknown",
        question="Why can no text be unknown to a byte-level tokenizer?",
        options={
            "a": "Its vocabulary holds every word.",
            "b": "Every text is a row of bytes, and all 256 bytes are tokens.",
            "c": "Unknown words become one special token.",
            "d": "It learns new merges whenever a new word comes.",
        },
        right="b",
        explanations={
            "a": "No list holds every word: about an eighth of the words in new articles were strangers.",
            "b": "In the worst case a word costs one token a byte, but it always comes back unchanged.",
            "c": "That was the way of word vocabularies, and it loses the word. Here nothing is lost.",
            "d": "The merges are fixed once they are learned: a model's ids must keep their meaning.",
        },
        notebook="02",
    ),
    QuizItem(
        key="02.order",
        question="A new word is encoded. Which merge is made first?",
        options={
            "a": "The one that gives the longest token.",
            "b": "The leftmost one that fits.",
            "c": "The one whose pair is most frequent in the new text.",
            "d": "Of those that fit, the one that was learned first.",
        },
        right="d",
        explanations={
            "a": "Length plays no part; the longest tokens come from late merges.",
            "b": "The place decides only between equal pairs.",
            "c": "Counts matter while learning. Encoding looks at no counts, so a word is cut alike in every text.",
            "d": "Encoding replays the learning, so that text is cut as the training text was.",
        },
        notebook="02",
    ),
    QuizItem(
        key="02.compare",
        question="Model A has perplexity 9 a byte, model B 90 a token of 3 bytes. Which predicts text better?",
        options={
            "a": "A: its perplexity is ten times lower.",
            "b": "Nobody can say from these numbers.",
            "c": "B: three bytes cost A 9 x 9 x 9 = 729.",
            "d": "Both are equal: nine and ninety differ by the vocabulary only.",
        },
        right="c",
        explanations={
            "a": "A chooses among few for each byte, but it chooses three times as often.",
            "b": "The length of a token is given, and that is all that is needed.",
            "c": "Over the same three bytes A is as unsure as among 729, B as among 90. Bits a byte say the same.",
            "d": "Equal would be 729 a token: perplexities multiply along a text.",
        },
        notebook="02",
    ),
    QuizItem(
        key="02.special",
        question="Somebody types the 13 characters <|endoftext|> into a text. What should a tokenizer do?",
        options={
            "a": "Cut them into tokens like any other text.",
            "b": "Make them the end-of-text token, for that is its name.",
            "c": "Delete them.",
            "d": "Refuse the text.",
        },
        right="a",
        explanations={
            "a": "Only the program that joins documents may set the border; what people type is text.",
            "b": "Then any text could end a document, or start a new one, in the model's eyes.",
            "c": "Then this sentence could not be written about tokenizers: text must come back unchanged.",
            "d": "There is nothing wrong with the text; this course contains it many times.",
        },
        notebook="02",
    ),
)
