"""The files of a release: FITS, VOTable and CSV hold the same rows, described and valid."""

import csv
import warnings
from urllib.parse import unquote

import numpy as np
import pytest
from astropy.io import fits, votable
from astropy.io.votable.ucd import check_ucd
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protozoo.catalog.columns import TRUTH, ascii_text, columns_of, record_type
from protozoo.catalog.services import release_freeze
from protozoo.catalog.writers import About, Fact, header_text, write_csv, write_fits, write_votable
from tests.factories import (
    CLASSES,
    make_campaign,
    make_consensus_run,
    make_review,
    make_sorting,
    make_votes,
    make_williamina,
)

ABOUT = About("c-v1", "Ünïcode\ntitle", "1", "CC0", "Cite & <us>", "2026-11-23T10:00:00")


@pytest.fixture
def release(db):
    campaign = make_campaign(sorting=make_sorting(n_subjects=25))
    make_votes(campaign, n_volunteers=2)
    run = make_consensus_run(campaign)
    run.subjects.filter(pk__lte=run.subjects.first().pk + 9).update(
        weight_prototype=0.1, weight_head=0.2, weight_grid=0.6, n_votes_grid=4, n_volunteers=5,
        reliability=0.75,
    )  # fmt: skip
    run.subjects.filter(pk=run.subjects.last().pk).update(is_unknown=True)
    make_review(
        campaign.sorting.survey.subjects.first(),
        campaign=campaign,
        reviewer=make_williamina(),
        label="artefact",
    )
    return release_freeze(campaign=campaign)


def read_votable(path):
    return votable.parse(path, verify="exception").get_first_table()


def rows_of_votable(path):
    table = read_votable(path).to_table()
    return {name: np.asarray(table[name]).tolist() for name in table.colnames}


def rows_of_fits(path):
    with fits.open(path, checksum=True) as hdus:
        data = hdus["CATALOG"].data
        return {name: data[name].tolist() for name in data.names}


def rows_of_csv(path, columns):
    with path.open(newline="", encoding="ascii") as file:
        rows = list(csv.DictReader(file, strict=True))
    kinds = {column.name: column.kind for column in columns}
    return {name: [_read(row[name], kinds[name]) for row in rows] for name in kinds}


def _read(text, kind):
    if kind == TRUTH:
        return {"true": True, "false": False}[text]
    return text if kind == "S" else np.dtype(kind).type(text).item()


def test_the_three_files_hold_the_same_rows(release):
    columns = columns_of(CLASSES, id_width=1, label_width=1)
    of_fits = rows_of_fits(release.folder / "catalog.fits")
    assert list(of_fits) == [column.name for column in columns]
    assert len(of_fits["id"]) == release.n_rows == 25
    assert np.isnan(of_fits["reliability"]).sum() == 15
    np.testing.assert_equal(rows_of_votable(release.folder / "catalog.vot"), of_fits)
    np.testing.assert_equal(rows_of_csv(release.folder / "catalog.csv", columns), of_fits)


def test_the_files_hold_the_rows_of_the_database(release):
    rows = Table(rows_of_fits(release.folder / "catalog.fits"))
    for row, entry in zip(rows, release.entries.order_by("pk"), strict=True):
        assert row["id"] == entry.identifier
        assert (row["ra"], row["dec"]) == (entry.ra_deg, entry.dec_deg)
        assert (row["label"], row["source"]) == (entry.label, entry.source)
        assert row["label_probability"] == np.float32(entry.probability)
        assert [row[f"p_{key}"] for key in CLASSES] == np.float32(entry.probabilities).tolist()
        assert row["angle"] == pytest.approx(np.degrees(entry.angle_rad), rel=1e-6)
        assert row["flip"] == entry.is_flipped
        assert row["is_audit"] == entry.is_audit
        assert row["n_votes"] == entry.n_votes
        assert (row["n_votes_grid"], row["n_volunteers"]) == (
            entry.n_votes_grid,
            entry.n_volunteers,
        )
        assert row["weight_head"] == np.float32(entry.weight_head)
        assert row["weight_grid"] == np.float32(entry.weight_grid)
        assert row["is_unknown"] == entry.is_unknown
        np.testing.assert_equal(row["reliability"], np.float32(entry.reliability or np.nan))
        assert row["outlier_rank"] == entry.outlier_rank


