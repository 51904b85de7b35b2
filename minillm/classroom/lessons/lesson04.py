"""The material of notebook 04: exercises and quiz items about attention and the transformer."""

import itertools
import math

from minillm.classroom.exercises import Exercise, Failure, Wrong
from minillm.classroom.quiz import QuizItem

# --- what a token looks up: what followed it last time


def induction_guess(ids):
    for place in range(len(ids) - 2, -1, -1):
        if ids[place] == ids[-1]:
            return ids[place + 1]
    return None


def guess_cases(rng):
    fixed = [[4, 7, 2, 4], [1, 2, 1, 3, 1], [3], [5, 6, 7], [5, 5], [2, 9, 9, 2, 9], [1, 2, 1, 3, 1, 3, 1, 4, 1]]
    return [(ids,) for ids in [*fixed, *([rng.randrange(5) for _ in range(12)] for _ in range(4))]]


def first_guess(ids):
    place = ids.index(ids[-1])
    return ids[place + 1] if place < len(ids) - 1 else None


def commonest_guess(ids):
    followers = [b for a, b in itertools.pairwise(ids) if a == ids[-1]]
    return max(followers, key=followers.count) if followers else None


def guess_before(ids):
    for place in range(len(ids) - 2, 0, -1):
        if ids[place] == ids[-1]:
            return ids[place - 1]
    return None


def guess_itself(ids):
    return ids[-1] if ids[-1] in ids[:-1] else None


def guess_place(ids):
    found = [place for place in range(len(ids) - 1) if ids[place] == ids[-1]]
    return found[-1] + 1 if found else None


def guess_without_place_0(ids):
    return induction_guess([None, *ids[1:]]) if len(ids) > 1 else None


def guess_one_place(ids):
    return ids[-1] if len(ids) > 1 and ids[-2] == ids[-1] else None


# --- what numpy and torch give where exp is too large or nothing is left: inf / inf, or 0 / 0

NAN = Failure("OverflowError")
"""Stands for nan in a wrong answer: the checker takes any float that is not finite for it."""


# --- the weights of one query


def weights_of_query(query, keys):
    scores = [sum(a * b for a, b in zip(query, key, strict=True)) / math.sqrt(len(query)) for key in keys]
    largest = max(scores)
    powers = [math.exp(score - largest) for score in scores]
    return [power / sum(powers) for power in powers]


def query_cases(rng):
    def vector(width, size=1.5):
        return [rng.uniform(-size, size) for _ in range(width)]

    made = [(vector(width), [vector(width) for _ in range(n)]) for width, n in ((2, 3), (4, 5), (9, 4), (4, 1))]
    far = [[64.0] * 4, [64 - 1 / 128] * 4, vector(4), [-64.0] * 4]
    return [*made, ([32.0] * 4, far)]  # scores 4096 and 4095.5, exact in float32 too, and -4096


def dot_products(query, keys):
    return [sum(a * b for a, b in zip(query, key, strict=True)) for key in keys]


def softmax(scores):
    largest = max(scores)
    powers = [math.exp(score - largest) for score in scores]
    return [power / sum(powers) for power in powers]


def overflowing_weights(query, keys):
    powers = [math.exp(score / math.sqrt(len(query))) for score in dot_products(query, keys)]
    return [power / sum(powers) for power in powers]


def overflowing_weights_of_numpy(query, keys):
    return with_nan([score / math.sqrt(len(query)) for score in dot_products(query, keys)])


def overflowing_unscaled(query, keys):
    powers = [math.exp(score) for score in dot_products(query, keys)]
    return [power / sum(powers) for power in powers]


def overflowing_unscaled_of_numpy(query, keys):
    return with_nan(dot_products(query, keys))


def with_nan(scores):
    if max(scores) < 700:  # exp(709) is the last that a float holds
        return softmax(scores)
    return [NAN if score > 700 else 0.0 for score in scores]  # inf / inf is nan, 1 / inf is 0


def scaled_by_keys(query, keys):
    return softmax([score / math.sqrt(len(keys)) for score in dot_products(query, keys)])


def not_divided(query, keys):
    scores = [score / math.sqrt(len(query)) for score in dot_products(query, keys)]
    return [math.exp(score - max(scores)) for score in scores]


