"""The material of notebook 01: exercises and quiz items about what a model reads and what is thrown away."""

from itertools import pairwise

from minillm.classroom.exercises import Exercise, Wrong
from minillm.classroom.quiz import QuizItem

# --- how alike two texts are


def similarity(left, right, n):
    runs_left = {tuple(left[i : i + n]) for i in range(len(left) - n + 1)}
    runs_right = {tuple(right[i : i + n]) for i in range(len(right) - n + 1)}
    return len(runs_left & runs_right) / len(runs_left | runs_right)


def runs_of(words, n):
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def similarity_cases(rng):
    """Draw texts that share a middle of known length, with words and runs that come again in each."""
    made = []
    for n in (2, 2, 3, 3):
        shared = rng.sample(range(20, 40), n + rng.randint(2, 4))
        longer = [*rng.sample(range(20), rng.randint(6, 9)), *shared, *shared[: n + 1]]
        shorter = [*shared, *rng.sample(range(40, 60), rng.randint(2, 3))]
        left, right = (longer, shorter) if len(made) % 2 else (shorter, longer)
        made.append(([f"w{i}" for i in left], [f"w{i}" for i in right], n))
    alike = [f"w{i}" for i in rng.sample(range(20), 6)]
    return [*made, (alike, list(alike), 2), (alike, [*alike[:3], *alike[:2:-1]], 2)]  # the last with two runs turned


def over_the_smaller(left, right, n):
    a, b = set(runs_of(left, n)), set(runs_of(right, n))
    return len(a & b) / min(len(a), len(b))


def over_the_first(left, right, n):
    a, b = set(runs_of(left, n)), set(runs_of(right, n))
    return len(a & b) / len(a)


def over_the_sum(left, right, n):
    a, b = set(runs_of(left, n)), set(runs_of(right, n))
    return len(a & b) / (len(a) + len(b))


def in_any_order(left, right, n):
    a, b = ({frozenset(run) for run in runs_of(words, n)} for words in (left, right))
    return len(a & b) / len(a | b)


def with_repeats(left, right, n):
    a, b = runs_of(left, n), runs_of(right, n)
    shared = sum(run in b for run in a)
    return shared / (len(a) + len(b) - shared)


# --- what an edit leaves


def expected_similarity(edited, n):
    surviving = (1 - edited) ** n
    return surviving / (2 - surviving)


def survive_cases(rng):
    return [{"edited": round(rng.uniform(0.05, 0.2), 2), "n": n} for n in (3, rng.choice((2, 4)), 5)]


# --- lines that come again


def repeated_share(lines):
    if not lines:
        return 0.0
    seen, repeated = set(), 0
    for line in lines:
        repeated += line in seen
        seen.add(line)
    return repeated / len(lines)


def line_cases(rng):
    made = []
    for _ in range(4):
        once = [f"line {i}" for i in rng.sample(range(50), rng.randint(2, 4))]
        refrain = [f"refrain {i}" for i in rng.sample(range(9), 2)]
        apart = [*refrain, *once, *refrain, refrain[0]]
        if rng.random() < 0.5:
            apart.append("the end")
        made.append((apart,))
    return [*made, (["again"] * rng.randint(3, 5),), (["once", "twice", "thrice"],), ([],)]


def all_that_recur(lines):
    return sum(lines.count(line) > 1 for line in lines) / max(1, len(lines))


def different_that_recur(lines):
    return len({line for line in lines if lines.count(line) > 1}) / max(1, len(lines))


def same_as_before(lines):
    return sum(a == b for a, b in pairwise(lines)) / max(1, len(lines))


def different_lines(lines):
    return len(set(lines)) / max(1, len(lines))


# --- leaks


def leaks(held_out, train, n):
    known = {tuple(text[i : i + n]) for text in train for i in range(len(text) - n + 1)}
    found = []
    for place, text in enumerate(held_out):
        if any(tuple(text[i : i + n]) in known for i in range(len(text) - n + 1)):
            found.append(place)
    return found


