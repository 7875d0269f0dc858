"""The Qt panel: people, progress, preview and advice of the Lifemask node that is chosen."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import nuke
import nukescripts

from . import panel_state, session

# Nuke 16 and later have Qt 6, Nuke 14 and 15 Qt 5.
if nuke.NUKE_VERSION_MAJOR >= 16:
    from PySide6 import QtCore, QtGui, QtWidgets
else:
    from PySide2 import QtCore, QtGui, QtWidgets

if TYPE_CHECKING:
    from ..common.declared import Button
    from .swap_node import SwapNode

NAME = "com.lifemask.panel"
_PREVIEW_HEIGHT = 220


class Panel(QtWidgets.QWidget):  # type: ignore[misc]
    """Shows one node of the script; draws anew whenever the session has something new."""

    def __init__(self, parent: Any = None) -> None:  # noqa: ANN401
        super().__init__(parent)
        self._there: list[nuke.Node] = []
        self._nodes = QtWidgets.QComboBox()
        self._bar = QtWidgets.QProgressBar()
        self._message = QtWidgets.QLabel(wordWrap=True)
        self._preview = QtWidgets.QLabel(alignment=QtCore.Qt.AlignCenter)
        self._text = QtWidgets.QTextBrowser()
        self._buttons = {button.name: self._button(button) for button in panel_state.shown()}
        self._lay_out()
        self._nodes.activated.connect(lambda _: self.draw())
        session.listeners.append(self.draw)
        self.draw()

    def _button(self, button: Button) -> Any:  # noqa: ANN401
        made = QtWidgets.QPushButton(button.label, toolTip=button.doc)
        made.clicked.connect(lambda *_: self._press(button.name))
        return made

    def _lay_out(self) -> None:
        line = QtWidgets.QGridLayout()
        for index, made in enumerate(self._buttons.values()):
            line.addWidget(made, index // 3, index % 3)
        column = QtWidgets.QVBoxLayout(self)
        column.addWidget(self._nodes)
        column.addLayout(line)
        for widget in (self._bar, self._message, self._preview, self._text):
            column.addWidget(widget)

    def _press(self, name: str) -> None:
        node = self._node()
        if node:
            node.controller.press(name)

    def _node(self) -> SwapNode | None:
        at = self._nodes.currentIndex()
        return session.of(self._there[at]) if 0 <= at < len(self._there) else None

    def draw(self) -> None:
        """Show what there is now."""
        self._list_nodes()
        now = panel_state.panel_state(self._node())
        self._message.setText(escape(now.message))
        self._bar.setVisible(now.percent is not None)
        self._bar.setValue(now.percent or 0)
        for name, made in self._buttons.items():
            made.setEnabled(name in now.buttons)
        self._draw_preview(now.preview)
        self._text.setHtml(_html(now.sections))

    def _list_nodes(self) -> None:
        self._there = session.nodes()
        names = [node.fullName() for node in self._there]
        if names != [self._nodes.itemText(i) for i in range(self._nodes.count())]:
            chosen = self._nodes.currentText()
            self._nodes.clear()
            self._nodes.addItems(names)
            self._nodes.setCurrentText(chosen)

    def _draw_preview(self, path: str) -> None:
        picture = QtGui.QPixmap(path) if path else QtGui.QPixmap()
        self._preview.setVisible(not picture.isNull())
        if not picture.isNull():
            size = QtCore.QSize(self._text.width(), _PREVIEW_HEIGHT)
            kept, smooth = QtCore.Qt.KeepAspectRatio, QtCore.Qt.SmoothTransformation
            self._preview.setPixmap(picture.scaled(size, kept, smooth))

    def closeEvent(self, event: Any) -> None:  # noqa: ANN401, N802
        """Hear nothing more."""
        if self.draw in session.listeners:
            session.listeners.remove(self.draw)
        super().closeEvent(event)


def _html(sections: dict[str, list[str]]) -> str:
    paragraphs = (
        f"<h4>{escape(title)}</h4><ul>"
        + "".join(f"<li>{escape(line)}</li>" for line in lines)
        + "</ul>"
        for title, lines in sections.items()
    )
    return "".join(paragraphs)


def register() -> None:
    """Let Nuke offer the panel in its menus of panels; it evaluates the text to find the class."""
    widget = f"__import__('{__name__}', fromlist=['Panel']).Panel"
    nukescripts.panels.registerWidgetAsPanel(widget, "Lifemask", NAME)
