"""`skysort convert` brings files to PINK and back, or says why it cannot."""

import struct

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from skysort.cli import main
from skysort.images import pink
from skysort.images.shards import ShardReader
from skysort.images.stacks import open_stack
from skysort.som.checkpoint import MapState, load_map, save_map
from skysort.som.config import SOMConfig


def convert(*arguments):
    return main(["convert", *map(str, arguments)])


def make_map(path, **settings):
    config = SOMConfig(image_shape=(1, 5, 5), rows=2, columns=3, **settings)
    weights = np.random.default_rng(4).normal(size=(6, 1, 5, 5)).astype(np.float32)
    save_map(path, MapState(config=config, weights=weights))
    return weights


def test_a_map_goes_to_pink_and_comes_back(tmp_path, capsys):
    weights = make_map(tmp_path / "map.safetensors", n_rotations=92)
    assert convert(tmp_path / "map.safetensors", tmp_path / "map.bin") == 0
    assert "PINK map of width 3 and height 2" in capsys.readouterr().out
    raw = (tmp_path / "map.bin").read_bytes()
    assert struct.unpack("<11i", raw[:44]) == (2, 1, 0, 0, 2, 3, 2, 0, 2, 5, 5)
    second = np.frombuffer(raw[44 + 100 : 44 + 200], "<f4")
    assert np.array_equal(second, weights[3].ravel())  # the neuron below the first

    assert convert(tmp_path / "map.bin", tmp_path / "back.safetensors") == 0
    out = capsys.readouterr().out
    assert "2 x 3 prototypes of 5 x 5 pixels; PINK stores no settings, so these are assumed" in out
    assert "360 rotations, with flips, compared in a square, edges that do not touch" in out
    back = load_map(tmp_path / "back.safetensors")
    assert (back.config.rows, back.config.columns, back.config.window) == (2, 3, "square")
    assert back.about == {"origin": "converted from PINK"}
    assert np.array_equal(back.weights, weights)


def test_a_map_of_pink_can_be_used(tmp_path):
    weights = make_map(tmp_path / "map.safetensors")
    pink.write_neurons(tmp_path / "map.bin", weights, pink.Lattice(2, 3))
    np.save(tmp_path / "images.npy", weights[:, 0])
    assert convert(tmp_path / "map.bin", tmp_path / "back.safetensors") == 0
    arguments = ["map", str(tmp_path / "back.safetensors"), str(tmp_path / "images.npy")]
    assert main([*arguments, "-o", str(tmp_path / "a.fits")]) == 0
    table = Table.read(tmp_path / "a.fits", hdu=1)
    assert (table["row"] * 3 + table["column"]).tolist() == list(range(6))


def test_a_hexagon_of_pink_becomes_an_array_and_no_map(tmp_path, capsys):
    weights = np.arange(7.0, dtype=np.float32).reshape(7, 1, 1, 1)
    pink.write_neurons(tmp_path / "hexagon.bin", weights, pink.Lattice(3, 3, "hexagonal"))
    assert convert(tmp_path / "hexagon.bin", tmp_path / "map.safetensors") == 1
    assert "is a hexagon of 7 neurons, which no grid of rows and columns holds" in (
        capsys.readouterr().err
    )
    assert convert(tmp_path / "hexagon.bin", tmp_path / "neurons.npy") == 0
    assert np.array_equal(np.load(tmp_path / "neurons.npy"), weights)


def test_our_hexagonal_map_is_none_of_pink(tmp_path, capsys):
    make_map(tmp_path / "map.safetensors", topology="hexagonal")
    assert convert(tmp_path / "map.safetensors", tmp_path / "map.bin") == 1
    assert "only rectangular maps can be converted" in capsys.readouterr().err
    assert not (tmp_path / "map.bin").exists()


@pytest.mark.parametrize("channels", [1, 3])
def test_images_go_round_through_every_kind(tmp_path, channels, capsys):
    images = np.random.default_rng(1).normal(size=(5, channels, 4, 4)).astype(np.float32)
    images[2, 0, 1, 1] = np.nan
    np.save(tmp_path / "a.npy", images)
    for source, target in (
        ("a.npy", "b.bin"),
        ("b.bin", "shards"),
        ("shards", "c.bin"),
        ("c.bin", "d.npy"),
        ("d.npy", "other"),
        ("other", "e.npy"),
    ):
        assert convert(tmp_path / source, tmp_path / target) == 0
    assert (tmp_path / "b.bin").read_bytes() == (tmp_path / "c.bin").read_bytes()
    assert np.array_equal(np.load(tmp_path / "e.npy"), images, equal_nan=True)
    ShardReader(tmp_path / "shards").verify()
    assert f"{tmp_path}/b.bin: 5 images\n" in capsys.readouterr().out
    assert np.array_equal(open_stack(tmp_path / "b.bin")[:], images, equal_nan=True)


DISTANCES = np.array([[3.0, 1.0, 2.0, 9.0], [0.5, 4.0, 0.5, 9.0], [7.0, 8.0, 6.0, 5.0]], np.float32)
ANGLES = np.linspace(0.0, 6.0, 12, dtype=np.float32).reshape(3, 4)
FLIPS = np.arange(12).reshape(3, 4) % 2 == 1


@pytest.fixture
def mapped(tmp_path):
    options = {"n_images": 3, "lattice": pink.Lattice(2, 2)}
    with pink.mapping_writer(tmp_path / "mapping.bin", **options) as write:
        write(DISTANCES)
    with pink.transforms_writer(tmp_path / "transforms.bin", **options) as write:
        write(ANGLES, FLIPS)
    return tmp_path / "mapping.bin"


