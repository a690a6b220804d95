"""The picture of a map shows every prototype in its place, and scales that say what they are."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from skysort.errors import InputError
from skysort.images.map_sheet import draw_map_sheet
from skysort.images.render import COLORMAPS

SHAPES = [(2, 2), (1, 5), (5, 1), (10, 10), (64, 64)]


def drawn(prototypes, **options):
    png = draw_map_sheet(prototypes, **{"title": "first", **options})
    image = Image.open(BytesIO(png))
    assert image.format == "PNG"
    return np.asarray(image)


def dots(rows, columns):
    """One bright pixel in the middle of each prototype."""
    prototypes = np.zeros((rows, columns, 1, 3, 3), np.float32)
    prototypes[..., 1, 1] = 1.0
    return prototypes


@pytest.mark.parametrize("topology", ["rectangular", "hexagonal"])
@pytest.mark.parametrize("shape", SHAPES)
def test_any_map_gets_a_sheet_of_reasonable_size(shape, topology):
    numbers = np.arange(np.prod(shape)).reshape(shape)
    sheet = drawn(dots(*shape), topology=topology, u_matrix=numbers / 3, hits=numbers)
    assert sheet.shape[2] == 3
    assert 300 < sheet.shape[0] < 2500
    assert 300 < sheet.shape[1] < 2600


@pytest.mark.parametrize("topology", ["rectangular", "hexagonal"])
def test_prototypes_lie_in_their_rows_and_columns(topology):
    prototypes = dots(3, 4)
    prototypes[2, 1] = np.where(prototypes[2, 1] > 0, -1.0, 0.0)  # a dark dot on white
    plain = drawn(dots(3, 4), topology=topology)
    changed = drawn(prototypes, topology=topology)
    ys, xs = np.nonzero((plain != changed).any(axis=-1))
    tile = 160
    left = plain.shape[1] - 28 - (4.5 if topology == "hexagonal" else 4) * tile
    top = plain.shape[0] - 28 - 3 * tile
    assert top + 2 * tile <= ys.min() < ys.max() < top + 3 * tile
    assert left + 1 * tile <= xs.min() < xs.max() < left + 2 * tile


def test_odd_rows_of_a_hexagonal_grid_stand_half_a_step_to_the_right():
    sheet = drawn(dots(2, 2), topology="hexagonal")
    dark = (sheet < 40).all(axis=-1)
    upper, lower = sheet.shape[0] - 28 - 300, sheet.shape[0] - 28 - 20
    first = [int(np.flatnonzero(dark[y, 56:])[0]) for y in (upper, lower)]
    assert first[1] - first[0] == 80


def test_row_zero_of_a_prototype_is_at_the_bottom():
    prototype = np.zeros((1, 2, 1, 8, 8), np.float32)
    prototype[..., 0, :] = 1.0  # the lowest row of each
    sheet = drawn(prototype)
    bottom = sheet[-28 - 12 : -28 - 4, 100:180]
    assert bottom.min() > 200


def test_heat_maps_reach_from_the_darkest_to_the_brightest_color():
    heights = np.array([[0.5, 1.0], [1.5, 2.0]])
    sheet = drawn(dots(2, 2), u_matrix=heights)
    for share in (0, 85, 170, 255):
        cell = (sheet == COLORMAPS["heat"][share]).all(axis=-1)
        assert cell.sum() > 4000  # 80 x 80 pixels; the scale has but a few of each color


def test_hits_begin_at_zero_and_the_u_matrix_at_its_lowest():
    values = np.array([[10, 20]])
    heat = [tuple(color) for color in COLORMAPS["heat"].tolist()]
    for name, lowest in (("hits", heat[128]), ("u_matrix", heat[0])):
        sheet = drawn(dots(1, 2), **{name: values})
        cells = sheet[28 + 24 + 20 + 54 + 40]  # through the middle of the cells
        bare = drawn(dots(1, 2))
        beside = cells[bare.shape[1] + 56 :]
        assert tuple(beside[0].tolist()) == lowest


def test_one_value_everywhere_is_said_and_does_not_divide_by_zero():
    sheet = drawn(dots(2, 2), u_matrix=np.zeros((2, 2)), hits=np.zeros((2, 2), int))
    other = drawn(dots(2, 2), u_matrix=np.ones((2, 2)), hits=np.zeros((2, 2), int))
    assert (sheet != other).any()  # the number that is written


def test_a_panel_that_is_not_given_is_not_drawn():
    whole = drawn(dots(4, 4), u_matrix=np.ones((4, 4)), hits=np.ones((4, 4)))
    half = drawn(dots(4, 4), u_matrix=np.ones((4, 4)))
    none = drawn(dots(4, 4))
    assert whole.shape[1] == half.shape[1] > none.shape[1]


def test_a_long_title_widens_the_page():
    assert drawn(dots(1, 1), title="survey " * 60).shape[1] > drawn(dots(1, 1)).shape[1] + 500


def test_three_channels_are_drawn_in_color():
    prototypes = np.zeros((1, 1, 3, 4, 4), np.float32)
    prototypes[0, 0, 0] = 1.0
    assert (drawn(prototypes) == (255, 0, 0)).all(axis=-1).sum() > 1000


@pytest.mark.parametrize(
    ("prototypes", "options", "said"),
    [
        (np.zeros((2, 2, 4, 4)), {}, r"must have shape \(rows, columns, C, H, W\)"),
        (np.zeros((0, 2, 1, 4, 4)), {}, "none zero"),
        (dots(2, 2), {"hits": np.zeros((2, 3))}, r"Hits must be finite and of the map's shape"),
        (dots(2, 2), {"u_matrix": np.full((2, 2), np.nan)}, "U-matrix must be finite"),
    ],
)
def test_wrong_arguments_are_refused(prototypes, options, said):
    with pytest.raises(InputError, match=said):
        drawn(prototypes, **options)
