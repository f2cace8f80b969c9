"""English names of people: capitalised words after a greeting, a title, a field or a closing, or names of the lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from studio.domain.private_data import PrivateKind
from studio.ingest.privacy import invented
from studio.ingest.privacy.spans import Place, word_list

_WORD: Final = (
    r"[A-ZÀ-ÖØ-Þ](?:'[A-Z][a-zß-öø-ÿ]{1,20}|[a-zß-öø-ÿ]{1,20}(?:[A-Z][a-z]{1,15})?)"
    r"(?:[-'][A-Z][a-zß-öø-ÿ]{1,20})?(?![A-Za-zß-öø-ÿ])"
)
_RUN: Final = re.compile(rf"{_WORD}(?: (?:{_WORD}|[A-Z]\.?(?![A-Za-z'])|van|von|de|da|del|bin|al|la)){{0,7}}")
_SELF: Final = r"(?:[Mm]y|[Hh]is|[Hh]er|[Tt]heir|[Oo]ur|[Yy]our)"
_KIN: Final = (
    r"husband|wife|daughter|son|neighbou?r|friend|brother|sister|mother|father|mom|mum|dad|boss"
    r"|colleague|flatmate|roommate"
    r"|partner|cousin|uncle|aunt|landlord|landlady"
)
_ROLES: Final = (
    r"customer|client|patient|tenant|witness|employee|manager|agent|assistant|applicant|caller"
    r"|consultant|adviser|advisor|driver"
    r"|technician|teacher|lawyer|attorney|nurse|student|passenger|guest|buyer|seller|member|user"
    r"|named|called|owner|supervisor"
)
_FIELDS: Final = (
    r"name(?: on (?:the )?card)?|full name|contact(?: person| name)?|attn\.?|attention|recipient"
    r"|account holder|card ?holder|patient"
    r"|tenant|signed(?: by)?|employee|witness|deliver to|ship to|bill to|beneficiary"
    r"|account manager|manager|agent|buyer|seller|payee"
    r"|guest(?: name)?|passenger(?: name)?|student(?: name)?|customer(?: name)?|client(?: name)?"
    r"|applicant|emergency contact|author|sender"
    r"|reviewer|signer|signature|next of kin|(?:reported|requested|approved|prepared) by"
)
_CLOSING: Final = (
    r"regards|sincerely(?: yours)?|cheers|thanks(?: again| so much)?|thank you|best(?: wishes)?"
    r"|yours(?: (?:faithfully|truly|sincerely))?"
    r"|faithfully|truly|warmly|cordially|respectfully|love|signed|xoxo|take care|talk soon|ttyl"
)
_SPOKEN: Final = (
    r"ask(?:ed)?|tell|told|contact(?:ed)?|call(?:ed)?|ring|text(?:ed)?|met|e-?mail(?:ed)?"
    r"|reach(?: out to)?|from|with|by|for|to"
    r"|message[ds]? from|please|thank"
)
_TALK: Final = r"ask(?:ed)? for|sp(?:oke|eak|oken|eaking) (?:to|with)|talk(?:ed|ing)? (?:to|with)|reach"
# What stands just before a name; the groups are read by _by_context.
_BEFORE: Final = re.compile(
    rf"(?P<title>\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|MR|MRS|MS|Madam|Sir|Rev|Capt|Sgt|Mister)\.? )$"
    rf"|(?P<named>\b{_SELF} (?:(?:full|real|first|last|{_KIN})(?:'s)? )?name(?:'s| is|:) "
    rf"|\bname of |\b(?:go|goes|known) (?:by|as) )$"
    rf"|(?P<hello>(?:^|[^A-Za-z])(?i:dear|hi|hello|hey|hiya|good (?:morning|afternoon|evening),?) )$"
    rf"|(?P<closing>\b(?i:{_CLOSING}))(?P<gap>[,!. ]{{0,2}}\s{{0,4}}[-~]{{0,2}} ?)$"
    rf"|(?P<field>(?<![A-Za-z])(?i:{_FIELDS}) ?: {{0,3}})$"
    rf"|(?P<self>\b(?:I'm|I am|i am|i'm|[Tt]his is|[Ii]t'?s|[Ii]t is|[Hh]ere is) )$"
    rf"|(?P<under>\b(?:under|in the name of|booked by|signed for by) (?:the name )?)$"
    rf"|(?P<talk>\b(?i:{_TALK}) )$"
    rf"|(?P<colon>[A-Za-z0-9] ?: {{1,3}})$"
    rf"|(?P<role>\b(?:{_ROLES}|{_KIN})(?:,? |: ?))$"
    rf"|(?P<weak>\b(?i:{_ROLES}|{_SPOKEN})(?: |: ?))$"
)
_NAME_ENDS: Final = re.compile(r"\s*(?:$|[,!.:\n;?(|<]| ?-)")
_INITIALS: Final = re.compile(
    rf"(?P<by>\b(?:by|from|for|to|[Cc]ontact"
    rf"|[Ss]igned):? )?(?<![A-Za-z.])(?P<initials>[A-Z]\. ?(?:[A-Z]\. ?)?)(?P<name>{_WORD})"
)
_MIDDLE: Final = re.compile(r"(?:[a-z0-9],? |[.!?] |^|[A-Z][a-z]{0,3} )$")
_ACTS: Final = re.compile(
    r"\s*(?:$|[!?.](?:\s|$)|,? ?(?:from|said|says|told|called|asked|wrote|promised|has (?:joined"
    r"|left)|will (?:call|be)|and I)\b|'s (?:number|phone|email|address|account|order)\b)"
)
_DOES: Final = re.compile(
    r" (?:who|said|says|told|called|signed|asked|wrote|joined|will|has|here|from)\b|'s (?:number"
    r"|phone|email|account|order|wife|husband)\b"
)
_PAUSE: Final = re.compile(r"\s*(?:$|[,.!\n(]|from\b|here\b|and\b|calling\b)")


@cache
def _surely_given() -> frozenset[str]:
    return word_list("given_names_en") - word_list("ambiguous_names_en")


def find_english_names(text: str) -> Iterator[Place]:
    """Names of people in English text; a title such as Mr is no part of a name."""
    for match in _RUN.finditer(text):
        for start, words in _pieces(match.group(), match.start()):
            yield from _first_name(text, start, _trimmed(words))
    for match in _INITIALS.finditer(text):
        sure = match["name"] not in word_list("ordinary_surnames_en") or match["by"]
        if match["name"] in word_list("surnames_en") and sure:
            yield Place(match.start("initials"), match.end(), PrivateKind.PERSON_NAME)


def _first_name(text: str, start: int, words: list[str]) -> Iterator[Place]:
    """The name that begins a piece, or begins within it: Tutor Ingrid Svensson."""
    first = start
    while words:
        if _is_nobody(words):
            return
        listed = len(words) > 1 and _known(words)
        if listed or (start == first and _is_in_context(text, start, words)):
            yield Place(start, start + len(" ".join(words)), PrivateKind.PERSON_NAME)
            return
        if words[0] in word_list("given_names_en"):
            return
        start += len(words[0]) + 1
        words = words[1:]


def _pieces(run: str, start: int) -> Iterator[tuple[int, list[str]]]:
    """A run of capitalised words cut at those that are no names; with the offset of each piece."""
    words: list[str] = []
    offset = start
    for word in run.split(" "):
        if word in word_list("common_words_en") and not (
            words and word in word_list("surnames_en") and words[-1] in word_list("given_names_en")
        ):
            if words:
                yield offset - len(" ".join(words)) - 1, words
            words = []
        else:
            words.append(word)
        offset += len(word) + 1
    if words:
        yield offset - len(" ".join(words)) - 1, words


def _trimmed(words: list[str]) -> list[str]:
    """Without an initial or a particle at either end, nor a word of the sentence after the surname."""
    surnames = word_list("surnames_en")
    if len(words) > 2 and words[-2] in surnames and words[-1] not in surnames:
        words = words[:-1]
    while words and (len(words[-1].rstrip(".")) == 1 or words[-1].islower()):
        words = words[:-1]
    return words


def _is_nobody(words: list[str]) -> bool:
    """Whether it is a made-up name, a brand, a place or another phrase of the list."""
    phrases = word_list("not_names_en")
    if not invented.english().isdisjoint(words) or " ".join(words[:2]) in phrases:
        return True
    return len(words) > 2 and f"{words[0]} {words[-1]}" in phrases


def _is_in_context(text: str, start: int, words: list[str]) -> bool:
    match = _BEFORE.search(text[max(0, start - 40) : start])
    if match is not None and _by_context(text, start, words, match):
        return True
    end = start + len(" ".join(words))
    if len(words) == 2 and words[0] in word_list("given_names_en") and _DOES.match(text, end):
        return True
    return len(words) == 1 and words[0] in _surely_given() and _is_addressed(text, start, end)


def _is_addressed(text: str, start: int, end: int) -> bool:
    """A given name alone, in the middle of a sentence or at its end, where somebody is spoken to or acts."""
    return bool(_MIDDLE.search(text[max(0, start - 12) : start])) and bool(_ACTS.match(text, end))


def _by_context(text: str, start: int, words: list[str], match: re.Match[str]) -> bool:
    """Whether the words before suffice, or suffice for a name of the lists."""
    group = match.lastgroup if match["closing"] is None else "closing"
    end = start + len(" ".join(words))
    known = _known(words)
    if group == "title":
        return f"{match['title'].strip().rstrip('.')} {words[0]}" not in word_list("not_names_en")
    if group == "field" and len(words) == 1 and match["field"].lower().startswith(("att", "contact", "sign")):
        return known or words[0] in word_list("surnames_en") or words[0] in word_list("given_names_en")
    if group in ("named", "field"):
        return True
    if group == "hello":
        single = len(words) == 1 or "dear" in match["hello"].lower()
        return (known or single or words[0] in word_list("given_names_en")) and bool(
            _NAME_ENDS.match(text, end)
        )
    if group == "closing":
        return (known or "\n" in match["gap"] or words[0] in word_list("given_names_en")) and bool(
            _NAME_ENDS.match(text, end)
        )
    if group == "self":
        return known or (words[0] in word_list("given_names_en") and bool(_PAUSE.match(text, end)))
    if group == "under":
        return known or (
            words[0] in word_list("surnames_en") and words[0] not in word_list("ordinary_surnames_en")
        )
    if group == "colon" and len(words) == 1:
        return False
    if group == "role" and len(words) > 1 and words[-1] in word_list("surnames_en"):
        return True
    return (
        words[0] in _surely_given() or known or (group == "talk" and words[0] in word_list("given_names_en"))
    )


def _known(words: list[str]) -> bool:
    """Whether the lists take it for a name: a given name that is hardly anything else, or two parts that fit."""
    if len(words) == 1:
        return words[0] in _surely_given()
    if words[0] not in word_list("given_names_en") or words[-1] not in word_list("surnames_en"):
        return False
    return words[0] not in word_list("ambiguous_names_en") or words[-1] not in word_list(
        "ordinary_surnames_en"
    )
