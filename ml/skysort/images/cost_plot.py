"""Draws what a catalog costs: how good it is against votes per row, as an SVG or PNG file.

One panel for each figure, side by side; one line for each method, with a band of one standard
deviation about the mean. Colors after Okabe & Ito (2008), which also the color-blind tell apart;
each method has its own marker besides.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from skysort.errors import InputError

__all__ = ["FORMATS", "CostLine", "CostPanel", "Format", "draw_cost_plot"]

Format = Literal["svg", "png"]
Point = tuple[float, float]
FloatArray = NDArray[np.float64]

FORMATS: Final[tuple[Format, ...]] = ("svg", "png")
COLORS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#7A5C00", "#555555")
INK, FAINT, GRID, WHITE = "#181b21", "#60666f", "#e3e6ea", "#ffffff"
MARGIN: Final = 28
PANEL_WIDTH, PANEL_HEIGHT = 430, 320
LEFT, BELOW, ABOVE = 58, 52, 38  # of a panel: numbers, the axis and its name, the title
BETWEEN: Final = 24
TEXT, TITLE, SMALL = 14, 19, 12
LEGEND_HEIGHT: Final = 30
MARKER: Final = 4.5  # radius in pixels
BAND: Final = 0.16  # opacity
STEPS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)  # between the numbers of an axis
MAX_STEPS: Final = 7
FAMILY: Final = "system-ui, Helvetica, Arial, sans-serif"  # of an SVG
WIDER: Final = 1.12  # than Pillow's own font such a one may be
SCALE: Final = 2  # pixels of a PNG for each of an SVG
SMOOTH: Final = 3  # a PNG is drawn so many times larger, then scaled down


@dataclass(frozen=True)
class CostLine:
    """One method: shares (n,) against votes per row (n,), with standard deviations (n,)."""

    method: str
    votes: ArrayLike
    value: ArrayLike
    spread: ArrayLike


@dataclass(frozen=True)
class CostPanel:
    """One figure of merit, a share from 0 to 1, for all methods."""

    title: str
    lines: Sequence[CostLine]


@dataclass(frozen=True)
class _Line:
    method: str
    votes: FloatArray
    value: FloatArray
    low: FloatArray
    high: FloatArray


class _Canvas(Protocol):
    """What can be drawn on; y goes downwards, in pixels."""

    def line(self, points: Sequence[Point], color: str, width: float) -> None: ...

    def area(self, points: Sequence[Point], color: str, opacity: float) -> None: ...

    def text(self, at: Point, said: str, *, size: int, color: str, anchor: str) -> None: ...

    def file(self) -> bytes: ...


def draw_cost_plot(panels: Sequence[CostPanel], *, title: str, file_format: Format) -> bytes:
    """Draw figures of merit against the votes that they cost.

    Parameters
    ----------
    panels : sequence of CostPanel
        Side by side. Methods keep color and marker across panels.
    title : str
        The first line.
    file_format : {"svg", "png"}
        What to write.

    Returns
    -------
    bytes
        The file.

    Raises
    ------
    InputError
        If there is nothing to draw, votes are not positive, or a number is not finite.

    Examples
    --------
    >>> line = CostLine("ours", [0.1, 1.0], [0.5, 0.9], [0.02, 0.01])
    >>> plot = draw_cost_plot([CostPanel("accuracy", [line])], title="A trial", file_format="svg")
    >>> plot[:4]
    b'<svg'
    """
    checked = [(panel.title, [_checked(line) for line in panel.lines]) for panel in panels]
    if not checked or not all(lines for _, lines in checked):
        raise InputError("panels must hold at least one line each")
    methods = list(dict.fromkeys(line.method for _, lines in checked for line in lines))
    votes = np.concatenate([line.votes for _, lines in checked for line in lines])
    width = 2 * MARGIN + len(checked) * (PANEL_WIDTH + BETWEEN) - BETWEEN
    legend = _legend_rows(methods, width - 2 * MARGIN)
    top = MARGIN + TITLE + 14 + LEGEND_HEIGHT * len(legend)
    height = top + PANEL_HEIGHT + MARGIN // 2
    canvas: _Canvas = (_Svg if file_format == "svg" else _Png)(width, height)
    _write(canvas, (MARGIN, MARGIN + TITLE), title, size=TITLE)
    _draw_legend(canvas, legend, methods)
    for k, (name, lines) in enumerate(checked):
        left = MARGIN + k * (PANEL_WIDTH + BETWEEN)
        frame = _Frame.around(left, top, _axis_range(votes), lines)
        _draw_panel(canvas, frame, name, lines, methods)
    return canvas.file()


def _checked(line: CostLine) -> _Line:
    votes, value, spread = (
        np.atleast_1d(np.asarray(numbers, dtype=float))
        for numbers in (line.votes, line.value, line.spread)
    )
    if not (votes.ndim == 1 and votes.shape == value.shape == spread.shape and votes.size):
        raise InputError(f"the line {line.method!r} must have as many values as votes")
    if not (np.isfinite([votes, value, spread]).all() and (votes > 0.0).all()):
        raise InputError(f"the line {line.method!r} must be finite, and its votes above 0")
    order = np.argsort(votes)
    votes, value, spread = votes[order], value[order], spread[order]
    low, high = np.maximum(value - spread, 0.0), np.minimum(value + spread, 1.0)
    return _Line(line.method, votes, value, low, high)


def _axis_range(votes: FloatArray) -> tuple[float, float]:
    """Give the ends of a logarithmic axis a little beyond the votes."""
    return float(votes.min()) / 1.3, float(votes.max()) * 1.3


@dataclass(frozen=True)
class _Frame:
    """Where a panel lies, and how numbers become places on it."""

    left: float
    top: float
    votes: tuple[float, float]
    step: float
    low: float
    high: float

    @classmethod
    def around(
        cls, left: float, top: float, votes: tuple[float, float], lines: Sequence[_Line]
    ) -> "_Frame":
        """Choose round numbers about all shares."""
        low = min(float(line.low.min()) for line in lines)
        high = max(float(line.high.max()) for line in lines)
        step = next((s for s in STEPS if (high - low) / s <= MAX_STEPS - 1), STEPS[-1])
        first = math.floor(low / step)
        last = max(math.ceil(high / step), first + 1)
        return cls(left, top, votes, step, first * step, last * step)

    @property
    def sides(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the field of the lines."""
        right, bottom = self.left + PANEL_WIDTH, self.top + PANEL_HEIGHT - BELOW
        return self.left + LEFT, self.top + ABOVE, right, bottom

    def x(self, votes: float) -> float:
        left, _, right, _ = self.sides
        first, last = map(math.log, self.votes)
        return left + (right - left) * (math.log(votes) - first) / (last - first)

    def y(self, share: float) -> float:
        _, top, _, bottom = self.sides
        return bottom - (bottom - top) * (share - self.low) / (self.high - self.low)

    def points(self, votes: FloatArray, shares: FloatArray) -> list[Point]:
        return [
            (self.x(v), self.y(s)) for v, s in zip(votes.tolist(), shares.tolist(), strict=True)
        ]


