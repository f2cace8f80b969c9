"""The labelling page: one row at a time, large, with the labels under it; everything goes by keyboard."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from studio.domain.datasets import DatasetVersion
from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.models.label_session import LabelSession
from studio.gui.models.thumbnails import Thumbnails
from studio.gui.pages.data.labelling.choices import LabelChoices
from studio.gui.pages.data.problem import ProblemLine
from studio.gui.theme import current_tokens, ui_font
from studio.gui.widgets import (
    BodyText,
    Caption,
    Card,
    EmptyState,
    GhostButton,
    PrimaryButton,
    ScrollPage,
)
from studio.i18n import _
from studio.services.drafts import Draft

_PICTURE_EDGE = 900
_TEXT_WIDTH = 820
_SHORT = 100  # characters that stand in the middle; longer texts are read from the left


class LabelPage(QWidget):
    """``begin`` starts a sitting. left: back to the rows; save_wanted: make a version of what was labelled."""

    left = Signal()
    save_wanted = Signal()
    labelled = Signal()  # the draft has another label

    def __init__(self, ctx: GuiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ctx = ctx
        self.session: LabelSession | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.back = GhostButton(_("Back to the rows"), self.leave, icon="chevron-left")
        self.save = PrimaryButton(_("Save as version"), self.save_wanted.emit)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(_("Rows that have a label"))
        self.figures = Caption()
        self.basis = Caption()
        self.text = BodyText()
        self.picture = _Picture()
        self.choices = LabelChoices()
        self.keys = Caption()
        self.problem = ProblemLine()
        self.stack = QStackedWidget()
        self.pictures = Thumbnails(
            ctx.tasks, lambda name: ctx.services.datasets.image_path(name), self, edge=_PICTURE_EDGE
        )
        self._arrange()
        self.choices.chosen.connect(self._choose)
        self.choices.left.connect(lambda: self.setFocus())
        self.pictures.arrived.connect(self._show)

    def begin(self, dataset: DatasetVersion, draft: Draft) -> None:
        """Label the rows of a dataset; the labels go to this draft."""
        self._end_session()
        self.problem.clear()
        self.session = LabelSession(self._ctx.services, self._ctx.tasks, dataset, draft, self)
        self.session.changed.connect(self._show)
        self.session.failed.connect(self._on_failed)
        self.session.start()
        self._show()
        self.setFocus()

    def leave(self) -> None:
        """End the sitting; the labels stay in the draft."""
        self._end_session()
        self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.session is None or not self._obey(event):
            super().keyPressEvent(event)

    def _obey(self, event: QKeyEvent) -> bool:
        """Whether the key meant something here."""
        session, key = self.session, event.key()
        assert session is not None
        if event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            return False
        deeds = {
            Qt.Key.Key_Space: session.forward, Qt.Key.Key_Right: session.forward, Qt.Key.Key_Left: session.back,
            Qt.Key.Key_U: self.undo, Qt.Key.Key_N: lambda: self.choices.begin(new=True),
            Qt.Key.Key_Escape: self.leave,
        }  # fmt: skip
        if session.several:
            deeds |= {Qt.Key.Key_Return: session.forward, Qt.Key.Key_Enter: session.forward}
        if Qt.Key.Key_1 <= key <= Qt.Key.Key_9 and not event.isAutoRepeat():
            label = self.choices.label_at(key - Qt.Key.Key_0)
            if label is not None:
                self._choose(label)
            return True
        if key in deeds:
            deeds[Qt.Key(key)]()
            return True
        if event.text().strip() and event.text().isprintable():
            self.choices.begin(event.text())
            return True
        return False

    def undo(self) -> None:
        """Take the last label back."""
        if self.session is not None:
            self.session.undo()
            self.labelled.emit()

    def _choose(self, label: str) -> None:
        if self.session is not None and self.session.cells() is not None:
            self.session.choose(label)
            self.labelled.emit()
        self.setFocus()

    def _arrange(self) -> None:
        space = current_tokens().space
        head = QHBoxLayout()
        head.setSpacing(space.l)
        head.addWidget(self.back)
        progress = QVBoxLayout()
        progress.setSpacing(space.xs)
        progress.addStretch(1)
        progress.addWidget(self.bar)
        progress.addWidget(self.figures)
        progress.addStretch(1)
        head.addLayout(progress, 1)
        head.addWidget(self.save)
        self._row = Card()
        content = ScrollPage(margin=0, max_width=_TEXT_WIDTH)
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        content.body.addStretch(1)
        content.add(self.text)
        content.body.addStretch(1)
        self._content = QStackedWidget()
        self._content.addWidget(content)
        self._content.addWidget(self.picture)
        self._row.add(self._content, 1)
        working = QWidget()
        column = QVBoxLayout(working)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(space.m)
        column.addWidget(self._row, 1)
        column.addWidget(self.choices)
        column.addWidget(self.keys)
        self._waiting = _centred(BodyText(_("Choosing the rows to begin with…"), tone="muted"))
        self._end = EmptyState(
            "success",
            _("No row waits for a label any more."),
            _("Go through the labelled rows"),
            self._review,
        )
        for page in (self._waiting, working, self._end, QWidget()):
            self.stack.addWidget(page)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(space.m)
        outer.addLayout(head)
        outer.addWidget(self.basis)
        outer.addWidget(self.problem)
        outer.addWidget(self.stack, 1)

    def _show(self) -> None:
        session = self.session
        if session is None:
            return
        total = max(session.dataset.rows, 1)
        self.bar.setRange(0, total)
        self.bar.setValue(min(session.done(), total))
        self.figures.setText(_progress_words(session))
        self.basis.setText(_basis_words(session))
        self.basis.setVisible(bool(session.basis) and session.row() is not None)
        self.save.setEnabled(session.can_undo())
        if session.loading:
            self.stack.setCurrentIndex(0)
        elif session.row() is None and not session.basis:  # the order could not be had; the problem says why
            self.stack.setCurrentIndex(3)
        elif session.row() is None:
            self._end.primary.setVisible(session.done() > 0)
            self.stack.setCurrentIndex(2)
        else:
            self.stack.setCurrentIndex(1)
            self._show_row(session)

    def _show_row(self, session: LabelSession) -> None:
        cells = session.cells()
        self._row.set_subtitle(_("Row {row}").format(row=f"{session.row():,}"))
        self.choices.show_labels(session.labels, session.chosen())
        self.choices.setEnabled(cells is not None)
        self.keys.setText(_keys_words(session))
        if cells is None:
            self.text.setText("…")
        elif "image" in cells:
            self._content.setCurrentIndex(1)
            self.picture.show_picture(self.pictures.get(cells["image"]))
        else:
            self._content.setCurrentIndex(0)
            text = cells.get("text", "")
            self.text.setText(text)
            short = len(text) <= _SHORT and "\n" not in text.strip()
            fonts = current_tokens().fonts
            self.text.setFont(ui_font(fonts.title if short else fonts.heading))
            middle = Qt.AlignmentFlag.AlignHCenter if short else Qt.AlignmentFlag.AlignLeft
            self.text.setAlignment(middle | Qt.AlignmentFlag.AlignVCenter)
            self._row.setAccessibleDescription(cells.get("text", ""))

    def _review(self) -> None:
        if self.session is not None:
            self.session.review()
        self.setFocus()

    def _on_failed(self, problem: Exception) -> None:
        if isinstance(problem, StudioError):
            self.problem.show_problem(problem)
        else:
            self._ctx.notices.error_from(problem)
        self._show()

    def _end_session(self) -> None:
        if self.session is not None:
            self.session.stop()
            self.session.deleteLater()
            self.session = None


class _Picture(QWidget):
    """A picture as large as there is room, never enlarged beyond its pixels."""

    def __init__(self) -> None:
        super().__init__()
        self._pixmap: QPixmap | None = None
        self.setMinimumHeight(160)
        self.setAccessibleName(_("The image to label"))

    def show_picture(self, pixmap: QPixmap | None) -> None:
        """Show another one; None while it is read."""
        self._pixmap = pixmap
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._pixmap is None or self._pixmap.isNull():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._pixmap.size()
        if size.width() > self.width() or size.height() > self.height():
            size = size.scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) // 2, (self.height() - size.height()) // 2
        painter.drawPixmap(QRect(left, top, size.width(), size.height()), self._pixmap)


def _keys_words(session: LabelSession) -> str:
    if not session.labels:
        return _("Labels get the keys 1–9 in the order in which you type them · Space skip")
    if session.several:
        return _("1–9 add or take off a label · Enter next row · Space skip · ← back · U undo · N new label")
    return _("1–9 choose a label · Space skip · ← → back and forward · U undo · N new label")


def _progress_words(session: LabelSession) -> str:
    words = _("{done} of {total} rows have a label").format(
        done=f"{session.done():,}", total=f"{session.dataset.rows:,}"
    )
    speed = session.per_minute()
    if speed is not None:
        words += "  ·  " + _("{n} labels a minute").format(n=f"{speed:.0f}")
    return words


def _basis_words(session: LabelSession) -> str:
    if session.reviewing:
        return _("The labelled rows in their order: a key gives a row another label, → leaves it as it is.")
    if session.basis == "uncertainty":
        return _(
            "Most uncertain first: a small model learned from your labels so far, and the rows it is least sure of "
            "teach it most."
        )
    return _("Rows come in their order. After some labels of each kind, the most uncertain ones come first.")


def _centred(label: BodyText) -> QWidget:
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return label
