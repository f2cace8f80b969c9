"""The first pictures as the model will see them, small, each with the label that it learns."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from studio.gui.context import GuiContext
from studio.gui.models.thumbnails import Thumbnails
from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption
from studio.i18n import _
from studio.protocol.events import PreviewToken

_MOST = 8
_COLUMNS = 4
_EDGE = 64


class PictureBatch(QWidget):
    """Thumbnails in a grid; they arrive after the labels."""

    def __init__(self, ctx: GuiContext) -> None:
        super().__init__()
        self._thumbnails = Thumbnails(ctx.tasks, lambda name: ctx.services.datasets.image_path(name), self)
        self._thumbnails.arrived.connect(self._fill)
        self._shown: list[tuple[str, QLabel]] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.s)
        column.addWidget(Caption(_("Some rows as the model reads them")))
        self._place = QWidget()
        column.addWidget(self._place)
        self._column = column

    def filled(self) -> bool:
        """Whether there is anything to show."""
        return bool(self._shown)

    def labels(self) -> list[str]:
        """What stands below the pictures."""
        return [label.accessibleName() for _name, label in self._shown]

    def show_rows(self, rows: Sequence[Sequence[PreviewToken]]) -> None:
        """Each row's first token names the picture; what is learned follows."""
        place, self._shown = QWidget(), []
        grid = QGridLayout(place)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(current_tokens().space.s)
        for number, row in enumerate(rows[:_MOST]):
            label = "".join(token.text for token in row[1:]).removeprefix(" → ")
            grid.addWidget(self._picture(row[0].text, label), number // _COLUMNS, number % _COLUMNS)
        self._column.replaceWidget(self._place, place)
        self._place.deleteLater()
        self._place = place
        self._fill()

    def _picture(self, name: str, label: str) -> QWidget:
        holder, picture, words = QWidget(), QLabel(), Caption(label)
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        picture.setFixedSize(_EDGE, _EDGE)
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        picture.setAccessibleName(label or _("Picture"))
        words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        words.setVisible(bool(label))
        column.addWidget(picture, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(words)
        self._shown.append((name, picture))
        return holder

    def _fill(self) -> None:
        for name, picture in self._shown:
            found = self._thumbnails.get(name)
            if found is not None and not found.isNull():
                size = picture.size() * picture.devicePixelRatioF()
                scaled = found.scaled(
                    size, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
                )
                scaled.setDevicePixelRatio(picture.devicePixelRatioF())
                picture.setPixmap(scaled)