def _draw_panel(
    canvas: _Canvas, frame: _Frame, title: str, lines: Sequence[_Line], methods: Sequence[str]
) -> None:
    _draw_axes(canvas, frame, title)
    for line in lines:
        color = _color(methods, line.method)
        edge = frame.points(line.votes, line.high) + frame.points(line.votes, line.low)[::-1]
        if len(line.votes) > 1:
            canvas.area(edge, color, BAND)
        else:  # one point has a bar for its band
            canvas.line(edge, color, 1.5)
    for line in reversed(lines):  # the first one on top
        color = _color(methods, line.method)
        points = frame.points(line.votes, line.value)
        canvas.line(points, color, 2.2)
        for point in points:
            _mark(canvas, point, methods.index(line.method), color)


def _draw_axes(canvas: _Canvas, frame: _Frame, title: str) -> None:
    left, _, right, bottom = frame.sides
    _write(canvas, (left, frame.top + ABOVE - 16), title, size=TEXT)
    digits = 3 if frame.step < 0.01 else 2
    for k in range(round((frame.high - frame.low) / frame.step) + 1):
        share = frame.low + k * frame.step
        canvas.line([(left, frame.y(share)), (right, frame.y(share))], GRID, 1.0)
        at = (left - 8, frame.y(share) + 4)
        _write(canvas, at, f"{share:.{digits}f}", size=SMALL, color=FAINT, anchor="end")
    for votes in _log_numbers(*frame.votes):
        canvas.line([(frame.x(votes), bottom), (frame.x(votes), bottom + 5)], FAINT, 1.0)
        at = (frame.x(votes), bottom + 20)
        _write(canvas, at, f"{votes:g}", size=SMALL, color=FAINT, anchor="middle")
    canvas.line([(left, bottom), (right, bottom)], FAINT, 1.0)
    at = ((left + right) / 2.0, bottom + 42)
    _write(canvas, at, "votes per subject", size=SMALL, color=FAINT, anchor="middle")


