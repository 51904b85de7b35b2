"""The lesson's three practice questions, in our words: claims, numbers, the ideas of an answer, and the rules for each.

A rule is read by `language.pattern`: heads of word families, `|` between alternatives, `~3` for up to three words.
"""

import math

from minillm.classroom.practice.free_text import Concept, OwnNumber, PracticeQuestion

TEXT = "(text|data|book|article|token|web|code|document|sentence|examples?|sequences?|characters?|language)"
LOTS = "(huge|billion|amount)"
TOO_LITTLE = "(small|little|tiny|few|handful|curated|short)"
ANSWER = "(answers?|label|targets?|truth|solutions?)"
SOURCE = "(text|data|sentence|document|book)"
CAME = "(token|right|correct|true|actual|real|came|come|next|answer|text)"
WITH = "(given|from|after|on|read|use|know|with|look|by|of|all|everything|token|one|ones|what|that|text)"
NEXT_TOKEN = (
    "predict ~6 next ~2 token",
    "predict ~3 next (one|ones|piece|bit|part|chunk|symbol)",
    "predict ~1 (what|which|whatever|how) ~4 (next|come|after|continue|go)",
    "predict (from|given) ~4 (what|which|how) ~4 (next|come|after|continue|go)",
    "predict ~3 token ~4 (next|come|after)",
    "predict ~4 continue",
    "predict ~1 one ~3 (next|come)",
    "next ~2 token ~4 predict",
    "(what|which|whatever|token) ~3 (next|come) ~2 (is|be|must|are|get|gets|it|model|network|being) ~3 predict",
    "token ~2 (that|which|to) ~2 (next|come) ~4 predict",
    "(say|call|know|learn|give|think|ask|work|train|make) ~4 (what|which) ~6 (next|continue)",
    "(say|call|know|learn|give|think|ask|work|train|make) ~4 (what|which) ~6 come ~1 (after|context|it|them)",
    "(say|call|know|ask|work|make|give) ~4 next ~1 token",
    "continue ~3 text ~4 token",
    "continue ~2 text ~3 (by|with) ~3 token",
    "probability ~5 next ~2 (token|one)",
    "probability ~5 token ~3 (next|come)",
    "probability ~3 (every|each|all|possible) ~2 token ~6 (given|after|next)",
    "(question|objective|goal|aim|task) ~5 (what|which) ~2 (next|come)",
    "learn ~4 next ~1 token",
    "next ~1 token ~1 (be|is) ~2 (predict|objective|goal|target)",
    "next ~1 token ~4 less surprise",
    "surprise ~4 next ~1 token",
    "predict ~1 next$",
    "(say|call|know|ask) ~2 (what|which) ~1 token ~4 come",
    "continue ~3 (one|next) ~1 token",
)
BACKWARDS = (
    "predict previous",
    "say (the|a) previous",
    "predict (the|a|which|what|every|each|all|some) ~1 previous",
    "given ~3 next",
    "from ~2 (later|next) ~1 (token|one|ones)",
    "from ~1 (token|one|ones|text) after",
    "predict ~4 (sentence|paragraph|action|answer|class|category|frame|image|pixel|emotion|sentiment)",
    "predict ~4 (mask|masked|missing|middle)",
    "(mask|missing|hidden|blank) ~2 token",
    "human ~3 (write|give|type|choose|decide|provide|tell) ~4 (next|answer)",
    "next (question|user|message|step|layer|sentence|paragraph)",
    "(after|once|when) ~3 pretrain",
    "finetune",
    "human ~3 (predict|label|grade)",
    "question",
    "(choose|say|made|write|given|predict) ~2 by ~2 human",
    "(inference|deployment|deployed)",
)
LABELS_NEEDED = (
    "human ~3 (label|mark|sort|classify|tag)",
    "label ~1 (by|from|of|made|written) ~3 human",
    "(given|on|from|with|need|require|have|has|learn) ~3 label ~1 (data|text|examples?|pairs?|image|sentence|token|by)",
    "label (data|text|examples?|pairs?|image|sentence) ~2 (need|require|use)",
    "human ~3 (write|give|provide|type) ~3 answer",
    "(human|teacher|expert) ~2 (grade|correct)",
)
SWAPPED = (
    "finetune ~2 (come|be|is|happen|take|go) ~2 (first|before)",
    "first ~1 (come|is|be|phase|step|stage|learn|one|they|we|you|it) ~3 finetune",
    "^finetune$",
    "^(it|phase) ~3 finetune$",
    "first ~2 (finetune|align)",
    "pretrain ~1 (come|happen|done) ~1 later",
    "finetune ~4 (then|before|later) ~3 pretrain",
    "pretrain ~2 (come|is|be|happen|done|take) ~2 after ~4 (finetune|align|chat)",
    "pretrain after ~2 (finetune|align)",
    "after ~2 (finetune|align) ~5 pretrain",
    "before ~3 pretrain ~6 finetune",
    "before ~1 pretrain$",
    "pretrain ~3 last",
    "pretrain ~6 end$",
    "first ~1 (phase|step|stage) ~2 (finetune|align|instruct)",
    "(once|when) ~5 finetune ~6 pretrain",
    "pretrain come (finetune|after)",
    "finetune ~4 come by",
    "pretrain and ~1 finetune ~1 (is|are) ~2 same",
    "come by ~2 pretrain",
    "finetune ~3 first",
    "pretrain ~3 (take|takes|come|happen|happens|be|is|done) ~2 after ~1 (finetune|align|chat|deployment|users?)",
    "pretrain ~6 (label|deployment|users?|question|instruct|feedback|chat)",
    "finetune ~1 precede ~2 pretrain",
    "last ~2 (is|be|phase|step|stage|come) ~3 pretrain",
    "pretrain or ~2 (finetune|align|inference)",
    "(finetune|align|inference) or ~2 pretrain",
    "call ~2 (finetune|align|inference|tokenize|tokenization|prompt|reinforcement|supervise|instruct|transfer|deploy)",
)
SMALL = ("(small|little|tiny|few|handful) ~3 (text|data|book|article|web|document|example|amount)",)