def leak_cases(rng):
    """Draw held-out texts of which two leaked, one of them twice, and decoys.

    Decoys: a run cut by a border, the same words in another order, a run that begins inside a longer word. A leaked
    text stands behind more training texts than there are held-out ones, so that its place is not theirs.
    """
    made = []
    for n in (2, 3, 4):
        words = [f"w{i}" for i in rng.sample(range(100, 1000), 60)]
        leaked, second = words[:8], words[40:48]
        cut = words[8 : 8 + n]
        turned = words[16 : 16 + n]
        inside = words[50 : 50 + n]
        clean = words[24:30]
        at = rng.randrange(8 - n)
        common = words[30]
        held_out = [
            clean,
            [*cut, words[31]],
            [words[32], *turned],
            leaked,
            [common, words[33], words[34]],
            leaked[:1],
            second,
            inside,
        ]
        train = [
            [words[35], *cut[:1]],
            [*cut[1:], words[36]],
            [words[37], *turned[::-1]],
            [common, words[38], words[39]],
            ["x", "y"],
            ["z"],
            ["un" + inside[0], *inside[1:]],
            [words[55], words[56]],
            [words[35], *leaked[at : at + n], words[36]],
            [words[38], words[39], words[29]],  # ends as the clean text does
            [*leaked[8 - n :], *second[:n]],
        ]
        order = list(range(len(held_out)))
        rng.shuffle(order)
        made.append(([held_out[i] for i in order], train, n))
    words = [f"v{i}" for i in rng.sample(range(100), 12)]
    return [*made, ([words[:4], words[4:8]], [words[8:]], 3), ([words[:3]], [words[:3]], 3)]


def any_word(held_out, train, n):
    return leaks(held_out, train, 1)


def glued(held_out, train, n):
    return leaks(held_out, [[word for text in train for word in text]], n)


def any_order(held_out, train, n):
    known = {tuple(sorted(run)) for text in train for run in runs_of(text, n)}
    return [i for i, text in enumerate(held_out) if any(tuple(sorted(r)) in known for r in runs_of(text, n))]


def places_in_training(held_out, train, n):
    return leaks(train, held_out, n)


def short_ends(held_out, train, n):
    known = {tuple(text[i : i + n]) for text in train for i in range(len(text))}
    return [p for p, text in enumerate(held_out) if any(tuple(text[i : i + n]) in known for i in range(len(text)))]


def inside_words(held_out, train, n):
    texts = [" ".join(text) for text in train]
    return [p for p, text in enumerate(held_out) if any(" ".join(r) in t for r in runs_of(text, n) for t in texts)]


def one_for_each_run(held_out, train, n):
    known = [run for text in train for run in runs_of(text, n)]
    return [place for place, text in enumerate(held_out) for run in runs_of(text, n) if run in known]


def the_first(held_out, train, n):
    return leaks(held_out, train, n)[:1]


def how_many(held_out, train, n):
    return len(leaks(held_out, train, n))


# --- how often a source is read


def times_read(weights, available, budget):
    total = sum(weights.values())
    return {kind: budget * weights[kind] / total / available[kind] for kind in weights}


def times_cases(rng):
    kinds = ["web", "books", "code", "docs"]
    made = []
    for count in (2, 3, 4):
        chosen = rng.sample(kinds, count)
        weights = {kind: rng.randint(1, 9) for kind in chosen}
        available = {kind: rng.randint(1, 99) * 1000 for kind in kinds}
        made.append((weights, available, rng.randint(10, 500) * 1000))
    made.append(({"web": 0.5, "docs": 0.5, "code": 0}, {"web": 10, "docs": 40, "code": 7}, 100))
    return made


def not_shared_out(weights, available, budget):
    return {kind: budget * weights[kind] / available[kind] for kind in weights}


def turned_over(weights, available, budget):
    return {kind: 1 / value if value else 0 for kind, value in times_read(weights, available, budget).items()}


def tokens_read(weights, available, budget):
    return {kind: value * available[kind] for kind, value in times_read(weights, available, budget).items()}


def of_all_available(weights, available, budget):
    whole = sum(available[kind] for kind in weights)
    return {kind: value * available[kind] / whole for kind, value in times_read(weights, available, budget).items()}


# --- weights from sizes


def tempered(sizes, power):
    raised = {name: size**power for name, size in sizes.items()}
    total = sum(raised.values())
    return {name: value / total for name, value in raised.items()}