def _log_numbers(low: float, high: float) -> list[float]:
    """List 1, 2 and 5 times the powers of ten between two numbers; powers alone if too many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    numbers = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    within = [number for number in numbers if low <= number <= high]
    return within if len(within) <= 10 else [n for n in within if f"{n:e}".startswith("1.0")]


def _legend_rows(methods: Sequence[str], width: int) -> list[list[tuple[str, float]]]:
    """Put the methods and their places from the left into rows that are not too wide."""
    rows: list[list[tuple[str, float]]] = [[]]
    at = 0.0
    for method in methods:
        need = 34 + WIDER * _font(TEXT).getlength(method) + 24
        if rows[-1] and at + need > width:
            rows.append([])
            at = 0.0
        rows[-1].append((method, at))
        at += need
    return rows


def _draw_legend(
    canvas: _Canvas, rows: Sequence[Sequence[tuple[str, float]]], methods: Sequence[str]
) -> None:
    for k, row in enumerate(rows):
        y = MARGIN + TITLE + 28 + k * LEGEND_HEIGHT
        for method, at in row:
            x, color = MARGIN + at, _color(methods, method)
            canvas.line([(x, y), (x + 26, y)], color, 2.2)
            _mark(canvas, (x + 13, y), methods.index(method), color)
            _write(canvas, (x + 34, y + 5), method, size=TEXT)


def _color(methods: Sequence[str], method: str) -> str:
    return COLORS[methods.index(method) % len(COLORS)]


def _mark(canvas: _Canvas, at: Point, kind: int, color: str) -> None:
    """Draw a disc, square, diamond, triangle or hexagon with a white rim."""
    corners, turn = ((24, 0.0), (4, 0.25), (4, 0.0), (3, 0.0), (6, 0.0))[kind % 5]
    for radius, paint in ((MARKER + 1.5, WHITE), (MARKER, color)):
        size = radius * (1.0 if corners > 6 else 1.25)
        angles = [2.0 * math.pi * ((k + 2 * turn) / corners - 0.25) for k in range(corners)]
        outline = [(at[0] + size * math.cos(a), at[1] + size * math.sin(a)) for a in angles]
        canvas.area(outline, paint, 1.0)


def _write(
    canvas: _Canvas, at: Point, said: str, *, size: int, color: str = INK, anchor: str = "start"
) -> None:
    canvas.text(at, said, size=size, color=color, anchor=anchor)


class _Svg:
    """Draws by writing the elements of an SVG 1.1 file."""

    def __init__(self, width: int, height: int) -> None:
        size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FAMILY}">',
            f'<rect width="{width}" height="{height}" fill="{WHITE}"/>',
        ]

    def line(self, points: Sequence[Point], color: str, width: float) -> None:
        self._parts.append(
            f'<polyline points="{_places(points)}" fill="none" stroke="{color}" '
            f'stroke-width="{width}" stroke-linejoin="round"/>'
        )

    def area(self, points: Sequence[Point], color: str, opacity: float) -> None:
        shade = "" if opacity == 1.0 else f' fill-opacity="{opacity}"'
        self._parts.append(f'<polygon points="{_places(points)}" fill="{color}"{shade}/>')

    def text(self, at: Point, said: str, *, size: int, color: str, anchor: str) -> None:
        self._parts.append(
            f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" font-size="{size}" fill="{color}" '
            f'text-anchor="{anchor}">{escape(said)}</text>'
        )

    def file(self) -> bytes:
        return "\n".join([*self._parts, "</svg>", ""]).encode()


def _places(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


class _Png:
    """Draws with Pillow at several times the size, which makes edges smooth."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width * SCALE, height * SCALE)
        self._zoom = SCALE * SMOOTH
        self._page = Image.new("RGB", (width * self._zoom, height * self._zoom), WHITE)

    def _scaled(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self._zoom, y * self._zoom) for x, y in points]

    def line(self, points: Sequence[Point], color: str, width: float) -> None:
        pen = ImageDraw.Draw(self._page)
        pen.line(self._scaled(points), fill=color, width=round(width * self._zoom), joint="curve")

    def area(self, points: Sequence[Point], color: str, opacity: float) -> None:
        if opacity == 1.0:
            ImageDraw.Draw(self._page).polygon(self._scaled(points), fill=color)
            return
        mask = Image.new("L", self._page.size)
        ImageDraw.Draw(mask).polygon(self._scaled(points), fill=round(255 * opacity))
        self._page.paste(color, (0, 0), mask)

    def text(self, at: Point, said: str, *, size: int, color: str, anchor: str) -> None:
        place = {"start": "ls", "middle": "ms", "end": "rs"}[anchor]
        pen = ImageDraw.Draw(self._page)
        pen.text(
            self._scaled([at])[0], said, fill=color, font=_font(size * self._zoom), anchor=place
        )

    def file(self) -> bytes:
        buffer = BytesIO()
        page = self._page.resize(self._size, Image.Resampling.LANCZOS)
        page.save(buffer, format="PNG", dpi=(72 * SCALE, 72 * SCALE))
        return buffer.getvalue()


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # given a size, Pillow brings its own font
    return font
