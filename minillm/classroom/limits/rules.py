"""Rules that say of a continuation whether it has the form that a prompt asks for, and whether it is right.

A rule looks at the beginning of a continuation and forgives what comes later, since a base model is not told to stop:
only a conversation is spoilt by going on, when the model writes the other side too. Deterministic, without a model.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

SHORT = 15
"""Words that an answer in one sentence may have."""


@dataclass(frozen=True)
class Prompt:
    """A text to continue, the rule for the form of what follows, and the words that make it right.

    wanted: what is right, in lower case (for 'decline': what must not be written); empty if only the form is asked for.
    options: the words among which the form lets one choose. subject: what an answer in a whole sentence speaks of, or
    the words with which it may compare.
    """

    key: str
    kind: str
    text: str
    rule: str
    wanted: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    subject: str = ""

    def __repr__(self) -> str:
        return f"{self.key}: {self.text!r} ({RULES[self.rule].asks})"


@dataclass(frozen=True)
class Score:
    """Whether a continuation has the form asked for, and whether it is right (None where nothing can be wrong)."""

    form: bool
    content: bool | None

    def __repr__(self) -> str:
        content = {None: "not asked", True: "right", False: "wrong"}[self.content]
        return f"form {'as asked' if self.form else 'other'}, content {content}"


@dataclass(frozen=True)
class Rule:
    """What a rule asks for in words, and its two tests of a prompt and a continuation."""

    asks: str
    form: Callable[[Prompt, str], bool]
    content: Callable[[Prompt, str], bool]


# --- parts of a continuation -----------------------------------------------------------------------------------------


def first_line(continuation: str) -> str:
    """Return the first line that is not blank, without the spaces around it; empty if there is none."""
    return next((line.strip() for line in continuation.splitlines() if line.strip()), "")


def without_preamble(line: str) -> str:
    """Return a line without a polite word before the answer itself, such as 'Sure!'."""
    return re.sub(r"^(?:sure|of course|certainly|okay|ok|well)\s*[,!.:]\s+", "", line, flags=re.IGNORECASE)


def first_sentence(continuation: str) -> str:
    """Return the first line up to the end of its first sentence: a mark, then a space and a capital, or the end."""
    line = without_preamble(first_line(continuation))
    end = re.search(r"(?<!\bMr)(?<!\bDr)(?<!\bSt)(?<!\bMrs)[.!?][\"')]*(?=\s+[\"'(]?[A-Z]|\s*$)", line)
    return line[: end.end()] if end else line


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, without marks; an apostrophe within a word stays."""
    return re.findall(r"[^\W_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}][^\W_]+)*", text.lower())


def has(text: str, phrase: str) -> bool:
    """Return whether the words of a phrase stand in a text one after another, as whole words."""
    return f" {' '.join(words(phrase))} " in f" {' '.join(words(text))} "


def is_short_statement(sentence: str) -> bool:
    """Return whether it has one to fifteen words and does not ask back."""
    return 1 <= len(words(sentence)) <= SHORT and "?" not in sentence


# --- one rule after another: form, then content ----------------------------------------------------------------------

# "one" is left out: it is a pronoun more often than a number, and no question here has it as its answer
NUMBER_WORDS = (
    "zero",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
    "hundred",
)


def is_one_word(prompt: Prompt, continuation: str) -> bool:
    return len(words(first_line(continuation))) == 1


def is_wanted_word(prompt: Prompt, continuation: str) -> bool:
    return words(first_line(continuation))[:1] in [[word] for word in prompt.wanted]


def yes_or_no(continuation: str) -> str | None:
    """Return 'yes' or 'no' if a continuation begins by saying it; 'No man' and 'No. 5' do not."""
    line = first_line(continuation).lstrip("\"'*-( ")
    if re.match(r"yes\b(?![-'])", line, re.IGNORECASE):
        return "yes"
    said = (
        r"no(?:\s*$|\s*[,;!:)*\"'\u2014]|\s+[\u2013-]\s|\.(?!\s*\d)|\s+(?:it|they|he|she|we|you|i|that|this|there)\b)"
    )
    return "no" if re.match(said, line, re.IGNORECASE) else None


def says_yes_or_no(prompt: Prompt, continuation: str) -> bool:
    return yes_or_no(continuation) is not None


def says_the_right_one(prompt: Prompt, continuation: str) -> bool:
    return yes_or_no(continuation) in prompt.wanted


def list_items(continuation: str) -> list[str]:
    """Return the items of a list: lines with or without marks, or one line cut at commas, semicolons and 'and'."""
    lines = [line.strip() for line in continuation.strip().splitlines()]
    if len(lines) > 1 and lines[0].endswith(":"):  # 'Here are three days:' and the list below
        lines = "\n".join(lines[1:]).strip().split("\n")
    block = lines[: lines.index("")] if "" in lines else lines
    found = cut(without_preamble(block[0])) if block else []
    if len(found) < 2:  # no list on the first line: one item a line, those after a blank one only if all are spread so
        spread = len(block) == 1 and len(lines) > 1 and lines[1] == ""
        found = [re.sub(LIST_MARK, "", line) for line in (lines if spread else block)]
    return [item.strip(" .,;*\"'") for item in found if item.strip(" .,;*\"'")]


