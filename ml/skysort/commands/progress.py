"""Tells on standard error how far a command is: what is done, rate and time left."""

import sys
import time
from collections.abc import Callable
from typing import Final, TextIO

__all__ = ["ProgressLine", "duration"]

ON_TERMINAL: Final = 0.2  # seconds between two states of the line
IN_LOG: Final = 10.0  # seconds between two lines where there is no terminal to overwrite one


class ProgressLine:
    """One line that is overwritten on a terminal, and written now and then to a log.

    Parameters
    ----------
    stream : file, optional
        Standard error by default.
    clock : callable, optional
        Seconds that pass.
    unit : str, optional
        What is counted, in the plural.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        unit: str = "images",
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._unit = unit
        self._is_terminal = self._stream.isatty()
        self._width = 0
        self._first: tuple[float, int] | None = None
        self._last = clock()

    def __call__(self, done: int, total: int) -> None:
        """Say that `done` of `total` are done."""
        now = self._clock()
        if self._first is None:  # a resumed training begins with what was done before
            self._first = (now, done)
        pause = ON_TERMINAL if self._is_terminal else IN_LOG
        if done < total and now - self._last < pause:
            return
        self._last = now
        self._show(f"{done:,} of {total:,} {self._unit}{self._pace(now, done, total)}")

    def say(self, text: str) -> None:
        """Write a line of its own above the progress."""
        self._clear()
        print(text, file=self._stream, flush=True)

    def end(self) -> None:
        """Leave the line."""
        self._clear()

    def _pace(self, now: float, done: int, total: int) -> str:
        """Give rate and time left, as far as they are known."""
        assert self._first is not None
        begun, before = self._first
        if now <= begun or done <= before:
            return ""
        rate = (done - before) / (now - begun)
        left = "" if done == total else f", {duration((total - done) / rate)} left"
        return f", {rate:,.0f} a second{left}"

    def _show(self, text: str) -> None:
        if not self._is_terminal:
            print(text, file=self._stream, flush=True)
            return
        print(f"\r{text:{self._width}}", end="", file=self._stream, flush=True)
        self._width = len(text)

    def _clear(self) -> None:
        if self._is_terminal and self._width:
            print(f"\r{'':{self._width}}\r", end="", file=self._stream, flush=True)
            self._width = 0


def duration(seconds: float) -> str:
    """Say a time in words.

    Examples
    --------
    >>> duration(7.4), duration(125.0), duration(7300.0)
    ('7 s', '2 min 5 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
