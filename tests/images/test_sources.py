"""Images of every usual kind are opened, and damaged ones are named."""

import io
import json
import os
import struct
import warnings
import zipfile
import zlib

import h5py
import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from skysort.errors import InputError
from skysort.images.fits_image import read_fits_image
from skysort.images.sources import conform, open_images


def images_of(n, *shape, dtype=np.float32, seed=0):
    return (np.random.default_rng(seed).normal(size=(n, *shape)) * 50).astype(dtype)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "cutouts"
    made.mkdir()
    return made


def only(path):
    source = open_images(path)
    assert len(source) == 1
    return source.read(0)


@pytest.mark.parametrize("suffix", [".fits", ".fit", ".FITS", ".fits.gz", ".fits.fz"])
def test_fits_files_are_read_upright(folder, suffix):
    pixels = images_of(1, 12, 14)[0]
    path = folder / f"J1.5+2{suffix}"
    if suffix.endswith("fz"):
        fits.CompImageHDU(pixels, compression_type="GZIP_1", quantize_level=0).writeto(path)
    else:
        fits.PrimaryHDU(pixels).writeto(path)
    assert open_images(folder).names == ["J1.5+2"]
    found = only(folder)
    np.testing.assert_array_equal(found, pixels[None])
    assert found.dtype == np.float32
    assert found.dtype.isnative


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1, 1, 6, 8), (1, 6, 8)),
        ((3, 6, 8), (3, 6, 8)),
        ((6, 8, 3), (3, 6, 8)),
        ((6, 8), (1, 6, 8)),
    ],
)
def test_axes_of_fits_become_channels(folder, shape, expected):
    pixels = images_of(1, *shape)[0]
    fits.PrimaryHDU(pixels).writeto(folder / "a.fits")
    found = only(folder)
    assert found.shape == expected
    assert np.sort(found.ravel()).tolist() == np.sort(pixels.ravel()).tolist()


def picture(kind):
    rng = np.random.default_rng(3)
    gray = rng.integers(0, 255, (6, 8), dtype=np.uint8)
    colour = rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)
    if kind == "1":
        return Image.fromarray(gray > 100), (gray > 100)[None] * 255
    if kind == "I;16":
        deep = gray.astype(np.uint16) * 200
        return Image.fromarray(deep), deep[None]
    if kind == "P":
        flat = Image.fromarray(colour).quantize(16)
        return flat, np.asarray(flat.convert("RGB")).transpose(2, 0, 1)
    if kind == "LA":
        return Image.merge("LA", [Image.fromarray(gray), Image.new("L", (8, 6), 9)]), gray[None]
    if kind == "RGB":
        return Image.fromarray(colour), colour.transpose(2, 0, 1)
    return Image.fromarray(gray), gray[None]


@pytest.mark.parametrize("kind", ["1", "L", "I;16", "P", "LA", "RGB"])
def test_png_files_are_turned_so_that_row_zero_is_at_the_bottom(folder, kind):
    image, expected = picture(kind)
    image.save(folder / "a.png")
    np.testing.assert_array_equal(only(folder), expected[:, ::-1])


def test_transparent_pixels_are_blank(folder):
    colours = np.full((4, 4, 4), 100, dtype=np.uint8)
    colours[0, 1, 3] = 0
    Image.fromarray(colours).save(folder / "a.png")
    found = only(folder)
    assert found.shape == (3, 4, 4)
    assert np.isnan(found[:, 3, 1]).all()
    assert np.isfinite(found).sum() == 3 * 15


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG"])
def test_jpeg_files_are_turned_too(folder, suffix):
    pixels = np.zeros((16, 16), dtype=np.uint8)
    pixels[:8] = 200  # the upper half of the picture
    Image.fromarray(pixels).save(folder / f"a{suffix}", format="JPEG", quality=95)
    found = only(folder)
    assert found.shape == (1, 16, 16)
    assert found[0, 8:].mean() > 150
    assert found[0, :8].mean() < 50


