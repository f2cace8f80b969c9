"""Small pictures of image cells, read off the GUI thread when they come into sight; the last few hundred are kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader, QPixmap

from studio.gui.tasks import TaskRunner

EDGE = 128  # pixels of the picture that is kept; shown at half of it, sharp on dense screens
_KEPT = 300
_AT_ONCE = 2
_WAITING = 24  # a flying scroll bar asks for what is in sight where it rests


class Thumbnails(QObject):
    """``get`` answers at once; ``arrived`` tells when a picture that was missing is there."""

    arrived = Signal()

    def __init__(
        self,
        tasks: TaskRunner,
        path_of: Callable[[str], Path],
        parent: QObject | None = None,
        edge: int = EDGE,
    ) -> None:
        super().__init__(parent)
        self._tasks, self._path_of, self._edge = tasks, path_of, edge
        self._kept: OrderedDict[str, QPixmap | None] = OrderedDict()
        self._waiting: list[str] = []
        self._under_way: set[str] = set()

    def get(self, name: str) -> QPixmap | None:
        """The picture, or None while it is read; a null pixmap when the file cannot be shown."""
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        if name and name not in self._under_way and name not in self._waiting:
            self._waiting.append(name)
            del self._waiting[:-_WAITING]
            self._ask()
        return None

    def _ask(self) -> None:
        while self._waiting and len(self._under_way) < _AT_ONCE:
            name = self._waiting.pop()
            self._under_way.add(name)
            self._tasks.run(
                partial(_read, self._path_of, name, self._edge), partial(self._on_read, name),
                partial(self._on_failed, name),
            )  # fmt: skip

    def _on_read(self, name: str, image: QImage) -> None:
        self._keep(name, QPixmap.fromImage(image))

    def _on_failed(self, name: str, _problem: Exception) -> None:
        self._keep(name, QPixmap())

    def _keep(self, name: str, picture: QPixmap) -> None:
        self._under_way.discard(name)
        self._kept[name] = picture
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        self._ask()
        self.arrived.emit()


def _read(path_of: Callable[[str], Path], name: str, edge: int) -> QImage:
    reader = QImageReader(str(path_of(name)))
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > edge:
        reader.setScaledSize(size.scaled(QSize(edge, edge), Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()