FIRST_PHASE = PracticeQuestion(
    key="10.first_phase",
    question="What is the first learning phase of a language model called, what happens in it, and what is left for "
    "later?",
    claim="Which of these holds for the first learning phase of a language model?",
    options={
        "a": "It comes first, and is the same for all later uses.",
        "b": "It comes last, once the model can already chat.",
        "c": "It is repeated for each task that a user sets.",
        "d": "It is optional: large models can do without it.",
    },
    right="a",
    explanations={
        "a": "So it is: one long phase on text of all kinds, before anything is made for a task.",
        "b": "It is the other way round: what makes a chatbot of it comes afterwards (notebook 11).",
        "c": "Once is the idea: the same weights are the start for many tasks (notebooks 00 and 11).",
        "d": "Without it the weights are random numbers, and the text is noise (notebook 00).",
    },
    own=OwnNumber("What loss did your own first run, in notebook 00, end at?", "nats", "00_loss", notebook="00"),
    concepts=(
        Concept("it is called pretraining", ("pretrain",), unless=(*SWAPPED, "retrain"), never=SWAPPED),
        Concept(
            "a model reads a very large amount of text",
            (
                f"{LOTS} ~5 {TEXT}",
                f"much ~3 {TEXT}",
                f"{TEXT} ~3 {LOTS}",
                f"{TEXT} ~2 from ~4 (web|everywhere)",
                "(whole|entire|all|half|most) ~3 web",
                "read ~3 (much|lot)",
                f"{LOTS} , ~4 {TEXT}",
                "big ~3 (text|data|book|web|document|collection)",
            ),
            unless=("finetune ~4 (read|use|given|on)", "human ~1 read", *SMALL),
            never=LABELS_NEEDED[:4],
        ),
        Concept(
            "it learns language in general, by predicting what comes next",
            (
                *NEXT_TOKEN,
                "learn ~4 (language|grammar|pattern)",
                "learn ~4 (world|fact) ",
                "(general|broad) ~3 (language|pattern|knowledge|understand|text|representation|skill|ability)",
                "(language|grammar|pattern) ~4 (learn|general)",
                "how ~2 (language|text|token|sentence) ~2 (work|go|fit|made|put|form)",
                "feel ~2 language",
                "(teach|teaches) ~4 (language|grammar|pattern)",
                "knowledge ~2 (grammar|language|world)",
                "(language|text) pattern",
                "(language|basic) ~2 (skills?|ability|competence)",
                "how ~1 human ~1 (make|speak|talk)",
            ),
            unless=(*BACKWARDS[:-2], "finetune ~4 learn"),
            never=("finetune ~3 first", "call ~2 finetune"),
        ),
        Concept(
            "no particular task yet: fine-tuning comes later",
            (
                "before ~6 (finetune|task|specialize|align|chat)",
                "(then|later) ~6 (finetune|align|task|specialize|chat|instruct)",
                "after (that|this|which|it|pretrain) ~6 (finetune|align|task|specialize|chat|instruct)",
                "(after|next|come) ~3 (finetune|align)",
                "(finetune|align|task|specialize|chat|instruct) ~6 (later|after|next|then|last)",
                "(finetune|align) ~4 come",
                "(finetune|align) work",
                "(foundation|basis|base) ~5 (finetune|align|later)",
                "(general|all) ~1 task",
                "(leave|left|wait) ~3 (finetune|align|later)",
                "precede ~4 (finetune|align)",
            ),
            denials=(
                "not ~4 task",
                "not ~4 (chat|instruct|specialize|align|finetune|helpful|useful|question|safe|safety|product)",
                "not ~4 specific ~2 (task|mind|yet)",
                "not ~1 (specialize|adapt|tuned)",
            ),
            unless=SWAPPED,
            never=(*SWAPPED, "(learn|train|teach) ~3 specific ~1 task"),
        ),
    ),
    model_answer="The first phase is called pretraining. The model reads a very large amount of text and learns "
    "language in general, by predicting what comes next. It is not trained for any particular task yet: fine-tuning "
    "comes later.",
)

