"""`skysort map` tells where each image lies, for us and for PINK."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from skysort.cli import main
from skysort.commands.engine import Engine
from skysort.images import pink
from skysort.images.stacks import open_stack
from skysort.som.checkpoint import map_checksum
from skysort.som.exact import ExactSOM

COLUMNS = [
    "index",
    "row",
    "column",
    "second_row",
    "second_column",
    "distance",
    "second_distance",
    "angle",
    "flip",
    "outlier_score",
    "outlier_rank",
    "outlier_group",
]


@pytest.fixture
def projection(trained, images_path):
    return Engine.load(trained).project(open_stack(images_path))


@pytest.fixture
def exact(trained, images_path):
    """What the reference says, which compares PINK's angles pixel by pixel."""
    return ExactSOM.load(trained).project(open_stack(images_path))


def test_the_table_holds_the_projection(tmp_path, trained, images_path, projection, capsys):
    path = tmp_path / "assignments.fits"
    assert main(["map", str(trained), str(images_path), "-o", str(path)]) == 0
    n_used = len(np.unique(projection.best))
    out = capsys.readouterr().out
    assert out == f"{path}: 30 images on {n_used} of 6 prototypes\n"
    table = Table.read(path, hdu="ASSIGNMENTS")
    assert table.colnames == COLUMNS
    assert table["index"].tolist() == list(range(30))
    assert np.array_equal(table["row"] * 3 + table["column"], projection.best)
    assert np.array_equal(table["second_row"] * 3 + table["second_column"], projection.second)
    assert np.allclose(table["distance"], projection.distance, rtol=1e-6)
    assert np.allclose(table["second_distance"], projection.second_distance, rtol=1e-6)
    assert str(table["angle"].unit) == "deg"
    turned = np.radians(table["angle"]) - projection.angle_rad
    assert np.allclose(np.cos(turned), 1.0, atol=1e-6)
    assert table["flip"].tolist() == projection.flip.tolist()
    assert sorted(table["outlier_rank"].tolist()) == list(range(1, 31))
    assert table["outlier_rank"][np.argmax(table["outlier_score"])] == 1


def test_the_header_says_what_the_columns_are_and_of_which_map(tmp_path, trained, images_path):
    path = tmp_path / "assignments.fits"
    assert main(["map", str(trained), str(images_path), "-o", str(path)]) == 0
    header = fits.getheader(path, 1)
    assert (header["MAPROWS"], header["MAPCOLS"], header["TOPOLOGY"]) == (2, 3, "rectangular")
    assert header["MAPSHA"] == map_checksum(trained)
    assert header["RECIPE"] == "none"
    comments = [header[f"TCOMM{number}"] for number in range(1, len(COLUMNS) + 1)]
    assert comments[1] == "row of the best prototype"
    assert comments[7] == "turn counter-clockwise, row 0 below, after flip"
    assert header["TUNIT8"] == "deg"


def test_equal_images_give_equal_tables(tmp_path, trained, images_path):
    for name in ("one.fits", "same.fits"):
        assert main(["map", str(trained), str(images_path), "-o", str(tmp_path / name)]) == 0
    assert (tmp_path / "one.fits").read_bytes() == (tmp_path / "same.fits").read_bytes()


def test_pinks_files_tell_of_all_prototypes(tmp_path, trained, images_path, exact):
    files = {name: tmp_path / name for name in ("a.fits", "mapping.bin", "transforms.bin")}
    arguments = ["map", str(trained), str(images_path), "-o", str(files["a.fits"])]
    arguments += ["--pink-mapping", str(files["mapping.bin"])]
    arguments += ["--pink-transforms", str(files["transforms.bin"])]
    assert main(arguments) == 0
    mapping = pink.read_mapping(files["mapping.bin"])
    transforms = pink.read_transforms(files["transforms.bin"])
    assert mapping.lattice == transforms.lattice == pink.Lattice(2, 3)
    row = np.arange(30)
    assert np.array_equal(mapping.distances.argmin(axis=1), exact.best)
    assert np.allclose(mapping.distances[row, exact.best], exact.distance, rtol=1e-5)
    assert np.array_equal(transforms.flip[row, exact.best], exact.flip)
    angle = transforms.angle_rad[row, exact.best]
    assert np.allclose(np.cos(angle - exact.angle_rad), 1.0, atol=1e-5)


def test_the_recipe_of_the_map_is_applied(tmp_path, images_path):
    path, table = tmp_path / "map", tmp_path / "a.fits"
    options = ["--grid", "2x2", "--epochs", "1", "--rotations", "8", "--recipe", "sqrt-1"]
    assert main(["train", str(images_path), "-o", str(path), *options]) == 0
    assert main(["map", str(path), str(images_path), "-o", str(table)]) == 0
    assert fits.getheader(table, 1)["RECIPE"] == "sqrt-1"
    expected = Engine.load(path).project(open_stack(images_path, recipe="sqrt-1")).distance
    assert np.allclose(Table.read(table, hdu=1)["distance"], expected, rtol=1e-6)
    assert (
        main(["map", str(path), str(images_path), "-o", str(table), "--force", "--recipe", "none"])
        == 0
    )
    assert not np.allclose(Table.read(table, hdu=1)["distance"], expected, rtol=1e-6)


def test_a_table_is_not_replaced_unasked(tmp_path, trained, images_path, capsys):
    path = tmp_path / "a.fits"
    path.write_text("kept")
    assert main(["map", str(trained), str(images_path), "-o", str(path)]) == 1
    assert "a.fits exists; name another file" in capsys.readouterr().err
    assert path.read_text() == "kept"
    assert main(["map", str(trained), str(images_path), "-o", str(path), "--force"]) == 0


def test_images_of_another_shape_are_refused(tmp_path, trained, capsys):
    np.save(tmp_path / "large.npy", np.ones((3, 20, 20)))
    out = tmp_path / "a.fits"
    assert main(["map", str(trained), str(tmp_path / "large.npy"), "-o", str(out)]) == 1
    error = capsys.readouterr().err
    assert "images of shape (C, H, W) = (1, 20, 20)" in error
    assert f"the prototypes of {trained} have (1, 12, 12)" in error
    assert not out.exists()


def test_a_blank_pixel_leaves_no_table(tmp_path, trained, capsys):
    images = np.ones((40, 12, 12), np.float32)
    images[33] = np.nan
    np.save(tmp_path / "blank.npy", images)
    files = [tmp_path / name for name in ("a.fits", "mapping.bin")]
    arguments = ["map", str(trained), str(tmp_path / "blank.npy"), "-o", str(files[0])]
    assert main([*arguments, "--pink-mapping", str(files[1])]) == 1
    assert "image 33 has blank (NaN)" in capsys.readouterr().err
    assert not any(path.exists() for path in files)


def test_pink_cannot_hold_our_hexagonal_maps(tmp_path, images_path, capsys):
    path, table = tmp_path / "map", tmp_path / "a.fits"
    options = ["--grid", "2x2", "--epochs", "1", "--rotations", "8", "--topology", "hexagonal"]
    assert main(["train", str(images_path), "-o", str(path), *options]) == 0
    arguments = ["map", str(path), str(images_path), "-o", str(table)]
    assert main([*arguments, "--pink-mapping", str(tmp_path / "m.bin")]) == 1
    assert "PINK's files are written of rectangular maps only" in capsys.readouterr().err
    assert not table.exists()
