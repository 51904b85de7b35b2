"""The material of notebook 06: exercises and quiz items about the loss, its units, and when to stop."""

import math

from minillm.classroom.exercises import Exercise, Wrong
from minillm.classroom.quiz import QuizItem

# --- one loss, three units


def price_tags(loss_nats):
    return loss_nats / math.log(2), math.exp(loss_nats)


def price_cases(rng):
    return [(rng.uniform(0.3, 6.0),) for _ in range(4)]


# --- many documents, one perplexity


def overall_perplexity(losses_nats, tokens):
    total_nats = sum(loss * n for loss, n in zip(losses_nats, tokens, strict=True))
    return math.exp(total_nats / sum(tokens))


def overall_cases(rng):
    made = [([rng.uniform(1, 3), rng.uniform(4, 6)], [rng.randint(300, 900), rng.randint(3, 60)])]
    for n in (3, 5):
        made.append(([rng.uniform(0.5, 6) for _ in range(n)], [rng.randint(2, 1000) for _ in range(n)]))
    return [*made, ([rng.uniform(1, 4)], [rng.randint(5, 50)])]


def mean_of_perplexities(losses_nats, tokens):
    return sum(math.exp(loss) for loss in losses_nats) / len(losses_nats)


def weighted_perplexities(losses_nats, tokens):
    return sum(math.exp(loss) * n for loss, n in zip(losses_nats, tokens, strict=True)) / sum(tokens)


def documents_alike(losses_nats, tokens):
    return math.exp(sum(losses_nats) / len(losses_nats))


def of_the_total(losses_nats, tokens):
    return sum(loss * n for loss, n in zip(losses_nats, tokens, strict=True)) / sum(tokens)


def over_documents(losses_nats, tokens):
    return math.exp(sum(loss * n for loss, n in zip(losses_nats, tokens, strict=True)) / len(losses_nats))


def two_to_the_mean(losses_nats, tokens):
    return 2 ** of_the_total(losses_nats, tokens)


def losses_over_tokens(losses_nats, tokens):
    return math.exp(sum(losses_nats) / sum(tokens))


# --- a paired difference


def paired(model_nats, source_nats):
    differences = [m - s for m, s in zip(model_nats, source_nats, strict=True)]
    mean = sum(differences) / len(differences)
    variance = sum((d - mean) ** 2 for d in differences) / (len(differences) - 1)
    return mean, math.sqrt(variance / len(differences))


def paired_cases(rng):
    made = []
    for n in (2, 3, rng.randint(5, 9), rng.randint(10, 20)):
        source = [rng.uniform(0.2, 3.0) for _ in range(n)]
        made.append(([s + rng.uniform(-0.3, 0.5) for s in source], source))
    return made


def deviation_not_error(model_nats, source_nats):
    mean, error = paired(model_nats, source_nats)
    return mean, error * math.sqrt(len(model_nats))


def divided_by_all(model_nats, source_nats):
    mean, error = paired(model_nats, source_nats)
    return mean, error * math.sqrt((len(model_nats) - 1) / len(model_nats))


def turned_round(model_nats, source_nats):
    return paired(source_nats, model_nats)


def unpaired(model_nats, source_nats):
    zeros = [0.0] * len(model_nats)
    (model_mean, model_error), (mean, error) = paired(model_nats, zeros), paired(source_nats, zeros)
    return model_mean - mean, math.hypot(model_error, error)


def without_root(model_nats, source_nats):
    mean, error = paired(model_nats, source_nats)
    return mean, error**2


def divided_by_n_itself(model_nats, source_nats):
    mean, error = paired(model_nats, source_nats)
    return mean, error / math.sqrt(len(model_nats))


def variance_alone(model_nats, source_nats):
    mean, error = paired(model_nats, source_nats)
    return mean, error**2 * len(model_nats)


# --- the entropy of a small source


def weather_bits(sun_stays, rain_stays):
    def bits(p):
        return -p * math.log2(p) - (1 - p) * math.log2(1 - p)

    sun_share = (1 - rain_stays) / ((1 - sun_stays) + (1 - rain_stays))
    return sun_share * bits(sun_stays) + (1 - sun_share) * bits(rain_stays)


def weather_cases(rng):
    made = []
    while len(made) < 4:
        sun, rain = rng.uniform(0.05, 0.95), rng.uniform(0.05, 0.95)
        found = [f(sun, rain) for f in (weather_bits, rows_alike, without_memory, wrong_share)]
        if min(abs(found[0] - other) for other in found[1:]) > 0.01:
            made.append((sun, rain))
    return made


