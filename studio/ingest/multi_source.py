"""Which members of an import are read together: those that fit what most of the bytes are; the others are named.

Bytes and not files: two notes beside a large table do not make a set of notes. Of several sources the first one tells,
which gives the import its name: a document weighs more than a table with as many words. A member of the same shape
whose columns have other names ("问题" beside "question") is read by its own names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from studio.domain.datasets import ImportSpec, SourcePreview
from studio.domain.shapes import ColumnRole, Shape
from studio.errors import StudioError
from studio.i18n import _
from studio.ingest import errors
from studio.ingest.detect.roles import Guess, Roles, guess_by_names
from studio.ingest.members import Member, Members
from studio.ingest.opening import OpenedSource, describe, open_file
from studio.ingest.readers.file_list import FileListReader, ListedFiles
from studio.ingest.shaping.wanted import wanted_columns
from studio.words_data import roles_words

_MAX_PREVIEWED: Final = 200
_PROSE: Final = frozenset({"txt", "md", "html", "docx", "pdf"})
# Kind of member -> its shape, and the format that a folder of them is called.
_LISTED: Final = {
    "image": (Shape.IMAGE_LABEL, "images"),
    "audio": (Shape.AUDIO_LABEL, "recordings"),
}
_FORMATS: Final = frozenset(format for _shape, format in _LISTED.values())


@dataclass(frozen=True)
class Part:
    """A member that is read. files: paths of the pictures or recordings below its root, when that is what it is.

    roles: of its own columns, where these have other names than the import's.
    """

    member: Member
    files: tuple[str, ...] = ()
    kind: str = ""
    roles: Roles | None = None

    def open(self, spec: ImportSpec) -> OpenedSource:
        """Open it (again). Raises StudioError as open_file does."""
        if not self.files:
            return open_file(self.member.path, spec)
        files = ListedFiles(self.member.source, self.member.root, self.files)
        return describe(spec, files, FileListReader(self.kind, self.files), _LISTED[self.kind][1])


@dataclass
class Sources:
    """What an import reads, part after part, all by the same shape; by the same roles where a part has none of its own.

    The first part has none.
    """

    parts: list[Part]
    first: OpenedSource
    shape: Shape
    roles: dict[str, ColumnRole]
    members: Members

    def preview(self) -> SourcePreview:
        preview = self.first.preview()
        first = self.parts[0]
        several = len(self.parts) > 1 or bool(first.member.member or (first.member.label and not first.files))
        return preview.model_copy(
            update={
                "shape": self.shape,
                "roles": self.roles,
                "members": [name for part in self.parts for name in _names(part)] if several else [],
                "skipped": self.members.named_skipped(),
            }
        )


@dataclass(frozen=True)
class _Look:
    """What a first look at a part told. by_names: what its own columns say, whatever roles were asked for."""

    part: Part
    format: str
    columns: tuple[str, ...]
    shape: Shape
    roles: tuple[tuple[str, ColumnRole], ...]
    by_names: Guess | None


def examine(spec: ImportSpec, members: Members, *, preview: bool = False) -> Sources:
    """Look at every member and choose. preview: only at the first ones, if there are very many.

    Raises what a single source raises; StudioError import.no_files when no member of several can be read.
    """
    if len(members.files) == 1 and not members.files[0].member and not spec.more_sources:
        part = Part(members.files[0])
        opened = part.open(spec)
        return Sources([part], opened, opened.shape, opened.roles, members)
    files = [member for member in members.files if not member.kind]
    looks = _looks(spec, files[:_MAX_PREVIEWED] if preview else files, members)
    if preview and len(files) > _MAX_PREVIEWED:
        rest = len(files) - _MAX_PREVIEWED
        members.skip(_("{count} more files").format(count=rest), _("they are looked at when you import"))
    looks = _with_listed(spec, looks, members)
    if not looks:
        raise errors.no_files(spec.source, members.skipped)
    return _chosen(spec, looks, members)


def _looks(spec: ImportSpec, files: Sequence[Member], members: Members) -> list[_Look]:
    return [look for member in files for look in _look(spec, Part(member), members)]


def _look(spec: ImportSpec, part: Part, members: Members) -> list[_Look]:
    try:
        opened = part.open(spec)
    except StudioError as error:
        members.skip(part.member.label, _named(error.message, part.member))
        return []
    used = ((name, role) for name, role in opened.roles.items() if role is not ColumnRole.IGNORE)
    columns = tuple(opened.reader.columns)
    by_names = guess_by_names(columns, opened.rows)
    return [_Look(part, opened.format, columns, opened.shape, tuple(sorted(used)), by_names)]


def _with_listed(spec: ImportSpec, looks: list[_Look], members: Members) -> list[_Look]:
    """The looks, or those at folders of pictures or recordings where these are the rows; what is left out is named."""
    listed = {kind: [member for member in members.files if member.kind == kind] for kind in _LISTED}
    most = max(listed, key=lambda kind: len(listed[kind]))  # pictures, when there are as many
    about = next((kind for kind in _LISTED if spec.shape is _LISTED[kind][0]), most)
    if _is_about(about, looks, len(listed[about]), spec):
        for look in looks:
            members.skip(look.part.member.label, _AMONG[about]())
        looks = [look for part in _parts(about, listed.pop(about)) for look in _look(spec, part, members)]
    for kind, files in listed.items():
        if not any(_names_files(look, kind) for look in looks):
            for member in files:
                members.skip(member.label, _LEFT_OUT[kind]())
    return looks


_AMONG: Final[dict[str, Callable[[], str]]] = {
    "image": lambda: _("no image, among folders of images"),
    "audio": lambda: _("no recording, among folders of recordings"),
}
_LEFT_OUT: Final[dict[str, Callable[[], str]]] = {
    "image": lambda: _("an image, among tables and texts"),
    "audio": lambda: _("a recording, among tables and texts"),
}


def _names_files(look: _Look, kind: str) -> bool:
    """A table with a column of such files; a shape and roles that were asked for do not make a text one."""
    return any(role == kind and name in look.columns for name, role in look.roles)


def _is_about(kind: str, looks: list[_Look], count: int, spec: ImportSpec) -> bool:
    """Whether the files of this kind are the rows themselves, and not what a table or a text goes with."""
    shape = _LISTED[kind][0]
    if not count or any(_names_files(look, kind) for look in looks if look.format not in _FORMATS):
        return False
    if spec.shape is not None:
        return spec.shape is shape
    return all(look.format in _PROSE for look in looks) and count > len(looks)


def _parts(kind: str, files: Sequence[Member]) -> list[Part]:
    """One part for each source: all its files."""
    parts = []
    for root, group in groupby(files, key=lambda member: member.root):
        members = list(group)
        names = tuple(member.path.relative_to(root).as_posix() for member in members)
        size = sum(member.size_bytes for member in members)
        first = replace(members[0], path=root, member="", label=root.name, size_bytes=size)
        parts.append(Part(first, names, kind))
    return parts


def _chosen(spec: ImportSpec, looks: list[_Look], members: Members) -> Sources:
    sizes: Counter[tuple[Shape, tuple[tuple[str, ColumnRole], ...]]] = Counter()
    for look in looks:
        if look.part.member.source == looks[0].part.member.source:
            sizes[look.shape, look.roles] += look.part.member.size_bytes
    (shape, used), _bytes = sizes.most_common(1)[0]
    roles = dict(spec.roles) if spec.roles is not None else dict(used)
    parts: list[Part] = []
    for look in looks:
        try:
            wanted_columns(shape, roles, look.columns)
            parts.append(look.part)
        except StudioError as error:
            own = _own_roles(look, shape, roles)
            if own is None:
                members.skip(look.part.member.label, _named(error.message, look.part.member))
            else:
                parts.append(replace(look.part, roles=own))
    parts.sort(key=lambda part: part.roles is not None)
    if not parts or parts[0].roles is not None:
        raise errors.no_files(spec.source, members.skipped)
    first = parts[0].open(spec)
    return Sources(
        parts, first, shape, {**dict.fromkeys(first.reader.columns, ColumnRole.IGNORE), **roles}, members
    )


def _own_roles(look: _Look, shape: Shape, roles: Roles) -> Roles | None:
    """What the part's own column names say, if that is the shape and does not contradict the roles of the import."""
    found = look.by_names
    if found is None or found.shape is not shape:
        return None
    shared = [name for name in look.columns if name in roles]
    if any(roles[name] is not found.roles.get(name, ColumnRole.IGNORE) for name in shared):
        return None
    try:
        wanted_columns(shape, found.roles, look.columns)
    except StudioError:
        return None
    return dict(found.roles)


def _named(message: str, member: Member) -> str:
    """A message with the name of the file instead of its path, which for an archive leads to a scratch folder."""
    return message.replace(str(member.path), member.path.name)


def _names(part: Part) -> list[str]:
    """As they are listed for the user: pictures one by one, columns where they have names of their own."""
    if part.files:
        return list(part.files[:1000])
    used = roles_words(part.roles or {})
    return [f"{part.member.label} ({used})" if used else part.member.label]