def test_a_folder_is_sorted_as_people_count_and_other_files_are_left_out(folder):
    for name in ("s10", "s9", "s1", "b"):
        fits.PrimaryHDU(images_of(1, 4, 4)[0]).writeto(folder / f"{name}.fits")
    for name in ("readme.txt", ".hidden.png", "table.csv"):
        (folder / name).write_text("x")
    source = open_images(folder)
    assert source.names == ["b", "s1", "s9", "s10"]
    assert not source.is_ordered
    assert source.attributes(0) == {}


def test_two_files_under_one_name_are_refused(folder):
    for name in ("a.fits", "a.png"):
        (folder / name).write_bytes(b"")
    with pytest.raises(InputError, match=r"cutouts holds a\.fits and a\.png under one name"):
        open_images(folder)


def png_bomb():
    """A PNG of 30,000 x 30,000 pixels in a few bytes."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 30000, 30000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def encoded(kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)).save(
        buffer, format=kind, **options
    )
    return buffer.getvalue()


def fits_bytes():
    buffer = io.BytesIO()
    fits.PrimaryHDU(images_of(1, 64, 64)[0]).writeto(buffer)
    return buffer.getvalue()


BAD_FILES = {
    "truncated.fits": fits_bytes()[:6000],
    "text.fits": b"This is a text, not an image.\n" * 200,
    "empty.fits": b"",
    "picture.fits": encoded("PNG"),
    "truncated.png": encoded("PNG")[:800],
    "truncated.jpg": encoded("JPEG")[:900],
    "text.png": b"This is a text, not an image.\n",
    "empty.jpeg": b"",
    "gif.png": encoded("GIF"),
    "bomb.png": png_bomb(),
    "garbage.fits.gz": b"\x1f\x8b\x08\x00 no gzip",
}


@pytest.mark.parametrize("name", sorted(BAD_FILES))
def test_a_bad_file_is_named_and_the_others_are_read(folder, name):
    (folder / name).write_bytes(BAD_FILES[name])
    fits.PrimaryHDU(images_of(1, 4, 4)[0]).writeto(folder / "zzz.fits")
    source = open_images(folder)
    with pytest.raises(InputError, match=name):
        source.read(0)
    assert source.read(1).shape == (1, 4, 4)


def test_a_bomb_is_refused_for_its_size(folder):
    (folder / "bomb.png").write_bytes(png_bomb())
    with pytest.raises(InputError, match=r"bomb\.png is refused: .*decompression bomb"):
        only(folder)


def test_a_fits_table_is_no_image(folder):
    column = fits.Column("a", "J", array=[1])
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns([column])]).writeto(
        folder / "table.fits"
    )
    with pytest.raises(InputError, match=r"table\.fits holds no image"):
        only(folder)


def test_damaged_pictures_give_an_image_or_a_sentence(folder):
    rng = np.random.default_rng(0)
    n_refused = 0
    for kind in ("png", "jpg"):
        whole = np.frombuffer(encoded({"png": "PNG", "jpg": "JPEG"}[kind]), dtype=np.uint8)
        path = folder / f"a.{kind}"
        for _ in range(150):
            damaged = whole.copy()
            damaged[rng.integers(0, len(whole), 8)] = rng.integers(0, 255, 8)
            path.write_bytes(damaged.tobytes())
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    assert only(folder).ndim == 3
                except InputError:
                    n_refused += 1
        path.unlink()
    assert 0 < n_refused < 300


@pytest.mark.parametrize("dtype", ["f4", ">f4", "f8", "u1", "i2", "?", "f2"])
@pytest.mark.parametrize(
    ("shape", "expected"),
    [((6, 8), (1, 6, 8)), ((2, 6, 8), (2, 6, 8)), ((6, 8, 3), (3, 6, 8)), ((3, 6, 3), (3, 6, 3))],
)
def test_numpy_cubes_are_read_as_they_are(tmp_path, dtype, shape, expected):
    cube = images_of(3, *shape, dtype=dtype)
    np.save(tmp_path / "cube.npy", cube)
    source = open_images(tmp_path / "cube.npy")
    assert source.names == ["0", "1", "2"]
    assert source.is_ordered
    found = source.read(1)
    assert found.shape == expected
    assert found.dtype == np.float32
    wanted = (
        cube[1]
        if shape == (3, 6, 3)
        else np.moveaxis(cube[1], -1, 0)
        if shape[-1] == 3
        else cube[1]
    )
    np.testing.assert_array_equal(found, wanted.reshape(expected).astype(np.float32))


def saved(array):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


class Intruder:
    """Leaves a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize(
    "content",
    [
        saved(np.zeros((4, 4))),
        saved(np.zeros((0, 4, 4))),
        saved(np.zeros((2, 4, 0))),
        saved(np.zeros((2, 4, 4), complex)),
        saved(np.zeros((2, 4, 4), "U3")),
        saved(np.zeros((2, 4, 4), [("a", "f4")])),
        saved(np.float32(1.0)),
        saved(np.zeros((2, 40, 40)))[:400],
        b"",
        b"no array",
        b"\x93NUMPY\x01\x00\x10\x00{'descr': nonsense",
        b"\x80\x04K\x01.",
    ],
)
def test_arrays_that_are_no_cube_are_named(tmp_path, content):
    (tmp_path / "cube.npy").write_bytes(content)
    with pytest.raises(InputError, match=r"cube\.npy"):
        open_images(tmp_path / "cube.npy")