def test_a_mapping_becomes_a_table_of_the_best_two(tmp_path, mapped, capsys):
    assert convert(mapped, tmp_path / "a.fits") == 0
    assert "assignments of 3 images, without angle and flip" in capsys.readouterr().out
    table = Table.read(tmp_path / "a.fits", hdu=1)
    assert (table["row"] * 2 + table["column"]).tolist() == [1, 0, 3]  # a tie goes to the lowest
    assert (table["second_row"] * 2 + table["second_column"]).tolist() == [2, 2, 2]
    assert table["distance"].tolist() == [1.0, 0.5, 5.0]
    assert table["second_distance"].tolist() == [2.0, 0.5, 6.0]
    assert "angle" not in table.colnames
    assert fits.getheader(tmp_path / "a.fits", 1)["ORIGIN"] == "PINK"


def test_transforms_give_the_table_its_angles(tmp_path, mapped):
    transforms = tmp_path / "transforms.bin"
    assert convert(mapped, tmp_path / "a.fits", "--transforms", transforms) == 0
    table = Table.read(tmp_path / "a.fits", hdu=1)
    assert table["flip"].tolist() == [True, False, True]
    assert np.radians(table["angle"]) == pytest.approx(ANGLES[[0, 1, 2], [1, 0, 3]], abs=1e-5)


def test_transforms_of_another_run_are_refused(tmp_path, mapped, capsys):
    other = tmp_path / "other.bin"
    with pink.transforms_writer(other, n_images=1, lattice=pink.Lattice(2, 2)) as write:
        write(ANGLES[:1], FLIPS[:1])
    assert convert(mapped, tmp_path / "a.fits", "--transforms", other) == 1
    assert "tells of 1 images and 4 neurons" in capsys.readouterr().err
    assert convert(other, tmp_path / "a.fits", "--transforms", other) == 1
    assert "--transforms belongs to a mapping of PINK" in capsys.readouterr().err


def test_a_mapping_becomes_an_array(tmp_path, mapped):
    assert convert(mapped, tmp_path / "distances.npy") == 0
    assert np.array_equal(np.load(tmp_path / "distances.npy"), DISTANCES)


def test_transforms_become_a_table_of_all_prototypes(tmp_path, mapped):
    assert convert(tmp_path / "transforms.bin", tmp_path / "t.fits") == 0
    table = Table.read(tmp_path / "t.fits", hdu=1)
    assert np.array_equal(table["flip"], FLIPS)
    assert np.radians(table["angle"]) == pytest.approx(ANGLES, abs=1e-5)


def test_a_mapping_on_one_neuron_has_no_second(tmp_path, capsys):
    path = tmp_path / "one.bin"
    with pink.mapping_writer(path, n_images=1, lattice=pink.Lattice(1, 1)) as write:
        write([[1.0]])
    assert convert(path, tmp_path / "a.fits") == 1
    assert "has one neuron, and a table names the best two" in capsys.readouterr().err


def test_a_table_cannot_become_a_mapping(tmp_path, mapped, capsys):
    assert convert(mapped, tmp_path / "a.fits") == 0
    assert convert(tmp_path / "a.fits", tmp_path / "back.bin") == 1
    error = capsys.readouterr().err
    assert "tells of the best two prototypes of each image, and PINK's files of all" in error
    assert "`skysort map --pink-mapping FILE --pink-transforms FILE`" in error


def test_an_ending_that_does_not_fit_names_those_that_do(tmp_path, mapped, images_path, capsys):
    assert convert(mapped, tmp_path / "m.safetensors") == 1
    assert (
        "holds mapping, which becomes .fits or .npy, not m.safetensors" in capsys.readouterr().err
    )
    assert convert(images_path, tmp_path / "i.fits") == 1
    assert "images, which becomes .bin or .npy or a folder without an ending" in (
        capsys.readouterr().err
    )


def test_what_is_nothing_is_named(tmp_path, capsys):
    assert convert(tmp_path / "none", tmp_path / "a.bin") == 1
    assert f"{tmp_path}/none does not exist" in capsys.readouterr().err
    (tmp_path / "notes.txt").write_text("not even {json}")
    assert convert(tmp_path / "notes.txt", tmp_path / "a.bin") == 1
    assert "notes.txt is nothing that can be converted" in capsys.readouterr().err


def test_nothing_is_replaced_unasked(tmp_path, images_path, capsys):
    target = tmp_path / "images.bin"
    target.write_text("kept")
    assert convert(images_path, target) == 1
    assert "images.bin exists; name another file" in capsys.readouterr().err
    assert target.read_text() == "kept"
    assert convert(images_path, target, "--force") == 0
    folder = tmp_path / "shards"
    folder.mkdir()
    assert convert(images_path, folder, "--force") == 1
    assert "shards exists; shards are written into a new folder only" in capsys.readouterr().err


def test_a_damaged_source_leaves_the_target_as_it_was(tmp_path, mapped, capsys):
    mapped.write_bytes(mapped.read_bytes()[:-2])
    (tmp_path / "a.fits").write_text("kept")
    assert convert(mapped, tmp_path / "a.fits", "--force") == 1
    assert "mapping.bin is truncated" in capsys.readouterr().err
    assert (tmp_path / "a.fits").read_text() == "kept"