def weights_add_up(answer, rng):
    found = answer([rng.uniform(-1, 1) for _ in range(4)], [[rng.uniform(-1, 1) for _ in range(4)] for _ in range(6)])
    if abs(sum(found) - 1) > 1e-6:
        return "The weights must sum to 1: they say how one token divides its attention."
    return None


# --- the causal mask


def causal_weights(scores):
    rows = []
    for t, row in enumerate(scores):
        visible = row[: t + 1]
        largest = max(visible)
        powers = [math.exp(score - largest) for score in visible]
        rows.append([power / sum(powers) for power in powers] + [0.0] * (len(row) - t - 1))
    return rows


def mask_cases(rng):
    made = [([[rng.uniform(-2, 2) for _ in range(n)] for _ in range(n)],) for n in (1, 2, 3, 5)]
    loud_future = [[-900.0, 900.0, 0.0], [rng.uniform(-1, 1) for _ in range(3)], [900.0, 899.0, 898.0]]
    return [*made, (loud_future,)]


def unmasked(scores):
    return [softmax(row) for row in scores]


def masked_afterwards(scores):
    return [[w * (j <= t) for j, w in enumerate(softmax(row))] for t, row in enumerate(scores)]


def masked_with_zero(scores):
    return [softmax([score if j <= t else 0.0 for j, score in enumerate(row)]) for t, row in enumerate(scores)]


def masked_past(scores):
    return [[0.0] * t + softmax(row[t:]) for t, row in enumerate(scores)]


def masked_itself(scores):
    n = len(scores)
    return [[0.0] * n, *(softmax(row[:t]) + [0.0] * (n - t) for t, row in enumerate(scores) if t)]


def over_queries(scores):
    n = len(scores)
    columns = [[0.0] * j + softmax([scores[t][j] for t in range(j, n)]) for j in range(n)]
    return [list(row) for row in zip(*columns, strict=True)]


def largest_of_all(scores):
    rows = []
    for t, row in enumerate(scores):
        powers = [math.exp(score - max(row)) * (j <= t) for j, score in enumerate(row)]
        rows.append([power / sum(powers) for power in powers])
    return rows


def largest_of_all_of_numpy(scores):
    return [row_with_nan(row, t, max(row[: t + 1]) < max(row) - 700) for t, row in enumerate(scores)]


def overflowing_rows_of_numpy(scores):
    return [row_with_nan(row, t, not -700 < max(row[: t + 1]) < 700) for t, row in enumerate(scores)]


def masked_itself_of_torch(scores):
    return [[NAN] * len(scores), *masked_itself(scores)[1:]]


def row_with_nan(row, t, lost):
    return [NAN] * len(row) if lost else softmax(row[: t + 1]) + [0.0] * (len(row) - t - 1)


# --- parameters of a block


def block_parameters(d_model, d_head, n_kv_heads, d_hidden):
    attention = 2 * d_model * d_model + 2 * d_model * n_kv_heads * d_head
    feed_forward = 3 * d_model * d_hidden
    norms = 2 * d_model + 2 * d_head
    return attention + feed_forward + norms


def block_cases(rng):
    shapes = ((3, 192), (3, 256), (4, 320))  # key-value heads of 32 numbers, and the width
    return [
        {"d_model": width, "d_head": 32, "n_kv_heads": heads, "d_hidden": width * 2 + 64 * rng.randint(1, 5)}
        for heads, width in shapes
    ]


def changed_count(change):
    def wrong(d_model, d_head, n_kv_heads, d_hidden):
        right = block_parameters(d_model, d_head, n_kv_heads, d_hidden)
        return right + change(d_model, d_head, n_kv_heads * d_head, d_hidden)

    return wrong


# --- rotary positions


def rotary_score(query, key, query_position, key_position, frequency):
    def turned(vector, angle):
        x, y = vector
        return x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)

    q = turned(query, query_position * frequency)
    k = turned(key, key_position * frequency)
    return q[0] * k[0] + q[1] * k[1]


def rotary_cases(rng):
    made = []
    for positions in ((5, 2), (0, 3), (7, 7), (40, 1), (rng.randint(10, 20), rng.randint(1, 9))):
        vectors = [[rng.choice((-1, 1)) * rng.uniform(0.3, 1.5) for _ in range(2)] for _ in range(2)]
        made.append((*vectors, *positions, rng.uniform(0.05, 0.4)))
    return made


