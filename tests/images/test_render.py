"""Pictures stand the right way up, turn the right way round and say no to nonsense."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from skysort.errors import InputError
from skysort.images.render import COLORMAPS, render_png, render_sheet
from skysort.images.stretches import STRETCHES

# Row 0 is the bottom: as a picture, 3 4 stands above 1 2.
CORNERS = np.array([[51.0, 102.0], [153.0, 255.0]])


def shown(png):
    return np.asarray(Image.open(BytesIO(png)))


def drawn(pixels, **options):
    options = {"stretch": "linear", "size": np.shape(pixels)[-1], **options}
    return shown(render_png(pixels, **options))


def with_zero(corners):
    """Fix the scale at 0 to 255 by a dark middle."""
    framed = np.zeros((3, 3))
    framed[::2, ::2] = corners
    return framed


def test_row_zero_is_at_the_bottom():
    assert drawn(with_zero(CORNERS)).tolist() == [[153, 0, 255], [0, 0, 0], [51, 0, 102]]


def test_a_quarter_turn_goes_counter_clockwise_with_y_up():
    # The bright corner at the upper right moves to the upper left.
    turned = drawn(with_zero(CORNERS), angle_rad=np.pi / 2)
    assert turned.tolist() == [[255, 0, 102], [0, 0, 0], [153, 0, 51]]


def test_the_flip_is_left_right_and_comes_before_the_turn():
    assert drawn(with_zero(CORNERS), flip=True).tolist() == [[255, 0, 153], [0, 0, 0], [102, 0, 51]]
    turned = drawn(with_zero(CORNERS), flip=True, angle_rad=np.pi / 2)
    assert turned.tolist() == [[153, 0, 51], [0, 0, 0], [255, 0, 102]]


@pytest.mark.parametrize("size", [16, 17])
@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3, 4])
def test_quarter_turns_equal_rot90(size, flip, quarters):
    pixels = np.random.default_rng(0).random((size, size))
    flipped = pixels[:, ::-1] if flip else pixels
    # In an array with row 0 at the bottom, rot90 with axes (1, 0) is counter-clockwise.
    expected = np.rot90(flipped, quarters, axes=(1, 0))
    found = drawn(pixels, angle_rad=quarters * np.pi / 2, flip=flip)
    np.testing.assert_array_equal(found, drawn(expected))


@pytest.mark.parametrize("angle_deg", [13.0, 45.0, 200.0])
def test_any_turn_takes_a_blob_to_where_trigonometry_puts_it(angle_deg):
    size, (x0, y0), angle = 64, (12.0, 5.0), np.radians(angle_deg)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    pixels = np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / 8.0)
    picture = drawn(pixels, angle_rad=angle)[::-1].astype(float)
    found = [(picture * axis).sum() / picture.sum() for axis in (x, y)]
    expected = [
        x0 * np.cos(angle) - y0 * np.sin(angle),
        x0 * np.sin(angle) + y0 * np.cos(angle),
    ]
    np.testing.assert_allclose(found, expected, atol=0.05)


@pytest.mark.parametrize("stretch", sorted(STRETCHES))
def test_stretches_keep_black_white_and_order(stretch):
    ramp = np.linspace(-3, 9, 64).reshape(8, 8)
    picture = drawn(ramp, stretch=stretch)[::-1].ravel().astype(int)
    assert (picture[0], picture[-1]) == (0, 255)
    assert (np.diff(picture) >= 0).all()
    assert len(set(picture)) > 30
    if stretch != "linear":
        assert (picture >= drawn(ramp)[::-1].ravel()).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, 5.0])
def test_blank_and_constant_images_are_black(value):
    assert (drawn(np.full((2, 8, 8), value)) == 0).all()


def test_blank_pixels_are_drawn_like_the_faintest():
    pixels = with_zero(CORNERS)
    pixels[0, 0], pixels[0, 2] = np.nan, np.inf
    assert drawn(pixels).tolist() == [[153, 0, 255], [0, 0, 0], [0, 0, 0]]


def test_numbers_of_any_size_are_drawn():
    pixels = np.array([[-3e38, 3e38], [0.0, 1e300]])
    assert drawn(pixels).tolist() == [[128, 0], [0, 255]]


def test_three_channels_are_red_green_and_blue_on_one_scale():
    pixels = np.zeros((3, 2, 2))
    pixels[0, 0, 0], pixels[1, 0, 1], pixels[2, 1, 1] = 255.0, 102.0, 51.0
    picture = drawn(pixels)
    assert picture[1].tolist() == [[255, 0, 0], [0, 102, 0]]
    assert picture[0].tolist() == [[0, 0, 0], [0, 0, 51]]


def test_of_two_channels_the_mean_is_drawn():
    rng = np.random.default_rng(1)
    pixels = rng.random((2, 8, 8))
    np.testing.assert_array_equal(drawn(pixels), drawn(pixels.mean(axis=0)))


def test_inverted_pictures_are_bright_where_nothing_is():
    assert (drawn(with_zero(CORNERS), invert=True) == 255 - drawn(with_zero(CORNERS))).all()


@pytest.mark.parametrize("name", sorted(COLORMAPS))
def test_colormaps_grow_lighter_all_the_way(name):
    table = COLORMAPS[name].astype(float)
    assert table.shape == (256, 3)
    assert (np.diff(table @ [0.2126, 0.7152, 0.0722]) > -0.5).all()
    png = render_png(with_zero(CORNERS), size=3, stretch="linear", colormap=name)
    colours = np.asarray(Image.open(BytesIO(png)).convert("RGB"))
    np.testing.assert_array_equal(colours, COLORMAPS[name][drawn(with_zero(CORNERS))])


@pytest.mark.parametrize("size", [1, 7, 300])
def test_the_picture_has_the_size_that_was_asked_for(size):
    pixels = np.random.default_rng(2).random((1, 64, 64))
    assert Image.open(BytesIO(render_png(pixels, size=size, angle_rad=1.0))).size == (size, size)


def test_a_sheet_reads_from_the_upper_left_with_a_line_between_tiles():
    grid = np.zeros((2, 3, 1, 3, 3))
    for place, tile in enumerate(grid.reshape(6, 3, 3)):
        tile[:] = with_zero(CORNERS)
        tile[1, 1] = 40.0 * place
    sheet = shown(render_sheet(grid, size=3, stretch="linear"))
    assert sheet.shape == (7, 11)
    for row, column in np.ndindex(2, 3):
        tile = sheet[4 * row : 4 * row + 3, 4 * column : 4 * column + 3]
        np.testing.assert_array_equal(tile, drawn(grid[row, column]))
    assert (sheet[3] == 0).all()


def test_a_sheet_of_colour_images_is_coloured():
    grid = np.random.default_rng(0).random((1, 2, 3, 4, 4))
    sheet = shown(render_sheet(grid, size=4, stretch="linear"))
    np.testing.assert_array_equal(sheet[:, 5:], drawn(grid[0, 1]))


def test_tiles_of_a_large_map_shrink():
    sheet = shown(render_sheet(np.ones((1, 100, 1, 2, 2)), size=64))
    assert sheet.shape == (39, 3999)


@pytest.mark.parametrize(
    ("pixels", "options", "message"),
    [
        (CORNERS, {"stretch": "magic"}, "stretch must be one of"),
        (CORNERS, {"colormap": "magic"}, "colormap must be one of gray, heat, ice"),
        (CORNERS, {"size": 0}, "size must lie between 1 and 4096"),
        (CORNERS, {"size": 5000}, "size must lie between 1 and 4096"),
        (CORNERS, {"angle_rad": np.nan}, "angle_rad must be finite"),
        (CORNERS[0], {}, r"shape \(C, H, W\) or \(H, W\)"),
        (np.zeros((0, 4, 4)), {}, r"shape \(C, H, W\) or \(H, W\)"),
        (CORNERS * 1j, {}, "real numbers"),
    ],
)
def test_wrong_arguments_are_named(pixels, options, message):
    with pytest.raises(InputError, match=message):
        render_png(pixels, **options)


@pytest.mark.parametrize("shape", [(2, 2), (0, 1, 1, 2, 2), (1, 2049, 1, 2, 2)])
def test_a_sheet_of_another_shape_is_refused(shape):
    with pytest.raises(InputError, match=r"\(rows, columns, C, H, W\)"):
        render_sheet(np.zeros(shape))