def tempered_cases(rng):
    made = []
    for power in (0.3, 0.5, 0.7):
        names = rng.sample(["web", "books", "code", "docs", "speech"], rng.randint(2, 4))
        made.append(({name: rng.randint(2, 900) + i for i, name in enumerate(names)}, power))
    return [*made, ({"web": 64, "docs": 4}, 0.5)]


EXERCISES = (
    Exercise(
        key="01.similarity",
        question=(
            "Write `similarity(left, right, n)`: the Jaccard similarity of two texts, given as lists of words. Take "
            "the *different* runs of n words of each; divide the number of runs that both have by the number that at "
            "least one of them has. Both texts have at least n words."
        ),
        difficulty=2,
        starter="def similarity(left, right, n):\n    return ...\n",
        hints=(
            "A set forgets how often something came: collect the runs of each text in a set.",
            "A run starts at every place from 0 to len(words) - n; a tuple can stand in a set, a list cannot.",
            "For sets, & is what both have and | what at least one has.",
        ),
        reference=similarity,
        wrong=(
            Wrong(
                "over the smaller",
                over_the_smaller,
                "You divided by the smaller set. That finds a text inside a longer one; Jaccard divides by the union.",
            ),
            Wrong(
                "over the first",
                over_the_first,
                "You divided by the runs of the first text: the result changes when the two change places.",
            ),
            Wrong(
                "over the sum",
                over_the_sum,
                "You counted the shared runs twice below the line: two equal texts must give 1.",
            ),
            Wrong(
                "with repeats",
                with_repeats,
                "A run that comes again in one text counts once: use sets.",
            ),
            Wrong(
                "any order",
                in_any_order,
                "The words of a run must come in the same order: a tuple keeps the order, a set or a sorted list not.",
            ),
            Wrong(
                "single words",
                lambda left, right, n: similarity(left, right, 1),
                "You compared single words. Order counts here: take runs of n words.",
            ),
        ),
        cases=similarity_cases,
    ),
    Exercise(
        key="01.survive",
        question=(
            "A long text is copied, and in the copy 10% of the words are replaced, at random places. A run of n words "
            "survives if none of its words was replaced. Which Jaccard similarity of *3-word runs* do you expect "
            "between text and copy? (All runs are different; no new run is an old one.)"
        ),
        difficulty=3,
        starter="edited_similarity = ...\n",
        hints=(
            "A word stays with probability 0.9; three words in a row all stay with what probability?",
            "If a share s of the runs survives, both texts have s; each has 1 - s of its own besides.",
            "The union is s + (1 - s) + (1 - s) = 2 - s.",
        ),
        reference=expected_similarity,
        solution="surviving = (1 - 0.1) ** 3\nedited_similarity = surviving / (2 - surviving)\n",
        wrong=(
            Wrong(
                "surviving",
                lambda edited, n: (1 - edited) ** n,
                "That share of runs survives. Below the line stands the union, and the new runs are in it.",
            ),
            Wrong(
                "words",
                lambda edited, n: (1 - edited) / (1 + edited),
                "That is right for single words. One replaced word breaks every run that holds it.",
            ),
            Wrong(
                "sum",
                lambda edited, n: (1 - edited) ** n / 2,
                "You divided by the runs of both texts together. Those that both have stand in the union once.",
            ),
            Wrong(
                "percent",
                lambda edited, n: 100 * expected_similarity(edited, n),
                "That is in percent. A similarity is a number from 0 to 1.",
            ),
            Wrong(
                "words as runs",
                lambda edited, n: 1 - edited,
                "That share of the words stays. A run stays only if all of its words do.",
            ),
        ),
        cases=survive_cases,
        tolerance=4e-3,
    ),
    Exercise(
        key="01.repeats",
        question=(
            "A filter of many corpora asks how much of a page repeats itself. Write `repeated_share(lines)`: the share "
            "of lines that have already come before in the same list. For an empty list return 0."
        ),
        difficulty=2,
        starter="def repeated_share(lines):\n    return ...\n",
        hints=(
            "Walk through the lines and remember those that you have met.",
            "The first of several equal lines is no repeat; all later ones are.",
            "Keep a set of lines seen, and count before you add.",
        ),
        reference=repeated_share,
        wrong=(
            Wrong(
                "all that recur",
                all_that_recur,
                "You counted the first of equal lines too. It had not come before when it stood there.",
            ),
            Wrong(
                "different that recur",
                different_that_recur,
                "You counted each recurring line once. Every later copy is a repeat.",
            ),
            Wrong(
                "neighbours",
                same_as_before,
                "You compared each line with the one before it alone. A refrain comes back after other lines.",
            ),
            Wrong(
                "different",
                different_lines,
                "That is the share of different lines: what is left when the repeats go.",
            ),
        ),
        cases=line_cases,
    ),
    Exercise(
        key="01.leaks",
        question=(
            "Write `leaks(held_out, train, n)`: both are lists of texts, each text a list of words. Return the places "
            "(0, 1, ...) of the held-out texts that have a run of n words in common with any *one* training text, in "
            "order."
        ),
        difficulty=3,
        starter="def leaks(held_out, train, n):\n    return ...\n",
        hints=(
            "First collect the runs of all training texts in one set.",
            "A run must not reach from one training text into the next: collect them text by text.",
            "enumerate(held_out) gives the places; any(...) asks whether one run is known.",
        ),
        reference=leaks,
        wrong=(
            Wrong(
                "single words",
                any_word,
                "One common word is no leak. The n words must stand together in both texts.",
            ),
            Wrong(
                "glued",
                glued,
                "You glued the training texts together: a run across the border of two texts was never read as one.",
            ),
            Wrong(
                "any order",
                any_order,
                "The words must come in the same order in both texts.",
            ),
            Wrong(
                "training places",
                places_in_training,
                "Those are the places of the training texts. The held-out texts are the ones to find.",
            ),
            Wrong(
                "count",
                how_many,
                "That is how many there are. Which ones? Return their places.",
            ),
            Wrong(
                "inside words",
                inside_words,
                "You searched in glued strings: there 'sea is' is found in 'chelsea is'. Compare whole words.",
            ),
            Wrong(
                "one for each run",
                one_for_each_run,
                "A text with several shared runs stands in your list several times. Each place comes once.",
            ),
            Wrong(
                "first",
                the_first,
                "You stopped at the first leak. Return the places of all.",
            ),
            Wrong(
                "backwards",
                lambda held_out, train, n: leaks(held_out, train, n)[::-1],
                "Those are the places, from the last to the first. Return them in order.",
            ),
            Wrong(
                "short ends",
                short_ends,
                "At the ends of texts you take runs of fewer than n words. Stop at len(text) - n.",
            ),
        ),
        cases=leak_cases,
        # on one side alone, a run that is too short or too long meets none of n words
        equivalent=(
            "line 2: range(len(text) - n + 1) -> range(len(text) - n + 1 + 1)",
            "line 2: len(text) - n -> len(text) + n",
            "line 2: 1 -> 2",
            "line 5: range(len(text) - n + 1) -> range(len(text) - n + 1 + 1)",
            "line 5: len(text) - n -> len(text) + n",
            "line 5: 1 -> 2",
        ),
    ),
    Exercise(
        key="01.times",
        question=(
            "A run reads `budget` tokens in all. `weights` gives each kind a weight (they need not sum to 1), "
            "`available` says how many tokens there are of it. Write `times_read(weights, available, budget)`: a dict "
            "that says how many times the run reads each kind of `weights`."
        ),
        difficulty=3,
        starter="def times_read(weights, available, budget):\n    return ...\n",
        hints=(
            "A weight is a share once you divide it by the sum of all weights.",
            "The share times the budget is how many tokens of this kind are read.",
            "Tokens read divided by tokens there are: above 1, the run meets the same text again.",
        ),
        reference=times_read,
        wrong=(
            Wrong(
                "not shared out",
                not_shared_out,
                "The weights need not sum to 1: divide each by their sum first.",
            ),
            Wrong(
                "turned over",
                turned_over,
                "That is turned over: the part of the text that would be read once.",
            ),
            Wrong(
                "tokens",
                tokens_read,
                "Those are tokens read. Divide by the tokens there are.",
            ),
            Wrong(
                "of all",
                of_all_available,
                "You divided by the tokens of all kinds together. Each kind has its own supply.",
            ),
        ),
        cases=times_cases,
    ),
    Exercise(
        key="01.tempered",
        question=(
            "If every source were read in proportion to its size, small ones would hardly be read. A common remedy "
            "raises the sizes to a power between 0 and 1 first. Write `tempered(sizes, power)`: a dict of weights that "
            "are proportional to size ** power and sum to 1."
        ),
        difficulty=2,
        starter="def tempered(sizes, power):\n    return ...\n",
        hints=(
            "First the powers, then the sum of the powers.",
            "A power of 1 leaves the proportions as they are, a power of 0 makes all weights equal.",
            "For sizes 64 and 4 and the power 0.5 the powers are 8 and 2, so the weights 0.8 and 0.2.",
        ),
        reference=tempered,
        wrong=(
            Wrong(
                "not shared out",
                lambda sizes, power: {name: size**power for name, size in sizes.items()},
                "The weights must sum to 1: divide each power by the sum of the powers.",
            ),
            Wrong(
                "shares first",
                lambda sizes, power: {name: (size / sum(sizes.values())) ** power for name, size in sizes.items()},
                "You divided first and raised then, so they no longer sum to 1. Raise first.",
            ),
            Wrong(
                "no power",
                lambda sizes, power: tempered(sizes, 1),
                "Those are the plain proportions: the power is missing.",
            ),
            Wrong(
                "inverse power",
                lambda sizes, power: tempered(sizes, 1 / power),
                "You raised to 1 / power, which makes large sources larger still.",
            ),
        ),
        cases=tempered_cases,
    ),
)

