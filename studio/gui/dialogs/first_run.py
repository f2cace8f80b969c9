"""The first minute: language, then one large button for each way to begin. No account, no download."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, GhostButton, IconLabel, SectionTitle
from studio.gui.widgets.labels import Display
from studio.i18n import LANGUAGES, _


@dataclass(frozen=True)
class Beginning:
    """One way to begin. ``key`` is what the dialog reports."""

    key: str
    icon: str
    title: str
    sentence: str


def beginnings() -> list[Beginning]:
    """The ways to begin, in the active language."""
    return [
        Beginning(
            "sample", "matrix", _("Open the sample matrix"),
            _("A finished example to look around in and to train within minutes."),
        ),
        Beginning("empty", "plus", _("Start empty"), _("Name your first product and go from there.")),
    ]  # fmt: skip


class BigChoice(QPushButton):
    """A card that is a button: icon, title, sentence."""

    def __init__(self, icon: str, title: str, sentence: str = "") -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        self.setAccessibleName(title)
        self.setAccessibleDescription(sentence)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 20)
        column.setSpacing(8)
        if icon:
            column.addWidget(IconLabel(icon, "accent_text", 28))
        parts: list[QWidget] = [SectionTitle(title)]
        if sentence:
            parts.append(Caption(sentence))
        for part in parts:
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            column.addWidget(part)
        column.addStretch(1)

    def sizeHint(self) -> QSize:
        # A push button knows nothing of the layout inside it.
        layout = self.layout()
        width = 216
        return QSize(width, max(96, layout.totalHeightForWidth(width) if layout is not None else 0))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()


class FirstRunDialog(QDialog):
    """``choice`` is the key of the chosen beginning; empty when the dialog was closed."""

    def __init__(
        self,
        choose_language: Callable[[str], None],
        *,
        language: str,
        parent: QWidget | None = None,
    ) -> None:
        """choose_language: called with a language code before the second step is built."""
        super().__init__(parent)
        self.choice = ""
        self._second: QWidget | None = None
        self._choose_language = choose_language
        self.setWindowTitle(_("Product Matrix Studio"))
        self.setMinimumSize(720, 440)
        self.steps = QStackedWidget()
        column = QVBoxLayout(self)
        column.setContentsMargins(48, 40, 48, 32)
        column.addWidget(self.steps)
        self.steps.addWidget(self._language_step(language))

    def _language_step(self, language: str) -> QWidget:
        # Both languages at once: nobody has chosen yet.
        choices = [BigChoice("", title) for title in LANGUAGES.values()]
        for code, choice in zip(LANGUAGES, choices, strict=True):
            choice.clicked.connect(lambda _checked=False, code=code: self._on_language(code))
            if code == language:
                choice.setFocus()
        return _step("Welcome · 欢迎", "Choose your language · 选择语言", choices)

    def _on_language(self, code: str) -> None:
        self._choose_language(code)
        if self._second is not None:
            self.steps.removeWidget(self._second)
            self._second.deleteLater()
        self._second = self._beginning_step()
        self.steps.addWidget(self._second)
        self.steps.setCurrentWidget(self._second)

    def _beginning_step(self) -> QWidget:
        ways = beginnings()
        choices = [BigChoice(way.icon, way.title, way.sentence) for way in ways]
        for way, choice in zip(ways, choices, strict=True):
            choice.clicked.connect(lambda _checked=False, key=way.key: self._on_beginning(key))
        choices[0].setFocus()
        sentence = _("Everything happens on this computer. Nothing is downloaded before you ask for it.")
        step = _step(_("How do you want to begin?"), sentence, choices)
        back = GhostButton(_("Back"), lambda: self.steps.setCurrentIndex(0), icon="chevron-left")
        layout = step.layout()
        if isinstance(layout, QVBoxLayout):
            layout.addWidget(back, 0, Qt.AlignmentFlag.AlignLeft)
        return step

    def _on_beginning(self, key: str) -> None:
        self.choice = key
        self.accept()


def _step(title: str, sentence: str, choices: Sequence[BigChoice]) -> QWidget:
    space = current_tokens().space
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(space.s)
    column.addWidget(IconLabel("logo", "accent_text", 36))
    column.addWidget(Display(title))
    column.addWidget(BodyText(sentence, tone="muted"))
    column.addSpacing(space.l)
    row = QHBoxLayout()
    row.setSpacing(space.l)
    for choice in choices:
        row.addWidget(choice, 1)
    column.addLayout(row)
    column.addStretch(1)
    return page
