"""Material of notebook 10: the lesson's questions, twenty questions on common beliefs, numbers from memory."""

import math

from minillm.classroom.exercises import Exercise, Wrong
from minillm.classroom.practice.questions import PRACTICE
from minillm.classroom.quiz import QuizItem

__all__ = ["ANOTHER", "BELIEFS", "EXERCISES", "LESSON", "ONE_LEARNER", "PRACTICE", "QUIZ"]


HOUR_S, DAY_S = 3600, 86400


def start_of(vocab_size):
    return math.log(vocab_size), math.log(vocab_size) / math.log(2)


def bits_per_byte_of(loss_nats, tokens, n_bytes):
    return loss_nats / math.log(2) * tokens / n_bytes


def days_of(parameters, tokens, peak, share):
    return 6 * parameters * tokens / (peak * share) / DAY_S


def exposure_of(candidates):
    total = 0.0
    for rank in range(1, candidates + 1):
        total += math.log2(candidates) - math.log2(rank)
    return total / candidates


def tokens_of(dollars, price, peak, share, parameters):
    return dollars / price * HOUR_S * peak * share / (6 * parameters)


def start_cases(rng):
    return [{"vocab_size": rng.randrange(300, 200_000)} for _ in range(5)]


def bytes_cases(rng):
    return [
        {"loss_nats": rng.uniform(1.5, 6), "tokens": rng.randrange(100, 900), "n_bytes": rng.randrange(1000, 4000)}
        for _ in range(5)
    ]


def days_cases(rng):
    return [
        {
            "parameters": rng.uniform(1e8, 1e10),
            "tokens": rng.uniform(1e9, 1e12),
            "peak": rng.uniform(1e14, 1e15),
            "share": rng.uniform(0.37, 0.5),
        }
        for _ in range(5)
    ]


def exposure_cases(rng):
    return [{"candidates": rng.randrange(5, 15)} for _ in range(3)]


def tokens_cases(rng):
    return [
        {
            "dollars": rng.uniform(20, 5000),
            "price": rng.uniform(1.2, 5),
            "peak": rng.uniform(1e14, 1e15),
            "share": rng.uniform(0.37, 0.5),
            "parameters": rng.uniform(1e8, 1e10),
        }
        for _ in range(5)
    ]


