"""What typer says of a command that it did not understand, in the language of the program."""

from __future__ import annotations

import re
from typing import Final

from studio.i18n import N_, _
from studio.words import listed, sentences

# typer's sentence, and ours with the same parts; the first that fits.
_SENTENCES: Final = tuple(
    (re.compile(theirs, re.S), ours)
    for theirs, ours in (
        (r"(?P<name>\S+) is not in the range (?P<reason>.+?)\.?", N_("{name} is out of bounds: {reason}.")),
        (r"Invalid value for (?P<name>.+?): (?P<reason>.+)", N_("{name} does not take this: {reason}")),
        (r"No such option: (?P<name>\S+)(?: \(Possible options: (?P<near>.+)\))?", N_("There is no option {name}.")),
        (r"No such command (?P<name>.+?)\.(?: Did you mean (?P<near>.+)\?)?", N_("There is no command {name}.")),
        (r"Missing (?:argument|option|parameter) (?P<name>.+?)\.(?P<reason>.*)", N_("{name} is missing.")),
        (r"Missing command\.", N_("A command is missing.")),
        (r"Got unexpected extra arguments?(?:\(s\))? \((?P<name>.+)\)", N_("This is too much: {name}")),
        (r"Option (?P<name>\S+) requires an argument\.", N_("{name} needs a value.")),
        (r"Option (?P<name>\S+) does not take a value\.", N_("{name} takes no value.")),
        (r"Input should be a valid integer\b.*", N_("a whole number is wanted.")),
        (r"Input should be a valid number\b.*", N_("a number is wanted.")),
        (r"Input should be greater than or equal to (?P<name>\S+)", N_("at least {name} is wanted.")),
        (r"Input should be less than or equal to (?P<name>\S+)", N_("at most {name} is wanted.")),
        (r"(?:Value error, )?'(?P<name>.*?)' is not one of (?P<near>.+?)\.?", N_("“{name}” is none of these: {near}.")),
    )
)  # fmt: skip


def usage_words(message: str) -> str:
    """typer's message in our words; one that is not known stays as it is."""
    for theirs, ours in _SENTENCES:
        if found := theirs.fullmatch(message):
            return _said(ours, {name: part or "" for name, part in found.groupdict().items()})
    return message


def _said(ours: str, parts: dict[str, str]) -> str:
    near = listed(re.findall(r"[\w-]+", parts.get("near", "")))
    reason = usage_words(parts.get("reason", "").strip())
    words = _(ours).format(name=parts.get("name", "").strip("'"), reason=reason, near=near)
    if near and "{near}" not in ours:
        return sentences(words, _("Did you mean {names}?").format(names=near))
    return words