QUIZ = (
    QuizItem(
        key="01.page",
        question="What does a language model read of a web page?",
        options={
            "a": "The page as the browser shows it, pictures included",
            "b": "The HTML, tags and all",
            "c": "What an extraction takes for the main text",
            "d": "A summary that people wrote",
        },
        right="c",
        explanations={
            "a": "Nothing is drawn: a program takes the text out of the HTML. Pictures go.",
            "b": "Most of an HTML page is not its text; navigation and footers would be learned by heart.",
            "c": "And the extraction is a program with opinions: it drops some wanted text and keeps some unwanted.",
            "d": "Nobody writes anything for it: there are far too many pages.",
        },
        notebook="01",
        section="2. From a page to its text",
    ),
    QuizItem(
        key="01.near",
        question="A page was copied and one word in ten was changed. Why does a comparison by 5-word runs with a "
        "threshold of 0.8 miss it?",
        options={
            "a": "One changed word breaks five runs, so far fewer than 80% are shared",
            "b": "MinHash is only an estimate",
            "c": "The copy has other words, so it is a different text",
            "d": "5-word runs are too short to be telling",
        },
        right="a",
        explanations={
            "a": "About 0.9 to the fifth power of the runs survive, 59%, and the union is larger than either text.",
            "b": "The exact similarity is below 0.8 too.",
            "c": "Nine words in ten are the same, in the same order.",
            "d": "Two different articles share next to none of them: they are telling enough.",
        },
        notebook="01",
        section="4. The same text again",
    ),
    QuizItem(
        key="01.order",
        question="A corpus is split at random into training and held-out documents, and near-copies are removed from "
        "each side afterwards. What is wrong?",
        options={
            "a": "Nothing: both sides are clean",
            "b": "A held-out document may still have its near-copy on the training side",
            "c": "The held-out side becomes too small",
            "d": "Near-copies should be kept, since they are data too",
        },
        right="b",
        explanations={
            "a": "Each side is clean in itself, but nobody looked across.",
            "b": "Remove near-copies before the split, or compare across it, or the held-out loss is flattered.",
            "c": "It shrinks a little; that is not the trouble.",
            "d": "The held-out loss would measure memory.",
        },
        notebook="01",
        section="4. The same text again",
    ),
    QuizItem(
        key="01.mixture",
        question="You want a model that is good at documentation, and have little of it. What does the laboratory "
        "suggest?",
        options={
            "a": "Read the documentation alone, as often as the budget allows",
            "b": "Read all kinds in equal parts",
            "c": "Read much of it, and other text besides",
            "d": "It makes no difference what else is read",
        },
        right="c",
        explanations={
            "a": "Read again and again it is learned by heart, and held-out documentation gets worse.",
            "b": "Then three quarters of the budget goes to text unlike the one that counts.",
            "c": "The best mixture lay inside: repeats are worth less each time, and other text carries over a little.",
            "d": "The curve is clear: both ends are worse than the middle.",
        },
        notebook="01",
        section="6. The mixture laboratory",
    ),
)
