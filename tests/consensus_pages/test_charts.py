"""Geometry of the pages' pictures."""

import pytest

from protozoo.consensus.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Estimated,
    cost_chart,
    heat,
    histogram_chart,
    line_chart,
    reliability_chart,
)
from protozoo.sorting.selectors import Histogram


def test_heat_runs_from_dark_violet_to_yellow():
    assert [heat(share) for share in (-1.0, 0.0, 0.5, 1.0, 2.0)] == [
        "#440154",
        "#440154",
        "#21918c",
        "#fde725",
        "#fde725",
    ]


def test_bars_stand_on_the_axis_and_grow_with_the_logarithm():
    chart = histogram_chart(Histogram(0.0, 4.0, [999, 9, 0, 1]), threshold=None)
    heights = [float(bar.height) for bar in chart.bars]
    assert [round(height / heights[0], 2) for height in heights] == [1.0, 0.33, 0.0, 0.1]
    for bar in chart.bars:
        assert float(bar.y) + float(bar.height) == pytest.approx(HEIGHT - BOTTOM, abs=0.2)


def test_bars_beyond_the_threshold_are_marked():
    chart = histogram_chart(Histogram(0.0, 4.0, [3, 2, 1, 1]), threshold=2.5)
    assert [bar.is_marked for bar in chart.bars] == [False, False, True, True]
    unmarked = histogram_chart(Histogram(0.0, 4.0, [3, 2, 1, 1]), threshold=None)
    assert not any(bar.is_marked for bar in unmarked.bars)


def test_ticks_are_round_and_inside():
    chart = histogram_chart(Histogram(-1.57, 5.43, [1] * 40), threshold=None)
    assert [tick.text for tick in chart.x_ticks] == ["0", "2", "4"]


def test_a_line_needs_two_points():
    assert line_chart([]) is None
    assert line_chart([(1.0, 0.5)]) is None


def test_a_line_goes_down_when_the_error_falls():
    chart = line_chart([(1.0, 4.4), (2.0, 3.0), (3.0, 2.6)])
    heights = [float(y) for _, y in chart.dots]
    assert heights == sorted(heights)
    assert [tick.text for tick in chart.x_ticks] == ["1", "2", "3"]
    assert [tick.text for tick in chart.y_ticks] == ["2.5", "3", "3.5", "4", "4.5"]


@pytest.mark.parametrize("value", [0.0, 0.5, -3.0, 1e-9, 1e9])
def test_a_flat_line_is_drawn_too(value):
    chart = line_chart([(1.0, value), (2.0, value)])
    assert len(chart.dots) == 2
    assert len(chart.y_ticks) >= 2


def test_a_cost_curve_starts_at_no_effort_and_shows_its_limits():
    rows = [Estimated(0.5, 0.7, 0.6, 0.8), Estimated(1.0, 0.9, 0.85, 0.93)]
    chart = cost_chart(rows)
    first, last = chart.whiskers
    assert float(first.x) == pytest.approx((LEFT + WIDTH - RIGHT) / 2)
    assert float(last.x) == WIDTH - RIGHT
    for whisker in chart.whiskers:
        assert TOP <= float(whisker.high) < float(whisker.y) < float(whisker.low) <= HEIGHT - BOTTOM
    assert float(last.y) < float(first.y)
    assert chart.x_ticks[0].text == "0"
    assert chart.diagonal is None


def test_a_cost_curve_needs_two_merges():
    assert cost_chart([Estimated(0.5, 0.7, 0.6, 0.8)]) is None


def test_an_honest_bin_lies_on_the_diagonal():
    chart = reliability_chart([Estimated(0.6, 0.6, 0.5, 0.7), Estimated(0.9, 0.9, 0.8, 0.95)])
    (x1, y1), (x2, y2) = [(float(x), float(y)) for x, y in chart.diagonal]
    for whisker in chart.whiskers:
        along = (float(whisker.x) - x1) / (x2 - x1)
        assert float(whisker.y) == pytest.approx(y1 + along * (y2 - y1), abs=0.2)
    assert [tick.text for tick in chart.x_ticks] == [tick.text for tick in chart.y_ticks]
    assert chart.x_ticks[-1].text == "1"


def test_limits_of_zero_and_one_stay_in_the_picture():
    (whisker,) = reliability_chart([Estimated(0.5, 0.5, 0.0, 1.0)]).whiskers
    assert (float(whisker.low), float(whisker.high)) == (HEIGHT - BOTTOM, TOP)
    assert reliability_chart([]) is None
