"""Words as the concept rules see them: one spelling, families of words, small typos mended, clauses with a negation.

The rules know no grammar. They rewrite a sentence as a row of heads ("guessing the following words" becomes "predict
the next token"), cut it into clauses, and mark what a negation reaches. They read English only.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

NOT = "not"
FAMILIES = """
token: token word subword wordpiece
next: next following upcoming subsequent coming succeeding forthcoming nxt
predict: predict prediction predictor predicting guess guessing forecast foretell anticipate foresee estimate infer
come: come came follow arrive appear occur succeed
continue: continue extend complete continuation completion autocomplete
go: go goes going went
say: say said tell told output choose pick determine find figure select compute calculate fill
hold: hold contain include provide supply deliver
specialize: specialize specialization adapt adaptation customize tailor
work: work function behave built build
sentence: sentence
document: document page
precede: precede
previous: previous preceding prior earlier foregoing previously prev
before: before beforehand
after: after
later: later afterward afterwards subsequently thereafter
then: then
first: first initial firstly initially foremost
beginning: beginning start opening
last: last final finally second secondly third
pretrain: pretrain pretraining pretrained
finetune: finetune finetuning finetuned
align: alignment align aligned rlhf posttraining sft
text: text writing prose txt
data: data dataset corpus corpora material datum
label: label labeled labeling annotate annotation annotated labeler tag tagging tagged
unlabeled: unlabeled unannotated untagged
human: human person people annotator expert someone somebody teacher worker anyone anybody labeller hand manually
self: selfsupervised selfsupervision selfsupervise
supervise: supervision supervised supervise supervisor
unsupervised: unsupervised
loss: loss crossentropy entropy loglikelihood perplexity
lower: lower minimize reduce decrease minimization lowering minimal smaller shrink minimise
higher: maximize raise increase maximization
probability: probability likelihood probable likely distribution odds chance probabilities logprobability
surprise: surprise surprised surprising surprisal
error: error wrong mistake penalty wrongness
grade: grade score penalize punish judge measure evaluate pay graded scoring reward compare comparison check reward
task: task purpose job application usecase
specific: specific particular single concrete special certain
chat: chat chatbot chatting assistant conversation dialogue dialog assist conversational
instruct: instruction instruct instructed command
learn: learn learning learns learned acquire absorb pick develop study understand
language: language english linguistic
grammar: grammar syntax grammatical
pattern: pattern structure regularity statistics
read: read reading reads see seen saw sees look
web: web website webpage site internet twitter facebook html crawl commoncrawl wikipedia reddit forum blog wiki
book: book novel literature textbook ebook fiction poem poetry story
article: article newspaper news magazine essay encyclopedia paper journal publication journalism
code: code github gitlab repository repo software script sourcecode codebase stackoverflow python java javascript
documentation: documentation doc manual handbook readme tutorial specification
huge: huge large massive enormous vast gigantic immense giant tremendous colossal extensive
much: much many lot lots plenty ton loads heaps
billion: billion trillion million terabyte petabyte gigabyte thousands hundreds
amount: amount quantity volume scale mass
given: given based using use conditioned seeing considering knowing
context: context prefix
call: call named name term known termed
make: write wrote produce generate edit summarize translate create debug design
fetch: search searches browse browses access accesses visit retrieve
image: image picture photo video audio
wrongly: false wrongly mistakenly untrue myth incorrect misconception incorrectly nonsense lie
"""
"""A head, then its members; forms with -s, -es, -ed, -ing and -d are added by rule."""

_FRIENDS = """
adopted adopting altered altering appealed appeals bools brooks browser builders buildings builtin builtins bullion
casting changed changes changing commander commanders commend commended commending commutes complexes computer
computers concerted container containers content contents contest contested contests curtain dating debugging
deceased delivery designer developers exerted exerting exiting expected expecting expects expended expensive
exported exporting exports faction factions faling fellows ffunction findings followers foreseeing foreseen formed
forming friction funding granted granting grating grazing guest guests handling hanging hanning holdings humane
hundred imagine inferred initiated initiating journalist lable layered leaned leaning leans learner learners
livelihood loaded loading locking looping masking maternal missing mistaken nesting occurred occurring packing
parsons patten patter patters pertaining photons pickling precious predicates pretending probably producer producers
product products quantifies quantifying regarded regarding regards restraining retarded retraining rising sailing
sealing seeking sensing shrinka shrinkb singing sliding specified specifies startling starving stated states stating
stored stores studied studios supplied suppliers taken taking teaches talking testing thousand understandings waiting
wanting wards woods workings worlds worms writers
"""
FRIENDS = frozenset(_FRIENDS.split())
"""English words one letter away from one of ours: they are never mended."""
SHORT = {"token", "tokens", "words", "predict", "label", "labels", "books", "guess", "learn", "learns"}
"""Words of less than seven letters in which a typo is mended."""
SHORTENED = {
    "wrods": "words",
    "wrod": "word",
    "txet": "text",
    "idk": "i do not know",
    "dont": "do not",
    "doesnt": "does not",
    "isnt": "is not",
    "arent": "are not",
    "wasnt": "was not",
    "didnt": "did not",
    "cant": "can not",
    "cannot": "can not",
    "wont": "will not",
    "havent": "have not",
    "hasnt": "has not",
    "shouldnt": "should not",
    "wouldnt": "would not",
    "aint": "is not",
    "noone": "not",
    "llm": "model",
    "llms": "models",
    "nn": "model",
    "ft": "finetuning",
    "teh": "the",
    "stuff": "material",
}
_NEGATIONS = """
not no never none nobody nothing neither nor without hardly barely unlike except excluding avoid avoids ignore
ignores lacks lack fails insteadof ratherthan otherthan opposedto wrongly false untrue myth incorrect misconception
incorrectly mistakenly nonsense stop stops refuse refuses
"""
NEGATIONS = frozenset(_NEGATIONS.split())
_FUNCTION = """
a an the is are was were be been it its this that these those they them their there he she we you i to of in on at
by for from with and or as so which what who when where how because if than then after before given into only just
also has have had do does did can could will would may might must should not no
"""
FUNCTION = frozenset(_FUNCTION.split())
_FOREIGN = """
y le la les des du et est que qui pour une un dans avec sur der das und ist ein eine nicht mit den dem von wird el los
las es con por il lo gli di che non della uma para os não som och det att av ett het een van en niet jest nie na się
que på
"""
FOREIGN = frozenset(_FOREIGN.split())
JOINED = [
    (r"\bpre[\s-]+train", "pretrain"),
    (r"\bfine?[\s-]+tun", "finetun"),
    (r"\bpost[\s-]+train", "posttrain"),
    (r"\bself[\s-]+supervis", "selfsupervis"),
    (r"\bself[\s-]+label", "selfsupervised label"),
    (r"\bun[\s-]+(label|supervis|annotat)", r"un\1"),
    (r"\bcross[\s-]+entrop", "crossentrop"),
    (r"\bcommon[\s-]+crawl", "commoncrawl"),
    (r"\bstack[\s-]+(overflow|exchange)", "stackoverflow"),
    (r"\bsub[\s-]+word", "subword"),
    (r"\bword[\s-]+piece", "wordpiece"),
    (r"\btext[\s-]+book", "textbook"),
    (r"\bweb[\s-]+(site|page)", r"web\1"),
    (r"\blog[\s-]+likelihood", "loglikelihood"),
    (r"\bdata[\s-]+set", "dataset"),
    (r"\bchat[\s-]+bot", "chatbot"),
    (r"\bno[\s-]+(one|body)\b", "nobody"),
    (r"\bread[\s-]+me\b", "readme"),
    (r"\bfollow(s|ed|ing)? (instruct|order|command|rule|prompt)", r"obey\1 \2"),
    (r"\be[\s-]+book", "ebook"),
    (r"\btask[\s-]+agnostic", "not task"),
    (r"\b(?:libraries|mountains|oceans?|seas?|piles?|heaps|chunks) of\b", "amount of"),
    (r"\bpick(?:s|ed|ing)? up\b", "learn"),
    (r"\b(?:anything but|far from|in no way|by no means)\b", "not"),
    (r"\bweb of (?!pages|sites)", "net of "),
    (r"\bprior to\b", "before"),
    (r"\bis (?:the wrong|false|incorrect|wrong(?=\s*[.!]|\s*$))", "is not right"),
    (
        r"\bis (?:only |just )?an? (?:common |popular |widespread |frequent )?(?:error|mistake|misunderstanding)\b",
        "is not so",
    ),
    (r"\bmanual (?=label|annot|check|rating|work)", "human "),
    (r"\bt\s*\+\s*1\b", "next token"),
    (r"\b(later|afterwards?|including|include|kinds|sources|example)\s*:", r"\1 "),
    (r"\b(etc|vs)\.", r"\1"),
    (r"\bnext[-](token|word)", r"next \1"),
    (r"\b(instead|rather|other|opposed)[\s-]+(of|than|to)\b", r"\1\2"),
    (r"\b(?:wrong|mistake|error) (that|to)\b", r"not \1"),
]
"""Words that people write in one, in two, or with a hyphen."""
BENIGN = [
    "not only",
    "not just",
    "not merely",
    "not ~1 more than",
    "not (else|more)",
    "not matter",
]
"""Negative words that deny nothing of what stands beside them."""
BREAKS = re.compile(
    r"\b(?:but|whereas|while|although|though|however|because|since|so that|therefore|otherwise|nevertheless)\b"
    r"|,\s+(?=(?:and |so |then |yet )?(?:it|they|this|these|the model|the network|a model|models|we|you|i|just|only"
    r"|simply|merely|that|all|everything|instead|rather)\b)"
    r"|\band (?=(?:it|they|the model|the network|then|no|not|without|instead|nobody)\b)"
    r"|,\s+(?=(?:and |but )?(?:not|no|never|nor|without|nobody|neither|none|except|unlike|ratherthan|insteadof)\b)"
    r"|\s(?=(?:as )?(?:ratherthan|insteadof|opposedto|otherthan|except)\b)"
)
TAGS = re.compile(r",?\s*(?:right|correct|no|i (?:think|guess|suppose)|is ?n[o']?t it|or so|maybe|yes)\s*\?+")
ASKING = re.compile(
    r"^(?:so |and |um+ |ok |well )*(?:(?:what|why|who|when|where|which|how)(?: exactly| the heck)? "
    r"(?:is|are|was|were|does|do|did|can|could|should|would|will|about)\b"
    r"|(?:is|are|was|does|do|did|can|could|should|would|will) (?:it|they|the|that|this|there|a|an|we|you|i|pretraining|"
    r"next|someone|somebody|anyone|llms?|models?)\b|(?:tell|explain|define|please (?:tell|explain|define))\b"
    r"|(?:i )?(?:wonder|ask|asked|wish) |if only|imagine|suppose)"
)
GUARDED = re.compile(
    r"^(?:well |um+ |hmm+ )?(?:sorry )?(?:i )?(?:am |m )?"
    r"(?:do not know|not (?:really |quite |so |very )?(?:sure|certain)|no idea)\s*[,:-]+\s*"
)
DENIED = re.compile(
    r"^(?:no|nope|no way|wrong|false|not (?:so|true|right|correct|at all|really))$"
    r"|^(?:and |but )?(?:that|this|which|it|all that|all this)(?: all)?(?: is| s|s| was| sounds| seems)? "
    r"(?:just |simply |plain |completely |totally )?(?:wrong|false|untrue|incorrect|nonsense|the wrong"
    r"|a (?:myth|lie|mistake|misconception)|not (?:true|right|correct|the case|so|what)|what (?:people|many|others))"
)
DISOWNED = re.compile(
    r"(?:i doubt|i do not (?:think|believe)|(?:it )?(?:is|s)? ?(?:not|hardly|never) (?:true|the case|that|right)"
    r"|(?:it )?(?:is|s)? ?(?:false|untrue|a myth|a misconception)|contrary to)\b"
)
LEADING = re.compile(r"((?:as )?(?:ratherthan|insteadof|opposedto|otherthan|unlike|except)\b[^,]*),(.*)")
ORDER = {"then", "before", "after", "later", "pretrain", "finetune", NOT, ","}
"""What no gap of a pattern may pass over."""


def spelling(word: str) -> str:
    """Return one spelling for the British and the American one."""
    word = re.sub(r"(?<=[a-z]{3})is(e|ed|es|ing|ation)$", r"iz\1", word)
    return re.sub(r"ll(ed|ing|er|ers)$", r"l\1", word)


def _forms(word: str, noun: bool) -> Iterator[str]:
    if noun:
        yield from (word, word + "s", word[:-1] + "ies" if word[-1] == "y" else word + "es")
        return
    stem = word[:-1] if word.endswith("e") else word
    yield from (
        word,
        word + "s",
        word + "es",
        stem + "ed",
        stem + "ing",
        word[:-1] + "ies" if word[-1] == "y" else word,
    )


NOUNS = {"token", "text", "web", "book", "article", "code", "documentation", "image", "sentence", "document", "context"}
"""Families without -ed and -ing: a booking is no book."""


@cache
def heads() -> dict[str, str]:
    """Return the head of every known form of a word."""
    found = {}
    for line in FAMILIES.strip().splitlines():
        head, _, members = line.partition(":")
        for word in members.split():
            for form in _forms(word, head in NOUNS):
                found.setdefault(spelling(form), head)
    return found


@cache
def mended(word: str) -> str:
    """Return a word with one wrong, missing, doubled or exchanged letter set right, if only one head is that near."""
    known = heads()
    if word in known or word in FRIENDS or len(word) < 4 or not word.isalpha():
        return word
    near = {known[form] for form in known if (len(form) >= 7 or form in SHORT) and one_apart(word, form)}
    return near.pop() if len(near) == 1 else word


def one_apart(a: str, b: str) -> bool:
    """Tell whether one letter changed, added, left out or exchanged with its neighbour makes b of a."""
    if abs(len(a) - len(b)) > 1 or a[0] != b[0]:
        return False
    i = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    swapped = a[i + 1 : i + 2] + a[i : i + 1] + a[i + 2 :] == b[i:]
    return a != b and (a[i + 1 :] == b[i + 1 :] or a[i:] == b[i + 1 :] or a[i + 1 :] == b[i:] or swapped)


def plain(text: object) -> str:
    """Return text in lower-case letters of the Latin alphabet, its hyphenated terms in one word."""
    text = unicodedata.normalize("NFKD", str(text)).lower()
    text = "".join(c for c in text if unicodedata.category(c) not in ("Mn", "Cf", "Cc", "Cs") or c in "\n\t")
    text = re.sub(r"<[^<>]*>", " ", text)
    text = re.sub(r"['’`´](?=s\b)", " ", re.sub(r"n['’`´]t\b", " not", re.sub(r"[‐‑‒–]", "-", text)))
    text = re.sub(r"\b([a-z])\.([a-z])\.", r"\1\2", re.sub(r"\.\.+", " to ", text))  # i.e. and e.g.
    for pattern, joined in JOINED:
        text = re.sub(pattern, joined, text)
    words = re.sub(r"[a-z]+", lambda found: SHORTENED.get(found[0], found[0]), text)
    return re.sub(r"\bcan not\b", "can not", words)


def sentences(text: str) -> list[str]:
    """Return the statements of a plain text: questions are left out, and what the next clause calls false."""
    kept: list[list[str]] = []
    for whole in re.findall(r"[^.!?\n]+[.!?\n]*", TAGS.sub(".", text)):
        stated: list[str] = []
        if DISOWNED.match(whole.strip()):
            continue
        for part in _parts(whole):
            statement = GUARDED.sub("", part.strip(" .!\n\t-*•\"'()"))
            if DENIED.match(statement):  # it speaks of what stands before: in this sentence, else in the last one
                stated.clear()
                if kept and part == whole:
                    kept.pop()
            elif statement and "?" not in whole and not ASKING.match(statement):
                stated.append(statement)
        kept.append(stated)
    return [statement for stated in kept for statement in stated]


def _parts(whole: str) -> list[str]:
    """Cut a sentence at ; and :, but for a colon after a few words that deny what follows ("none of these: ...")."""
    parts: list[str] = []
    for part in re.split(r"(?<=[;:])", whole):
        before = parts[-1].split() if parts and parts[-1].endswith(":") else []
        if 0 < len(before) <= 4 and NEGATIONS & {word.strip(":") for word in before}:
            parts[-1] = f"{parts[-1][:-1]} {part}"
        elif part.strip():
            parts.append(part)
    return [part.strip(";: ") if len(parts) > 1 else part for part in parts]


def words(text: str) -> list[str]:
    """Return words as heads where they are known, else as written; every negation is `not`, a comma stays."""
    found = []
    for word in re.findall(r"[a-z]+|,|\d[\d.,]*", text):
        word = spelling(word)
        if word in NEGATIONS:
            found.append(NOT)
            continue
        word = mended(word)
        head = heads().get(word, word)
        if not (head == "loss" and found[-1:] == ["loss"]):  # "cross-entropy loss" is one loss
            found.append(head)
    return found


def clauses(text: str) -> list[str]:
    """Return the clauses of a learner's text as rows of heads, a negation in each that is denied."""
    found = []
    for sentence in sentences(plain(text)):
        if is_foreign(sentence) or is_heap(sentence):
            continue
        parts = [part.strip() for part in BREAKS.split(sentence) if part.strip()]
        for place, (part, after) in enumerate(zip(parts, [*parts[1:], ""], strict=True)):
            if DENIED.match(part) or DENIED.match(after):  # "..., but that is wrong"
                continue
            # "instead of labels, the text": only up to the comma; "all except books, code": the whole list
            lead = None if place and part.startswith(("except", "otherthan")) else LEADING.match(part)
            for row in (" ".join(words(piece)) for piece in (lead.groups() if lead else [part])):
                # "it does not, however, predict": a negation at the end reaches the next part
                found.append(f"{found.pop()} {row}" if found and found[-1].rstrip(" ,").endswith(NOT) else row)
    return found