def only_the_query(query, key, query_position, key_position, frequency):
    return rotary_score(query, key, query_position, 0, frequency)


def turned_apart(query, key, query_position, key_position, frequency):
    return rotary_score(query, key, query_position, -key_position, frequency)


def turned_backwards(query, key, query_position, key_position, frequency):
    return rotary_score(query, key, -query_position, -key_position, frequency)


def without_frequency(query, key, query_position, key_position, frequency):
    return rotary_score(query, key, query_position, key_position, 1.0)


def in_degrees(query, key, query_position, key_position, frequency):
    return rotary_score(query, key, query_position, key_position, math.radians(frequency))


def not_turned(query, key, query_position, key_position, frequency):
    return query[0] * key[0] + query[1] * key[1]


def only_the_distance_counts(answer, rng):
    query, key = ([rng.uniform(0.3, 1.5) for _ in range(2)] for _ in range(2))
    here, there = (answer(query, key, start + 4, start, 0.3) for start in (0, 25))
    if abs(here - there) > 1e-6:
        return "Move both tokens on by the same number of places: the score must not change."
    return None


# --- the best possible predictor of a chain


def next_state(ids, n_states, added):
    counts = [added] * n_states
    for place in range(len(ids) - 1):
        if ids[place] == ids[-1]:
            counts[ids[place + 1]] += 1
    return [count / sum(counts) for count in counts]


def state_cases(rng):
    made = [([0, 1, 0, 2, 0], 3, 0.3), ([2], 4, 0.5), ([1, 1, 1], 2, 0.3)]
    return [*made, *(([rng.randrange(n) for _ in range(14)] + [0, 1, 0], n, rng.uniform(0.1, 0.9)) for n in (2, 3, 5))]


def counted_itself(ids, n_states, added):
    right, n = next_state(ids, n_states, added), ids[:-1].count(ids[-1])
    return [p * (n + n_states * added) / (n + 1 + n_states * added) for p in right]


def counted_states(ids, n_states, added):
    return [(ids.count(s) + added) / (len(ids) + n_states * added) for s in range(n_states)]


def counted_before(ids, n_states, added):
    counts = [added] * n_states
    for before, now in itertools.pairwise(ids):
        counts[before] += now == ids[-1]
    return [count / sum(counts) for count in counts]


def only_counted(ids, n_states, added):
    return [added + sum(a == ids[-1] and b == s for a, b in itertools.pairwise(ids)) for s in range(n_states)]


def without_added(ids, n_states, added):
    followers = [b for a, b in itertools.pairwise(ids) if a == ids[-1]]
    return [followers.count(s) / max(1, len(followers)) for s in range(n_states)]


# --- the likeliest next token again and again, and the likeliest text


def greedy_and_best(table, start, length):
    greedy, token = 1.0, start
    best = [float(token == start) for token in range(len(table))]  # of all texts so far that end in each token
    for _ in range(length):
        row = table[token]
        greedy, token = greedy * max(row), row.index(max(row))
        best = [max(p * row[b] for p, row in zip(best, table, strict=True)) for b in range(len(table))]
    return greedy, max(best)


def path_cases(rng):
    fork = [[0.0, 0.6, 0.4], [0.4, 0.3, 0.3], [0.0, 0.0, 1.0]]  # greedy: 0.6 x 0.4; best: 0.4 x 1
    later = [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.6, 0.4], [0.4, 0.3, 0.2, 0.1], [0.0, 0.0, 0.0, 1.0]]  # the second step
    made = [(fork, 0, 2), (fork, 0, 3), (fork, 2, 2), (later, 0, 3)]
    for n, length in ((3, 2), (3, 4), (4, 3)):
        rows = [[rng.uniform(0.05, 1.0) for _ in range(n)] for _ in range(n)]
        made.append(([[w / sum(row) for w in row] for row in rows], rng.randrange(n), length))
    return made


def greedy_twice(table, start, length):
    return (greedy_and_best(table, start, length)[0],) * 2


def best_rows(table, start, length):
    greedy, _ = greedy_and_best(table, start, length)
    return greedy, max(max(row) for row in table) ** length


