"""Shards grow in place, survive a kill, and are read back as they were written."""

import hashlib
import json
import tempfile

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from skysort.errors import InputError
from skysort.images.shards import SHARD_SIZE, ShardReader, ShardWriter

SHAPE = (2, 5, 5)
ABOUT = {"survey": "FIRST", "licence": "CC0-1.0"}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "shards"
    made.mkdir()
    return made


def images_of(n, shape=SHAPE, seed=0):
    return np.random.default_rng(seed).normal(size=(n, *shape)).astype(np.float32)


def write(folder, images, *, n_keep=0, shard_size=4, about=ABOUT):
    writer = ShardWriter(
        folder, image_shape=images.shape[1:], about=about, n_keep=n_keep, shard_size=shard_size
    )
    with writer:
        return writer.append(images)


def same(first, second):
    np.testing.assert_array_equal(first, second)


@settings(max_examples=40, deadline=None)
@given(
    parts=st.lists(st.integers(0, 9), min_size=1, max_size=4),
    shard_size=st.integers(1, 7),
    shape=st.tuples(*[st.integers(1, 4)] * 3),
    reopen=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_what_was_appended_in_any_parts_is_read_in_any_order(
    parts, shard_size, shape, reopen, seed
):
    rng = np.random.default_rng(seed)
    images = images_of(sum(parts), shape, seed)
    images[rng.random(images.shape) < 0.1] = np.nan
    with tempfile.TemporaryDirectory() as folder:
        made = {"image_shape": shape, "about": {}, "shard_size": shard_size}
        writer, places = ShardWriter(folder, **made), []
        for part in np.split(images, np.cumsum(parts)[:-1]):
            if reopen:
                writer = ShardWriter(folder, n_keep=writer.n_images, **made)
            places.append(writer.append(part))
        writer.close()
        places = np.concatenate(places)
        reader = ShardReader(folder)
        reader.verify()
        order = rng.permutation(len(images))
        same(reader.read(places[order]), images[order])
        same(reader.read_numbers(order), images[order])


def test_every_append_leaves_valid_fits(folder):
    images = images_of(7)
    writer = ShardWriter(folder, image_shape=SHAPE, about=ABOUT, shard_size=4)
    for n in range(1, 8):
        writer.append(images[n - 1 : n])
        found = []
        for path in sorted(folder.glob("shard-*.fits")):
            assert path.stat().st_size % 2880 == 0
            with fits.open(path) as hdus:
                hdus.verify("exception")
                assert len(hdus) == 1
                assert hdus[0].data.dtype == ">f4"
                found.append(hdus[0].data.copy())
        same(np.concatenate(found), images[:n])


def test_the_header_says_where_the_pixels_come_from(folder):
    about = {
        "survey": "FIRST",
        "licence": "CC0-1.0",
        "citation": "Becker, White & Helfand 1995, ApJ 450, 559; " + "and others " * 20,
        "recipe": "sqrt-1",
        "unit": "Jy/beam",
        "observer": "Žofia\nNová",
    }
    write(folder, images_of(1), about=about)
    header = fits.getheader(folder / "shard-00000.fits")
    assert header["SURVEY"] == "FIRST"
    assert header["LICENCE"] == "CC0-1.0"
    assert header["CITATION"] == about["citation"].strip()
    assert header["RECIPE"] == "sqrt-1"
    assert header["BUNIT"] == "Jy/beam"
    assert str(header["HISTORY"]) == "observer: Zofia Nova"
    assert ShardReader(folder).manifest["about"] == about


def test_the_manifest_lists_shards_with_their_checksums(folder):
    write(folder, images_of(6))
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["format"] == "protozoo-shards/1"
    assert manifest["image_shape"] == list(SHAPE)
    assert manifest["dtype"] == "float32"
    assert manifest["n_images"] == 6
    assert manifest["about"] == ABOUT
    for entry, count in zip(manifest["shards"], (4, 2), strict=True):
        content = (folder / entry["file"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["n_images"] == count


@pytest.mark.parametrize("n_keep", [0, 1, 3, 4, 5, 8, 10])
def test_images_beyond_n_keep_are_cut_off(folder, n_keep):
    images = images_of(10)
    ShardWriter(folder, image_shape=SHAPE, about=ABOUT, shard_size=4).append(images)
    more = images_of(3, seed=1)
    places = write(folder, more, n_keep=n_keep)
    assert places[:, 0].tolist() == [(n_keep + i) // 4 for i in range(3)]
    reader = ShardReader(folder)
    reader.verify()
    same(reader.read_numbers(np.arange(reader.n_images)), [*images[:n_keep], *more])
    assert len(list(folder.glob("shard-*.fits"))) == -(-(n_keep + 3) // 4)


def test_a_write_that_was_killed_halfway_leaves_no_trace(folder):
    images = images_of(3)
    write(folder, images)
    shard = folder / "shard-00000.fits"
    before = shard.read_bytes()
    with shard.open("ab") as file:
        file.write(b"half an image")
    (folder / "shard-00001.fits").write_bytes(b"SIMPLE  =")
    write(folder, images[:0], n_keep=3)
    assert shard.read_bytes() == before
    assert not (folder / "shard-00001.fits").exists()
    ShardReader(folder).verify()


def test_a_full_shard_that_is_cut_and_filled_again_gets_a_new_checksum(folder):
    write(folder, images_of(4))
    killed = ShardWriter(folder, image_shape=SHAPE, about=ABOUT, n_keep=2, shard_size=4)
    killed.append(images_of(2, seed=1))
    write(folder, images_of(1), n_keep=4)
    ShardReader(folder).verify()


def test_the_checksum_of_an_untouched_full_shard_is_not_made_again(folder):
    write(folder, images_of(4))
    path = folder / "shard-00000.fits"
    content = bytearray(path.read_bytes())
    content[2900] ^= 1
    path.write_bytes(content)
    write(folder, images_of(1), n_keep=4)
    with pytest.raises(InputError, match=r"shard-00000\.fits is damaged"):
        ShardReader(folder).verify()


def test_writing_nothing_changes_no_byte(folder):
    write(folder, images_of(6))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write(folder, images_of(0), n_keep=6)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_that_misses_a_shard_is_refused(folder):
    write(folder, images_of(6))
    (folder / "shard-00001.fits").unlink()
    with pytest.raises(InputError, match=r"holds 6 images, but shard-00001\.fits is missing"):
        write(folder, images_of(1), n_keep=6)


def test_an_error_inside_the_context_writes_no_manifest(folder):
    def fail():
        with ShardWriter(folder, image_shape=SHAPE, about=ABOUT) as writer:
            writer.append(images_of(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not (folder / "manifest.json").exists()
    with pytest.raises(InputError, match=r"has no manifest\.json"):
        ShardReader(folder)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "shard-00001.fits is no shard"),
        (lambda path: path.write_bytes(path.read_bytes()[:3000]), "shard-00001.fits is damaged"),
        (lambda path: path.write_bytes(b"hello"), "shard-00001.fits is no shard"),
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), "sha256"),
    ],
)
def test_damage_is_named_by_verify(folder, damage, message):
    write(folder, images_of(6))
    damage(folder / "shard-00001.fits")
    reader = ShardReader(folder)
    same(reader.read([[0, 1]]), images_of(6)[1:2])
    with pytest.raises(InputError, match=message):
        reader.verify()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"format": "protozoo-shards/2"}',
        json.dumps(
            {
                "format": "protozoo-shards/1",
                "image_shape": [1, 2, 2],
                "n_images": 1,
                "shard_size": 4,
                "shards": [{"file": "../shard-00000.fits", "n_images": 1}],
            }
        ),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(folder, content):
    (folder / "manifest.json").write_text(content)
    with pytest.raises(InputError, match=r"manifest\.json is no manifest of shards"):
        ShardReader(folder)


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([[2, 0]], "has shards 0 to 1, not 2"),
        ([[-1, 0]], "has shards 0 to 1, not -1"),
        ([[1, 2]], "has images 0 to 1, not 2 to 2"),
        ([[0, -1]], "has images 0 to 3, not -1"),
        ([0, 1], r"integers of shape \(n, 2\)"),
        ([[0.0, 1.0]], r"integers of shape \(n, 2\)"),
    ],
)
def test_images_that_are_not_there_are_refused(folder, indices, message):
    write(folder, images_of(6))
    with pytest.raises(InputError, match=message):
        ShardReader(folder).read(indices)


