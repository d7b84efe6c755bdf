"""Lets only one run at a time use the machine, so that measurements mean something."""

from __future__ import annotations

import os
import threading

_lock = threading.Lock()


def computing() -> threading.Lock:
    """Return what to hold while computing."""
    return _lock


def _after_fork() -> None:
    """Make anew what a thread that the child does not have may hold."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