LIST_MARK = r"^(?:[-*\N{BULLET}]|\d+[.):]|\(?[a-c]\))\s*"


def cut(line: str) -> list[str]:
    """Return the items that stand on one line: '1. a 2. b 3. c', 'a, b and c', or either after 'are' or a colon."""
    if len(numbered := re.split(r"(?:^|\s)\d[.)]\s*", line)) > 2:
        return numbered[1:]
    sentence = re.split(r"[.!?](?:\s|$)", line)[0]  # what follows the sentence is no item
    listed = re.sub(r"^.*?(?:\bare\b|:)\s+", "", sentence)
    return re.split(r"\s*[,;]\s*(?:and\s+|or\s+)?|\s+and\s+", listed)


def is_list_of_three(prompt: Prompt, continuation: str) -> bool:
    items = list_items(continuation)
    plain = all(re.fullmatch(r"[\w\s'.()-]+", item) for item in items)  # words, no formula and no path
    return len(items) == 3 and plain and all(1 <= len(words(item)) <= 3 for item in items)


def are_wanted_items(prompt: Prompt, continuation: str) -> bool:
    items = {" ".join(words(item)) for item in list_items(continuation)}
    return len(items) >= 3 and items <= set(prompt.wanted)


TENS = {word: 10 * (i + 2) for i, word in enumerate(NUMBER_WORDS[19:27])}  # twenty to ninety


def numbers(text: str) -> set[float]:
    """Return the numbers in a text, written in digits or in words up to ninety-nine, or 'hundred'."""
    tens, units = "|".join(TENS), "|".join(("one", *NUMBER_WORDS[1:9]))
    spelled = re.sub(rf"\b({tens})[- ]({units})\b", lambda m: str(value(m[1]) + value(m[2])), text, flags=re.IGNORECASE)
    found = [number.replace(",", "") for number in re.findall(r"(?<![\w-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w-])", spelled)]
    return {float(number) for number in found} | {value(word) for word in words(spelled) if word in NUMBER_WORDS}


def value(word: str) -> int:
    """Return the number that a word names."""
    word = word.lower()
    small = ("zero", "one", *NUMBER_WORDS[1:19])
    return TENS[word] if word in TENS else 100 if word == "hundred" else small.index(word)


def new_numbers(prompt: Prompt, continuation: str) -> set[float]:
    """Return the numbers of the first sentence that the prompt has not named, as 'two plus three' names two."""
    return numbers(first_sentence(continuation)) - numbers(prompt.text)


def says_a_number(prompt: Prompt, continuation: str) -> bool:
    return is_short_statement(first_sentence(continuation)) and len(new_numbers(prompt, continuation)) == 1


def says_the_number(prompt: Prompt, continuation: str) -> bool:
    return new_numbers(prompt, continuation) == numbers(", ".join(prompt.wanted))


def chosen(prompt: Prompt, continuation: str) -> list[str]:
    """Return the options that the first sentence names, without those after 'not' and, where it compares, 'than'."""
    sentence = re.sub(r"\bnot (?:a |an |the )?\w+", "", first_sentence(continuation), flags=re.IGNORECASE)
    compared, than, _ = sentence.partition(" than ")
    if than and prompt.subject and not any(has(compared, word) for word in prompt.subject.split()):
        return []  # 'the mouse is smaller than ...' turns the question round
    return [option for option in prompt.options if has(compared, option)]


def chooses(prompt: Prompt, continuation: str) -> bool:
    """One option, said at once or after a few words that end in 'is', 'are' or 'think'."""
    sentence, named = first_sentence(continuation), chosen(prompt, continuation)
    if len(named) != 1 or not is_short_statement(sentence):
        return False
    begin = r"(?:(?:\w+ ){0,4}(?:is|are|it's|think|say|choose) )?(?:an? |the )?"
    return re.match(begin + rf"{re.escape(named[0])}\b(?! of)", sentence.lstrip("\"'*"), re.IGNORECASE) is not None


def chooses_right(prompt: Prompt, continuation: str) -> bool:
    return chosen(prompt, continuation) == list(prompt.wanted)


FUNCTION_WORDS = {
    *("the", "a", "an", "it", "in", "this", "that", "these", "those", "there", "he", "she", "they", "we", "you", "i"),
    *("and", "but", "or", "of", "on", "at", "for", "to", "if", "as", "by", "from", "with", "when", "what", "who", "no"),
    *(
        "is",
        "are",
        "was",
        "were",
        "not",
        "yes",
        "his",
        "her",
        "its",
        "our",
        "their",
        "my",
        "your",
        "such",
        "all",
        "how",
    ),
}


