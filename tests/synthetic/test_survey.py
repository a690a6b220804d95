"""A synthetic survey is a plausible survey whose truth is known."""

import csv
import math
from collections import Counter

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from skysort.errors import InputError
from skysort.synthetic import (
    BEAM_ARCSEC,
    CUTOUT,
    NOISE_JY,
    SHAPES,
    make_survey,
)


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    folder = tmp_path_factory.mktemp("survey")
    make_survey(folder)
    return folder


def read(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def open_field(survey, name):
    with fits.open(survey / name) as hdus:
        return hdus[1].data.copy(), hdus[1].header.copy()


def test_every_shape_occurs_in_about_its_share(survey):
    counts = Counter(row["shape"] for row in read(survey / "truth.csv"))
    n = sum(counts.values())
    assert set(counts) == set(SHAPES)
    assert counts == {name: pytest.approx(shape.share * n, abs=2) for name, shape in SHAPES.items()}


def test_answers_are_keys_of_the_question_tree(survey):
    answers = {row["shape"]: row["answer"] for row in read(survey / "truth.csv")}
    assert answers == {
        "compact": "compact",
        "frii": "frii",
        "fri": "fri",
        "bent": "bent",
        "triple": "frii",
        "diffuse": "other",
        "artefact": "artefact",
        "ring": "other",
    }


def test_ids_are_unique_and_shared_by_both_tables(survey):
    ids = [row["id"] for row in read(survey / "sources.csv")]
    assert len(set(ids)) == len(ids) > 450
    assert ids == [row["id"] for row in read(survey / "truth.csv")]


def test_mosaics_say_what_they_are(survey):
    _, header = open_field(survey, "field-1.fits.fz")
    assert header["BUNIT"] == "Jy/beam"
    assert header["BMAJ"] * 3600 == pytest.approx(BEAM_ARCSEC)
    assert header["BMIN"] * 3600 == pytest.approx(BEAM_ARCSEC)
    assert header["CTYPE1"] == "RA---TAN"
    assert header["OBJECT"] == "SYNTHETIC 1"
    assert "SYNTHETIC" in str(header["HISTORY"])


def test_noise_is_honest_after_compression(survey):
    pixels, _ = open_field(survey, "field-2.fits.fz")
    spread = 1.4826 * np.median(np.abs(pixels - np.median(pixels)))
    assert spread == pytest.approx(NOISE_JY, rel=0.15)
    assert pixels.dtype.newbyteorder("=") == np.float32


def test_sources_are_where_the_table_says_and_fit_in_their_cutouts(survey):
    truth = {row["id"]: row["shape"] for row in read(survey / "truth.csv")}
    fields = {f"field-{k}.fits.fz": open_field(survey, f"field-{k}.fits.fz") for k in (1, 2, 3)}
    for row in read(survey / "sources.csv"):
        pixels, header = fields[row["mosaic"]]
        x, y = WCS(header).world_to_pixel_values(float(row["ra"]), float(row["dec"]))
        left, low = (math.floor(v - (CUTOUT - 1) / 2) for v in (x, y))
        assert min(left, low) >= 0
        assert max(left, low) + CUTOUT <= len(pixels)
        middle = pixels[low + 6 : low + CUTOUT - 6, left + 6 : left + CUTOUT - 6]
        assert middle.max() > 5.0 * NOISE_JY
        if truth[row["id"]] == "compact":
            assert pixels[round(float(y)), round(float(x))] > 0.6 * middle.max()


def test_peaks_start_at_a_signal_to_noise_of_eight_and_are_mostly_faint(survey):
    compact = {r["id"] for r in read(survey / "truth.csv") if r["shape"] == "compact"}
    flux = np.array(
        [float(r["flux_total_mjy"]) for r in read(survey / "sources.csv") if r["id"] in compact]
    )
    snr = flux / (1e3 * NOISE_JY)
    assert snr.min() > 8.0
    assert 10.0 < np.median(snr) < 30.0
    assert snr.max() > 80.0


def test_another_seed_gives_another_sky(tmp_path):
    for seed in (1, 2):
        make_survey(tmp_path / str(seed), seed=seed, n_mosaics=1, mosaic_size=280)
    one, two = (read(tmp_path / str(seed) / "sources.csv") for seed in (1, 2))
    assert one != two


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_mosaics": 0}, "n_mosaics must be at least 1, got 0"),
        ({"mosaic_size": 100}, "mosaic_size must be at least 218 pixels, got 100"),
    ],
)
def test_refuses_a_survey_without_room(tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        make_survey(tmp_path, **arguments)