def test_nothing_is_unpickled(tmp_path):
    trace = tmp_path / "trace"
    array = np.empty((2, 2, 2), dtype=object)
    array[:] = Intruder(trace)
    (tmp_path / "cube.npy").write_bytes(saved(array))
    with pytest.raises(InputError, match=r"cube\.npy is no readable \.npy array of numbers"):
        open_images(tmp_path / "cube.npy")
    assert not trace.exists()


def test_cubes_of_many_channels_are_refused_with_the_index(tmp_path):
    np.save(tmp_path / "cube.npy", np.zeros((2, 40, 6, 6)))
    with pytest.raises(InputError, match=r"cube\.npy, image 1, must hold an image .* \(40, 6, 6\)"):
        open_images(tmp_path / "cube.npy").read(1)


@pytest.mark.parametrize("i", [-1, 2])
def test_an_index_that_is_not_there_is_refused(tmp_path, i):
    np.save(tmp_path / "cube.npy", np.zeros((2, 6, 6)))
    for ask in (
        open_images(tmp_path / "cube.npy").read,
        open_images(tmp_path / "cube.npy").attributes,
    ):
        with pytest.raises(InputError, match=f"has images 0 to 1, not {i}"):
            ask(i)


@pytest.mark.parametrize("where", ["images", "train/images"])
def test_an_hdf5_cube_comes_with_its_columns(tmp_path, where):
    cube = images_of(3, 6, 8, 3, dtype=np.uint8)
    parent = where.removesuffix("images")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file[where] = cube
        file[f"{parent}ans"] = [4, 5, 6]
        file[f"{parent}ra"] = [0.5, np.nan, 1.5]
        file[f"{parent}other"] = [1, 2]
    source = open_images(tmp_path / "a.h5")
    assert source.is_ordered
    assert source.names == ["0", "1", "2"]
    np.testing.assert_array_equal(source.read(2), cube[2].transpose(2, 0, 1))
    assert source.attributes(1) == {"ans": 5, "ra": None}


def write_groups(path, names, **more):
    with h5py.File(path, "w") as file:
        for number, name in enumerate(names):
            group = file.create_group(name)
            group["Img"] = images_of(1, 6, 8, seed=number)[0]
            group["Img"].attrs["RA"] = 10.0 + number
            group["Label"] = b"FRI"
            group["Split"] = np.float64(np.nan)
            group.attrs["n"] = np.int32(number)
            for key, value in more.items():
                group[key] = value


def test_hdf5_groups_are_images_in_natural_order(tmp_path):
    write_groups(tmp_path / "a.hdf5", ["data_10", "data_2", "data_1"])
    source = open_images(tmp_path / "a.hdf5")
    assert source.names == ["data_1", "data_2", "data_10"]
    assert not source.is_ordered
    np.testing.assert_array_equal(source.read(2), images_of(1, 6, 8, seed=0))
    said = source.attributes(1)
    assert said == {"RA": 11.0, "Label": "FRI", "Split": None, "n": 1}
    json.dumps(said, allow_nan=False)