def wholes(text: str) -> list[str]:
    """Return the sentences of a learner's text as rows of heads, not cut into clauses and without commas."""
    return [" ".join(w for w in words(s) if w != ",") for s in sentences(plain(text))]


def obstacle(text: str) -> str:
    """Say what keeps a text from being read, if anything does: no letters, only questions, no English, a heap."""
    simple = plain(text)
    if not re.search(r"[a-z]", simple):
        return "There are no words of the Latin alphabet to read: the rules read English."
    found = sentences(simple)
    if not found:
        return "That is a question, or you took it back: the rules read statements."
    if all(is_foreign(sentence) for sentence in found):
        return "That does not look like English, the only language the rules read."
    if all(is_heap(sentence) for sentence in found):
        return "That is a row of words: the rules read sentences."
    return ""


def is_foreign(sentence: str) -> bool:
    """Tell whether a sentence has more little words of other languages than English ones."""
    row = re.findall(r"[^\W\d_]+", sentence)
    foreign = sum(word in FOREIGN for word in row)
    return foreign > sum(word in FUNCTION for word in row)


def is_heap(sentence: str) -> bool:
    """Tell whether many words stand side by side without one little word or comma to relate them."""
    row = re.findall(r"[a-z]+", sentence)
    return len(row) >= 7 and "," not in sentence and not any(word in FUNCTION for word in row)


@cache
def pattern(text: str) -> re.Pattern:
    """Return a rule as a regular expression over heads: `predict ~3 next` lets up to three words stand between.

    A rule may name any member of a family: it stands for the head.
    """
    built, gap = "", ""
    by_head = re.sub(r"[a-z]+", lambda found: heads().get(spelling(found[0]), found[0]), text)
    for item in by_head.split():
        if item.startswith("~"):
            barred = "|".join(map(re.escape, sorted(ORDER)))
            gap = rf"(?:(?!(?:{barred})(?!\S))\S+ ){{0,{int(item[1:])}}}"
            continue
        built += gap + rf"(?:{item})" + r"(?!\S) ?"
        gap = ""
    return re.compile(r"(?<!\S)" + built)
