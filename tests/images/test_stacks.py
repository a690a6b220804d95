"""Images of any file look like one array, and are read as they are asked for."""

import struct

import numpy as np
import pytest

from skysort.errors import InputError
from skysort.images import pink
from skysort.images.recipes import get_recipe
from skysort.images.shards import ShardWriter
from skysort.images.stacks import open_stack

IMAGES = np.random.default_rng(5).normal(size=(7, 2, 6, 6)).astype(np.float32)


def saved_cube(folder, images=IMAGES):
    path = folder / "cube.npy"
    np.save(path, images)
    return path


def saved_shards(folder, images=IMAGES):
    path = folder / "shards"
    with ShardWriter(path, image_shape=images.shape[1:], about={}, shard_size=3) as writer:
        writer.append(images)
    return path


def saved_pink(folder, images=IMAGES):
    path = folder / "images.bin"
    pink.write_images(path, images)
    return path


each_kind = pytest.mark.parametrize("save", [saved_cube, saved_shards, saved_pink])


@each_kind
def test_it_looks_like_an_array(tmp_path, save):
    path = save(tmp_path)
    stack = open_stack(path)
    assert len(stack) == 7
    assert stack.shape == (7, 2, 6, 6)
    assert stack.image_shape == (2, 6, 6)
    assert stack.name == str(path)
    assert stack[2:5].dtype == np.float32
    assert stack[2:5].dtype.isnative
    for part in (slice(2, 5), slice(None), slice(6, 99), slice(3, 3), slice(-2, None)):
        assert np.array_equal(stack[part], IMAGES[part])


@each_kind
def test_images_are_taken_from_anywhere(tmp_path, save):
    stack = open_stack(save(tmp_path))
    assert np.array_equal(stack.take([5, 0, 5, 3]), IMAGES[[5, 0, 5, 3]])
    assert stack.take([]).shape == (0, 2, 6, 6)
    for wrong in (7, -1):
        with pytest.raises(InputError, match=f"has images 0 to 6, not {wrong}"):
            stack.take([0, wrong])


@each_kind
def test_a_recipe_prepares_what_is_read(tmp_path, save):
    stack = open_stack(save(tmp_path), recipe="sqrt-1")
    assert np.array_equal(stack[1:4], get_recipe("sqrt-1")(IMAGES[1:4]))
    assert np.array_equal(stack.take([4]), get_recipe("sqrt-1")(IMAGES[[4]]))


@pytest.mark.parametrize("dtype", ["u1", "i2", ">i4", "f2", ">f4", "f8", "?"])
def test_numbers_of_any_real_type_become_float32(tmp_path, dtype):
    cube = (np.arange(32).reshape(2, 4, 4) % 2).astype(dtype)
    stack = open_stack(saved_cube(tmp_path, cube))
    assert stack.shape == (2, 1, 4, 4)
    assert stack[:].dtype == np.float32
    assert np.array_equal(stack[:][:, 0], cube.astype(np.float32))


def test_a_fortran_ordered_cube_is_read_as_it_is_indexed(tmp_path):
    assert np.array_equal(open_stack(saved_cube(tmp_path, np.asfortranarray(IMAGES)))[:], IMAGES)


def test_blank_pixels_stay_blank(tmp_path):
    cube = np.full((1, 2, 2), 1e300)
    cube[0, 0, 0] = np.nan
    pixels = open_stack(saved_cube(tmp_path, cube))[:].ravel()
    assert np.array_equal(pixels, [np.nan, np.inf, np.inf, np.inf], equal_nan=True)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((3, 4), r"real numbers of shape \(n, y, x\) or \(n, c, y, x\), not float64 of shape"),
        ((1, 1, 1, 4, 4), "real numbers of shape"),
        ((3, 4, 5), "must hold square images, got 4 x 5 pixels"),
        ((0, 4, 4), r"holds no images: its shape \(n, c, y, x\) is \(0, 1, 4, 4\)"),
        ((3, 0, 4, 4), "holds no images"),
        ((3, 0, 0), "holds no images"),
    ],
)
def test_a_cube_of_another_shape_is_refused(tmp_path, shape, said):
    path = saved_cube(tmp_path, np.zeros(shape))
    with pytest.raises(InputError, match=said) as refused:
        open_stack(path)
    assert str(refused.value).startswith(str(path))


@pytest.mark.parametrize("dtype", [object, complex, "U3"])
def test_a_cube_of_no_real_numbers_is_refused(tmp_path, dtype):
    with pytest.raises(InputError, match=r"numbers|real"):
        open_stack(saved_cube(tmp_path, np.zeros((2, 3, 3)).astype(dtype)))


@pytest.mark.parametrize("length", [3, 20, 200])
def test_a_truncated_cube_is_refused(tmp_path, length):
    path = saved_cube(tmp_path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match=r"cube\.npy is "):
        open_stack(path)


def test_a_truncated_pink_file_is_refused(tmp_path):
    path = saved_pink(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="is truncated"):
        open_stack(path)


def test_a_map_of_pink_is_no_images(tmp_path):
    path = tmp_path / "map.bin"
    path.write_bytes(struct.pack("<11i", 2, 1, 0, 0, 2, 1, 1, 0, 2, 1, 1) + bytes(4))
    with pytest.raises(InputError, match="must hold images"):
        open_stack(path)


def test_a_folder_without_shards_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"has no manifest\.json"):
        open_stack(tmp_path)


def test_an_empty_folder_of_shards_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no images"):
        open_stack(saved_shards(tmp_path, IMAGES[:0]))


def test_anything_else_is_named(tmp_path):
    with pytest.raises(InputError, match="none does not exist"):
        open_stack(tmp_path / "none")
    path = tmp_path / "notes.txt"
    path.write_text("no images")
    with pytest.raises(InputError, match=r"is neither a \.npy cube nor a file of images of PINK 2"):
        open_stack(path)
    with pytest.raises(InputError, match="recipe must be one of"):
        open_stack(saved_cube(tmp_path), recipe="sqrt-99")
