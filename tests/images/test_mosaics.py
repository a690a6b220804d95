"""Cutouts are centred on their sources and identical to astropy's."""

import warnings

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import Cutout2D, NoOverlapError
from astropy.wcs import WCS

from skysort.errors import InputError
from skysort.images.mosaics import cutouts, open_mosaic


def wcs_of(projection="TAN", *, frame=("RA--", "DEC-"), centre=(150.0, 20.0), crpix=(60.5, 45.5)):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [f"{frame[0]}-{projection}", f"{frame[1]}-{projection}"]
    wcs.wcs.crval = centre
    wcs.wcs.crpix = crpix
    wcs.wcs.cdelt = [-2 / 3600, 2 / 3600]
    wcs.wcs.cunit = ["deg", "deg"]
    return wcs


def write(path, pixels, wcs, **cards):
    header = wcs.to_header()
    header.update(cards)
    fits.PrimaryHDU(pixels, header).writeto(path)
    return path


@pytest.fixture
def pixels():
    return np.random.default_rng(0).normal(size=(90, 120)).astype(np.float32)


@pytest.fixture
def mosaic(tmp_path, pixels):
    return open_mosaic(write(tmp_path / "field.fits", pixels, wcs_of()))


def sky_of(mosaic, x, y):
    sky = mosaic.wcs.pixel_to_world(np.asarray(x, float), np.asarray(y, float))
    return sky.icrs.ra.deg, sky.icrs.dec.deg


@pytest.mark.parametrize("size", [1, 15, 16, 64, 200])
def test_pixels_are_identical_to_cutout2d(mosaic, size):
    rng = np.random.default_rng(size)
    x = np.concatenate([rng.uniform(-40, 160, 150), [0, 119, -0.4, 119.4, 60, 59.9]])
    y = np.concatenate([rng.uniform(-40, 130, 150), [0, 89, 89.4, -0.4, 45, 44.1]])
    ra, dec = sky_of(mosaic, x, y)
    found, inside = cutouts(mosaic, ra, dec, size)
    on = (x >= -0.5) & (x < 119.5) & (y >= -0.5) & (y < 89.5)
    np.testing.assert_array_equal(inside, on)
    for place, (cut, is_inside) in enumerate(zip(found, inside, strict=True)):
        if not is_inside:
            assert np.isnan(cut).all()
            continue
        position = [
            float(v) for v in mosaic.wcs.world_to_pixel(SkyCoord(ra[place], dec[place], unit="deg"))
        ]
        expected = Cutout2D(mosaic.pixels, position, size, mode="partial", fill_value=np.nan)
        np.testing.assert_array_equal(cut, expected.data)


@pytest.mark.parametrize("size", [32, 33])
@pytest.mark.parametrize("projection", ["TAN", "SIN"])
def test_a_source_at_a_fraction_of_a_pixel_lands_within_half_a_pixel_of_the_centre(
    tmp_path, size, projection
):
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:200, :200]
    at = np.stack(np.meshgrid([40, 100, 160], [40, 100, 160]), axis=-1).reshape(-1, 2)
    at = at + rng.uniform(-0.5, 0.5, at.shape)
    field = sum(np.exp(-((x - px) ** 2 + (y - py) ** 2) / 4.0) for px, py in at)
    wcs = wcs_of(projection, crpix=(100.0, 100.0))
    mosaic = open_mosaic(write(tmp_path / "field.fits", field.astype(np.float32), wcs))
    sky = wcs.pixel_to_world(at[:, 0], at[:, 1])
    found, inside = cutouts(mosaic, sky.ra.deg, sky.dec.deg, size)
    assert inside.all()
    row, column = np.mgrid[:size, :size]
    for cut in found:
        for axis in (row, column):
            centroid = (cut * axis).sum() / cut.sum()
            assert abs(centroid - (size - 1) / 2) <= 0.5 + 1e-3


