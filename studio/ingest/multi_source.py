"""Which members of an import are read together: those that fit what most of the bytes are; the others are named.

Bytes and not files: two notes beside a large table do not make a set of notes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from studio.domain.datasets import ImportSpec, SourcePreview
from studio.domain.shapes import ColumnRole, Shape
from studio.errors import StudioError
from studio.i18n import _
from studio.ingest import errors
from studio.ingest.members import Member, Members
from studio.ingest.opening import OpenedSource, describe, open_file
from studio.ingest.readers.image_list import ImageFiles, ImageListReader
from studio.ingest.shaping.wanted import wanted_columns

_MAX_PREVIEWED: Final = 200
_PROSE: Final = frozenset({"txt", "md", "html", "docx", "pdf"})


@dataclass(frozen=True)
class Part:
    """A member that is read. images: paths of the pictures below its root, when that is what it is."""

    member: Member
    images: tuple[str, ...] = ()

    def open(self, spec: ImportSpec) -> OpenedSource:
        """Open it (again). Raises StudioError as open_file does."""
        if not self.images:
            return open_file(self.member.path, spec)
        files = ImageFiles(self.member.source, self.member.root, self.images)
        return describe(spec, files, ImageListReader(self.images), "images")


@dataclass
class Sources:
    """What an import reads, part after part, all by the same shape and roles."""

    parts: list[Part]
    first: OpenedSource
    shape: Shape
    roles: dict[str, ColumnRole]
    members: Members

    def preview(self) -> SourcePreview:
        preview = self.first.preview()
        several = len(self.parts) > 1 or bool(self.parts[0].member.member)
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
    """What a first look at a part told."""

    part: Part
    format: str
    columns: tuple[str, ...]
    shape: Shape
    roles: tuple[tuple[str, ColumnRole], ...]


def examine(spec: ImportSpec, members: Members, *, preview: bool = False) -> Sources:
    """Look at every member and choose. preview: only at the first ones, if there are very many.

    Raises what a single source raises; StudioError import.no_files when no member of several can be read.
    """
    if len(members.files) == 1 and not members.files[0].member and not spec.more_sources:
        part = Part(members.files[0])
        opened = part.open(spec)
        return Sources([part], opened, opened.shape, opened.roles, members)
    files = [member for member in members.files if not member.is_image]
    images = [member for member in members.files if member.is_image]
    looks = _looks(spec, files[:_MAX_PREVIEWED] if preview else files, members)
    if preview and len(files) > _MAX_PREVIEWED:
        rest = len(files) - _MAX_PREVIEWED
        members.skip(_("{count} more files").format(count=rest), _("they are looked at when you import"))
    if _is_about_images(looks, len(images), spec):
        for look in looks:
            members.skip(look.part.member.label, _("no image, among folders of images"))
        looks = [look for part in _image_parts(images) for look in _look(spec, part, members)]
    elif not any(_names_images(look) for look in looks):
        for member in images:
            members.skip(member.label, _("an image, among tables and texts"))
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
    return [_Look(part, opened.format, columns, opened.shape, tuple(sorted(used)))]


def _is_about_images(looks: list[_Look], images: int, spec: ImportSpec) -> bool:
    """Whether the pictures are the rows themselves, and not what a table or a text goes with."""
    if not images or any(_names_images(look) for look in looks if look.format != "images"):
        return False
    if spec.shape is not None:
        return spec.shape is Shape.IMAGE_LABEL
    return all(look.format in _PROSE for look in looks) and images > len(looks)


def _names_images(look: _Look) -> bool:
    """A table with a column of image files; a shape and roles that were asked for do not make a text one."""
    return any(role is ColumnRole.IMAGE and name in look.columns for name, role in look.roles)


def _image_parts(images: Sequence[Member]) -> list[Part]:
    """One part for each source: all its pictures."""
    parts = []
    for root, group in groupby(images, key=lambda member: member.root):
        members = list(group)
        names = tuple(member.path.relative_to(root).as_posix() for member in members)
        size = sum(member.size_bytes for member in members)
        parts.append(Part(replace(members[0], path=root, member="", label=root.name, size_bytes=size), names))
    return parts


def _chosen(spec: ImportSpec, looks: list[_Look], members: Members) -> Sources:
    sizes: Counter[tuple[Shape, tuple[tuple[str, ColumnRole], ...]]] = Counter()
    for look in looks:
        sizes[look.shape, look.roles] += look.part.member.size_bytes
    (shape, used), _bytes = sizes.most_common(1)[0]
    roles = dict(spec.roles) if spec.roles is not None else dict(used)
    parts: list[Part] = []
    for look in looks:
        try:
            wanted_columns(shape, roles, look.columns)
            parts.append(look.part)
        except StudioError as error:
            members.skip(look.part.member.label, _named(error.message, look.part.member))
    if not parts:
        raise errors.no_files(spec.source, members.skipped)
    first = parts[0].open(spec)
    return Sources(
        parts, first, shape, {**dict.fromkeys(first.reader.columns, ColumnRole.IGNORE), **roles}, members
    )


def _named(message: str, member: Member) -> str:
    """A message with the name of the file instead of its path, which for an archive leads to a scratch folder."""
    return message.replace(str(member.path), member.path.name)


def _names(part: Part) -> list[str]:
    return [part.member.label] if not part.images else list(part.images[:1000])