OBJECTIVE = PracticeQuestion(
    key="10.objective",
    question="What is a model trained to do in pretraining, from what, where do the right answers come from, and how "
    "is it graded?",
    claim="What must a model deliver at each place of the text in pretraining?",
    options={
        "a": "The one right answer, and it is right or wrong.",
        "b": "An answer that people have graded beforehand.",
        "c": "A probability for everything that might come.",
        "d": "A summary of what it has read up to there.",
    },
    right="c",
    explanations={
        "a": "Several tokens can be right: what counts is the probability given to the one that came (notebook 03).",
        "b": "Nobody grades beforehand: the text goes on, and that is the answer (notebook 03).",
        "c": "So it is: a whole distribution, at every place (notebook 03).",
        "d": "It may keep something like that in its layers (notebook 04), but nobody asks for it.",
    },
    own=OwnNumber(
        "What was the loss of your first model before its first step (notebook 00)?",
        "nats",
        "00_first_loss",
        added=math.log(1024),
        notebook="00",
    ),
    concepts=(
        Concept("it predicts the next token", NEXT_TOKEN, unless=BACKWARDS, never=BACKWARDS[:3]),
        Concept(
            "from the tokens that came before",
            (
                "(given|from|after|on|read|use|know|with|look|by|considering|of) ~5 context",
                f"{WITH} ~5 before",
                "previous ~1 (token|one|ones|text|part|piece|sequence)",
                "(given|after) (some|several|few|the) ~1 (token|ones)",
                "(everything|all|anything) ~1 previous",
                "so far",
                "(up|until) ~1 (here|now|that|then|there)",
                "(to|on) (its|the) left",
                "(given|after|from|read|continue) ~2 (beginning|half|part|piece|stretch|sequence|prefix|prompt)",
                "(already|have|has) ~1 (read|written|came|come)",
                "precede",
                "(given|from|on) ~2 past",
                "(come|is|stand|was|were|read) previous",
                "(next|come) ~2 context",
            ),
            unless=(
                *BACKWARDS[:6],
                "finetune",
                "question",
                "(choose|say|made|write|given|predict) ~2 by ~2 human",
                "before ~2 (train|finetune|answer)",
            ),
            never=BACKWARDS[:3],
        ),
        Concept(
            "the text itself holds the answers: nobody labels",
            (
                "unlabeled",
                "self",
                "unsupervised",
                "text ~3 (label|supervise|answer|grade|correct|teach) ~2 (itself|own)",
                "(text|data|sentence|document) ~2 (itself|own) ~3 (label|answer|target|key|supervise|signal|teacher)",
                f"{ANSWER} ~5 (text|data) itself",
                f"{ANSWER} ~4 (in|from|inside|within|by) ~2 (text|data|sentence|corpus)",
                f"{ANSWER} ~3 (is|be|are) ~4 (next|token|text|continuation)",
                f"(next|real|actual|true|following) ~1 token ~3 (is|be|are|as|serve) ~3 {ANSWER}",
                f"{SOURCE} ~3 (give|gives|hold|have|has|know|knows|reveal|reveals|show|shows|tell) ~4 {ANSWER}",
                "text ~5 own (human|teacher|answer|label|key|solution)",
                f"{ANSWER} ~4 (free|already|simply|just) ~3 (text|there|next)",
                "text ~1 (is|be) ~2 own",
                "raw text",
                "(text|data) ~1 label itself",
                "label ~1 (is|are|for) ~1 free",
                "(true|right|real|actual|correct) ~1 (token|answers?|one) ~2 (in|inside) ~2 text",
                "next token ~3 already ~4 (text|data|there)",
            ),
            denials=(
                "not ~2 label",
                "not (need|use|require|want|have) ~4 label",
                "not ~1 human ~3 (label|grade|answer|teach|mark|correct|write|need|involve)",
                "not ~2 (supervise|teacher|human)",
                "label ~3 not ~1 (need|needed|necessary|require|required|use)",
                "not (label|mark|grade|teach|correct|annotate)",
                "not ~3 (need|necessary) ~2 (label|human)",
            ),
            unless=(
                "predict ~3 label",
                "not grade ~2 (loss|surprise|error|probability)",
                "(to|it|model|must|should|and) ~1 (say|fetch|extract|give|make|predict|hold) ~3 (answers?|solutions?)",
                "question",
            ),
            never=LABELS_NEEDED,
        ),
        Concept(
            "graded by a loss: how probable it found what came",
            (
                "lower ~4 (loss|surprise|error)",
                "loss ~3 (lower|low|fall|drop|down|small|measure|say|grade|punish|function|is|error)",
                "(measure|grade|train|say|given|by|with|the|a|through|is) ~3 loss",
                "(measure|grade|how) ~3 (surprise|error)",
                "(less|little) ~2 surprise",
                "(observed|actual|real|true) ~1 token ~1 probability",
                "loss between",
                "grade ~6 (probability|surprise|loss|error)",
                f"(higher|raise|give|assign|put) ~5 probability ~8 {CAME}",
                "probability ~4 (gave|give|assign) ~5 (token|came|come|next|real|actual|right|correct)",
                "grade ~4 (against|to|with) ~4 (actual|real|true|next)",
                "grade ~8 (actual|real|true|right|correct) ~1 (one|token)",
                "how ~2 (surprise|error|probability)",
                "log ~1 probability",
                "predict ~1 (is|are|get|gets) ~1 grade",
                "(real|actual|true) ~1 (continue|token|one) ~3 (improbable|unlikely|probability)",
                "^(loss|surprise)$",
                "error ~3 (lower|is)",
            ),
            unless=(
                "higher ~2 (loss|surprise|error)",
                "loss ~5 (high|grow|rise|up)",
                "human ~3 grade",
                "grade ~3 (by|from) ~3 human",
                "(bigger|larger|great|greater) ~1 loss ~3 good",
                "accuracy",
                "loss of (information|data|memory|meaning)",
            ),
            never=("higher ~2 loss",),
        ),
    ),
    model_answer="It predicts the next token from the tokens that came before it, as a probability for each token. The "
    "text itself holds the answers, so nobody labels anything. It is graded by a loss: the less probable it found the "
    "token that came, the more it pays.",
)