def binary_bits(p):
    return -p * math.log2(p) - (1 - p) * math.log2(1 - p)


def rows_alike(sun_stays, rain_stays):
    return (binary_bits(sun_stays) + binary_bits(rain_stays)) / 2


def without_memory(sun_stays, rain_stays):
    return binary_bits((1 - rain_stays) / ((1 - sun_stays) + (1 - rain_stays)))


def wrong_share(sun_stays, rain_stays):
    share = (1 - sun_stays) / ((1 - sun_stays) + (1 - rain_stays))
    return share * binary_bits(sun_stays) + (1 - share) * binary_bits(rain_stays)


def half_a_coin(sun_stays, rain_stays):
    share = (1 - rain_stays) / ((1 - sun_stays) + (1 - rain_stays))
    return -share * sun_stays * math.log2(sun_stays) - (1 - share) * rain_stays * math.log2(rain_stays)


# --- a rule for stopping


def stop_at(losses, patience):
    best, waited = losses[0], 0
    for place in range(1, len(losses)):
        if losses[place] < best:
            best, waited = losses[place], 0
        else:
            waited += 1
        if waited == patience:
            return place
    return len(losses) - 1


def stop_cases(rng):
    def noise():
        return rng.uniform(0, 0.01)

    made = [
        # falls, rises once, falls lower, then rises for good
        ([4.0 + noise(), 3.0 + noise(), 3.2 + noise(), 2.5 + noise(), 2.6, 2.55, 2.7, 2.8, 2.9], 2),
        # a zigzag that stays above the lowest: each second value is below the one before
        ([5.0 + noise(), 2.0, 2.6, 2.3, 2.5, 2.2, 2.4, 2.3, 2.35], 3),
        # an equal value is no new lowest
        ([3.0, 2.0, 2.0, 2.0, 2.0, 1.0], 2),
        # never: the end
        ([4.0 - 0.3 * n - noise() for n in range(rng.randint(5, 8))], 2),
        ([3.0, 2.9 + noise(), 3.1, 2.8, 3.3, 2.7, 3.0, 2.6], 2),
    ]
    for _ in range(3):
        made.append(([rng.uniform(1, 3) for _ in range(14)], rng.randint(2, 4)))
    return made


def best_place(losses, patience):
    seen = losses[: stop_at(losses, patience) + 1]
    return seen.index(min(seen))


def against_the_last(losses, patience):
    waited = 0
    for place in range(1, len(losses)):
        waited = 0 if losses[place] < losses[place - 1] else waited + 1
        if waited == patience:
            return place
    return len(losses) - 1


def in_all(losses, patience):
    best, waited = losses[0], 0
    for place in range(1, len(losses)):
        if losses[place] < best:
            best = losses[place]
        else:
            waited += 1
        if waited == patience:
            return place
    return len(losses) - 1


def counted_from_one(losses, patience):
    return stop_at(losses, patience) + 1


def nothing_at_the_end(losses, patience):
    return stop_at(losses, patience) if _patience_ran_out(losses, patience) else None


def _patience_ran_out(losses, patience):
    return stop_at([*losses, -math.inf], patience) < len(losses)


def rising_in_a_row(losses, patience):
    risen = 0
    for place in range(1, len(losses)):
        risen = risen + 1 if losses[place] > losses[place - 1] else 0
        if risen == patience:
            return place
    return len(losses) - 1


def one_too_late(losses, patience):
    return stop_at(losses, patience + 1)


def equal_counts(losses, patience):
    best, waited = losses[0], 0
    for place in range(1, len(losses)):
        if losses[place] <= best:
            best, waited = losses[place], 0
        else:
            waited += 1
        if waited == patience:
            return place
    return len(losses) - 1


# --- one step of arithmetic coding


def narrow(low, high, shares, symbol):
    width = high - low
    start = sum(shares[:symbol])
    return low + width * start, low + width * (start + shares[symbol])


def narrow_cases(rng):
    made = []
    for n in (2, 3, 5):
        for symbol in (0, n - 1, rng.randrange(n)):
            weights = [rng.uniform(0.1, 1.0) for _ in range(n)]
            low = rng.uniform(0.1, 0.5)
            made.append((low, low + rng.uniform(0.1, 0.4), [w / sum(weights) for w in weights], symbol))
    return made


