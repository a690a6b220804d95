"""Geometry of the pages' SVG pictures: histograms, lines, colors; only attributes, no styles."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.formats import number_format

from protozoo.sorting.selectors import Histogram

# Five stops of viridis, which grows evenly in brightness for every eye.
VIRIDIS: Final = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))

WIDTH: Final = 480
HEIGHT: Final = 220
LEFT: Final = 44
RIGHT: Final = 12
TOP: Final = 14
BOTTOM: Final = 40


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    at: str
    text: str


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram, and the row of the table behind it."""

    x: str
    y: str
    width: str
    height: str
    first: float
    last: float
    n: int
    is_marked: bool


@dataclass(frozen=True)
class Chart:
    """What both kinds of chart have: the frame and the ticks of two axes."""

    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    top: int = TOP
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


@dataclass(frozen=True)
class HistogramChart(Chart):
    bars: Sequence[Bar] = ()
    threshold: str | None = None


@dataclass(frozen=True)
class LineChart(Chart):
    points: str = ""
    dots: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Estimated:
    """A value and the limits between which the true one lies."""

    x: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Whisker:
    """Where an estimate and its limits are drawn."""

    x: str
    y: str
    low: str
    high: str


@dataclass(frozen=True)
class EstimateChart(Chart):
    """Estimates with their limits; the diagonal is where y equals x."""

    rows: Sequence[Estimated] = ()
    whiskers: Sequence[Whisker] = ()
    points: str = ""
    diagonal: tuple[tuple[str, str], tuple[str, str]] | None = None


def heat(share: float) -> str:
    """Give the color of a value between 0 and 1 on the viridis scale."""
    place = min(1.0, max(0.0, share)) * (len(VIRIDIS) - 1)
    below = min(int(place), len(VIRIDIS) - 2)
    mixed = (
        round(low + (high - low) * (place - below))
        for low, high in zip(VIRIDIS[below], VIRIDIS[below + 1], strict=True)
    )
    return "#" + "".join(f"{part:02x}" for part in mixed)


def heat_stops() -> list[tuple[str, str]]:
    """Give (offset, color) of the scale's legend."""
    return [(f"{share:.2f}", heat(share)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]


def histogram_chart(histogram: Histogram, *, threshold: float | None) -> HistogramChart:
    """Place bars whose heights grow with the logarithm, so that a single strange one is seen."""
    tallest = max(1, *histogram.counts)
    step = (WIDTH - LEFT - RIGHT) / len(histogram.counts)
    bars = []
    for number, n in enumerate(histogram.counts):
        height = _log_height(n, tallest)
        first, last = histogram.edge(number), histogram.edge(number + 1)
        bars.append(
            Bar(
                x=_at(LEFT + number * step),
                y=_at(HEIGHT - BOTTOM - height),
                width=_at(max(1.0, step - 1)),
                height=_at(height),
                first=first,
                last=last,
                n=n,
                is_marked=threshold is not None and last > threshold,
            )
        )
    span = (histogram.lowest, histogram.highest)
    return HistogramChart(
        x_ticks=[Tick(_at(_x(value, span)), _text(value)) for value in _inside(*span)],
        y_ticks=[
            Tick(_at(HEIGHT - BOTTOM - _log_height(10**power, tallest)), f"{10**power}")
            for power in range(int(math.log10(tallest)) + 1)
        ],
        bars=bars,
        threshold=None if threshold is None else _at(_x(threshold, span)),
    )


def line_chart(values: Sequence[tuple[float, float]]) -> LineChart | None:
    """Draw y over x; None for fewer than two points."""
    if len(values) < 2:
        return None
    xs, ys = zip(*values, strict=True)
    x_span = (min(xs), max(xs))
    y_ticks = _around(min(ys), max(ys))
    y_span = (y_ticks[0], y_ticks[-1])
    dots = [(_at(_x(x, x_span)), _at(_y(y, y_span))) for x, y in values]
    return LineChart(
        x_ticks=[
            Tick(_at(_x(value, x_span)), _text(value))
            for value in _inside(*x_span)
            if value == int(value)
        ],
        y_ticks=[Tick(_at(_y(value, y_span)), _text(value)) for value in y_ticks],
        points=" ".join(f"{x},{y}" for x, y in dots),
        dots=dots,
    )


def cost_chart(rows: Sequence[Estimated]) -> EstimateChart | None:
    """Draw what more effort brings, from no effort on; None for fewer than two estimates."""
    if len(rows) < 2:
        return None
    ticks = _around(min(row.low for row in rows), max(row.high for row in rows))
    return _estimate_chart(rows, (0.0, max(row.x for row in rows)), (ticks[0], ticks[-1]))


def reliability_chart(rows: Sequence[Estimated]) -> EstimateChart | None:
    """Draw what is right over what was claimed; None without any bin."""
    if not rows:
        return None
    lowest = _around(min(min(row.x, row.low) for row in rows), 1.0)[0]
    span = (max(lowest, 0.0), 1.0)
    return _estimate_chart(rows, span, span, has_diagonal=True)


def _estimate_chart(
    rows: Sequence[Estimated],
    x_span: tuple[float, float],
    y_span: tuple[float, float],
    *,
    has_diagonal: bool = False,
) -> EstimateChart:
    whiskers = [
        Whisker(
            x=_at(_x(row.x, x_span)),
            y=_at(_y(row.value, y_span)),
            low=_at(_y(row.low, y_span)),
            high=_at(_y(row.high, y_span)),
        )
        for row in rows
    ]
    start, end = ((_at(_x(value, x_span)), _at(_y(value, y_span))) for value in x_span)
    return EstimateChart(
        x_ticks=[Tick(_at(_x(value, x_span)), _text(value)) for value in _inside(*x_span)],
        y_ticks=[Tick(_at(_y(value, y_span)), _text(value)) for value in _inside(*y_span)],
        rows=rows,
        whiskers=whiskers,
        points=" ".join(f"{whisker.x},{whisker.y}" for whisker in whiskers),
        diagonal=(start, end) if has_diagonal else None,
    )


def _log_height(n: int, tallest: int) -> float:
    return math.log10(1 + n) / math.log10(1 + tallest) * (HEIGHT - BOTTOM - TOP)


def _x(value: float, span: tuple[float, float]) -> float:
    return LEFT + (value - span[0]) / ((span[1] - span[0]) or 1.0) * (WIDTH - LEFT - RIGHT)


def _y(value: float, span: tuple[float, float]) -> float:
    share = (value - span[0]) / ((span[1] - span[0]) or 1.0)
    return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)


def _inside(lowest: float, highest: float) -> list[float]:
    """Give a few round values between two ends."""
    step = _round_step(lowest, highest)
    first, last = math.ceil(lowest / step - 1e-9), math.floor(highest / step + 1e-9)
    return _multiples(step, first, last)


def _around(lowest: float, highest: float) -> list[float]:
    """Give a few round values, the first and last of which enclose two ends."""
    step = _round_step(lowest, highest)
    first, last = math.floor(lowest / step + 1e-9), math.ceil(highest / step - 1e-9)
    return _multiples(step, first, max(last, first + 1))


def _round_step(lowest: float, highest: float) -> float:
    rough = (highest - lowest) / 4 or abs(lowest) / 4 or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)


def _multiples(step: float, first: int, last: int) -> list[float]:
    return [round(number * step, 12) for number in range(first, last + 1)]


def _text(value: float) -> str:
    return number_format(f"{value:.4g}")


def _at(value: float) -> str:
    """Write a coordinate with a point, whatever the reader's language."""
    return f"{value:.1f}"