def test_probabilities_in_the_file_sum_to_one(release):
    rows = rows_of_fits(release.folder / "catalog.fits")
    assert np.sum([rows[f"p_{key}"] for key in CLASSES], axis=0) == pytest.approx(1, abs=1e-6)


def test_a_row_that_nobody_knows_is_called_unknown_in_the_files(release):
    rows = Table(rows_of_fits(release.folder / "catalog.fits"))
    unknown = rows[rows["is_unknown"]]
    assert len(unknown) == 1
    assert (unknown["label"][0], unknown["label_probability"][0]) == ("unknown", 0.0)
    assert sum(unknown[f"p_{key}"][0] for key in CLASSES) == pytest.approx(1, abs=1e-6)


def test_fits_describes_every_column(release):
    with fits.open(release.folder / "catalog.fits", checksum=True) as hdus:
        hdus.verify("exception")
        header = hdus["CATALOG"].header
        for number, column in enumerate(columns_of(CLASSES, id_width=1, label_width=1), start=1):
            assert header[f"TTYPE{number}"] == column.name
            assert header.get(f"TUNIT{number}", "") == column.unit
            assert header[f"TUCD{number}"] == column.ucd
            assert header[f"TCOMM{number}"] == column.description
        assert header["RADESYS"] == "ICRS"
        assert hdus["CATALOG"].columns["angle"].unit == "deg"
        assert hdus["CATALOG"].columns["entropy"].unit == "bit"


def test_fits_header_says_what_the_catalog_is(release):
    header = fits.getheader(release.folder / "catalog.fits", 0)
    assert header["TITLE"] == f"{release.campaign.title}, release 1"
    assert header["VERSION"] == "1"
    assert header["LICENSE"] == "CC0"
    assert header["CITATION"] == release.provenance["how_to_cite"]
    assert header["DATE"] == release.created_at.strftime("%Y-%m-%dT%H:%M:%S")
    assert "simulated: No vote is simulated: all come from people." in list(header["HISTORY"])


def test_a_changed_byte_breaks_the_checksum(release, tmp_path):
    spoilt = bytearray((release.folder / "catalog.fits").read_bytes())
    spoilt[spoilt.index(b"S00000")] ^= 1
    (tmp_path / "spoilt.fits").write_bytes(spoilt)
    with (
        pytest.warns(AstropyUserWarning, match="Datasum verification failed"),
        pytest.warns(AstropyUserWarning, match="Checksum verification failed"),
        fits.open(tmp_path / "spoilt.fits", checksum=True) as hdus,
    ):
        assert len(hdus[1].data) == release.n_rows


def test_every_ucd_is_of_the_controlled_vocabulary():
    for column in columns_of(CLASSES, id_width=1, label_width=1):
        assert check_ucd(column.ucd, check_controlled_vocabulary=True), column.name


def test_votable_is_described_and_placed(release):
    document = votable.parse(release.folder / "catalog.vot", verify="exception")
    assert document.version == "1.4"
    resource = document.resources[0]
    assert resource.coordinate_systems[0].system == "ICRS"
    infos = {info.name: info.value for info in resource.infos}
    assert infos["licence"] == "CC0"
    assert infos["simulated"] == "No vote is simulated: all come from people."
    fields = {field.name: field for field in document.get_first_table().fields}
    for column in columns_of(CLASSES, id_width=1, label_width=1):
        assert fields[column.name].ucd == column.ucd
        assert fields[column.name].description == column.description
        assert str(fields[column.name].unit or "") == column.unit
    assert fields["ra"].ref == "icrs"


def test_csv_is_rfc_4180(release):
    raw = (release.folder / "catalog.csv").read_bytes()
    lines = raw.split(b"\r\n")
    assert len(lines) == release.n_rows + 2
    assert lines[-1] == b""
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert lines[0].decode().split(",")[:5] == ["id", "ra", "dec", "label", "label_probability"]


def test_readme_has_every_column(release):
    readme = (release.folder / "README.md").read_text()
    for column in columns_of(CLASSES, id_width=1, label_width=1):
        assert f"| {column.name} | {column.unit} | {column.ucd} | {column.description} |" in readme
    assert "&lt;" not in readme
    assert "&#x27;" not in readme


