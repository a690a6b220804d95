"""The plot of costs says what the numbers say, in both formats."""

import re
from io import BytesIO
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from skysort.errors import InputError
from skysort.images.cost_plot import COLORS, CostLine, CostPanel, draw_cost_plot

SVG = "{http://www.w3.org/2000/svg}"
BUDGETS = [0.1, 1.0, 10.0]


def make_panels():
    ours = CostLine("ours", BUDGETS, [0.5, 0.8, 1.0], [0.05, 0.02, 0.0])
    count = CostLine("majority <of 5>", 5.0, 0.9, 0.01)
    return [CostPanel("Accuracy", [ours, count]), CostPanel("Error", [ours])]


def draw(panels=None, file_format="svg"):
    return draw_cost_plot(panels or make_panels(), title="Trial & error", file_format=file_format)


def lines(root, color):
    """Points of the thick lines of a color, outside the legend."""
    found = [
        np.array(re.findall(r"[\d.]+", line.get("points")), dtype=float).reshape(-1, 2)
        for line in root.iter(f"{SVG}polyline")
        if line.get("stroke") == color and line.get("stroke-width") == "2.2"
    ]
    return [points for points in found if len(points) == len(BUDGETS)]


def test_the_svg_names_title_panels_and_methods():
    root = ET.fromstring(draw())
    said = [text.text for text in root.iter(f"{SVG}text")]
    assert said[:3] == ["Trial & error", "ours", "majority <of 5>"]
    assert {"Accuracy", "Error"} < set(said)
    assert said.count("votes per subject") == 2
    assert {"0.1", "1", "10"} < set(said)


def test_votes_are_logarithmic_and_shares_linear():
    accuracy, error = lines(ET.fromstring(draw()), COLORS[0])
    steps = np.diff(accuracy, axis=0)
    assert steps[0, 0] == pytest.approx(steps[1, 0], abs=0.2)  # two equal decades
    assert steps[0, 1] / steps[1, 1] == pytest.approx(0.3 / 0.2, abs=0.02)
    assert (steps[:, 1] < 0).all()  # upwards
    assert error[0, 0] > accuracy[-1, 0]  # the second panel is on the right


def test_the_band_has_the_height_of_two_spreads():
    root = ET.fromstring(draw())
    bands = [area for area in root.iter(f"{SVG}polygon") if area.get("fill-opacity")]
    band = np.array(re.findall(r"[\d.]+", bands[0].get("points")), dtype=float).reshape(-1, 2)
    line = lines(root, COLORS[0])[0]
    per_share = (line[0, 1] - line[1, 1]) / 0.3
    assert band[-1, 1] - band[0, 1] == pytest.approx(0.1 * per_share, abs=0.3)


def test_the_png_shows_every_method_on_white():
    picture = np.asarray(Image.open(BytesIO(draw(file_format="png"))).convert("RGB"))
    assert (picture[:4, :4] == 255).all()
    for color in COLORS[:2]:
        paint = [int(color[k : k + 2], 16) for k in (1, 3, 5)]
        assert (np.abs(picture.astype(int) - paint).max(axis=2) < 8).sum() > 100


def test_equal_shares_and_one_budget_can_be_drawn():
    one = [CostPanel("Accuracy", [CostLine("ours", 1.0, 1.0, 0.0)])]
    assert b"NaN" not in draw(one).replace(b"nan", b"NaN")
    assert draw(one, "png").startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (CostLine("ours", [0.0], [0.5], [0.1]), "its votes above 0"),
        (CostLine("ours", [1.0], [np.nan], [0.1]), "the line 'ours' must be finite"),
        (CostLine("ours", [1.0, 2.0], [0.5], [0.1]), "must have as many values as votes"),
    ],
)
def test_lines_that_cannot_be_drawn_are_refused(line, said):
    with pytest.raises(InputError, match=said):
        draw([CostPanel("Accuracy", [line])])


def test_an_empty_panel_is_refused():
    with pytest.raises(InputError, match="panels must hold at least one line each"):
        draw([CostPanel("Accuracy", [])])