def not_scaled(low, high, shares, symbol):
    start = sum(shares[:symbol])
    return start, start + shares[symbol]


def not_moved(low, high, shares, symbol):
    start, end = narrow(low, high, shares, symbol)
    return start - low, end - low


def always_from_low(low, high, shares, symbol):
    return low, low + (high - low) * shares[symbol]


def next_symbols(low, high, shares, symbol):
    start = sum(shares[: symbol + 1])
    return low + (high - low) * start, low + (high - low) * (start + shares[symbol])


def end_without_start(low, high, shares, symbol):
    start, _ = narrow(low, high, shares, symbol)
    return start, low + (high - low) * shares[symbol]


def scaled_by_high(low, high, shares, symbol):
    start = sum(shares[:symbol])
    return low + high * start, low + high * (start + shares[symbol])


def stays_inside(answer, rng):
    low, high = answer(0.25, 0.75, [0.5, 0.25, 0.25], rng.randrange(3))
    if not 0.25 <= low < high <= 0.75:
        return "The new interval must lie inside the old one: 0.25 to 0.75 was given."
    return None


# --- where a model pays for itself


def break_even_bytes(model_bytes, model_bits_a_byte, xz_bits_a_byte):
    return model_bytes * 8 / (xz_bits_a_byte - model_bits_a_byte)


def break_even_cases(rng):
    made = []
    for _ in range(3):
        model = rng.uniform(1.2, 2.0)
        made.append(
            {
                "model_bytes": rng.randint(100_000, 900_000),
                "model_bits_a_byte": model,
                "xz_bits_a_byte": model + rng.uniform(0.5, 1.5),
            }
        )
    return made


def without_eight(model_bytes, model_bits_a_byte, xz_bits_a_byte):
    return model_bytes / (xz_bits_a_byte - model_bits_a_byte)


def model_alone(model_bytes, model_bits_a_byte, xz_bits_a_byte):
    return model_bytes * 8 / xz_bits_a_byte


def model_price(model_bytes, model_bits_a_byte, xz_bits_a_byte):
    return model_bytes * 8 / model_bits_a_byte


