"""Tables of every usual kind give ids, positions and the rest, row by row."""

import gzip
import json
import os

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time

from skysort.errors import InputError
from skysort.images.tables import read_table

FORMATS = {"csv": "ascii.csv", "ecsv": "ascii.ecsv", "fits": "fits", "vot": "votable"}


def read_text(tmp_path, text, **options):
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_table(path, **options)


@pytest.mark.parametrize("kind", sorted(FORMATS))
@pytest.mark.parametrize("suffix", ["own", "txt"])
def test_the_same_table_is_read_from_every_format(tmp_path, kind, suffix):
    table = Table(
        {
            "Name": ["J1", "J2", "J3"],
            "RAJ2000": [10.5, 359.25, 0.0],
            "DEJ2000": [-1.5, 89.0, 0.25],
            "flux": MaskedColumn([1.5, 2.0, 9.0], mask=[False, True, False]),
            "n": [3, 4, 5],
            "note": ["a", "b c", "d"],
        }
    )
    path = tmp_path / f"rows.{kind if suffix == 'own' else suffix}"
    table.write(path, format=FORMATS[kind])
    found = read_table(path)
    assert found.ids == ["J1", "J2", "J3"]
    assert found.ra_deg.tolist() == [10.5, 359.25, 0.0]
    assert found.dec_deg.tolist() == [-1.5, 89.0, 0.25]
    assert found.extra == [
        {"flux": 1.5, "n": 3, "note": "a"},
        {"flux": None, "n": 4, "note": "b c"},
        {"flux": 9.0, "n": 5, "note": "d"},
    ]
    assert found.row_numbers.tolist() == [1, 2, 3]
    assert len(found) == 3
    json.dumps(found.extra, allow_nan=False)


@pytest.mark.parametrize(
    "header",
    [
        "id,ra,dec",
        "SOURCE_ID,RA_deg,DEC_deg",
        "objid,_RAJ2000,_DEJ2000",
        "ObjName,RA_ICRS,DE_ICRS",
        "Source_Name,alpha_j2000,delta_j2000",
        "designation,right_ascension,declination",
    ],
)
def test_columns_are_found_by_their_usual_names(tmp_path, header):
    found = read_text(tmp_path, f"{header}\nA,1.5,-2.5\n")
    assert (found.ids, found.ra_deg[0], found.dec_deg[0]) == (["A"], 1.5, -2.5)
    assert found.extra == [{}]


def test_the_better_name_wins_and_the_other_column_is_kept(tmp_path):
    found = read_text(tmp_path, "name,id,RAJ2000,_RAJ2000,dec\nx,7,01 00 00,15.0,0\n")
    assert found.ids == ["7"]
    assert found.ra_deg.tolist() == [15.0]
    assert found.extra == [{"name": "x", "RAJ2000": "01 00 00"}]


def test_the_id_column_can_be_named(tmp_path):
    text = "index,id,ra,dec\n007,1,0,0\n010,2,0,0\n"
    assert read_text(tmp_path, text, id_column="index").ids == ["007", "010"]
    assert read_text(tmp_path, text, id_column="INDEX").ids == ["007", "010"]
    with pytest.raises(InputError, match=r"rows.csv has no column for the id; wanted is other"):
        read_text(tmp_path, text, id_column="other")


@pytest.mark.parametrize(
    ("text", "ra", "dec"),
    [
        ("10:30:00,-05:30:00", 157.5, -5.5),
        ("10 30 00.0,+05 30 36", 157.5, 5.51),
        ("10h30m00s,-00d30m00s", 157.5, -0.5),
        ("157d30m00s,-00:30:36", 157.5, -0.51),
        ("23:59:60.0,5:30", 360.0 % 360, 5.5),
        ("+157.5,-05.5", 157.5, -5.5),
        ("1.575e2,.5", 157.5, 0.5),
        ("-10,\u22125", 350.0, np.nan),
        ("0,\u22125:30:00", 0.0, -5.5),
        ("10:61:00,10:00:61", np.nan, np.nan),
        ("nan,inf", np.nan, np.nan),
        ("abc,", np.nan, np.nan),
        ("361,91", np.nan, 91.0),
        ("-181,1_0", np.nan, np.nan),
        (f"1{' ' * 50}x,0", np.nan, 0.0),
    ],
)
def test_positions_are_degrees_or_sexagesimal(tmp_path, text, ra, dec):
    found = read_text(tmp_path, f"id,ra,dec\nA,{text}\nB,b,b\n")
    np.testing.assert_allclose(found.ra_deg, [ra, np.nan], atol=1e-9)
    np.testing.assert_allclose(found.dec_deg, [dec, np.nan], atol=1e-9)


