"""Qt's own texts follow the language of the window at once, there and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QLibraryInfo, QLocale
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from studio.gui.app import _translate_qt
from studio.gui.qt_texts import QtTexts
from studio.i18n import current_language, set_language


@pytest.fixture
def texts(qapp: QApplication) -> Iterator[QtTexts]:
    language, locale, name = current_language(), QLocale(), qapp.applicationDisplayName()
    made = QtTexts(qapp)
    yield made
    qapp.removeTranslator(made)
    set_language(language)
    QLocale.setDefault(locale)
    qapp.setApplicationDisplayName(name)


def labels(qtbot: QtBot) -> set[str]:
    dialog = QFileDialog(None, "x")
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    dialog.setNameFilters(["a (*.a)"])
    qtbot.addWidget(dialog)
    return {label.text() for label in dialog.findChildren(QLabel)}


def test_the_file_chooser_speaks_the_language_of_the_window(
    qtbot: QtBot, qapp: QApplication, texts: QtTexts
) -> None:
    english = {"&Look in:", "File &name:", "Files of &type:"}
    for _time in range(2):
        set_language("en")
        _translate_qt(qapp, texts)
        assert labels(qtbot) == english
        set_language("zh_CN")
        _translate_qt(qapp, texts)
        assert labels(qtbot) == {"查找范围(&L)：", "文件名称(&N)：", "文件类型(&T)："}
    assert qapp.translate("Nobody", "knows &this") == "knows &this"
    assert qapp.translate("QPlatformTheme", "Cancel") == "取消"


def test_qts_chinese_comes_with_it() -> None:
    folder = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
    assert (folder / "qtbase_zh_CN.qm").is_file()