@pytest.mark.parametrize("size", [8, 9])
def test_a_source_on_the_centre_of_a_pixel_is_on_pixel_half_the_size(mosaic, pixels, size):
    # Planted by the header's own definition: the reference position lies on CRPIX.
    mosaic.wcs.wcs.crpix = [61.0, 46.0]
    found, _ = cutouts(mosaic, [150.0], [20.0], size)
    assert found[0, size // 2, size // 2] == pixels[45, 60]


@pytest.mark.parametrize(
    "cards", [{"RADESYS": "FK5", "EQUINOX": 2000.0}, {"RADESYS": "FK4", "EQUINOX": 1950.0}]
)
def test_positions_are_brought_to_the_frame_of_the_mosaic(tmp_path, pixels, cards):
    mosaic = open_mosaic(write(tmp_path / "field.fits", pixels, wcs_of(), **cards))
    frame = {"FK5": "fk5", "FK4": "fk4"}[cards["RADESYS"]]
    sky = SkyCoord(150.0, 20.0, unit="deg", frame=frame).icrs
    x, y = mosaic.pixel_positions([sky.ra.deg], [sky.dec.deg])
    np.testing.assert_allclose([x[0], y[0]], [59.5, 44.5], atol=1e-3)


def test_galactic_mosaics_are_cut_at_icrs_positions(tmp_path, pixels):
    wcs = wcs_of(frame=("GLON", "GLAT"))
    mosaic = open_mosaic(write(tmp_path / "field.fits", pixels, wcs))
    sky = SkyCoord(150.0, 20.0, unit="deg", frame="galactic").icrs
    x, y = mosaic.pixel_positions([sky.ra.deg], [sky.dec.deg])
    np.testing.assert_allclose([x[0], y[0]], [59.5, 44.5], atol=1e-6)


@pytest.mark.parametrize("projection", ["TAN", "SIN"])
def test_the_far_side_of_the_sky_is_outside(tmp_path, pixels, projection):
    mosaic = open_mosaic(write(tmp_path / "field.fits", pixels, wcs_of(projection)))
    ra, dec = [330.0, 330.0, 150.0, np.nan, 150.0, np.inf], [-20.0, 20.0, 95.0, 20.0, 20.0, 0.0]
    found, inside = cutouts(mosaic, ra, dec, 8)
    assert inside.tolist() == [False, False, False, False, True, False]
    assert np.isnan(found[~inside]).all()


def test_positions_on_blank_sky_are_not_inside(tmp_path, pixels):
    pixels[:, :50] = np.nan
    pixels[45, 60] = np.nan
    mosaic = open_mosaic(write(tmp_path / "field.fits", pixels, wcs_of()))
    ra, dec = sky_of(mosaic, [20, 60, 90, 48, 49], [45, 45, 45, 45, 45])
    assert cutouts(mosaic, ra, dec, 16)[1].tolist() == [False, True, True, False, True]


def test_radio_cubes_with_axes_of_length_one_are_squeezed(tmp_path, pixels):
    wcs = WCS(naxis=4)
    wcs.wcs.ctype = ["RA---SIN", "DEC--SIN", "FREQ", "STOKES"]
    wcs.wcs.crval = [150.0, 20.0, 1.4e9, 1.0]
    wcs.wcs.crpix = [60.5, 45.5, 1.0, 1.0]
    wcs.wcs.cdelt = [-2 / 3600, 2 / 3600, 1e6, 1.0]
    wcs.wcs.cunit = ["deg", "deg", "Hz", ""]
    mosaic = open_mosaic(write(tmp_path / "cube.fits", pixels[None, None], wcs))
    np.testing.assert_array_equal(mosaic.pixels, pixels)
    assert mosaic.pixels.flags.c_contiguous
    assert mosaic.pixels.dtype.isnative
    assert cutouts(mosaic, [150.0], [20.0], 8)[1].all()
    planes = np.stack([pixels, pixels])[None]
    with pytest.raises(InputError, match=r"planes.fits must hold one plane .* \(1, 2, 90, 120\)"):
        open_mosaic(write(tmp_path / "planes.fits", planes, wcs))


def test_a_mosaic_with_swapped_axes_is_turned_upright(tmp_path, pixels):
    wcs = wcs_of()
    swapped = wcs.sub([2, 1])
    upright = open_mosaic(write(tmp_path / "upright.fits", pixels, wcs))
    turned = open_mosaic(write(tmp_path / "swapped.fits", pixels.T.copy(), swapped))
    ra, dec = sky_of(upright, [30, 80], [20, 60])
    np.testing.assert_array_equal(*[cutouts(each, ra, dec, 9)[0] for each in (upright, turned)])


def test_distortions_are_followed(tmp_path, pixels):
    wcs = wcs_of()
    header = wcs.to_header()
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN-SIP", "DEC--TAN-SIP"
    header["A_ORDER"] = header["B_ORDER"] = 2
    header["A_2_0"], header["B_0_2"] = 1e-3, -1e-3
    path = tmp_path / "sip.fits"
    fits.PrimaryHDU(pixels, header).writeto(path)
    mosaic = open_mosaic(path)
    # 40 pixels right of CRPIX the polynomial adds 1e-3 * 40**2 to the linear position.
    ra, dec = sky_of(open_mosaic(write(tmp_path / "plain.fits", pixels, wcs)), 59.5 + 41.6, 44.5)
    x, y = mosaic.pixel_positions([ra], [dec])
    np.testing.assert_allclose([x[0], y[0]], [99.5, 44.5], atol=1e-3)


@pytest.mark.parametrize("suffix", [".fits.gz", ".fits.fz", ".fits"])
def test_packed_mosaics_are_read(tmp_path, pixels, suffix):
    path = tmp_path / f"field{suffix}"
    header = wcs_of().to_header()
    if suffix == ".fits.fz":
        fits.CompImageHDU(pixels, header, quantize_level=0, compression_type="GZIP_1").writeto(path)
    else:
        extension = fits.ImageHDU(pixels, header)
        fits.HDUList([fits.PrimaryHDU(), extension]).writeto(path)
    np.testing.assert_array_equal(open_mosaic(path).pixels, pixels)


def test_integers_are_scaled_and_their_blanks_are_nan(tmp_path):
    header = wcs_of().to_header()
    header["BLANK"] = 5
    path = tmp_path / "integers.fits"
    hdu = fits.PrimaryHDU(np.arange(64, dtype=np.int16).reshape(8, 8), header)
    hdu.writeto(path)
    with fits.open(path, mode="update", do_not_scale_image_data=True) as hdus:
        hdus[0].header["BSCALE"], hdus[0].header["BZERO"] = 0.5, 1.0
    expected = 1.0 + 0.5 * np.arange(64.0).reshape(8, 8)
    expected[0, 5] = np.nan
    np.testing.assert_array_equal(open_mosaic(path).pixels, expected)


def test_the_pixel_scale_is_in_arcseconds(mosaic):
    assert mosaic.pixel_scale_arcsec == pytest.approx(2.0)


def test_files_that_are_no_mosaic_are_named(tmp_path, pixels):
    whole = write(tmp_path / "whole.fits", pixels, wcs_of()).read_bytes()
    packed = tmp_path / "packed.fits.fz"
    fits.CompImageHDU(pixels, wcs_of().to_header()).writeto(packed)
    bad = {
        "text.fits": b"this is no image\n" * 400,
        "empty.fits": b"",
        "header.fits": whole[:1000],
        "truncated.fits": whole[:-9000],
        "no-data.fits": whole[:2880],
        "cut.fits.fz": packed.read_bytes()[:-6000],
        "cut.fits.gz": b"\x1f\x8b\x08\x00garbage",
    }
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    fits.PrimaryHDU(pixels).writeto(tmp_path / "no-wcs.fits")
    fits.PrimaryHDU().writeto(tmp_path / "no-image.fits")
    fits.BinTableHDU.from_columns([fits.Column("a", "J", array=[1])]).writeto(
        tmp_path / "table.fits"
    )
    for name in (*bad, "no-wcs.fits", "no-image.fits", "table.fits", "missing.fits"):
        with pytest.raises(InputError, match=name):
            open_mosaic(tmp_path / name)
    with pytest.raises(InputError, match="no celestial coordinates"):
        open_mosaic(tmp_path / "no-wcs.fits")
    with pytest.raises(InputError, match="truncated"):
        open_mosaic(tmp_path / "truncated.fits")


def test_a_mosaic_of_absurd_size_is_refused_before_memory_is_taken(tmp_path, pixels):
    header = fits.PrimaryHDU(pixels, wcs_of().to_header()).header
    header["NAXIS1"], header["NAXIS2"] = 10**6, 10**6
    (tmp_path / "huge.fits").write_bytes(header.tostring().encode() + bytes(2880))
    with pytest.raises(InputError, match=r"huge\.fits"):
        open_mosaic(tmp_path / "huge.fits")


def test_damaged_bytes_give_an_image_or_a_sentence(tmp_path, pixels):
    rng = np.random.default_rng(5)
    for kind in ("plain.fits", "packed.fits.fz"):
        path = tmp_path / kind
        hdu = fits.PrimaryHDU if kind == "plain.fits" else fits.CompImageHDU
        hdu(pixels[:20, :20], wcs_of().to_header()).writeto(path)
        whole = np.frombuffer(path.read_bytes(), dtype=np.uint8)
        n_refused = 0
        for _ in range(60):
            damaged = whole.copy()
            places = rng.integers(0, len(whole), 60)
            damaged[places] = rng.integers(32, 127, 60)
            path.write_bytes(damaged.tobytes())
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    n_refused -= open_mosaic(path).pixels.ndim == 2
                except InputError:
                    n_refused += 1
        assert n_refused > -60


@pytest.mark.parametrize(
    ("ra", "dec", "size", "message"),
    [
        ([1.0], [1.0, 2.0], 8, "equally long lists"),
        (1.0, 1.0, 8, "equally long lists"),
        ([1.0], [1.0], 0, "size must be at least 1 pixel"),
    ],
)
def test_wrong_arguments_are_named(mosaic, ra, dec, size, message):
    with pytest.raises(InputError, match=message):
        cutouts(mosaic, ra, dec, size)


def test_no_positions_give_no_cutouts(mosaic):
    found, inside = cutouts(mosaic, [], [], 8)
    assert found.shape == (0, 8, 8)
    assert inside.shape == (0,)


@pytest.mark.realdata
def test_nvss_fields_are_cut_as_astropy_does(real_data):
    paths = sorted((real_data / "nvss_fields_24").glob("*.fits.fz"))
    assert len(paths) == 24
    rng = np.random.default_rng(0)
    for path in paths:
        mosaic = open_mosaic(path)
        assert mosaic.pixels.shape == (150, 150)
        assert mosaic.pixel_scale_arcsec == pytest.approx(15.0, rel=1e-3)
        ra, dec = sky_of(mosaic, rng.uniform(0, 149, 10), rng.uniform(0, 149, 10))
        found, inside = cutouts(mosaic, ra, dec, 32)
        assert inside.all()
        for cut, sky in zip(found, SkyCoord(ra, dec, unit="deg"), strict=True):
            try:
                expected = Cutout2D(
                    mosaic.pixels, sky, 32, wcs=mosaic.wcs, mode="partial", fill_value=np.nan
                ).data
            except NoOverlapError:
                pytest.fail(f"{path.name}: astropy finds {sky} outside")
            np.testing.assert_array_equal(cut, expected)
