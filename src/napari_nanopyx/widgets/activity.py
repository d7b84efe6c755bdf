"""Shows a job in napari's activity dock, with the time left and a Cancel button."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.utils import cancelable_progress

FORMAT = "{l_bar}{bar}| {remaining} left"
"""Short, so that napari's Cancel button beside it stays in sight."""


class ActivityBar:
    """One line of the activity dock, there from the first `show` until `close`.

    Showing lets napari process events, so anything may have happened afterwards.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._bar: cancelable_progress | None = None
        self._closed = False

    @property
    def cancelled(self) -> bool:
        """Whether the user has pressed Cancel."""
        return self._bar is not None and bool(self._bar.is_canceled)

    def show(self, done: int, total: int) -> None:
        """Show how much is done; a total of 0 is not known yet."""
        from napari.utils import cancelable_progress

        if self._bar is None and not self._closed:
            self._bar = cancelable_progress(
                total=total or None, desc=self._title, bar_format=FORMAT
            )
        bar = self._bar
        if self._closed:
            self.close()
        elif bar is not None and done > bar.n:
            if bar.total != total:
                bar.total = total
            bar.update(done - bar.n)

    def close(self) -> None:
        """Take the line away, for good."""
        self._closed = True
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()