def first_step_tried(table, start, length):
    greedy = greedy_and_best(table, start, length)[0]
    return greedy, max(p * greedy_and_best(table, b, length - 1)[0] for b, p in enumerate(table[start]))


def one_too_few(table, start, length):
    return greedy_and_best(table, start, length - 1)


def exchanged(table, start, length):
    return greedy_and_best(table, start, length)[::-1]


EXERCISES = (
    Exercise(
        key="04.guess",
        question=(
            "Do by hand what the two layers do. Write `induction_guess(ids)`: look for the last earlier occurrence of "
            "the last id, and return the id that followed it; return `None` if the last id has not occurred before."
        ),
        difficulty=2,
        starter="def induction_guess(ids):\n    return ...\n",
        hints=(
            "The last id is ids[-1]. It does not count as its own earlier occurrence.",
            "Walk backwards over the places before the last one, and stop at the first that holds the same id.",
            "for place in range(len(ids) - 2, -1, -1): what stands at place + 1?",
        ),
        reference=induction_guess,
        wrong=(
            Wrong("first", first_guess, "You took the first occurrence; the last one before the end is asked for."),
            Wrong(
                "commonest",
                commonest_guess,
                "That is what followed most often. It is a fine predictor, but here only the last occurrence counts.",
            ),
            Wrong("before", guess_before, "You return what came before the earlier occurrence: go one place on."),
            Wrong("itself", guess_itself, "You found the earlier occurrence; return what followed it."),
            Wrong("place", guess_place, "You return the place of what followed; return the id that stands there."),
            Wrong("place 0", guess_without_place_0, "The first id counts too: where does your loop end?"),
            Wrong(
                "one place",
                guess_one_place,
                "You give up after one place: return None only when all places have been looked at.",
            ),
        ),
        cases=guess_cases,
    ),
    Exercise(
        key="04.weights",
        question=(
            "Write `weights_of_query(query, keys)`: the attention weights that one query gives to a list of keys, "
            "softmax(q k / sqrt(D)), where D is how many numbers the query has. Scores may be in the thousands."
        ),
        difficulty=2,
        starter="def weights_of_query(query, keys):\n    return ...\n",
        hints=(
            "One score a key: multiply query and key number by number, add up, divide by the square root of D.",
            "math.exp(4096) is too large for a float. Softmax does not change if you take the same number from all.",
            "Subtract the largest score, take exp of each, divide each by their sum.",
        ),
        reference=weights_of_query,
        wrong=(
            Wrong(
                "not scaled",
                lambda query, keys: softmax(dot_products(query, keys)),
                "The scores are not divided by the square root of D.",
            ),
            Wrong(
                "scaled by D",
                lambda query, keys: softmax([s / len(query) for s in dot_products(query, keys)]),
                "You divided by D; its square root is asked for.",
            ),
            Wrong(
                "scores",
                lambda query, keys: [s / math.sqrt(len(query)) for s in dot_products(query, keys)],
                "Those are the scores; softmax turns them into weights.",
            ),
            Wrong(
                "shares of scores",
                lambda query, keys: [s / sum(dot_products(query, keys)) for s in dot_products(query, keys)],
                "You divided the scores by their sum. Scores can be below zero: take exp of each first.",
            ),
            Wrong(
                "overflow",
                overflowing_weights,
                "Right for small scores, but large ones overflow: subtract the largest score before exp.",
            ),
            Wrong(
                "overflow to inf",
                overflowing_weights_of_numpy,
                "Right for small scores, but exp of large ones is inf, and inf / inf is nan (not a number): subtract "
                "the largest score before exp.",
            ),
            Wrong(
                "not scaled, overflow",
                overflowing_unscaled,
                "The scores are not divided by the square root of D; and large ones overflow, see hint 2.",
            ),
            Wrong(
                "not scaled, overflow to inf",
                overflowing_unscaled_of_numpy,
                "The scores are not divided by the square root of D; and exp of large ones is inf, see hint 2.",
            ),
            Wrong(
                "scaled by keys",
                scaled_by_keys,
                "D is how many numbers the query has, not how many keys there are.",
            ),
            Wrong(
                "not divided",
                not_divided,
                "Divide by the sum at the end: the weights must sum to 1.",
            ),
        ),
        cases=query_cases,
        properties=(weights_add_up,),
    ),
    Exercise(
        key="04.mask",
        question=(
            "Write `causal_weights(scores)`: `scores[t][j]` says how well the token at t fits the one at j. Return the "
            "weights, as a list of rows: softmax over the tokens that t may see, 0 for those after it."
        ),
        difficulty=3,
        starter="def causal_weights(scores):\n    return ...\n",
        hints=(
            "The token at t may see the places 0 to t, itself included.",
            "Cut each row to what is visible, take its softmax, fill up with zeros.",
            "Subtract the largest visible score before exp; a hidden one may be larger still and must not matter.",
        ),
        reference=causal_weights,
        wrong=(
            Wrong("unmasked", unmasked, "Your rows give weight to tokens that are yet to come."),
            Wrong(
                "afterwards",
                masked_afterwards,
                "Your rows do not sum to 1: you hid the future after the softmax. Its scores had their say by then.",
            ),
            Wrong(
                "zero",
                masked_with_zero,
                "A score of 0 is not invisible: exp(0) is 1. Leave hidden scores out, or set them to minus infinity.",
            ),
            Wrong("the past", masked_past, "You hid the past and kept the future: turn the mask round."),
            Wrong("itself", masked_itself, "A token may look at itself too: the first one has nothing else."),
            Wrong(
                "over queries",
                over_queries,
                "Your columns sum to 1. A row is one token that divides its attention, so each row must.",
            ),
            Wrong(
                "largest of all",
                largest_of_all,
                "exp becomes 0 for every visible score of a row: subtract the largest of the visible ones before exp, "
                "whatever the hidden ones are.",
            ),
            Wrong(
                "largest of all, nan",
                largest_of_all_of_numpy,
                "A large hidden score makes all visible ones vanish, and 0 / 0 is nan (not a number): subtract the "
                "largest of the visible ones before exp.",
            ),
            Wrong(
                "overflow to inf",
                overflowing_rows_of_numpy,
                "Right for small scores, but exp of large ones is inf, and of very negative ones 0, and then a row is "
                "nan (not a number): subtract the largest visible score before exp.",
            ),
            Wrong(
                "itself, nan",
                masked_itself_of_torch,
                "Your first row is nan (not a number), for it sees nothing: a token may look at itself too, so mask "
                "from triu(1) on.",
            ),
        ),
        cases=mask_cases,
    ),
    Exercise(
        key="04.block",
        question=(
            "A block with shared keys and values: a width of 512, 8 query heads of 64 numbers, but only 4 key-value "
            "heads of 64, and SwiGLU with 1,536 numbers inside. No biases. Norms: two of the width, and one each for "
            "queries and keys, of the width of a head. How many parameters has the block?"
        ),
        difficulty=3,
        starter="block_count = ...\n",
        hints=(
            "Query and output are 512 by 512. Key and value are narrower: 512 by 4 x 64.",
            "SwiGLU has three matrices of 512 by 1,536: gate, up, down.",
            "An RMSNorm has one number for each number it scales: twice 512, and twice 64.",
        ),
        reference=block_parameters,
        solution="block_count = 2 * 512 * 512 + 2 * 512 * 4 * 64 + 3 * 512 * 1536 + 2 * 512 + 2 * 64\n",
        wrong=(
            Wrong(
                "four squares",
                changed_count(lambda c, d, kv, h: 2 * c * (c - kv)),
                "You made all four attention matrices square. With four key-value heads, key and value are narrower.",
            ),
            Wrong(
                "one head",
                changed_count(lambda c, d, kv, h: 2 * c * (d - kv)),
                "You counted one key-value head; there are four.",
            ),
            Wrong(
                "key or value",
                changed_count(lambda c, d, kv, h: -c * kv),
                "Key and value have a matrix each.",
            ),
            Wrong(
                "no output",
                changed_count(lambda c, d, kv, h: -c * c),
                "Attention has a fourth matrix: the output, which mixes what the heads have gathered.",
            ),
            Wrong(
                "two matrices",
                changed_count(lambda c, d, kv, h: -c * h),
                "That is GPT-2's feed-forward part with two matrices. SwiGLU has a third, the gate.",
            ),
            Wrong(
                "no norms",
                changed_count(lambda c, d, kv, h: -2 * c - 2 * d),
                "All matrices are there; the norms are missing.",
            ),
            Wrong(
                "no head norms",
                changed_count(lambda c, d, kv, h: -2 * d),
                "Nearly: queries and keys have a norm each, of the width of a head.",
            ),
            Wrong(
                "no block norms",
                changed_count(lambda c, d, kv, h: -2 * c),
                "Nearly: attention and feed-forward part have a norm each before them, of the width of the model.",
            ),
            Wrong(
                "one block norm",
                changed_count(lambda c, d, kv, h: -c),
                "Nearly: there are two norms of the width of the model.",
            ),
            Wrong(
                "one head norm",
                changed_count(lambda c, d, kv, h: -d),
                "Nearly: there are two norms of the width of a head.",
            ),
            Wrong(
                "a norm a head",
                changed_count(lambda c, d, kv, h: c + kv - 2 * d),
                "Nearly: all heads share one norm for queries and one for keys.",
            ),
            Wrong(
                "all norms wide",
                changed_count(lambda c, d, kv, h: 2 * c - 2 * d),
                "Nearly: the norms of queries and keys have the width of a head, not of the model.",
            ),
        ),
        cases=block_cases,
        tolerance=1e-9,
    ),
    Exercise(
        key="04.rotary",
        question=(
            "Write `rotary_score(query, key, query_position, key_position, frequency)` for vectors of two numbers: "
            "turn each by its position times the frequency (radians, anticlockwise), and return the product q k, not "
            "divided by anything."
        ),
        difficulty=3,
        starter="def rotary_score(query, key, query_position, key_position, frequency):\n    return ...\n",
        hints=(
            "Turning (x, y) by an angle a gives (x cos a - y sin a, x sin a + y cos a).",
            "Turn the query by query_position * frequency and the key by key_position * frequency, the same way round.",
            "Then multiply number by number and add up: q[0] * k[0] + q[1] * k[1].",
        ),
        reference=rotary_score,
        wrong=(
            Wrong("query only", only_the_query, "Only the query is turned; the key has a position too."),
            Wrong(
                "apart",
                turned_apart,
                "Query and key turn in opposite ways, so the sum of the positions counts instead of their distance.",
            ),
            Wrong("backwards", turned_backwards, "Both turn clockwise: look at the sign of the sines."),
            Wrong("no frequency", without_frequency, "The angle is the position times the frequency."),
            Wrong("degrees", in_degrees, "Python's sine and cosine take radians: no conversion is needed."),
            Wrong("not turned", not_turned, "The positions change nothing in your score: turn both vectors first."),
        ),
        cases=rotary_cases,
        properties=(only_the_distance_counts,),
    ),
    Exercise(
        key="04.bayes",
        question=(
            "Write the lower line of the staircase. `next_state(ids, n_states, added)` returns a list, a probability "
            "for each state to come next, in a chain that you know only from `ids`: start each count at `added`, count "
            "what followed the present state (the last id) so far, and divide by the sum."
        ),
        difficulty=4,
        starter="def next_state(ids, n_states, added):\n    return ...\n",
        hints=(
            "Only pairs of neighbours whose first is ids[-1] matter.",
            "The last id itself has no follower yet, so it is no pair.",
            "counts = [added] * n_states; add 1 at the follower of each earlier occurrence; divide by sum(counts).",
        ),
        reference=next_state,
        wrong=(
            Wrong(
                "itself",
                counted_itself,
                "You divide by one too many: the last id has no follower yet. Divide by the sum of your counts.",
            ),
            Wrong(
                "states",
                counted_states,
                "You counted states, wherever they stand: that is the unigram. Count what followed the present state.",
            ),
            Wrong("before", counted_before, "You counted what came before the present state, not what followed it."),
            Wrong("counts", only_counted, "Those are the counts: divide each by their sum."),
            Wrong(
                "not added",
                without_added,
                "What has not followed yet has probability 0 in your answer: where is `added`?",
            ),
        ),
        cases=state_cases,
    ),
    Exercise(
        key="04.greedy",
        question=(
            "`table[a][b]` is the probability that b follows a. Write `greedy_and_best(table, start, length)`: return "
            "two probabilities, that of the text of `length` tokens after `start` that takes the likeliest next token "
            "each time, and that of the likeliest of all texts of this length."
        ),
        difficulty=4,
        starter="def greedy_and_best(table, start, length):\n    return ...\n",
        hints=(
            "The probability of a text is the product of its steps, from `start` on.",
            "Greedy: the place of the largest number in the row of the last token, `length` times.",
            "So few texts can all be tried: itertools.product(range(len(table)), repeat=length).",
        ),
        reference=greedy_and_best,
        wrong=(
            Wrong(
                "the same",
                greedy_twice,
                "You took the greedy text for the likeliest. A less likely first step can lead to likelier ones: "
                "try all.",
            ),
            Wrong(
                "best rows",
                best_rows,
                "You took the largest number of the whole table each time; the steps must join up to one text.",
            ),
            Wrong(
                "first step tried",
                first_step_tried,
                "You try every first step and go on greedily; a less likely later step can pay too: try all texts.",
            ),
            Wrong("too short", one_too_few, "Your texts are one token short: `start` does not count."),
            Wrong("exchanged", exchanged, "The two are exchanged: first the greedy text, then the likeliest."),
        ),
        cases=path_cases,
    ),
)