def test_no_indices_give_no_images(folder):
    write(folder, images_of(2))
    assert ShardReader(folder).read(np.empty((0, 2), dtype=int)).shape == (0, *SHAPE)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"image_shape": (1, 5, 5)}, "is a shard of 4 images of shape"),
        ({"shard_size": 5}, "is a shard of 4 images of shape"),
        ({"n_keep": 9}, r"shard-00001\.fits is damaged: it must hold 4 images"),
        ({"n_keep": 9, "shard_size": 6}, r"is a shard of 4 images of shape"),
        ({"n_keep": 7}, r"shard-00001\.fits is damaged: it must hold 3 images"),
        ({"n_keep": -1}, "n_keep must not be negative"),
        ({"image_shape": (0, 5, 5)}, "image_shape must be three positive numbers"),
        ({"shard_size": 0}, "shard_size must be at least 1"),
    ],
)
def test_a_writer_refuses_what_does_not_fit_the_folder(folder, changed, message):
    write(folder, images_of(6))
    arguments = {"image_shape": SHAPE, "about": ABOUT, "n_keep": 6, "shard_size": 4, **changed}
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(InputError, match=message):
        ShardWriter(folder, **arguments)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    "pixels", [np.zeros((3, 5, 5)), np.zeros((1, 2, 5, 4)), np.zeros((1, *SHAPE), complex)]
)
def test_images_of_another_kind_are_refused(folder, pixels):
    writer = ShardWriter(folder, image_shape=SHAPE, about=ABOUT)
    with pytest.raises(InputError, match=r"pixels must be real numbers of shape \(n, 2, 5, 5\)"):
        writer.append(pixels)


def test_a_full_shard_of_the_usual_size_is_read_at_random(folder):
    images = images_of(SHARD_SIZE + 1, (1, 4, 4))
    write(folder, images, shard_size=SHARD_SIZE)
    chosen = np.random.default_rng(1).integers(0, len(images), 1000)
    same(ShardReader(folder).read_numbers(chosen), images[chosen])