@pytest.mark.parametrize("kind", ["ecsv", "fits", "vot"])
def test_units_are_obeyed_and_kept(tmp_path, kind):
    table = Table({"id": [1, 2], "ra": [10.0, 20.0], "dec": [0.1, -0.2], "flux": [1.0, 2.0]})
    table["ra"].unit, table["dec"].unit, table["flux"].unit = u.hourangle, u.rad, u.mJy
    if kind != "ecsv":
        table["ra"].unit = u.hour
    table.write(tmp_path / f"rows.{kind}", format=FORMATS[kind])
    found = read_table(tmp_path / f"rows.{kind}")
    np.testing.assert_allclose(found.ra_deg, [150.0, 300.0])
    np.testing.assert_allclose(found.dec_deg, np.degrees([0.1, -0.2]))
    assert found.units["flux"] == "mJy"
    assert found.ids == ["1", "2"]


def test_sexagesimal_text_with_a_unit_of_text_is_read(tmp_path):
    path = tmp_path / "vizier.vot"
    table = Table({"id": ["a"], "RAJ2000": ["12 00 00.0"], "DEJ2000": ["-30 30 00"]})
    table["RAJ2000"].unit, table["DEJ2000"].unit = u.Unit("h"), u.Unit("deg")
    table.write(path, format="votable")
    path.write_text(path.read_text().replace('unit="h"', "unit='\"h:m:s\"'"))
    found = read_table(path)
    assert (found.ra_deg[0], found.dec_deg[0]) == (180.0, -30.5)


def test_quantities_and_times_of_ecsv_become_json(tmp_path):
    table = QTable(
        {
            "id": [1],
            "ra": [1.0] * u.deg,
            "dec": [2.0] * u.deg,
            "seen": Time(["2020-01-01T00:00:00"]),
            "spectrum": np.array([[1.0, np.nan]]) * u.Jy,
            "good": [True],
        }
    )
    table.write(tmp_path / "rows.ecsv")
    found = read_table(tmp_path / "rows.ecsv")
    assert found.extra == [
        {"seen": "2020-01-01T00:00:00.000", "spectrum": [1.0, None], "good": True}
    ]
    assert found.ra_deg.tolist() == [1.0]
    json.dumps(found.extra, allow_nan=False)


def test_integer_ids_and_padded_text_of_fits_are_text(tmp_path):
    columns = [
        fits.Column("OBJID", "K", array=[1237648720693755918, 2]),
        fits.Column("RA", "D", array=[1.0, np.nan]),
        fits.Column("DEC", "E", array=[1.0, 2.0]),
        fits.Column("CLASS", "8A", array=["FRI", "FRII"]),
        fits.Column("MAG", "3E", array=[[1, 2, np.nan], [4, 5, 6]]),
    ]
    path = tmp_path / "rows.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(path)
    found = read_table(path)
    assert found.ids == ["1237648720693755918", "2"]
    assert found.extra[0] == {"CLASS": "FRI", "MAG": [1.0, 2.0, None]}
    np.testing.assert_array_equal(found.ra_deg, [1.0, np.nan])


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_text_tables_with_any_separator_are_read(tmp_path, separator):
    text = "# a comment\n#another\n\nid,ra,dec,n\r\nA,1,2,3\r\n\r\nB,4,5,\r\n"
    found = read_text(tmp_path, text.replace(",", separator))
    assert found.ids == ["A", "B"]
    assert found.extra == [{"n": 3}, {"n": None}]
    assert found.row_numbers.tolist() == [1, 2]


def test_values_keep_what_they_say(tmp_path):
    text = 'id,ra,dec,code,size,mixed,quoted\n001,1,2,007,1e3,4,"a, ""b""\nc"\n002,1,2,008,2,x,d\n'
    found = read_text(tmp_path, text)
    assert found.ids == ["001", "002"]
    assert found.extra == [
        {"code": "007", "size": 1000.0, "mixed": "4", "quoted": 'a, "b"\nc'},
        {"code": "008", "size": 2.0, "mixed": "x", "quoted": "d"},
    ]


def test_a_byte_order_mark_and_gzip_do_no_harm(tmp_path):
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbfid,ra,dec\nA,1,2\n"))
    assert read_table(path).ids == ["A"]


