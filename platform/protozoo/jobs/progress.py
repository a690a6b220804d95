"""Shows progress on a terminal, or as plain lines where there is none."""

import sys
import time
from typing import IO, Final

LINE_EVERY_S: Final = 5.0
BAR_EVERY_S: Final = 0.1
BAR_WIDTH: Final = 24


class ProgressLine:
    """A report that draws one line over and over, with the time that is left."""

    def __init__(self, title: str, *, stream: IO[str] | None = None) -> None:
        self.title = title
        self.stream = stream or sys.stderr
        self.is_terminal = self.stream.isatty()
        self.started_at = time.monotonic()
        self.drawn_at = 0.0
        self.last = ""

    def __call__(self, done: int, total: int, message: str = "") -> None:
        now = time.monotonic()
        every = BAR_EVERY_S if self.is_terminal else LINE_EVERY_S
        if now - self.drawn_at < every and done < total:
            return
        line = self._line(done, total, message, now - self.started_at)
        if line == self.last:
            return
        self.drawn_at, self.last = now, line
        self.stream.write(f"\r\033[K{line}" if self.is_terminal else f"{line}\n")
        self.stream.flush()

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(self, *exception: object) -> None:
        if self.is_terminal and self.last:
            self.stream.write("\n")

    def _line(self, done: int, total: int, message: str, seconds: float) -> str:
        if not total:
            return f"{self.title}  {message}"
        share = min(1.0, done / total)
        bar = "#" * round(BAR_WIDTH * share)
        left = f", {seconds * (1 - share) / share:.0f} s left" if 0 < share < 1 else ""
        return f"{self.title}  [{bar:<{BAR_WIDTH}}] {share:4.0%}  {message}{left}"