def make_records(names, labels):
    columns = columns_of(
        ["fri", "frii"],
        id_width=max(len(ascii_text(name)) for name in names),
        label_width=max(len(ascii_text(label)) for label in labels),
    )
    rng = np.random.default_rng(1)
    records = np.zeros(len(names), record_type(columns))
    for column in columns:
        if column.kind == TRUTH:
            records[column.name] = rng.choice([b"T", b"F"], len(names))
        elif column.kind != "S":
            records[column.name] = rng.uniform(0, 1000, len(names))
    records["id"] = [ascii_text(name).encode() for name in names]
    records["label"] = [ascii_text(label).encode() for label in labels]
    return columns, records


odd_texts = st.text(min_size=1, max_size=40).filter(lambda text: text.strip())
odd_rows = st.lists(st.tuples(odd_texts, odd_texts), min_size=1, max_size=5)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=odd_rows)
def test_odd_names_come_back_from_all_files(tmp_path, rows):
    names, labels = (list(texts) for texts in zip(*rows, strict=True))
    columns, records = make_records(names, labels)
    for file in tmp_path.glob("c.*"):
        file.unlink()
    write_fits(tmp_path / "c.fits", columns, records, ABOUT)
    write_votable(tmp_path / "c.vot", columns, records, ABOUT)
    write_csv(tmp_path / "c.csv", columns, records)
    of_fits = rows_of_fits(tmp_path / "c.fits")
    assert [unquote(text) for text in of_fits["id"]] == names
    assert [unquote(text) for text in of_fits["label"]] == labels
    assert rows_of_votable(tmp_path / "c.vot") == of_fits
    assert rows_of_csv(tmp_path / "c.csv", columns) == of_fits


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "=1+1"),
        ('a,"b"', 'a,"b"'),
        ("3C 273", "3C 273"),
        ("100%", "100%25"),
        ("\N{GREEK SMALL LETTER ALPHA} Cen", "%CE%B1 Cen"),
        ("end ", "end%20"),
        ("two\nlines", "two%0Alines"),
    ],
)
def test_text_is_written_as_documented(text, written):
    assert ascii_text(text) == written


@given(text=st.text())
def test_text_of_any_kind_becomes_printable_and_back(text):
    written = ascii_text(text)
    assert all(" " <= letter <= "~" for letter in written)
    assert not written.endswith(" ")
    assert unquote(written) == text


@given(text=st.text())
def test_header_text_fits_into_a_header(text):
    header = fits.Header()
    header["TITLE"] = header_text(text)
    header.add_history(header_text(text))
    assert len(header.tostring()) % 2880 == 0


def test_the_same_rows_give_the_same_bytes(tmp_path):
    columns, records = make_records(["a", "b"], ["x", "y"])
    for folder in (tmp_path / "1", tmp_path / "2"):
        folder.mkdir()
        write_fits(folder / "c.fits", columns, records, ABOUT)
        write_votable(folder / "c.vot", columns, records, ABOUT)
        write_csv(folder / "c.csv", columns, records)
    for name in ("c.fits", "c.vot", "c.csv"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_more_rows_than_a_chunk_are_whole(tmp_path):
    n_rows = 2 * 57 * 200 + 5
    columns, records = make_records([f"S{n}" for n in range(n_rows)], ["x"] * n_rows)
    write_votable(tmp_path / "c.vot", columns, records, ABOUT)
    write_csv(tmp_path / "c.csv", columns, records)
    table = read_votable(tmp_path / "c.vot").array
    assert np.asarray(table["ra"]).tolist() == records["ra"].tolist()
    assert len((tmp_path / "c.csv").read_bytes().splitlines()) == n_rows + 1


def test_a_title_that_no_xml_may_hold_is_mended(tmp_path):
    columns, records = make_records(["a"], ["x"])
    about = About(
        "n", "bell \x07 @STREAM@", "1", "", "", "2026-11-23T10:00:00", [Fact("a", "\x00")]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_votable(tmp_path / "c.vot", columns, records, about)
        document = votable.parse(tmp_path / "c.vot", verify="exception")
    assert document.description == "bell \N{REPLACEMENT CHARACTER} @STREAM@"