EXERCISES = (
    Exercise(
        key="06.units",
        question=(
            "A loss has three price tags. Write `price_tags(loss_nats)`: return the same loss in bits a token, and as "
            "a perplexity."
        ),
        difficulty=1,
        starter="def price_tags(loss_nats):\n    return ...\n",
        hints=(
            "A bit is smaller than a nat, so the number of bits is larger.",
            "One bit is ln 2 nats: divide. Perplexity undoes the natural logarithm.",
            "loss_nats / math.log(2) is the first; math.exp of what is the second?",
        ),
        reference=price_tags,
        wrong=(
            Wrong(
                "multiplied",
                lambda loss: (loss * math.log(2), math.exp(loss)),
                "You multiplied by ln 2. A bit is the smaller unit, so there must be more of them: divide.",
            ),
            Wrong(
                "two to the nats",
                lambda loss: (loss / math.log(2), 2**loss),
                "2 to the power of nats mixes two units. It is e to the nats, or 2 to the bits.",
            ),
            Wrong(
                "e to the bits",
                lambda loss: (loss / math.log(2), math.exp(loss / math.log(2))),
                "e to the power of bits mixes two units. It is e to the nats, or 2 to the bits.",
            ),
            Wrong(
                "exchanged",
                lambda loss: (math.exp(loss), loss / math.log(2)),
                "Right numbers, wrong order: bits first, then perplexity.",
            ),
            Wrong(
                "still nats",
                lambda loss: (loss, math.exp(loss)),
                "The first number is still in nats. One bit is ln 2 nats: divide by it.",
            ),
            Wrong(
                "logarithm of the loss",
                lambda loss: (math.log2(loss), math.exp(loss)),
                "The loss is already a logarithm: do not take another one. Changing the unit is a division by ln 2.",
            ),
            Wrong(
                "perplexity alone",
                math.exp,
                "That is the perplexity alone. Return two numbers: bits first, then perplexity.",
            ),
        ),
        cases=price_cases,
    ),
    Exercise(
        key="06.perplexity",
        question=(
            "Several documents were measured: the mean loss of each, in nats a token, and its number of tokens. Write "
            "`overall_perplexity(losses_nats, tokens)`: the perplexity of the model on all of them together."
        ),
        difficulty=2,
        starter="def overall_perplexity(losses_nats, tokens):\n    return ...\n",
        hints=(
            "Think of all the documents as one long text. What is its total surprise?",
            "A document's total is its mean loss times its tokens. Sum the totals, divide by all tokens.",
            "Take e to the power at the very end, once.",
        ),
        reference=overall_perplexity,
        wrong=(
            Wrong(
                "mean of perplexities",
                mean_of_perplexities,
                "You averaged perplexities. A short, hard document then outweighs all others: average nats, then "
                "exponentiate once.",
            ),
            Wrong(
                "weighted perplexities",
                weighted_perplexities,
                "The weights are right, but you averaged perplexities. Weigh the losses, and exponentiate at the end.",
            ),
            Wrong(
                "documents alike",
                documents_alike,
                "Each document counts the same here, a line as much as a book. Weigh each loss by its tokens.",
            ),
            Wrong("still nats", of_the_total, "That is the loss in nats a token. The perplexity is e to that power."),
            Wrong(
                "two to the nats", two_to_the_mean, "The losses are in nats: the perplexity is e to that power, not 2."
            ),
            Wrong(
                "over documents",
                over_documents,
                "The total surprise is divided by the number of documents, or not at all. Divide it by the number of "
                "all tokens.",
            ),
            Wrong(
                "losses over tokens",
                losses_over_tokens,
                "You added mean losses as if they were totals. A document's total is its mean loss times its tokens.",
            ),
        ),
        cases=overall_cases,
        equivalent=("line 2: True -> False",),
    ),
    Exercise(
        key="06.paired",
        question=(
            "Two predictors were scored on the same symbols. Write `paired(model_nats, source_nats)`: the mean of "
            "model minus source, and the standard error of that mean. (The variance of n differences is divided by "
            "n - 1, and the standard error is the square root of variance / n.)"
        ),
        difficulty=3,
        starter="def paired(model_nats, source_nats):\n    return ...\n",
        hints=(
            "First make one list of differences, symbol by symbol. Everything else is about that list.",
            "Mean of the differences; then the squared distances from it, summed and divided by n - 1.",
            "The standard error is math.sqrt(variance / n): it shrinks as the list grows.",
        ),
        reference=paired,
        wrong=(
            Wrong(
                "standard deviation",
                deviation_not_error,
                "That is the spread of single differences. The mean of n is surer by the square root of n: divide.",
            ),
            Wrong(
                "divided by n",
                divided_by_all,
                "Almost: the variance of a sample is divided by n - 1, since its mean was computed from it too.",
            ),
            Wrong("turned round", turned_round, "The sign is turned: it is model minus source."),
            Wrong("without the root", without_root, "That is variance / n. The standard error is its square root."),
            Wrong(
                "divided by n itself",
                divided_by_n_itself,
                "You divided the standard deviation by n. The root goes over n too: the root of variance / n.",
            ),
            Wrong(
                "variance alone",
                variance_alone,
                "The second number is the variance of single differences. The standard error is the square root of "
                "variance / n.",
            ),
            Wrong(
                "unpaired",
                unpaired,
                "You treated the two lists as if they came from different texts. Subtract first, symbol by symbol: "
                "what makes a text hard meets both and cancels.",
            ),
        ),
        cases=paired_cases,
    ),
    Exercise(
        key="06.entropy",
        question=(
            "A weather source has two symbols. After sun comes sun with probability `sun_stays`, after rain comes rain "
            "with `rain_stays`. Write `weather_bits(sun_stays, rain_stays)`: its entropy in bits a symbol, the loss "
            "that no model gets below. In the long run the share of sunny days is "
            "(1 - rain_stays) / ((1 - sun_stays) + (1 - rain_stays))."
        ),
        difficulty=3,
        starter="def weather_bits(sun_stays, rain_stays):\n    return ...\n",
        hints=(
            "After a sunny day tomorrow is a coin with known odds. So it is after a rainy one, with other odds.",
            "The entropy of a coin is -p log2 p - (1 - p) log2 (1 - p). Compute it for each kind of day.",
            "Average the two, each weighted by the share of its days.",
        ),
        reference=weather_bits,
        wrong=(
            Wrong(
                "rows alike",
                rows_alike,
                "You gave both kinds of day the same weight. Weigh each by how often it occurs.",
            ),
            Wrong(
                "without memory",
                without_memory,
                "That is the price for a predictor who does not look at today. Take the entropy after each kind of "
                "day, then average.",
            ),
            Wrong(
                "wrong share",
                wrong_share,
                "The weights are exchanged: if rain rarely stays, most days are sunny.",
            ),
            Wrong(
                "in nats",
                lambda sun, rain: weather_bits(sun, rain) * math.log(2),
                "That is in nats. For bits take logarithms to base 2.",
            ),
            Wrong(
                "half of each coin",
                half_a_coin,
                "After each day two things can come. Change of weather has a probability and a price as well: 1 - p.",
            ),
            Wrong(
                "sum",
                lambda sun, rain: binary_bits(sun) + binary_bits(rain),
                "You added both coins. Only one is thrown each day: average them, weighted by the share of their days.",
            ),
            Wrong(
                "sign",
                lambda sun, rain: -weather_bits(sun, rain),
                "The sign is turned: a logarithm of a probability is negative, a price is not.",
            ),
        ),
        cases=weather_cases,
    ),
    Exercise(
        key="06.stop",
        question=(
            "Write the rule called early stopping, `stop_at(losses, patience)`: go through held-out losses and return "
            "the place (from 0) at which you stop. You stop as soon as `patience` losses in a row were no new lowest; "
            "an equal loss is no new lowest. If that never happens, return the last place."
        ),
        difficulty=3,
        starter="def stop_at(losses, patience):\n    return ...\n",
        hints=(
            "Two things to remember on the way: the lowest loss so far, and how many since it were no new lowest.",
            "A new lowest sets the count back to 0; any other loss adds 1.",
            "Return the place at which the count reaches patience, not the place of the lowest loss.",
        ),
        reference=stop_at,
        wrong=(
            Wrong(
                "place of the best",
                best_place,
                "That is the place of the best checkpoint, worth keeping. The question is at which place you stop.",
            ),
            Wrong(
                "against the last",
                against_the_last,
                "You compare each loss with the one before. A zigzag above the lowest then never stops: compare with "
                "the lowest so far.",
            ),
            Wrong("never set back", in_all, "A new lowest must set the count back to 0: patience counts in a row."),
            Wrong("one too late", one_too_late, "You stop one loss too late: stop when the count reaches patience."),
            Wrong("equal is lower", equal_counts, "An equal loss is no new lowest: it adds to the count."),
            Wrong("counted from 1", counted_from_one, "Your places are one too high: the first loss has place 0."),
            Wrong(
                "nothing at the end",
                nothing_at_the_end,
                "If patience never runs out, your function returns nothing: after the loop, return the last place.",
            ),
            Wrong(
                "rising in a row",
                rising_in_a_row,
                "You count losses that rise. A loss can fall and be no new lowest: compare with the lowest so far.",
            ),
        ),
        cases=stop_cases,
    ),
    Exercise(
        key="06.interval",
        question=(
            "One step of arithmetic coding. The message so far is the interval from `low` to `high`. The next symbol "
            "is number `symbol`, and the probabilities of all symbols are `shares`, which cut the interval in their "
            "order. Write `narrow(low, high, shares, symbol)`: return both ends of the part that stays."
        ),
        difficulty=4,
        starter="def narrow(low, high, shares, symbol):\n    return ...\n",
        hints=(
            "Where does the symbol's part begin, as a share of the whole? Add up the shares of all symbols before it.",
            "The interval has the width high - low: every share is a share of that width.",
            "The part begins at low + width * sum(shares[:symbol]). Where does it end?",
        ),
        reference=narrow,
        wrong=(
            Wrong(
                "not scaled",
                not_scaled,
                "That is the part of the interval from 0 to 1. Scale it to the interval that is left, and move it.",
            ),
            Wrong("not moved", not_moved, "The widths are right, but the interval begins at low: add it."),
            Wrong(
                "always from low",
                always_from_low,
                "Every symbol would keep the part that begins at low. Leave room for the symbols before it.",
            ),
            Wrong(
                "the next symbol's",
                next_symbols,
                "One place too far: the part begins after the symbols before this one, itself not counted.",
            ),
            Wrong(
                "end from low",
                end_without_start,
                "The start is right. The end lies the symbol's share beyond the new start, not beyond low.",
            ),
            Wrong(
                "scaled by high",
                scaled_by_high,
                "You scaled by high. The interval that is left has the width high - low.",
            ),
        ),
        cases=narrow_cases,
        properties=(stays_inside,),
    ),
    Exercise(
        key="06.break_even",
        question=(
            "The model must be sent once, then each byte of text costs fewer bits than with xz. How many bytes of "
            "text, address by address, until sending the model was worth it? Use the numbers of section 4: "
            "`model_bytes`, `model_bits_a_byte` and `xz_bits_a_byte`."
        ),
        difficulty=2,
        starter="break_even = ...  # bytes of text\n",
        hints=(
            "How many bits does the model save on each byte of text?",
            "The model itself costs model_bytes * 8 bits, once.",
            "Divide the one by the other.",
        ),
        reference=break_even_bytes,
        wrong=(
            Wrong(
                "bytes by bits",
                without_eight,
                "The model's size is in bytes and the saving in bits: 8 bits are a byte.",
            ),
            Wrong(
                "model against xz alone",
                model_alone,
                "The text still costs something with the model. What counts is the difference on each byte.",
            ),
            Wrong(
                "by its own price",
                model_price,
                "You divided by what a byte costs with the model. What counts is how much less that is than with xz.",
            ),
            Wrong(
                "in bits",
                lambda **given: break_even_bytes(**given) * 8,
                "Eight times too many. Bits of the model over bits saved on each byte already gives bytes of text.",
            ),
            Wrong(
                "in megabytes",
                lambda **given: break_even_bytes(**given) / 1e6,
                "Right, but in megabytes. Give bytes.",
            ),
            Wrong(
                "sign",
                lambda **given: -break_even_bytes(**given),
                "The sign is turned: the saving is what xz needs minus what the model needs.",
            ),
        ),
        cases=break_even_cases,
        solution="break_even = model_bytes * 8 / (xz_bits_a_byte - model_bits_a_byte)\n",
    ),
)

