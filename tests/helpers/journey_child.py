"""The real program, unchanged, with an eye on its own windows: stdin asks "what is to be seen", stdout answers.

The eye only tells where things are; the mouse and the keys come from outside, through the X server.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QPoint, QRect, QTimer
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QDialog,
    QGraphicsView,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QTabBar,
    QTableView,
    QTextEdit,
    QWidget,
)

_MOST_ROWS = 40


def main() -> int:
    """Run ``studio`` with the arguments after the module's name."""
    threading.Thread(target=_answer_questions, daemon=True).start()
    from studio.__main__ import main as studio_main

    code = studio_main(sys.argv[1:])
    left = [t.name for t in threading.enumerate() if t is not threading.main_thread() and not t.daemon]
    _say({"ended": code, "threads": left, "torch": "torch" in sys.modules})
    return code


def _answer_questions() -> None:
    for _line in sys.stdin:
        app = QApplication.instance()
        if app is None:
            _say({"seen": [], "window": None})
            continue
        answer: list[dict[str, Any]] = []
        done = threading.Event()

        def look(answer: list[dict[str, Any]] = answer, done: threading.Event = done) -> None:
            try:
                answer.append(_look())
            finally:
                done.set()

        QTimer.singleShot(0, app, look)
        done.wait(30)
        _say(answer[0] if answer else {"seen": [], "window": None})


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _look() -> dict[str, Any]:
    """Everything to be seen in the window that answers the user now: a menu, a dialog, or the main window."""
    window = QApplication.activePopupWidget()
    if window is None or isinstance(
        window, QAbstractItemView
    ):  # the list of a completer has no focus of its own
        window = QApplication.activeModalWidget()
    if window is None:
        shown = [w for w in QApplication.topLevelWidgets() if w.isVisible() and w.isWindow()]
        window = next((w for w in shown if not isinstance(w, QDialog)), None)
    if window is None:
        return {"seen": [], "window": None}
    seen = [_thing(w) for w in [window, *window.findChildren(QWidget)] if w.isVisible()]
    for view in window.findChildren(QAbstractItemView):
        if view.isVisible() and not isinstance(view, QHeaderView):
            seen += _cells(view)
    for menu in [window] if isinstance(window, QMenu) else []:
        seen += [_area(a.text(), "QAction", menu.actionGeometry(a), menu) for a in menu.actions()]
    for bar in window.findChildren(QTabBar):
        if bar.isVisible():
            seen += [_area(bar.tabText(i), "tab", bar.tabRect(i), bar) for i in range(bar.count())]
    focus = QApplication.focusWidget()
    where = window.frameGeometry()
    return {
        "seen": [thing for thing in seen if thing is not None],
        "window": {
            "id": int(window.winId()), "title": window.windowTitle(), "class": type(window).__name__,
            "x": where.x(), "y": where.y(), "width": where.width(), "height": where.height(),
            "scale": window.devicePixelRatioF(), "focus": _name(focus) if focus is not None else "",
            "focus_class": type(focus).__name__, "active": window.isActiveWindow(),
        },
    }  # fmt: skip


def _name(widget: QWidget) -> str:
    return widget.accessibleName() or _text(widget)


def _text(widget: QWidget) -> str:
    if isinstance(widget, QLabel | QAbstractButton | QLineEdit):
        return widget.text()
    if isinstance(widget, QComboBox):
        return widget.currentText()
    if isinstance(widget, QPlainTextEdit | QTextEdit):
        return widget.toPlainText()
    return ""


def _thing(widget: QWidget) -> dict[str, Any] | None:
    name, text = widget.accessibleName(), _text(widget)
    if not name and not text and not isinstance(widget, QGraphicsView | QLineEdit | QPlainTextEdit):
        return None
    region = widget.visibleRegion().boundingRect()
    thing = _area(name or text, type(widget).__name__, region, widget)
    full = widget.width() * widget.height()
    share = region.width() * region.height() / full if full else 0.0
    checked = isinstance(widget, QAbstractButton) and widget.isChecked()
    return thing | {
        "text": text, "enabled": widget.isEnabled(), "shown": round(share, 2), "checked": checked,
        "middle": widget.mapToGlobal(widget.rect().center()).x(),
    }  # fmt: skip


def _cells(view: QAbstractItemView) -> list[dict[str, Any]]:
    model = view.model()
    if not isinstance(model, QAbstractItemModel):
        return []
    cells = []
    columns = model.columnCount() if isinstance(view, QTableView) else 1
    for row in range(min(model.rowCount(), _MOST_ROWS)):
        for column in range(columns):
            index = model.index(row, column)
            rect = view.visualRect(index).intersected(view.viewport().rect())
            if not rect.isEmpty():
                cell = _area(str(index.data() or ""), "cell", rect, view.viewport())
                cells.append(cell | {"row": row, "column": column, "of": view.accessibleName()})
    return cells


def _area(name: str, kind: str, rect: QRect, widget: QWidget) -> dict[str, Any]:
    corner = widget.mapToGlobal(QPoint(rect.x(), rect.y()))
    return {
        "name": name, "text": name, "class": kind, "enabled": True, "shown": 1.0, "checked": False,
        "x": corner.x(), "y": corner.y(), "width": rect.width(), "height": rect.height(),
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