QUIZ = (
    QuizItem(
        key="04.weights_from",
        question="Where do the attention weights of a trained model come from when it reads a new text?",
        options={
            "a": "They are stored, one for each pair of positions",
            "b": "They are computed from the text itself, by stored matrices",
            "c": "They are the shares of the tokens in the training text",
            "d": "They are drawn at random for each text",
        },
        right="b",
        explanations={
            "a": "Then every text would be read alike. Stored are the matrices that make queries and keys.",
            "b": "Queries and keys are made from the tokens, so another text gets other weights.",
            "c": "Shares of tokens are what a table of counts holds; attention is about the text at hand.",
            "d": "Reading a text twice gives the same weights twice.",
        },
        notebook="04",
        section="1. From counting to looking back",
    ),
    QuizItem(
        key="04.no_position",
        question="One layer of attention without positions reads a text. Then two earlier tokens change places. What "
        "happens to what the last token gathers?",
        options={
            "a": "It changes, because the weights move with the tokens",
            "b": "It changes, because the mask hides other tokens now",
            "c": "Nothing: the same tokens get the same weights",
            "d": "It becomes random",
        },
        right="c",
        explanations={
            "a": "The weights do move with the tokens, and so the sum over them stays what it was.",
            "b": "Both tokens are visible to the last one, before and after.",
            "c": "A weighted sum does not care in which order its terms come. So positions are put in on purpose.",
            "d": "Nothing in attention is random.",
        },
        notebook="04",
        section="2. Where things stand: heads and positions",
    ),
    QuizItem(
        key="04.flat",
        question="A loss has been flat for a hundred steps. What follows?",
        options={
            "a": "The model has learned all it can: stop",
            "b": "The learning rate must be wrong",
            "c": "By itself nothing: it may stay flat or fall",
            "d": "It is sure to fall soon",
        },
        right="c",
        explanations={
            "a": "In the staircase it had learned the smaller part: the larger came after the flat stretch.",
            "b": "It was the same rate before, on and after the plateau.",
            "c": "Two layers fell, one layer did not in 500 steps, and both curves looked alike until then.",
            "d": "The model of one layer lay just as flat, and had not fallen when the run ended.",
        },
        notebook="04",
        section="4. Nothing known beforehand",
    ),
    QuizItem(
        key="04.two_layers",
        question="Why does looking up what followed last time take two layers?",
        options={
            "a": "One layer has too few parameters to hold all pairs of letters",
            "b": "One step notes who stood before; only then can another look for it",
            "c": "The first layer reads letters, and only the second reads pairs of them",
            "d": "One layer cannot see back to the start of the sequence",
        },
        right="b",
        explanations={
            "a": "The control had as many parameters in one layer, and stayed flat: size is no explanation.",
            "b": "The first layer writes the previous token into each place, the second searches for it.",
            "c": "Neither reads pairs: each token looks at single places, in both layers.",
            "d": "One layer sees the whole past already.",
        },
        notebook="04",
        section="6. Built by hand",
    ),
)