QUIZ = (
    QuizItem(
        key="06.below",
        question="On 100,000 fresh symbols a model pays 0.1 nats a symbol less than the source. What follows?",
        options={
            "a": "It is an unusually good model",
            "b": "The text was easy by chance",
            "c": "Something tells it the answers",
            "d": "It was trained for longer",
        },
        right="c",
        explanations={
            "a": "Nothing that has to predict gets below the source's own probabilities by more than chance.",
            "b": "An easy text is easy for both and cancels; what luck is left is far smaller on so many symbols.",
            "c": "Below what is possible means a fault: the answer leaks into the input, or the scoring is wrong.",
            "d": "Longer training leads down to the source's entropy and no further.",
        },
        notebook="06",
        section="2. How low can it go?",
    ),
    QuizItem(
        key="06.mean",
        question="A model has perplexity 10 on a book and 1,000 on one line of code. What is it on both together?",
        options={
            "a": "505, the mean",
            "b": "Close to 10: the book has nearly all tokens",
            "c": "100, the geometric mean",
            "d": "It cannot be said without the tokenizer",
        },
        right="b",
        explanations={
            "a": "A mean of perplexities lets one line outweigh a book.",
            "b": "Average the surprise over all tokens, then exponentiate: nearly all tokens are the book's.",
            "c": "That would hold if both had the same number of tokens.",
            "d": "With one tokenizer and the two lengths it is settled; only between tokenizers it misleads.",
        },
        notebook="06",
        section="3. One number for many texts",
    ),
    QuizItem(
        key="06.lower",
        question="Two models of one size were trained on a small text. A ends at a training loss of 1, B at 3. Which "
        "predicts new text better?",
        options={
            "a": "A: the lower loss",
            "b": "B: the higher loss",
            "c": "Both alike, by their size",
            "d": "Held-out text must tell",
        },
        right="d",
        explanations={
            "a": "A may have learned its text by heart and predict new text worse.",
            "b": "It can be so, when A has learned by heart. But B may also have learned too little.",
            "c": "How long a model read decides as well, as the two curves of section 5 show.",
            "d": "Only text that neither has read tells what carries over.",
        },
        notebook="06",
        section="5. When do we stop?",
    ),
    QuizItem(
        key="06.flat",
        question="The held-out loss of a large run has been flat for a while. What do real runs do?",
        options={
            "a": "Stop: it has stabilised",
            "b": "Go on to the planned budget",
            "c": "Raise the learning rate until it moves",
            "d": "Go on until the loss is 0",
        },
        right="b",
        explanations={
            "a": "It may be a plateau before a fall, or flat because the learning rate is still high.",
            "b": "The budget was planned before, and the learning rate comes down towards its end.",
            "c": "That risks divergence, and bringing the rate down is what usually helps at the end.",
            "d": "Text is uncertain in itself: a loss of 0 is not to be had.",
        },
        notebook="06",
        section="5. When do we stop?",
    ),
)
