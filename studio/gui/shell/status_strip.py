"""The foot of the window: the running job, the queue, device and memory, and whether anything goes online."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QWidget

from studio.gui.context import JobStatus
from studio.gui.icons import icon
from studio.gui.theme import current_tokens, tabular_font
from studio.i18n import _, ngettext
from studio.words import duration_words, labelled

HEIGHT = 32


class StatusButton(QPushButton):
    """A quiet button of the strip."""

    def __init__(self, name: str, icon_name: str) -> None:
        super().__init__()
        self._name = name
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAutoDefault(False)
        self.setFont(tabular_font(current_tokens().fonts.caption, QFont.Weight.Normal))
        self.set_icon(icon_name)
        self.setIconSize(QSize(18, 14))

    def set_icon(self, name: str, tone: str = "text_muted") -> None:
        self.setIcon(icon(name, tone))

    def say(self, text: str) -> None:
        """Show a text; a screen reader hears what it is about first."""
        self.setText(text)
        self.setAccessibleName(labelled(self._name, text))


class StatusStrip(QFrame):
    """Signals: job_opened(run id, empty when none runs), connections_opened()."""

    job_opened = Signal(str)
    connections_opened = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(HEIGHT)
        self._run_id = ""
        self.job = StatusButton(_("Running job"), "runs")
        self.job.setToolTip(_("Open the runs"))
        self.job.clicked.connect(lambda: self.job_opened.emit(self._run_id))
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(96)
        self._bar.setAccessibleName(_("Progress of the running job"))
        self.queue = StatusButton(_("Queue"), "queue")
        self.queue.clicked.connect(lambda: self.job_opened.emit(""))
        self.device = StatusButton(_("Device"), "cpu")
        self.device.setEnabled(False)
        self.network = StatusButton(_("Network"), "offline")
        self.network.setToolTip(_("Every outbound connection the program made"))
        self.network.clicked.connect(self.connections_opened)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(4)
        row.addWidget(self.job)
        row.addWidget(self._bar)
        row.addStretch(1)
        for part in (self.queue, self.device, self.network):
            row.addWidget(part)
        self.set_job(None)
        self.set_queue(0)
        self.set_device("")
        self.set_connections(allowed=False, made=0)

    def set_job(self, job: JobStatus | None) -> None:
        """Show what runs: name, time left, loss."""
        self._run_id = job.run_id if job else ""
        self.job.set_icon("pause" if job and job.paused else "runs", "accent_text" if job else "text_muted")
        self.job.say(job_words(job) if job else _("Nothing is running"))
        self._bar.setVisible(job is not None)
        if job is not None:
            self._bar.setRange(0, 0 if job.fraction is None else 1000)
            if job.fraction is not None:
                self._bar.setValue(round(1000 * job.fraction))

    def set_queue(self, waiting: int) -> None:
        """How many jobs wait; hidden when none does."""
        self.queue.setVisible(waiting > 0)
        self.queue.say(ngettext("{n} waiting", "{n} waiting", waiting).format(n=waiting))

    def set_device(self, words: str) -> None:
        """Device and memory in words."""
        self.device.setVisible(bool(words))
        self.device.say(words)

    def set_connections(self, *, allowed: bool, made: int) -> None:
        """The chip: offline unless the user allowed the hub; with the count of connections made."""
        state = _("Online") if allowed else _("Offline")
        self.network.set_icon("online" if allowed else "offline", "accent_text" if allowed else "success")
        self.network.say(f"{state} · {made}" if made else state)


def job_words(job: JobStatus) -> str:
    """The running job in one line."""
    parts = [job.name]
    if job.paused:
        parts.append(_("paused"))
    elif job.eta_s is not None:
        parts.append(_("{time} left").format(time=duration_words(job.eta_s)))
    if job.loss is not None:
        parts.append(_("loss {value}").format(value=f"{job.loss:.3f}"))
    return "  ·  ".join(parts)