ABOUT_DATA_UNLESS = (
    "(it|model|to|can|they|able|and) ~1 (make|fetch) ~3 (web|book|article|code|documentation)",
    "finetune",
    "(only|solely|exclusively) ~2 (web|book|article|code|documentation)",
    "(web|book|article|code|documentation) ~1 (only|alone|exclusively)",
    "documentation label",
    "label ~2 (web|book|article|code|documentation)",
    "(image|label) ~2 (from|of|on) ~2 (web|book|article)",
    "human ~3 label",
    "(after|once) ~2 pretrain",
    "(code|book|article) (review|name|cover)",
    "code of",
)
DATA = PracticeQuestion(
    key="10.data",
    question="What kinds of data does a model read in pretraining, and how much? Name at least three kinds.",
    claim="What is the text that a model reads in pretraining?",
    options={
        "a": "Questions with answers, each checked by a person.",
        "b": "Mostly pictures with captions, and some text to go.",
        "c": "The conversations of its users, as they come in.",
        "d": "Texts of many kinds, cleaned and weighed by source.",
    },
    right="d",
    explanations={
        "a": "That is closer to fine-tuning (notebook 11); pretraining takes text as it is.",
        "b": "Some models read pictures too; the language model of this course reads text alone.",
        "c": "A chat changes no weight (notebook 09); pretraining is over before the first user comes.",
        "d": "So it is: what is kept, and how much of each kind, decides what the model can do (notebook 01).",
    },
    own=OwnNumber(
        "In your matrix of notebook 01 each kind of text has a best reader. By how much did it lead the next best, "
        "where the lead was smallest?",
        "bits a byte",
        "01_diagonal",
        notebook="01",
    ),
    concepts=(
        Concept(
            "web pages",
            (
                "web",
                "online ~1 (text|article|book|data|content|source|document)",
                "text ~4 online",
                "(put|post|publish|available|share|upload|find|people) ~1 online",
            ),
            unless=ABOUT_DATA_UNLESS,
        ),
        Concept("books and articles", ("(book|article)",), unless=ABOUT_DATA_UNLESS),
        Concept("code", ("code", "programs", "computer program"), unless=ABOUT_DATA_UNLESS),
        Concept(
            "technical documentation",
            ("documentation", "technical ~1 (text|document|reports?)", "(user|to|api|developer) (guides?|references?)"),
            unless=ABOUT_DATA_UNLESS,
        ),
        Concept(
            "a very large amount",
            (
                f"{LOTS} ~5 {TEXT}",
                f"{TEXT} ~4 huge amount",
                "huge ~3 (amount|mix|mixture|collection|library|variety|quantity|set)",
                "huge , ~4 (data|text|amount)",
                f"much ~3 {TEXT}",
                f"amount ~4 {TEXT}",
                "(whole|entire|all|half|most) ~3 web",
                "everything ~3 web",
                "as much ~3 (possible|can|text)",
                "big ~3 (text|data|book|web|document|collection)",
                "(at|on) ~1 amount",
            ),
            unless=(*SMALL, "finetune", "small ~2 amount", "(after|once) ~2 pretrain", "label (data|text|example)"),
            never=SMALL,
        ),
    ),
    model_answer="A very large amount of text of many kinds: web pages, books and articles, code, technical "
    "documentation. It is taken as it was written, then filtered and mixed.",
)

PRACTICE = (FIRST_PHASE, OBJECTIVE, DATA)