EXERCISES = (
    Exercise(
        key="10.start",
        question="A tokenizer has 32,000 tokens. What does a model that has read nothing pay for each token? Give a "
        "pair: nats, then bits.",
        difficulty=1,
        starter="start = ...\n",
        hints=(
            "It spreads its bets over all tokens alike: each has the probability 1/V.",
            "Its surprise is -ln(1/V), which is ln V.",
            "A bit is ln 2 nats, so there are more bits than nats: divide by math.log(2).",
        ),
        reference=start_of,
        solution="import math\n\nstart = (math.log(32_000), math.log2(32_000))\n",
        wrong=(
            Wrong("exchanged", lambda vocab_size: start_of(vocab_size)[::-1], "The two are exchanged: nats first."),
            Wrong(
                "nats twice",
                lambda vocab_size: (math.log(vocab_size), math.log(vocab_size) * math.log(2)),
                "A bit is smaller than a nat, so there are more of them: divide by ln 2.",
            ),
            Wrong(
                "decimal",
                lambda vocab_size: (math.log10(vocab_size), math.log2(vocab_size)),
                "That is the logarithm to base 10. Nats belong to the natural one, math.log.",
            ),
            Wrong("zero", lambda vocab_size: (0.0, 0.0), "0 is what a model pays that is certain, and right."),
        ),
        cases=start_cases,
        tolerance=1e-2,
    ),
    Exercise(
        key="10.bytes",
        question="A text of 1,000 bytes is 260 tokens long. A model pays 3.1 nats a token on it. How many bits a byte?",
        difficulty=2,
        starter="text_bits = ...\n",
        hints=(
            "First the whole text, then its share for each byte.",
            "260 tokens at 3.1 nats each is what the text costs; one bit is ln 2 nats.",
            "Nats a token, divided by ln 2, times tokens, divided by bytes.",
        ),
        reference=bits_per_byte_of,
        solution="import math\n\ntext_bits = 3.1 / math.log(2) * 260 / 1000\n",
        wrong=(
            Wrong(
                "nats",
                lambda loss_nats, tokens, n_bytes: loss_nats * tokens / n_bytes,
                "That is nats a byte: the unit is still to be changed.",
            ),
            Wrong(
                "a token",
                lambda loss_nats, tokens, n_bytes: loss_nats / math.log(2),
                "That is bits a token. A token is several bytes long.",
            ),
            Wrong(
                "upside down",
                lambda loss_nats, tokens, n_bytes: loss_nats / math.log(2) * n_bytes / tokens,
                "Tokens and bytes are exchanged: a byte costs less than a token.",
            ),
            Wrong(
                "times ln 2",
                lambda loss_nats, tokens, n_bytes: loss_nats * math.log(2) * tokens / n_bytes,
                "A bit is ln 2 nats: divide by ln 2.",
            ),
        ),
        cases=bytes_cases,
        tolerance=1e-2,
    ),
    Exercise(
        key="10.operations",
        question="A model of 1.5e9 parameters is to read 30e9 tokens on one device of 1e15 operations a second, and "
        "uses 0.4 of them. How many days does it take?",
        difficulty=2,
        starter="days = ...\n",
        hints=(
            "How many operations, for each parameter and token?",
            "6 N D operations, at peak times share operations a second.",
            "A day has 86,400 seconds.",
        ),
        reference=days_of,
        solution="days = 6 * 1.5e9 * 30e9 / (1e15 * 0.4) / 86400\n",
        wrong=(
            Wrong(
                "forward only",
                lambda parameters, tokens, peak, share: days_of(parameters, tokens, peak, share) / 3,
                "2 N D is the way forward alone; the way back takes twice as much again.",
            ),
            Wrong(
                "at the peak",
                lambda parameters, tokens, peak, share: days_of(parameters, tokens, peak, 1),
                "You counted on the whole peak. No run reaches it.",
            ),
            Wrong(
                "share the wrong way",
                lambda parameters, tokens, peak, share: days_of(parameters, tokens, peak, 1) * share,
                "Using less of the device takes more time, not less: divide by the share.",
            ),
            Wrong(
                "hours",
                lambda parameters, tokens, peak, share: days_of(parameters, tokens, peak, share) * 24,
                "Those are hours.",
            ),
            Wrong(
                "seconds",
                lambda parameters, tokens, peak, share: days_of(parameters, tokens, peak, share) * 86400,
                "Those are seconds.",
            ),
        ),
        cases=days_cases,
        tolerance=1e-2,
    ),
    Exercise(
        key="10.exposure",
        question="To find out whether a model has learned a secret string by heart, rank it among 1,000 strings of its "
        "kind by the model's surprise, the least surprising first. Its exposure is log2 1,000 minus log2 of its rank. "
        "What is the mean exposure of a string that the model has never seen, when every rank is equally likely?",
        difficulty=3,
        starter="unseen_exposure = ...\n",
        hints=(
            "Rank 1 has the exposure log2 1,000, rank 1,000 has 0. What have those between?",
            "Compute it for every rank from 1 to 1,000 and take the mean.",
            "sum(math.log2(1000) - math.log2(rank) for rank in range(1, 1001)) / 1000",
        ),
        reference=exposure_of,
        solution="import math\n\nunseen_exposure = sum(math.log2(1000 / rank) for rank in range(1, 1001)) / 1000\n",
        wrong=(
            Wrong(
                "of the mean rank",
                lambda candidates: math.log2(candidates) - math.log2((candidates + 1) / 2),
                "You averaged the ranks first. Take each rank's exposure, then the mean: the low ranks weigh more.",
            ),
            Wrong(
                "the most",
                lambda candidates: math.log2(candidates),
                "That is the exposure of rank 1, the most there is. What have the others?",
            ),
            Wrong("zero", lambda candidates: 0.0, "0 is the exposure of the last rank only; luck gives better ones."),
            Wrong(
                "nats",
                lambda candidates: exposure_of(candidates) * math.log(2),
                "That is in nats: take the logarithm to base 2.",
            ),
            Wrong(
                "half of the most",
                lambda candidates: math.log2(candidates) / 2,
                "Half-way would be so if exposures were spread evenly. It is the ranks that are.",
            ),
        ),
        cases=exposure_cases,
        equivalent=("line 3: range(1, candidates + 1) -> range(1, candidates + 1 - 1)",),  # the last rank adds nothing
        tolerance=1e-2,
    ),
    Exercise(
        key="10.tokens",
        question="You have 100 dollars. A device costs 2.50 an hour, does 1e15 operations a second, and you use 0.4 of "
        "it. How many tokens can a model of 124e6 parameters read for that?",
        difficulty=3,
        starter="tokens = ...\n",
        hints=(
            "Dollars buy hours, hours are seconds, seconds are operations.",
            "Each token takes 6 N operations.",
            "dollars / price * 3600 * peak * share / (6 * parameters)",
        ),
        reference=tokens_of,
        solution="tokens = 100 / 2.50 * 3600 * 1e15 * 0.4 / (6 * 124e6)\n",
        wrong=(
            Wrong(
                "per second",
                lambda **given: tokens_of(**given) / 3600,
                "An hour has 3,600 seconds, and the peak is for one second.",
            ),
            Wrong(
                "at the peak",
                lambda **given: tokens_of(**{**given, "share": 1}),
                "You counted on the whole peak. No run reaches it.",
            ),
            Wrong(
                "forward only",
                lambda **given: 3 * tokens_of(**given),
                "2 N is only the way forward; training takes 6 N.",
            ),
            Wrong(
                "ratio",
                lambda **given: 20 * given["parameters"],
                "20 tokens a parameter is what is often advised. What can you pay?",
            ),
        ),
        cases=tokens_cases,
        tolerance=1e-2,
    ),
)

