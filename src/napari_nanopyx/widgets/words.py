"""Writes times as people read them."""

from __future__ import annotations


def milliseconds(seconds: float | None) -> str:
    """Return a time in milliseconds with three significant digits.

    Examples
    --------
    >>> milliseconds(0.0012345), milliseconds(1.5), milliseconds(None)
    ('1.23', '1500', '–')
    """
    if seconds is None:
        return "–"
    value = seconds * 1000
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def ago(at: float | None, now: float) -> str:
    """Return how long ago something was, in the largest unit that fits.

    Examples
    --------
    >>> ago(1000.0, 1003.0), ago(0.0, 7200.0), ago(None, 0.0)
    ('3 s ago', '2 h ago', '–')
    """
    if at is None:
        return "–"
    seconds = max(0.0, now - at)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