def test_an_hdf5_file_with_one_group_has_one_image(tmp_path):
    write_groups(tmp_path / "a.h5", ["only"])
    assert open_images(tmp_path / "a.h5").names == ["only"]


def test_the_image_of_a_group_with_more_arrays_is_found_by_name(tmp_path):
    write_groups(tmp_path / "a.h5", ["s1"], Mask=np.zeros((6, 8)))
    np.testing.assert_array_equal(open_images(tmp_path / "a.h5").read(0), images_of(1, 6, 8))


def test_a_bad_group_is_named_and_the_others_are_read(tmp_path):
    write_groups(tmp_path / "a.h5", ["s1", "s2", "s3", "s4"])
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        del file["s2/Img"]
        del file["s3/Img"]
        file["s3/Img"] = np.zeros((4, 4), dtype="S3")
        del file["s4/Img"]
        file["s4"].create_dataset("Img", (10**6, 10**6), dtype="f4", chunks=(64, 64))
    source = open_images(tmp_path / "a.h5")
    assert source.read(0).shape == (1, 6, 8)
    for i, name in ((1, "s2"), (2, "s3"), (3, "s4")):
        with pytest.raises(InputError, match=rf"a\.h5, image {i} \(group {name}\),"):
            source.read(i)


def test_links_out_of_an_hdf5_file_are_not_followed(tmp_path):
    write_groups(tmp_path / "other.h5", ["secret"])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["linked"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "secret")
    with pytest.raises(InputError, match="one array of images or one group per image"):
        open_images(tmp_path / "a.h5")
    layout = h5py.VirtualLayout(shape=(2, 6, 8), dtype="f4")
    for i in range(2):
        layout[i] = h5py.VirtualSource(tmp_path / "other.h5", "secret/Img", shape=(6, 8))
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_virtual_dataset("images", layout)
    with pytest.raises(InputError, match="it has arrays none"):
        open_images(tmp_path / "b.h5")
    (tmp_path / "raw").write_bytes(bytes(400))
    with h5py.File(tmp_path / "c.h5", "w") as file:
        raw = [(str(tmp_path / "raw"), 0, 400)]
        file.create_dataset("images", (1, 10, 10), dtype="f4", external=raw)
    with pytest.raises(InputError, match="it has arrays none"):
        open_images(tmp_path / "c.h5")


def test_hdf5_files_that_hold_no_images_are_named(tmp_path):
    with h5py.File(tmp_path / "two.h5", "w") as file:
        file["a"], file["b"] = np.zeros((2, 4, 4)), np.zeros((2, 4, 4))
    with h5py.File(tmp_path / "text.h5", "w") as file:
        file["a"] = np.zeros((2, 4, 4), dtype="S3")
    with h5py.File(tmp_path / "groups.h5", "w") as file:
        file["g1/label"], file["g2/label"] = 1, 2
    h5py.File(tmp_path / "empty.h5", "w").close()
    write_groups(tmp_path / "whole.h5", ["s1", "s2"])
    (tmp_path / "cut.h5").write_bytes((tmp_path / "whole.h5").read_bytes()[:900])
    (tmp_path / "no.h5").write_bytes(b"hello")
    for name in ("two", "text", "groups", "empty", "cut", "no"):
        with pytest.raises(InputError, match=rf"{name}\.h5"):
            open_images(tmp_path / f"{name}.h5")


def test_anything_else_is_refused(tmp_path, folder):
    (tmp_path / "a.txt").write_text("x")
    for path, message in (
        (tmp_path / "a.txt", "must be a folder of FITS, PNG or JPEG files"),
        (tmp_path / "none", "does not exist"),
        (folder, "holds no file that ends in .fits"),
    ):
        with pytest.raises(InputError, match=rf"{path.name}.* {message}|{message}"):
            open_images(path)


def plain_conform(image, size):
    """Crop or pad one pixel at a time."""
    _, height, width = image.shape
    out = np.full((len(image), size, size), np.nan, dtype=np.float32)
    for y in range(size):
        for x in range(size):
            row, column = y - size // 2 + height // 2, x - size // 2 + width // 2
            if 0 <= row < height and 0 <= column < width:
                out[:, y, x] = image[:, row, column]
    return out