LESSON = (
    QuizItem(
        key="10.learns",
        question="What does a language model mainly learn in pretraining?",
        options={
            "a": "How to answer the questions that its users ask",
            "b": "How texts go on: forms, words, frequent facts",
            "c": "Which answers people find safe and helpful",
            "d": "The text itself, so that it can be looked up",
        },
        right="b",
        explanations={
            "a": "Tempting, because products do. No question is asked in pretraining, only what comes next.",
            "b": "To expect the next token it has to learn the patterns of language: grammar, which words go together, "
            "and what is said often.",
            "c": "That takes people's judgements, which come after pretraining.",
            "d": "Tempting, because it can recite what came often. Its weights are far too few for the rest.",
        },
        notebook="00",
        section="5. What has it learned?",
        beliefs={"a": "chatbot", "d": "stores_text"},
        evidence="00_grammar",
    ),
    QuizItem(
        key="10.measures",
        question="Pretraining lowers one measure of how wrong the predictions are. Which one?",
        options={
            "a": "The share of tokens that it guesses right",
            "b": "The grades that people give to its answers",
            "c": "The time that a run has taken so far",
            "d": "The loss: its mean surprise at what came",
        },
        right="d",
        explanations={
            "a": "Tempting, because it sounds fair. But it cannot see how sure the model was.",
            "b": "People grade later on, if at all. Here the text goes on, and that is the answer.",
            "c": "A long run is often a better one, but time measures no prediction.",
            "d": "The mean of -ln p, where p is the probability given to the token that came. The lower, the better.",
        },
        notebook="03",
        section="3. What an answer costs",
        beliefs={"a": "accuracy", "b": "labels"},
    ),
    QuizItem(
        key="10.after",
        question="What comes after pretraining, as a rule?",
        options={
            "a": "Fine-tuning on examples of what is wanted",
            "b": "Tokenization of the text that it will read",
            "c": "Pretraining from nothing for the next task",
            "d": "Nothing more: it is ready to be an assistant",
        },
        right="a",
        explanations={
            "a": "The same loop goes on with few, chosen examples; then alignment, which uses people's preferences.",
            "b": "Tempting, since it prepares a step. But tokens are what pretraining reads, so they come first.",
            "c": "That was usual once. The point of pretraining is that one serves many tasks.",
            "d": "Tempting, because we meet only finished assistants. A base model continues documents.",
        },
        notebook="11",
        section="3. The form",
        beliefs={"d": "chatbot"},
        evidence="11_form",
    ),
)

