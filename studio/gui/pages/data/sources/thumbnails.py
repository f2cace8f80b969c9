"""Small pictures of the image files that a preview names, read in a thread from a folder or an archive."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QImage, QImageReader

from studio.gui.tasks import Task, TaskRunner

EDGE: Final = 56  # px
_MOST: Final = 50
_MOST_BYTES: Final = 32 * 2**20  # of one file; a larger one is shown by its name alone
_MOST_MEMORY_MB: Final = 128  # of one decoded picture

Shown = Callable[[list[tuple[str, QImage]]], None]


def load_thumbnails(
    tasks: TaskRunner, sources: Sequence[str], names: Sequence[str], ratio: float, shown: Shown
) -> Task:
    """Read the pictures with these names beside or inside the sources; ``shown`` gets those that could be read."""
    wanted = list(dict.fromkeys(names))[:_MOST]
    return tasks.run(
        lambda: _read_all([Path(each) for each in sources], wanted, ratio), shown, lambda _problem: None
    )


def _read_all(sources: Sequence[Path], names: Sequence[str], ratio: float) -> list[tuple[str, QImage]]:
    found = []
    for name in names:
        image = next((read for source in sources if (read := _read(source, name, ratio)) is not None), None)
        if image is not None:
            found.append((name, image))
    return found


def _read(source: Path, name: str, ratio: float) -> QImage | None:
    content = _content(source, name)
    if content is None:
        return None
    buffer = QBuffer()
    buffer.setData(QByteArray(content))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setAutoTransform(True)
    reader.setAllocationLimit(_MOST_MEMORY_MB)
    size = reader.size()
    edge = round(EDGE * ratio)
    if size.isValid():
        reader.setScaledSize(size.scaled(QSize(edge, edge), Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    if image.isNull():
        return None
    image.setDevicePixelRatio(ratio)
    return image


def _content(source: Path, name: str) -> bytes | None:
    """The file of that name: in the archive, in the folder, or beside the table. None when it is not there."""
    try:
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                info = archive.getinfo(name)
                return archive.read(info) if info.file_size <= _MOST_BYTES else None
        folder = source if source.is_dir() else source.parent
        path = folder / name
        inside = path.resolve().is_relative_to(folder.resolve())
        return path.read_bytes() if inside and path.stat().st_size <= _MOST_BYTES else None
    except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile, NotImplementedError):
        return None
