"""Detection finds planted sources, once each, and nothing in noise."""

import re

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from skysort.errors import InputError
from skysort.images.detection import detect_sources
from skysort.images.mosaics import cutouts, open_mosaic

SIZE = 240
NOISE = 0.001


def wcs_of(step_arcsec=5.0, centre=(200.0, -10.0)):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---SIN", "DEC--SIN"]
    wcs.wcs.crval = centre
    wcs.wcs.crpix = [SIZE / 2, SIZE / 2]
    wcs.wcs.cdelt = [-step_arcsec / 3600, step_arcsec / 3600]
    wcs.wcs.cunit = ["deg", "deg"]
    return wcs


def blob(x, y, peak, *, sigma=(2.0, 2.0), angle_rad=0.0):
    row, column = np.mgrid[:SIZE, :SIZE].astype(float)
    along = (column - x) * np.cos(angle_rad) + (row - y) * np.sin(angle_rad)
    across = (row - y) * np.cos(angle_rad) - (column - x) * np.sin(angle_rad)
    return peak * np.exp(-0.5 * ((along / sigma[0]) ** 2 + (across / sigma[1]) ** 2))


def noise(seed=0):
    return NOISE * np.random.default_rng(seed).normal(size=(SIZE, SIZE))


def mosaic_of(tmp_path, pixels, *, dtype=">f4", unit="Jy/beam", wcs=None):
    header = (wcs or wcs_of()).to_header()
    header["BUNIT"] = unit
    path = tmp_path / f"field-{len(list(tmp_path.iterdir()))}.fits"
    fits.PrimaryHDU(pixels.astype(dtype), header).writeto(path)
    return open_mosaic(path)


def test_planted_sources_are_found_where_they_are(tmp_path):
    rng = np.random.default_rng(1)
    grid = np.stack(np.meshgrid(*[np.arange(30, 220, 45)] * 2), axis=-1).reshape(-1, 2)
    at = grid + rng.uniform(-3, 3, grid.shape)
    peaks = rng.uniform(10, 300, len(at)) * NOISE
    pixels = noise() + 0.02 + sum(blob(x, y, p) for (x, y), p in zip(at, peaks, strict=True))
    mosaic = mosaic_of(tmp_path, pixels)
    found = detect_sources(mosaic)
    assert len(found) == len(at)
    sky = SkyCoord(found["ra"], found["dec"])
    truth = mosaic.wcs.pixel_to_world(at[:, 0], at[:, 1])
    apart = truth[:, None].separation(sky).arcsec
    nearest = apart.argmin(axis=1)
    assert sorted(nearest) == list(range(len(at)))
    assert apart.min(axis=1).max() < 0.5 * mosaic.pixel_scale_arcsec
    np.testing.assert_allclose(found["flux_peak"][nearest], peaks, rtol=0.1, atol=4 * NOISE)
    np.testing.assert_allclose(found["snr"][nearest], peaks / NOISE, rtol=0.25, atol=4)
    assert found["flux_peak"].unit == u.Jy / u.beam
    assert found["ra"].unit == found["dec"].unit == u.deg
    pixels, inside = cutouts(mosaic, found["ra"], found["dec"], 9)
    assert inside.all()
    assert (pixels.reshape(len(found), -1).argmax(axis=1) % 9 - 4 <= 1).all()


def test_shape_and_direction_are_measured(tmp_path):
    pixels = noise() + blob(120, 120, 3.0, sigma=(6.0, 2.0), angle_rad=0.6)
    found = detect_sources(mosaic_of(tmp_path, pixels))
    assert len(found) == 1
    assert found["a_pixel"][0] == pytest.approx(6.0, rel=0.1)
    assert found["b_pixel"][0] == pytest.approx(2.0, rel=0.1)
    assert found["theta_rad"][0] == pytest.approx(0.6, abs=0.02)


def test_two_peaks_of_one_island_are_one_source_and_two_islands_are_two(tmp_path):
    bridged = blob(56, 60, 0.1, sigma=(3, 3)) + blob(66, 60, 0.1, sigma=(3, 3))
    apart = blob(140, 180, 0.1) + blob(170, 180, 0.1)
    found = detect_sources(mosaic_of(tmp_path, noise() + bridged + apart))
    assert len(found) == 3
    mosaic = mosaic_of(tmp_path, noise() + bridged)
    x, y = mosaic.pixel_positions(*[detect_sources(mosaic)[name] for name in ("ra", "dec")])
    np.testing.assert_allclose([x[0], y[0]], [61, 60], atol=0.2)


def test_only_peaks_above_the_limit_count(tmp_path):
    pixels = noise() + blob(60, 60, 12 * NOISE) + blob(160, 160, 40 * NOISE)
    mosaic = mosaic_of(tmp_path, pixels)
    assert [len(detect_sources(mosaic, n_sigma=n)) for n in (5, 25, 80)] == [2, 1, 0]
    assert (detect_sources(mosaic)["snr"] >= 5).all()


