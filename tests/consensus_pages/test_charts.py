"""Geometry of the pages' pictures."""

import pytest

from protozoo.consensus.charts import BOTTOM, HEIGHT, heat, histogram_chart, line_chart
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