@settings(max_examples=80, deadline=None)
@given(height=st.integers(1, 20), width=st.integers(1, 20), size=st.integers(1, 24))
def test_cropping_and_padding_equal_the_plain_version(height, width, size):
    image = images_of(2, height, width)
    if round(min(height, width) / (2 * size)) < 2:
        np.testing.assert_array_equal(conform(image, size), plain_conform(image, size))


@pytest.mark.parametrize(("edge", "block"), [(300, 2), (384, 3), (190, 1), (193, 2)])
def test_much_larger_images_are_averaged_in_blocks(edge, block):
    image = images_of(1, edge, edge)
    image[0, :10] = np.nan
    start = (edge % block) // 2
    n = edge // block
    blocks = [
        [image[0, start + y * block :, start + x * block :][:block, :block] for x in range(n)]
        for y in range(n)
    ]
    mean = np.array(
        [[np.nanmean(b) if np.isfinite(b).any() else np.nan for b in r] for r in blocks]
    )
    np.testing.assert_allclose(
        conform(image, 64)[0], plain_conform(mean[None], 64)[0], rtol=1e-4, atol=1e-4
    )


def test_a_block_with_some_blank_pixels_is_the_mean_of_the_others():
    image = np.arange(16.0).reshape(1, 4, 4)
    image[0, :2, :2] = np.nan
    image[0, 0, 2] = np.nan
    averaged = conform(image, 1)
    assert averaged.shape == (1, 1, 1)
    assert averaged[0, 0, 0] == np.mean([10.0, 11.0, 14.0, 15.0])
    assert np.isnan(conform(image * np.nan, 1)).all()


@pytest.mark.parametrize(
    ("pixels", "size", "message"),
    [
        (np.zeros((4, 4)), 2, r"pixels must have shape \(C, H, W\)"),
        (np.zeros((1, 0, 4)), 2, r"pixels must have shape \(C, H, W\)"),
        (np.zeros((1, 4, 4)), 0, "size must be at least 1 pixel"),
    ],
)
def test_images_that_cannot_be_conformed_are_refused(pixels, size, message):
    with pytest.raises(InputError, match=message):
        conform(pixels, size)


@pytest.mark.realdata
def test_the_first_images_are_read_with_their_labels(real_data, tmp_path):
    with zipfile.ZipFile(real_data / "first_rgd_2158" / "galaxy_data_h5.zip") as archive:
        archive.extractall(tmp_path)
    source = open_images(tmp_path / "galaxy_data_h5.h5")
    assert len(source) == 2158
    assert source.names == [f"data_{i}" for i in range(2158)]
    labels = [source.attributes(i)["Label_literature"] for i in range(0, 2158, 40)]
    assert set(labels) == {0.0, 1.0, 2.0, 3.0}
    said = source.attributes(0)
    assert said["RA"] == pytest.approx(116.785)
    assert said["Split_literature"] == "test"
    for i in range(0, 2158, 200):
        pixels = source.read(i)
        assert pixels.shape == (1, 300, 300)
        assert pixels.max() > 100
        assert conform(pixels, 64).shape == (1, 64, 64)


def test_a_picture_of_too_many_pixels_is_refused_before_memory_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr("skysort.images.sources.MAX_PIXELS", 99)
    Image.new("L", (10, 10)).save(tmp_path / "large.png")
    Image.new("L", (9, 11)).save(tmp_path / "small.png")
    source = open_images(tmp_path)
    with pytest.raises(InputError, match=r"large\.png has images of 100 pixels; at most 99"):
        source.read(0)
    assert source.read(1).shape == (1, 11, 9)


def test_what_is_no_file_is_named_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.fits")
    (tmp_path / "folder.fits").mkdir()
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "none")
    source = open_images(tmp_path)
    for number, name in enumerate(source.names):
        with pytest.raises(InputError, match=rf"{name}\.\w+ cannot be read: it is no file"):
            source.read(number)
    with pytest.raises(InputError, match=r"pipe\.fits cannot be read: it is no file"):
        read_fits_image(tmp_path / "pipe.fits", max_pixels=10)