def test_noise_alone_has_no_sources(tmp_path):
    for seed in range(5):
        assert len(detect_sources(mosaic_of(tmp_path, noise(seed)))) == 0


@pytest.mark.parametrize("dtype", [">f4", ">f8", "<i4", ">i2"])
def test_every_number_type_of_fits_is_read(tmp_path, dtype):
    counts = np.rint((noise() + blob(100, 90, 0.2)) / NOISE * 20)
    found = detect_sources(mosaic_of(tmp_path, counts, dtype=dtype, unit="adu"))
    assert len(found) == 1
    assert found["flux_peak"][0] == pytest.approx(4000, rel=0.05)


def test_blank_pixels_are_left_out(tmp_path):
    pixels = noise() + blob(60, 60, 0.5) + blob(180, 60, 0.5)
    pixels[:, 150:] = np.nan
    pixels[100, 100] = np.inf
    found = detect_sources(mosaic_of(tmp_path, pixels))
    assert len(found) == 1
    x, _ = mosaic_of(tmp_path, pixels).pixel_positions(found["ra"], found["dec"])
    assert x[0] == pytest.approx(60, abs=0.1)


def test_zero_filled_corners_have_no_sources(tmp_path):
    pixels = noise() + blob(60, 60, 0.5)
    pixels[:, 130:] = 0.0
    assert len(detect_sources(mosaic_of(tmp_path, pixels))) == 1


@pytest.mark.parametrize("value", [0.0, 3.0, np.nan])
def test_blank_and_constant_mosaics_have_no_sources(tmp_path, value):
    found = detect_sources(mosaic_of(tmp_path, np.full((SIZE, SIZE), value)))
    assert len(found) == 0
    assert found.colnames == [
        "id", "ra", "dec", "flux_peak", "snr", "a_pixel", "b_pixel", "theta_rad",
    ]  # fmt: skip


def test_names_are_cut_positions_and_stay_the_same(tmp_path):
    pixels = noise() + blob(60, 60, 0.5) + blob(160, 100, 0.2)
    found = detect_sources(mosaic_of(tmp_path, pixels))
    assert list(detect_sources(mosaic_of(tmp_path, pixels))["id"]) == list(found["id"])
    for row in found:
        parts = re.fullmatch(r"J(\d\d)(\d\d)(\d\d\.\d)([+-])(\d\d)(\d\d)(\d\d)", row["id"]).groups()
        hours, minutes, seconds = (float(part) for part in parts[:3])
        ra = 15 * (hours + minutes / 60 + seconds / 3600)
        assert 0 <= row["ra"] - ra < 15 * 0.1 / 3600 + 1e-9
        degrees, arcmin, arcsec = (float(part) for part in parts[4:])
        dec = degrees + arcmin / 60 + arcsec / 3600
        assert 0 <= abs(row["dec"]) - dec < 1 / 3600 + 1e-9
        assert (parts[3] == "-") == (row["dec"] < 0)


def test_sources_that_share_a_name_get_a_letter_by_brightness(tmp_path):
    peaks = [0.2, 0.5, 0.3]
    pixels = noise() + sum(blob(60 + 30 * i, 100, p) for i, p in enumerate(peaks))
    wcs = wcs_of(step_arcsec=0.001, centre=(200.0003, -10.0001))
    found = detect_sources(mosaic_of(tmp_path, pixels, wcs=wcs))
    assert len(set(found["id"])) == 3
    order = np.argsort(-found["flux_peak"])
    stem = found["id"][order[0]]
    assert [str(name) for name in found["id"][order]] == [stem, stem + "a", stem + "b"]


def test_names_never_say_sixty_seconds():
    from skysort.images.detection import _letters, _name

    assert _name(0.0, 0.0) == "J000000.0+000000"
    assert _name(359.99999999999, -0.0000001) == "J000000.0-000000"
    assert _name(14.99999, 89.99999) == "J005959.9+895959"
    assert _name(15.0 * (10 + 20 / 60 + 30.1 / 3600), -(5 + 6 / 60 + 7 / 3600)) == (
        "J102030.1-050607"
    )
    assert [_letters(n) for n in (0, 1, 26, 27, 53)] == ["", "a", "z", "aa", "ba"]


@pytest.mark.parametrize("n_sigma", [0, -1, np.nan])
def test_a_limit_that_is_not_positive_is_refused(tmp_path, n_sigma):
    with pytest.raises(InputError, match="n_sigma must be positive"):
        detect_sources(mosaic_of(tmp_path, noise()), n_sigma=n_sigma)


@pytest.mark.realdata
def test_nvss_fields_have_about_sixteen_sources_each(real_data):
    counts = []
    for path in sorted((real_data / "nvss_fields_24").glob("*.fits.fz")):
        mosaic = open_mosaic(path)
        found = detect_sources(mosaic)
        counts.append(len(found))
        assert len(set(found["id"])) == len(found)
        assert (found["snr"] >= 5).all()
        assert cutouts(mosaic, found["ra"], found["dec"], 32)[1].all()
    assert len(counts) == 24
    assert 13 <= np.mean(counts) <= 20
    assert min(counts) >= 5
