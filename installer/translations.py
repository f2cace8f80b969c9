"""The maintainers' tool for the Chinese catalogue: nothing else writes resources/translations.

    python installer/translations.py update            collect the messages of studio/ into the catalogue
    python installer/translations.py merge FILE.json…  fill in translations ({"English msgid": "中文"})
    python installer/translations.py check             list what is wrong; exit code 1 if anything is
    python installer/translations.py compile           write the .mo that the program reads

The catalogue is kept in the order of its ids and without source lines or dates, so that a change of wording is the
only thing that shows in a diff. Both .po and .mo are committed: users need no Babel.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from studio.report.script_texts import texts_of

ROOT: Final = Path(__file__).resolve().parent.parent
DOMAIN: Final = "studio"
LOCALE: Final = "zh_CN"
WIDTH: Final = 110
KEYWORDS: Final = {"_": None, "N_": None, "ngettext": (1, 2)}
PLACEHOLDER: Final = re.compile(r"(?<!\{)\{(\w*)[^{}]*\}(?!\})")
HEADER: Final = (
    f"# Simplified Chinese messages of Product Matrix Studio; see installer/{Path(__file__).name}."
)


class _QuietCatalog(Catalog):
    """A catalogue whose header says only what gettext needs: no dates and no versions."""

    mime_headers = property(
        lambda _self: [
            ("Language", LOCALE),
            ("Plural-Forms", "nplurals=1; plural=0;"),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ]
    )


class Files:
    """Where the messages come from and where the catalogue lies, below a copy of the project."""

    def __init__(self, root: Path = ROOT) -> None:
        translations = root / "resources" / "translations"
        self.source = root / "studio"
        self.base_models = root / "resources" / "catalogue" / "base_models.json"
        self.scripts = root / "resources" / "scripts"
        self.template = translations / f"{DOMAIN}.pot"
        self.catalogue = translations / LOCALE / "LC_MESSAGES" / f"{DOMAIN}.po"
        self.compiled = self.catalogue.with_suffix(".mo")


def placeholders(text: str) -> set[str]:
    """The names in braces that ``str.format`` will fill in: ``{n:,} of {total}`` has ``n`` and ``total``."""
    return set(PLACEHOLDER.findall(text))


def extract(files: Files) -> Catalog:
    """Every message that the program can show: marked ones in the source, what is said within programs of runs, and
    the summaries of base models."""
    template = Catalog(project="product-matrix-studio", fuzzy=False)
    for _name, _line, message, _comments, _context in extract_from_dir(str(files.source), keywords=KEYWORDS):
        if message not in ("", ("",)):  # the empty id is the catalogue's header
            template.add(message)
    for entry in json.loads(files.base_models.read_text(encoding="utf-8")):
        template.add(entry["summary"])
    for part in sorted(files.scripts.glob("*.txt")):
        for text in texts_of(part.read_text(encoding="utf-8")):
            template.add(text)
    return template


def read(files: Files) -> Catalog:
    """The committed catalogue, or an empty one."""
    if not files.catalogue.exists():
        return Catalog(locale=LOCALE, domain=DOMAIN, fuzzy=False)
    with files.catalogue.open("rb") as source:
        return read_po(source, locale=LOCALE, domain=DOMAIN)


def _bare(catalogue: Catalog) -> Catalog:
    """The same messages without dates, places or old leftovers, so that equal wording gives equal bytes."""
    bare = _QuietCatalog(locale=LOCALE, header_comment=HEADER, fuzzy=False)
    for message in catalogue:
        if message.id:
            bare.add(message.id, message.string, flags=message.flags)
    return bare


def write(catalogue: Catalog, files: Files) -> None:
    """Write the .po file, sorted by id and without noise."""
    files.catalogue.parent.mkdir(parents=True, exist_ok=True)
    with files.catalogue.open("wb") as target:
        write_po(
            target, _bare(catalogue), width=WIDTH, sort_output=True, no_location=True, ignore_obsolete=True
        )


def update(files: Files) -> Catalog:
    """Bring the catalogue's ids into step with the source; translations of ids that went are dropped."""
    template = extract(files)
    files.template.parent.mkdir(parents=True, exist_ok=True)
    with files.template.open("wb") as target:
        write_po(target, template, width=WIDTH, sort_output=True, no_location=True)
    catalogue = read(files)
    catalogue.update(template, no_fuzzy_matching=True)
    write(catalogue, files)
    return catalogue


