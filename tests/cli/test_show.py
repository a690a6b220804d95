"""`skysort show` draws a map."""

from io import BytesIO

import numpy as np
import pytest
from astropy.table import Table
from PIL import Image

from skysort.cli import main
from skysort.images import map_sheet
from skysort.som.checkpoint import load_map


@pytest.fixture
def drawn(monkeypatch):
    """What the picture was made of."""
    seen = {}
    draw = map_sheet.draw_map_sheet

    def note(prototypes, **options):
        seen.update(options, prototypes=np.asarray(prototypes))
        return draw(prototypes, **options)

    monkeypatch.setattr(map_sheet, "draw_map_sheet", note)
    return seen


def test_it_draws_prototypes_and_borders(tmp_path, trained, drawn, capsys):
    path = tmp_path / "map.png"
    assert main(["show", str(trained), "-o", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: 2 x 3 prototypes\n"
    assert Image.open(BytesIO(path.read_bytes())).format == "PNG"
    weights = load_map(trained).weights
    assert np.array_equal(drawn["prototypes"], weights.reshape(2, 3, 1, 12, 12))
    assert drawn["u_matrix"].shape == (2, 3)
    assert drawn["u_matrix"].min() > 0.0
    assert drawn["hits"] is None
    assert drawn["title"] == "trained.safetensors: 2 x 3 prototypes"


def test_hits_come_from_the_assignments(tmp_path, trained, images_path, drawn):
    table = tmp_path / "a.fits"
    assert main(["map", str(trained), str(images_path), "-o", str(table)]) == 0
    assert main(["show", str(trained), "-o", str(tmp_path / "m.png"), "--hits", str(table)]) == 0
    read = Table.read(table, hdu=1)
    for row, column in np.ndindex(2, 3):
        expected = np.sum((read["row"] == row) & (read["column"] == column))
        assert drawn["hits"][row, column] == expected


def test_images_give_hits_and_their_aligned_means(tmp_path, trained, images_path, drawn):
    arguments = ["show", str(trained), "-o", str(tmp_path / "m.png")]
    assert main([*arguments, "--images", str(images_path)]) == 0
    assert drawn["hits"].sum() == 30
    assert drawn["title"] == "trained.safetensors: 2 x 3 prototypes, 30 images"
    weights = load_map(trained).weights.reshape(2, 3, 1, 12, 12)
    full = drawn["hits"] > 0
    assert not np.array_equal(drawn["prototypes"][full], weights[full])
    assert np.array_equal(drawn["prototypes"][~full], weights[~full])


def test_assignments_of_another_map_are_refused(tmp_path, trained, capsys):
    path = tmp_path / "a.fits"
    Table({"row": [0, 1], "column": [0, 3]}).write(path)
    assert main(["show", str(trained), "-o", str(tmp_path / "m.png"), "--hits", str(path)]) == 1
    assert (
        f"{path}, row 1 (from 0), lies on prototype (1, 3), but the map has 2 x 3"
        in capsys.readouterr().err
    )
    assert not (tmp_path / "m.png").exists()


def test_a_table_without_the_columns_is_named(tmp_path, trained, capsys):
    path = tmp_path / "a.fits"
    Table({"row": [0.5], "line": [0]}).write(path)
    arguments = ["show", str(trained), "-o", str(tmp_path / "m.png"), "--hits"]
    assert main([*arguments, str(path)]) == 1
    assert "must have whole numbers in its column row" in capsys.readouterr().err
    Table({"row": [0], "line": [0]}).write(path, overwrite=True)
    assert main([*arguments, str(path)]) == 1
    assert "is no FITS table with a column column" in capsys.readouterr().err
    path.write_text("no table")
    assert main([*arguments, str(path)]) == 1
    assert "is no FITS table with a column row" in capsys.readouterr().err
    assert main([*arguments, str(tmp_path / "none")]) == 1
    assert "none is no file; expected a FITS table of assignments" in capsys.readouterr().err


def test_a_picture_is_not_replaced_unasked(tmp_path, trained, capsys):
    path = tmp_path / "m.png"
    path.write_text("kept")
    assert main(["show", str(trained), "-o", str(path)]) == 1
    assert "m.png exists" in capsys.readouterr().err
    assert path.read_text() == "kept"