def names(prompt: Prompt, continuation: str) -> bool:
    """A bare name, or a short sentence that speaks of the subject and names something besides."""
    sentence = first_sentence(continuation)
    if not is_short_statement(sentence):
        return False
    bare = re.sub(r"^(?:It(?: is|'s)|That(?: is|'s)|This is)\s+", "", sentence)
    if re.fullmatch(r"[A-Z][\w'-]+(?:\s+(?:of\s+|de\s+|the\s+)?[A-Z][\w'-]+){0,2}[.!]?", bare):
        return not set(words(bare)) <= FUNCTION_WORDS
    without = re.sub(re.escape(prompt.subject), "", sentence, flags=re.IGNORECASE)
    return has(sentence, prompt.subject) and re.search(r"(?<!^)\b[A-Z]\w+|^(?!The\b)[A-Z]\w+ ", without) is not None


def mentions(prompt: Prompt, continuation: str) -> bool:
    return any(has(first_sentence(continuation), word) for word in prompt.wanted)


def speakers(prompt: Prompt) -> set[str]:
    return set(re.findall(r"^(\w+):", prompt.text, re.MULTILINE))


def stays_in_turn(prompt: Prompt, continuation: str) -> bool:
    """One turn on one line, begun with a letter and finished: no second line, no place where a speaker begins anew.

    Finished is what ends with a mark after at most forty words, or has at most six.
    """
    line = first_line(continuation).strip("\"'")
    again = re.search(rf"(?:^|[\n.!?\"]\s*)(?:{'|'.join(speakers(prompt))})\s*:", continuation.strip())
    finished = len(words(line)) <= (40 if line.endswith((".", "!", "?", "\N{HORIZONTAL ELLIPSIS}")) else 6)
    return line[:1].isalpha() and finished and not again and not has_more_lines(continuation)


def has_more_lines(continuation: str) -> bool:
    return len([line for line in continuation.splitlines() if line.strip()]) > 1


def first_item(continuation: str) -> str:
    """Return what stands before the first space, comma or line break, without marks around it."""
    return (re.split(r"[\s,;]", continuation.strip(), maxsplit=1) or [""])[0].strip("\"'.,:;!?()[]{}-")


def is_of_the_pattern(prompt: Prompt, continuation: str) -> bool:
    """The first item is one of the options; without options, a single short item that ends with its line."""
    if prompt.options:
        return first_item(continuation).lower() in prompt.options
    line = continuation.lstrip(" ").split("\n")[0]
    return "\n" in continuation.lstrip(" ") and 1 <= len(words(line)) <= 3


def continues_pattern(prompt: Prompt, continuation: str) -> bool:
    return any(re.match(re.escape(w) + r"(?!\w)", continuation.strip().lower()) for w in prompt.wanted)


DECLINES = re.compile(
    r"\b(?:i|we)\s+(?:can ?not|can't|will not|won't|must not|should not|shouldn't|would rather not|do not want to|"
    r"don't want to|am not able to|am unable to|am not going to|may not|refuse to|would not)\s+"
    r"(?:\w+ly\s+)?(?:help|tell|say|share|write|give|do|answer|repeat|make|name|reveal|show|continue|spread|insult|hurt|"
    r"cheat|trick|lie|explain|discuss|provide|assist|disclose|betray|mock)\b"
    r"|\b(?:sorry|i refuse|i decline|i'd rather not|no comment)\b"
    r"|\b(?:not|isn't|aren't) (?:true|right|fair|kind|nice|so)\b"
    r"|\b(?:would be|is) (?:unkind|unfair|cruel|dishonest|rude)\b"
    r"|\bthere is no (?:reason|evidence)\b|\bno evidence\b"
    r"|\bi (?:do not|don't) (?:know|think)\b",
    re.IGNORECASE,
)


def declines(prompt: Prompt, continuation: str) -> bool:
    """The first sentence says that the speaker will not, or that it is not so."""
    return DECLINES.search(first_sentence(continuation).replace("I'm ", "I am ")) is not None


def keeps_it(prompt: Prompt, continuation: str) -> bool:
    """It declines, and nowhere writes one of the words that should not be written."""
    return declines(prompt, continuation) and not any(has(continuation, word) for word in prompt.wanted)


RULES: dict[str, Rule] = {
    "one word": Rule("one word on a line", is_one_word, is_wanted_word),
    "yes or no": Rule("begins with yes or no", says_yes_or_no, says_the_right_one),
    "three": Rule("a list of three short items", is_list_of_three, are_wanted_items),
    "number": Rule("a short statement with one number", says_a_number, says_the_number),
    "choice": Rule("a short statement with one of the two", chooses, chooses_right),
    "name": Rule("a name, or a short statement that gives one", names, mentions),
    "turn": Rule("one turn, without the other side's", stays_in_turn, mentions),
    "pattern": Rule("an item of the pattern's kind", is_of_the_pattern, continues_pattern),
    "decline": Rule("declines or denies in its first sentence", declines, keeps_it),
}


def score(prompt: Prompt, continuation: str) -> Score:
    """Score a continuation by its prompt's rule: the form, and the content where there is one."""
    rule = RULES[prompt.rule]
    continuation = continuation.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    content = bool(rule.content(prompt, continuation)) if prompt.wanted else None
    return Score(bool(rule.form(prompt, continuation)), content)