def merge(catalogue: Catalog, translations: dict[str, str], *, replace: bool = False) -> set[str]:
    """Put translations into the catalogue; returns the given ids that it does not have.

    Words that are already there stay unless ``replace``. A counted message is found by its singular or its plural.
    """
    unknown = set(translations)
    for message in catalogue:
        for identity in _ids(message):
            if identity not in translations:
                continue
            unknown.discard(identity)
            if replace or not _strings(message):
                counted = isinstance(message.id, tuple)
                message.string = (translations[identity],) if counted else translations[identity]
                message.flags.discard("fuzzy")
    return unknown


def _ids(message: Message) -> tuple[str, ...]:
    return tuple(message.id) if isinstance(message.id, (tuple, list)) else (message.id,)


def _strings(message: Message) -> tuple[str, ...]:
    found = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    return tuple(text for text in found if text)


def _problems_of(message: Message) -> Iterator[str]:
    name = _ids(message)[0]
    if message.fuzzy:
        yield f"fuzzy: {name}"
    if not _strings(message):
        yield f"untranslated: {name}"
        return
    # A plural's sentence names everything; its singular may say "one" instead of {n}.
    wanted = placeholders(_ids(message)[-1])
    for text in _strings(message):
        if placeholders(text) != wanted:
            yield f"placeholders differ: {name!r} -> {text!r}"


def compiled(catalogue: Catalog) -> bytes:
    """The .mo file's content for this catalogue."""
    buffer = io.BytesIO()
    write_mo(buffer, _bare(catalogue))
    return buffer.getvalue()


def problems(files: Files) -> list[str]:
    """Everything that keeps the committed catalogue from being complete and in step, a sentence each."""
    catalogue, template = read(files), extract(files)
    found = [f"not in the catalogue: {_ids(m)[0]}" for m in template if m.id and m.id not in catalogue]
    found += [f"obsolete: {_ids(m)[0]}" for m in catalogue if m.id and m.id not in template]
    found += [f"obsolete: {_ids(m)[0]}" for m in catalogue.obsolete.values()]
    found += [problem for m in catalogue if m.id for problem in _problems_of(m)]
    if not files.compiled.exists() or files.compiled.read_bytes() != compiled(catalogue):
        found.append("the .mo file is out of date: run compile")
    return found


def _merge_files(files: Files, names: Iterable[Path], *, replace: bool) -> None:
    catalogue = read(files)
    for name in names:
        unknown = merge(catalogue, json.loads(name.read_text(encoding="utf-8")), replace=replace)
        print(f"{name.name}: {len(unknown)} ids are not in the source")
    write(catalogue, files)


def main(arguments: Sequence[str]) -> int:
    """Run one verb; the exit code is 1 when ``check`` found something."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("update", "check", "compile"):
        verbs.add_parser(verb)
    merging = verbs.add_parser("merge")
    merging.add_argument("files", nargs="+", type=Path)
    merging.add_argument("--replace", action="store_true", help="overwrite words that are already there")
    options = parser.parse_args(arguments)
    files = Files()
    if options.verb == "update":
        missing = sum(1 for m in update(files) if m.id and not _strings(m))
        print(f"{missing} messages have no translation")
    elif options.verb == "merge":
        _merge_files(files, options.files, replace=options.replace)
    elif options.verb == "compile":
        files.compiled.write_bytes(compiled(read(files)))
    else:
        found = problems(files)
        print("\n".join(found) or "The catalogue is complete.")
        return 1 if found else 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
