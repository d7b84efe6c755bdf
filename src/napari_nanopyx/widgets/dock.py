"""The content of a dock widget that ends in an orderly way when its dock is closed."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_nanopyx.widgets import preferences


class DockContent(QWidget):
    """Deletes itself on the GUI thread once its dock has been closed.

    napari takes a widget out of a closed dock and forgets it. Python would then delete
    it whenever its garbage collector runs next: perhaps on the compute thread, where
    deleting a widget ends the program.
    """

    def __init__(self) -> None:
        super().__init__()
        preferences.follow()
        self._orphaned = QTimer(self)
        self._orphaned.setSingleShot(True)
        self._orphaned.timeout.connect(self._delete_if_orphaned)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """See the dock let go; another dock may still take over."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._orphaned.start(0)
        super().changeEvent(event)

    def main_window(self) -> QMainWindow | None:
        """Return the window that the dock belongs to, if there is one."""
        parent = self.parent()
        while parent is not None and not isinstance(parent, QMainWindow):
            parent = parent.parent()
        return parent

    def _delete_if_orphaned(self) -> None:
        if self.parent() is None:
            self.deleteLater()