def test_duplicates_and_missing_ids_stay_in_order(tmp_path):
    found = read_text(tmp_path, "id,ra,dec\nA,1,2\nA,3,4\n,5,6\nB,7\n")
    assert found.ids == ["A", "A", "", "B"]
    np.testing.assert_array_equal(found.dec_deg, [2, 4, 6, np.nan])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n# only\n# comments\n", "is empty"),
        (b"id,ra,dec\n", "has a header but no rows"),
        (b"id,ra\nA,1\n", "no column for the declination; .*; its columns are id, ra"),
        (b"x,y\n1,2\n", "no column for the id; .*; its columns are x, y"),
        (b"id,dec\nA,1\n", "no column for the right ascension"),
        (b"id,ra,dec,ra\nA,1,2,3\n", "several columns named 'ra'"),
        (b"id,ra,dec\nA,1,2\nB,1,2,3\n", "row 2, has 4 values, but there are 3 columns"),
        (b'id,ra,dec\nA,1,"2\n', "is no readable CSV table; line 2"),
        (b"id,ra,dec\nA,1,\xff\xfe\n", "UTF-8"),
        (b"id,ra,dec\nA,1,\0\n", "nor plain text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "UTF-8"),
        (b"\x1f\x8b\x08\x00garbage", "cannot be read"),
        (b"SIMPLE  = hello", "no readable table"),
        (b"<?xml version='1.0'?><VOTABLE><broken", "no readable table"),
        (b"# %ECSV 1.0\n# ---\n# datatype: nonsense\nid ra\n", "no readable table"),
    ],
)
def test_files_that_are_no_table_are_named(tmp_path, content, message):
    with pytest.raises(InputError, match=rf"(?s)rows\.csv.*{message}"):
        read_text(tmp_path, content)


def test_a_truncated_fits_table_is_named(tmp_path):
    path = tmp_path / "rows.fits"
    Table({"id": range(2000), "ra": np.zeros(2000), "dec": np.zeros(2000)}).write(path)
    path.write_bytes(path.read_bytes()[:20000])
    with pytest.raises(InputError, match=r"rows\.fits is no readable table"):
        read_table(path)


def test_a_fits_image_is_no_table(tmp_path):
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(tmp_path / "image.fits")
    with pytest.raises(InputError, match=r"image\.fits is no readable table"):
        read_table(tmp_path / "image.fits")


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv cannot be read"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path)


@pytest.mark.realdata
def test_the_labels_of_the_first_images_are_read(real_data):
    found = read_table(real_data / "first_rgd_2158" / "labels.csv", id_column="index")
    assert len(found) == 2158
    labels = [extra["label"] for extra in found.extra]
    assert {label: labels.count(label) for label in set(labels)} == {
        "FRI": 495, "FRII": 924, "Compact": 391, "Bent": 348,
    }  # fmt: skip
    assert np.isfinite(found.ra_deg).all()
    assert np.isfinite(found.dec_deg).all()


def test_a_pipe_is_refused_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match="it is no file"):
        read_table(tmp_path / "pipe.csv")


def test_text_holds_no_nul_which_postgresql_cannot_store(tmp_path):
    table = Table({"id": ["a"], "ra": [1.0], "dec": [2.0], "note": ["x\0y"]})
    table.write(tmp_path / "rows.ecsv", format="ascii.ecsv")
    assert read_table(tmp_path / "rows.ecsv").extra == [{"note": "xy"}]


def test_a_manifest_of_zooniverse_is_a_table(tmp_path):
    found = read_text(
        tmp_path, "subject_id,#Filename,image2,!RA,//DEC,note\n501,a.png,b.png,1.5,-2.5,x\n"
    )
    assert (found.ids, found.ra_deg[0], found.dec_deg[0]) == (["501"], 1.5, -2.5)
    assert found.extra == [{"Filename": "a.png", "image2": "b.png", "note": "x"}]


def test_a_manifest_may_begin_with_a_hidden_column(tmp_path):
    found = read_text(tmp_path, "# made by hand\n#id,RA,DEC\n7,1,2\n8,3,4\n")
    assert (found.ids, found.ra_deg.tolist()) == (["7", "8"], [1.0, 3.0])
    other = read_text(tmp_path, "# id, ra\nid,ra,dec\n7,1,2\n")
    assert other.ids == ["7"]


def test_without_ids_pictures_name_the_sources(tmp_path):
    found = read_text(tmp_path, "#filename,ra,dec\ncutouts/J1.fits,1,2\n,3,4\n")
    assert found.ids == ["J1", ""]
    assert found.extra[0] == {"filename": "cutouts/J1.fits"}


def test_two_columns_of_one_name_keep_what_parts_them(tmp_path):
    found = read_text(tmp_path, "id,ra,dec,#size,!size\n7,1,2,3,4\n")
    assert found.extra == [{"#size": 3, "!size": 4}]