BELIEFS = (
    QuizItem(
        key="10.graded",
        question="A model reads 'Machine learning is a branch of', and the text goes on with 'artificial'. What "
        "decides what the model pays?",
        options={
            "a": "Whether 'artificial' was its favourite",
            "b": "The label that a person wrote down here",
            "c": "The probability it gave to 'artificial'",
            "d": "How many tokens its vocabulary holds",
        },
        right="c",
        explanations={
            "a": "Tempting: in an exam the answer counts. Two models with the same favourites can pay differently, one "
            "almost twice as much as the other.",
            "b": "Tempting: most machine learning has labels. Here the next token of the text is the answer.",
            "c": "Minus its logarithm is the price. It sees how sure the model was, and not only of what.",
            "d": "That fixes the price before anything is learned, when all have 1/V. The probability is what counts.",
        },
        notebook="03",
        section="3. What an answer costs",
        beliefs={"a": "accuracy", "b": "labels"},
    ),
    QuizItem(
        key="10.floor",
        question="Ever larger models are trained ever longer, on ever more text. What does their loss on new text "
        "approach?",
        options={
            "a": "0, once they find the one right word",
            "b": "0, as there is less left to learn",
            "c": "Another level with every new seed",
            "d": "The uncertainty of the text itself",
        },
        right="d",
        explanations={
            "a": "Tempting: a text has one next word. But its beginning has several, and no model knows which comes.",
            "b": "Tempting: losses fall as models learn. Whoever knows the dice exactly still pays their entropy.",
            "c": "Seeds move the end a little. The floor is a property of the text.",
            "d": "On a source of known entropy the loss came down to it and stayed there.",
        },
        notebook="06",
        section="2. How low can it go?",
        beliefs={"a": "one_right_word", "b": "loss_zero"},
        evidence="06_source",
    ),
    QuizItem(
        key="10.first_loss",
        question="Before its first step a model with 1,024 tokens pays 6.93 nats. What does one with 2,048 tokens pay?",
        options={
            "a": "Nobody can say: its weights are random",
            "b": "0.69 nats more: ln 2 is added to ln V",
            "c": "13.86 nats: twice the tokens, twice that",
            "d": "6.93 nats too: neither knows anything",
        },
        right="b",
        explanations={
            "a": "Tempting: random weights, random loss. But small random weights spread the bets evenly, and that has "
            "a price.",
            "b": "It starts at ln V, and ln 2,048 is ln 1,024 plus ln 2.",
            "c": "Tempting: V doubles. Its logarithm does not: it grows by ln 2.",
            "d": "Both know nothing, but one has more tokens to spread its bets over.",
        },
        notebook="03",
        section="4. The same table twice: counted and learned",
        beliefs={"a": "initial_loss"},
        evidence="03_table_start",
    ),
    QuizItem(
        key="10.compare",
        question="Model A has perplexity 9 a token, model B 150 a token. B's tokens are longer. Which one predicts "
        "text better?",
        options={
            "a": "It may be B: compare bits a byte instead",
            "b": "It is A: the lower perplexity is better",
            "c": "It is A: it is wrong far less often",
            "d": "Neither: they differ by tokens alone",
        },
        right="a",
        explanations={
            "a": "A token is another amount of text in each. In notebook 02 the order by bits a byte was reversed.",
            "b": "Tempting, and true for one tokenizer. Between two, each counts its own pieces.",
            "c": "Tempting: fewer choices, fewer errors. But A must be right more than once for each token of B.",
            "d": "They may differ a great deal, only perplexity a token cannot say so.",
        },
        notebook="02",
        section="5. Which model is better?",
        beliefs={"b": "perplexity", "c": "accuracy"},
        evidence="02_bits",
    ),
    QuizItem(
        key="10.overnight",
        question="The training loss has fallen all night, and it still falls. What do you know about the model?",
        options={
            "a": "It improves: a lower loss is a better model",
            "b": "It has overfitted: no loss falls so long",
            "c": "Little, before it is tried on unread text",
            "d": "It is nearly done: what falls must end",
        },
        right="c",
        explanations={
            "a": "Tempting, and often so while no text comes twice. Read again and again, a text is learned by heart.",
            "b": "It may have, or not: with enough text a loss falls for weeks.",
            "c": "On a small text the held-out loss came down, and then rose, while the training loss went on falling.",
            "d": "Tempting: it cannot fall for ever. When it ends, the curve does not tell.",
        },
        notebook="06",
        section="5. When do we stop?",
        beliefs={"a": "training_loss"},
        evidence="06_overfit",
    ),
    QuizItem(
        key="10.dear",
        question="Sort the tokens of a held-out text by what the model paid for each, as in notebook 06. How much of "
        "the sum does the dearest third pay?",
        options={
            "a": "A third: each token counts the same",
            "b": "More than half: prices are unequal",
            "c": "All: what is expected costs nothing",
            "d": "Next to nothing: such tokens are rare",
        },
        right="b",
        explanations={
            "a": "Tempting: each token has the same weight in the mean. But their prices differ widely.",
            "b": "The dearest third paid more than half of the sum, and the cheapest third a tenth.",
            "c": "Tempting: sure and right is free. Models are seldom quite sure.",
            "d": "A third of the tokens is not rare, and these are the dear ones.",
        },
        notebook="06",
        section="1. The price of a token",
        beliefs={"a": "equal_tokens"},
    ),
    QuizItem(
        key="10.plateau",
        question="In notebook 04 a loss lay flat for a hundred steps, and then fell fast. What went on while it "
        "was flat?",
        options={
            "a": "Nothing: the ability came all at once",
            "b": "A fault: learning is smooth in a sound run",
            "c": "Nothing: the learning rate was too low",
            "d": "Parts of the solution grew, not yet seen",
        },
        right="d",
        explanations={
            "a": "Tempting: the curve shows nothing. Attention did, and grew several times over on the plateau.",
            "b": "Tempting: most curves are smooth. This run was sound, with every seed.",
            "c": "The rate was constant, and the fall came without any change of it.",
            "d": "One layer must note what stood before, another look for it. Only both together lower the loss.",
        },
        notebook="04",
        section="4. Nothing known beforehand",
        beliefs={"a": "sudden", "b": "smooth"},
        evidence="04_early",
    ),
    QuizItem(
        key="10.size",
        question="Notebook 07 gave each of five models, the largest many times the smallest, the same budget of "
        "operations. Which one ended lowest?",
        options={
            "a": "One in between: size and text must fit",
            "b": "The largest: it has the most parameters",
            "c": "The smallest: it reads the most text",
            "d": "None: all cost the same, and end alike",
        },
        right="a",
        explanations={
            "a": "A valley, with its bottom between the ends, at each of the budgets tried.",
            "b": "Tempting, and true for as much text. At one budget it can pay for too few tokens.",
            "c": "Tempting: more text is more to learn from. But it has too few parameters to hold it.",
            "d": "The cost is equal, what it buys is not.",
        },
        notebook="07",
        section="1. One budget, five sizes",
        beliefs={"b": "bigger", "c": "more_data"},
        evidence="07_ends",
    ),
    QuizItem(
        key="10.kinds",
        question="Four models read equally much text, each a kind of its own. Which one predicts new code best?",
        options={
            "a": "The reader of books: it has the best style",
            "b": "All alike: text is text, and they read as much",
            "c": "The reader of web pages: it has most variety",
            "d": "The reader of code, by a clear margin",
        },
        right="d",
        explanations={
            "a": "Good prose helps with prose. It tells little of how brackets close.",
            "b": "Tempting: more text is better, so as much is as good. But it matters of what kind.",
            "c": "Tempting, and variety helps. It did not make up for code itself.",
            "d": "On each of four kinds of text its own reader led, by a margin that you measured.",
        },
        notebook="01",
        section="5. What it reads is what it can do",
        beliefs={"b": "more_data"},
        evidence="01_diagonal",
    ),
    QuizItem(
        key="10.copies",
        question="One page stands in a corpus a hundred times. What harm does that do, if any?",
        options={
            "a": "None: what is repeated is learned better",
            "b": "None: the same page brings nothing new",
            "c": "It is learned by heart, and may be in the test",
            "d": "A little disk space, and no more than that",
        },
        right="c",
        explanations={
            "a": "Tempting: repetition is how we learn. The page is learned, at the cost of all others.",
            "b": "It brings nothing new, and it takes a hundred turns from other pages.",
            "c": "Copies on both sides of the split made held-out text look easier than it was.",
            "d": "Operations are the dear part, as every copy is read; and it is learned by heart.",
        },
        notebook="01",
        section="4. The same text again",
        beliefs={"a": "duplicates", "b": "duplicates"},
        evidence="01_copied_cost",
    ),
    QuizItem(
        key="10.rate",
        question="A good learning rate is too slow for you, so you take a hundred times as much. What happened in "
        "notebook 05?",
        options={
            "a": "The run ended higher: its steps overshot",
            "b": "The run ended lower: its steps went farther",
            "c": "It ended alike, in a hundredth of the time",
            "d": "Nothing: the optimizer rescales its steps",
        },
        right="a",
        explanations={
            "a": "It ended far above the run with the good rate, hardly better than counting single letters.",
            "b": "Tempting: the rate is the length of a step. A step too long leads past the valley.",
            "c": "Tempting for the same reason. Within a range a higher rate is faster; this was beyond it.",
            "d": "The optimizer evens out the gradients, and then multiplies with the rate.",
        },
        notebook="05",
        section="3. How far to step",
        beliefs={"b": "faster", "c": "faster"},
        evidence="05_too_fast",
    ),
    QuizItem(
        key="10.question",
        question="You type a question into a model straight after pretraining. What does it do?",
        options={
            "a": "It answers, having read so many questions",
            "b": "It continues, perhaps with more questions",
            "c": "It refuses, as it was not taught to answer",
            "d": "It looks up a page that fits the question",
        },
        right="b",
        explanations={
            "a": "Tempting, and it can happen where pages go on with answers. Nothing makes it the rule.",
            "b": "It goes on with the document. Questions often stand in lists of questions.",
            "c": "A refusal is learned, too, and later.",
            "d": "There are no pages inside, only weights.",
        },
        notebook="09",
        section="1. Ask it",
        beliefs={"a": "chatbot", "d": "stores_text"},
        evidence="09_form",
    ),
    QuizItem(
        key="10.session",
        question="You chat with a model for an hour and correct it often. What have its weights learned in that hour?",
        options={
            "a": "Your corrections: it learns as you talk",
            "b": "A little of them: a chat is a small batch",
            "c": "What you said most often, and no more",
            "d": "Nothing: a chat is context, not training",
        },
        right="d",
        explanations={
            "a": "Tempting, because it used your corrections within the chat: they stood in its context.",
            "b": "Tempting: a batch is text, too. But no gradient was computed, and no weight moved.",
            "c": "How often you say it makes no difference to weights that nothing changes.",
            "d": "The same weights before and after, to the last bit: their hash shows it.",
        },
        notebook="09",
        section="6. Does it learn while we talk?",
        beliefs={"a": "keeps_learning", "b": "keeps_learning"},
    ),
    QuizItem(
        key="10.reversed",
        question="A text says again and again 'A wrote B', never the reverse. Can its reader complete 'B is by'?",
        options={
            "a": "As well as before: the fact is the same",
            "b": "Better: the answer is a single name",
            "c": "Badly: it learned one direction of it",
            "d": "Perfectly, once the text is long enough",
        },
        right="c",
        explanations={
            "a": "Tempting: whoever knows one knows the other. What is trained is 'B' after 'A wrote', nothing else.",
            "b": "The length of the answer is not the difficulty; it never stood there.",
            "c": "Each direction is learned from text in that direction.",
            "d": "More of the same direction teaches the same direction.",
        },
        notebook="09",
        section="5. What it knows by heart",
        beliefs={"a": "symmetric"},
        evidence="09_other_direction",
    ),
    QuizItem(
        key="10.invented",
        question="A base model names a book that does not exist, with author and year. Why?",
        options={
            "a": "It was trained to go on plausibly",
            "b": "It has a bug that an update will mend",
            "c": "It lies, as people do in its texts",
            "d": "Its memory of that book is damaged",
        },
        right="a",
        explanations={
            "a": "The loss rewards continuations of the right form. Truth enters as far as the text repeats it.",
            "b": "Tempting: programs that say false things are broken. This one does what it was trained for.",
            "c": "A lie needs somebody who knows better.",
            "d": "Tempting: it looks like a bad recollection. There was no book to remember.",
        },
        notebook="09",
        section="4. A claim in eight of ten sentences",
        beliefs={"b": "hallucination", "d": "stores_text"},
    ),
    QuizItem(
        key="10.bill",
        question="'Trained for five million dollars': that is the rent of the final run. What did the programme cost?",
        options={
            "a": "Five million: the final run is the cost",
            "b": "More: failed runs, data, people come on top",
            "c": "Less: who owns the machines pays no rent",
            "d": "Five million a year, as long as it is used",
        },
        right="b",
        explanations={
            "a": "Tempting: it is the only number in the headline. It leaves out every run before the last.",
            "b": "The final run is one line of the bill.",
            "c": "Owned machines were bought, and take power and people.",
            "d": "Use has its own bill, for each token served.",
        },
        notebook="08",
        section="6. The bill",
        beliefs={"a": "final_run"},
    ),
    QuizItem(
        key="10.hours",
        question="Two models have 8e9 parameters each. What tells you how many GPU-hours each of them took?",
        options={
            "a": "The parameters: they are the same, so are hours",
            "b": "6 N D alone, as it counts every operation",
            "c": "The year: newer devices, so fewer hours",
            "d": "Tokens, the device, and how well it was used",
        },
        right="d",
        explanations={
            "a": "Tempting: size is what is published first. Of two such models one had read fifteen times as much.",
            "b": "6 N D is nearly the operations, but leaves out attention's scores; and operations are not hours yet.",
            "c": "Devices become faster, and texts longer: a newer run can take more hours.",
            "d": "Operations, divided by peak times share, are the hours.",
        },
        notebook="08",
        section="5. Time",
        beliefs={"a": "gpu_hours", "b": "six_n"},
        evidence="08_half_inside",
    ),
    QuizItem(
        key="10.memory",
        question="The weights of a model of 1e9 parameters take 2 GB. What does training it in mixed precision with "
        "Adam take, beside activations?",
        options={
            "a": "2 GB: two bytes for each parameter",
            "b": "4 GB: gradients are as large again",
            "c": "16 GB: the optimizer's numbers too",
            "d": "It depends on the length of the text",
        },
        right="c",
        explanations={
            "a": "Tempting: that is what using it takes. Training keeps more for each parameter.",
            "b": "Gradients are half of the way; the optimizer keeps two running means and full-precision weights.",
            "c": "2 for weights, 2 for gradients and 12 for the optimizer: 16 bytes a parameter.",
            "d": "Activations depend on the batch, and come on top.",
        },
        notebook="08",
        section="3. Memory",
        beliefs={"a": "two_bytes"},
    ),
    QuizItem(
        key="10.recite",
        question="Which sentence of its text can a model most likely recite word for word?",
        options={
            "a": "One that stood there very many times",
            "b": "Any sentence: its weights store the text",
            "c": "None: weights hold rules and no strings",
            "d": "The last one read: it is the freshest",
        },
        right="a",
        explanations={
            "a": "Repeats are what is learned by heart.",
            "b": "Tempting, as models do recite. Weights are far fewer than the bytes of the text.",
            "c": "Tempting, if weights are no store. But strings that came often are in the weights, too.",
            "d": "A last step moves the weights as little as every other.",
        },
        notebook="09",
        section="5. What it knows by heart",
        beliefs={"b": "stores_text"},
        evidence="09_exposed",
    ),
    QuizItem(
        key="10.greedy",
        question="At temperature 0 a model takes the likeliest token at each step. What text comes out?",
        options={
            "a": "The likeliest text, as each token is it",
            "b": "A text that need not be the likeliest",
            "c": "The truest text: chance has no part",
            "d": "A random text: all tokens are alike",
        },
        right="b",
        explanations={
            "a": "Tempting: best steps, best way. But the likeliest first token can lead to unlikely ones.",
            "b": "An exercise of notebook 04 has a table in which another text is likelier.",
            "c": "It is the same each time, which looks like certainty. True is another matter.",
            "d": "That is a very high temperature; 0 is the other end.",
        },
        notebook="04",
        section="Exercises",
        beliefs={"a": "temperature_zero"},
    ),
)

QUIZ = (*LESSON, *BELIEFS)

ONE_LEARNER = "a60 d85 b95 b80 c80 a90 d55 a85 d90 c95 a80 a85 a90 a65 a60 b95 a75 c80 b80 b60"
"""Answers of an example to BELIEFS: 12 of 20 right."""
ANOTHER = "a40 d90 b95 b45 c80 a45 d75 a90 d95 c90 a85 a50 a40 a45 a70 b95 a50 c85 b45 b75"
"""The same answers with another confidence to each."""
