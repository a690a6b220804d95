"""Synthetic radio surveys with known truth, for the demo, the tests and the benchmarks.

A source is a handful of circular Gaussian blobs strung along jets, tails or rings. A Gaussian
beam makes a wider Gaussian of each, so a noiseless image is one matrix product per source:
``sum_p flux_p * gauss_y_p * gauss_x_p``. The shapes follow Fanaroff & Riley (1974, MNRAS 167,
31P): FR I jets fade outwards, FR II lobes are brightest at their outer edges; both may be bent
(wide- and narrow-angle tails). Beam, pixel and noise are those of the FIRST survey (Becker, White
& Helfand 1995, ApJ 450, 559).
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from skysort.errors import InputError

__all__ = ["SHAPES", "Shape", "make_images", "make_survey"]

FloatArray = NDArray[np.float64]

PIXEL_ARCSEC = 1.8
BEAM_ARCSEC = 5.4
BEAM_SIGMA = BEAM_ARCSEC / PIXEL_ARCSEC / np.sqrt(8.0 * np.log(2.0))  # pixels
NOISE_JY = 1.5e-4  # root mean square, Jy/beam
QUANTIZATION_JY = NOISE_JY / 5.0  # adds 0.2 % to the noise

CUTOUT = 64  # pixels; all lengths below are in pixels of such a cutout
REACH = 24.0  # no blob lies farther from the centre, so that every source fits in its cutout
PITCH = 62  # pixels between the nodes of the grid on which sources are strewn
BORDER = 16  # pixels, so that cutouts near the edge stay inside the mosaic
JITTER = 5.0  # pixels
OCCUPANCY = 0.94  # of the grid's nodes; gaps let the sky be seen
ARM_BLOBS = 24
MAX_SNR = 300.0

FIELD_CENTRE_DEG = (232.10, 38.20)  # of the first field; the others follow eastwards
FIELD_STEP_DEG = 0.9


@dataclass(frozen=True)
class _Blobs:
    """Circular Gaussians before the beam: arrays (n, p); sigma in pixels, flux relative."""

    x: FloatArray
    y: FloatArray
    sigma: FloatArray
    flux: FloatArray


@dataclass(frozen=True)
class Shape:
    """How often a shape occurs, what a volunteer should answer and how faint it may be.

    Attributes
    ----------
    answer : str
        The key in the question tree.
    share : float
        Of all sources.
    snr : tuple of float
        Smallest and largest peak signal-to-noise ratio.
    draw : callable
        ``(rng, n) -> blobs`` in the source's own frame.
    """

    answer: str
    share: float
    snr: tuple[float, float]
    draw: Callable[[np.random.Generator, int], _Blobs]


def _paths(length: FloatArray, heading: FloatArray, turn: FloatArray) -> tuple[FloatArray, ...]:
    """Walk along two arms (n, 2) from the core, turning steadily: x, y (n, 2, M)."""
    s = (np.arange(ARM_BLOBS) + 0.5) / ARM_BLOBS
    angle = heading[..., None] + turn[..., None] * s
    step = length[..., None] / ARM_BLOBS
    return np.cumsum(step * np.cos(angle), axis=-1), np.cumsum(step * np.sin(angle), axis=-1)


def _arms(
    paths: tuple[FloatArray, ...],
    profile: FloatArray,
    sigma: FloatArray,
    side_flux: FloatArray,
    core_flux: FloatArray,
) -> _Blobs:
    """Put light (n, 2, M) along the two arms, and a point at the core (n,)."""
    n = len(core_flux)
    profile = profile / profile.sum(axis=-1, keepdims=True)
    flux = (profile * side_flux[..., None]).reshape(n, -1)
    x, y = (path.reshape(n, -1) for path in paths)
    width = np.broadcast_to(sigma, paths[0].shape).reshape(n, -1)
    zero = np.zeros((n, 1))
    return _Blobs(
        np.hstack([x, zero]),
        np.hstack([y, zero]),
        np.hstack([width, zero]),
        np.hstack([flux * (1.0 - core_flux[:, None]), core_flux[:, None]]),
    )


def _side_flux(rng: np.random.Generator, n: int, scatter: float) -> FloatArray:
    """Shares of the two sides (n, 2) with a lognormal ratio."""
    share = 1.0 / (1.0 + np.exp(rng.normal(0.0, scatter, n)))
    return np.stack([share, 1.0 - share], axis=1)


def _opposite(rng: np.random.Generator, n: int, scatter_rad: float) -> FloatArray:
    """Headings (n, 2) of two nearly opposite arms."""
    return np.array([0.0, np.pi]) + rng.normal(0.0, scatter_rad, (n, 2))


def _compact(rng: np.random.Generator, n: int) -> _Blobs:
    separation = rng.uniform(0.0, 1.6, n)
    x = np.stack([-separation, separation], axis=1) / 2.0
    sigma = np.repeat(rng.uniform(0.0, 0.7, (n, 1)), 2, axis=1)
    return _Blobs(x, np.zeros((n, 2)), sigma, _side_flux(rng, n, 0.3))


def _fri(rng: np.random.Generator, n: int) -> _Blobs:
    length = rng.uniform(10.0, 24.0, (n, 1)) * rng.uniform(0.8, 1.0, (n, 2))
    paths = _paths(length, _opposite(rng, n, 0.06), rng.normal(0.0, 0.22, (n, 2)))
    s = np.arange(ARM_BLOBS) / ARM_BLOBS
    fading = rng.uniform(0.3, 0.7, (n, 1, 1))
    sigma = 0.5 + rng.uniform(0.04, 0.13, (n, 1, 1)) * length[..., None] * s
    core = rng.uniform(0.02, 0.16, n)
    return _arms(paths, np.exp(-s / fading), sigma, _side_flux(rng, n, 0.3), core)


def _lobes(rng: np.random.Generator, n: int, shortest: float, core: FloatArray) -> _Blobs:
    """Two edge-brightened lobes with hot spots at their ends."""
    length = rng.uniform(shortest, 23.0, (n, 1)) * rng.uniform(0.8, 1.0, (n, 2))
    paths = _paths(length, _opposite(rng, n, 0.07), rng.normal(0.0, 0.08, (n, 2)))
    s = np.arange(1, ARM_BLOBS + 1) / ARM_BLOBS
    profile = s ** rng.uniform(2.5, 7.0, (n, 1, 1))
    profile = profile / profile.sum(axis=-1, keepdims=True)
    hot = rng.uniform(0.2, 0.7, (n, 1))
    profile *= 1.0 - hot[..., None]
    profile[..., -1] += hot
    sigma = 0.3 + rng.uniform(0.2, 1.8, (n, 1, 1)) * (1.0 - s) ** 0.5
    return _arms(paths, profile, sigma, _side_flux(rng, n, 0.3), core)


def _frii(rng: np.random.Generator, n: int) -> _Blobs:
    return _lobes(rng, n, 5.0, rng.uniform(0.0, 0.03, n))


def _triple(rng: np.random.Generator, n: int) -> _Blobs:
    return _lobes(rng, n, 12.0, rng.uniform(0.14, 0.34, n))


def _bent(rng: np.random.Generator, n: int) -> _Blobs:
    length = rng.uniform(15.0, 30.0, (n, 1)) * rng.uniform(0.8, 1.0, (n, 2))
    half_opening = rng.uniform(0.65, 1.35, (n, 1)) * np.array([-1.0, 1.0])
    turn = -half_opening * rng.uniform(0.1, 1.1, (n, 1)) + rng.normal(0.0, 0.1, (n, 2))
    paths = _paths(length, half_opening, turn)
    s = np.arange(1, ARM_BLOBS + 1) / ARM_BLOBS
    spot = rng.uniform(0.3, 0.95, (n, 1, 1))
    fading = np.exp(-s / rng.uniform(0.5, 1.5, (n, 1, 1)))
    warm = rng.uniform(0.0, 1.5, (n, 1, 1)) * np.exp(-((s - spot) ** 2) / 0.01)
    sigma = 0.4 + rng.uniform(0.03, 0.09, (n, 1, 1)) * length[..., None] * s
    core = rng.uniform(0.01, 0.1, n)
    return _arms(paths, fading + warm, sigma, _side_flux(rng, n, 0.25), core)


def _diffuse(rng: np.random.Generator, n: int) -> _Blobs:
    p = 12
    long = rng.uniform(4.0, 8.5, (n, 1))
    x = long * rng.normal(0.0, 1.0, (n, p)).clip(-1.6, 1.6)
    y = long * rng.uniform(0.5, 1.0, (n, 1)) * rng.normal(0.0, 1.0, (n, p)).clip(-1.6, 1.6)
    return _Blobs(x, y, rng.uniform(2.5, 4.2, (n, p)), rng.uniform(0.3, 1.0, (n, p)))


def _ring(rng: np.random.Generator, n: int) -> _Blobs:
    p = 64
    azimuth = 2.0 * np.pi * np.arange(p) / p
    radius = rng.uniform(7.5, 15.0, (n, 1))
    flatness = rng.uniform(0.8, 1.0, (n, 1))
    phase = rng.uniform(0.0, 2.0 * np.pi, (n, 1))
    flux = 1.0 + rng.uniform(0.0, 0.45, (n, 1)) * np.cos(azimuth - phase)
    sigma = np.broadcast_to(rng.uniform(0.3, 1.2, (n, 1)), (n, p))
    return _Blobs(radius * np.cos(azimuth), flatness * radius * np.sin(azimuth), sigma, flux)


def _spokes(rng: np.random.Generator, n: int) -> _Blobs:
    """Draw a bright point with the three-legged sidelobes of a snapshot with the VLA."""
    legs = np.arange(3) * np.pi / 3.0 + rng.normal(0.0, 0.08, (n, 3))
    radius = np.concatenate([np.arange(-22.0, -3.0, 1.5), np.arange(4.0, 23.0, 1.5)])
    wave = np.cos(2.0 * np.pi * np.abs(radius) / rng.uniform(7.0, 11.0, (n, 1)))
    strength = rng.uniform(0.07, 0.14, (n, 1, 1)) * rng.uniform(0.5, 1.0, (n, 3, 1))
    flux = strength * (0.35 + wave)[:, None, :]
    x = np.cos(legs)[..., None] * radius  # (n, 3, radii)
    y = np.sin(legs)[..., None] * radius
    zero, one = np.zeros((n, 1)), np.ones((n, 1))
    return _Blobs(
        np.hstack([zero, x.reshape(n, -1)]),
        np.hstack([zero, y.reshape(n, -1)]),
        np.zeros((n, 1 + x[0].size)),
        np.hstack([one, flux.reshape(n, -1)]),
    )


def _stripes(rng: np.random.Generator, n: int) -> _Blobs:
    """Draw parallel ripples of alternating sign, as a bad baseline leaves them."""
    line, along = np.meshgrid(np.arange(-4, 5), np.linspace(-18.0, 18.0, 17), indexing="ij")
    spacing = rng.uniform(3.5, 4.6, (n, 1))
    x = spacing * line.ravel()
    y = np.broadcast_to(along.ravel(), x.shape)
    envelope = np.exp(-(x**2 + y**2) / (2.0 * rng.uniform(6.0, 9.0, (n, 1)) ** 2))
    flux = np.where(line.ravel() % 2 == 0, 1.0, -1.0) * envelope
    return _Blobs(x, y.copy(), np.full(x.shape, 0.6), flux)


def _artefact(rng: np.random.Generator, n: int) -> _Blobs:
    """Draw two kinds by turns; the shorter list of blobs is filled up with empty ones."""
    kinds = [_spokes(rng, n), _stripes(rng, n)]
    width = max(kind.x.shape[1] for kind in kinds)
    choice = rng.integers(0, 2, (n, 1)) == 0

    def mixed(name: str) -> FloatArray:
        first, second = (
            np.pad(getattr(kind, name), ((0, 0), (0, width - kind.x.shape[1]))) for kind in kinds
        )
        return np.where(choice, first, second)

    return _Blobs(mixed("x"), mixed("y"), mixed("sigma"), mixed("flux"))


#: Every shape by name. A core between two edge-brightened lobes is still an FR II.
SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        "compact": Shape("compact", 0.30, (8.0, MAX_SNR), _compact),
        "frii": Shape("frii", 0.24, (13.0, MAX_SNR), _frii),
        "fri": Shape("fri", 0.16, (14.0, MAX_SNR), _fri),
        "bent": Shape("bent", 0.14, (14.0, MAX_SNR), _bent),
        "triple": Shape("frii", 0.06, (18.0, MAX_SNR), _triple),
        "diffuse": Shape("other", 0.05, (8.0, 25.0), _diffuse),
        "artefact": Shape("artefact", 0.04, (70.0, MAX_SNR), _artefact),
        "ring": Shape("other", 0.01, (10.0, 60.0), _ring),
    }
)


def _centred(blobs: _Blobs, rng: np.random.Generator) -> _Blobs:
    """Turn by a random angle, centre the surrounding box and shrink what reaches too far."""
    angle = rng.uniform(0.0, 2.0 * np.pi, (len(blobs.x), 1))
    x = np.cos(angle) * blobs.x - np.sin(angle) * blobs.y
    y = np.sin(angle) * blobs.x + np.cos(angle) * blobs.y
    x -= (x.min(axis=1, keepdims=True) + x.max(axis=1, keepdims=True)) / 2.0
    y -= (y.min(axis=1, keepdims=True) + y.max(axis=1, keepdims=True)) / 2.0
    shrink = np.minimum(1.0, REACH / np.hypot(x, y).max(axis=1, keepdims=True).clip(1e-9))
    return _Blobs(x * shrink, y * shrink, blobs.sigma * shrink, blobs.flux)


def _snr(rng: np.random.Generator, n: int, limits: tuple[float, float]) -> FloatArray:
    """Peak signal-to-noise ratios with counts N(>S) ~ 1/S between two limits."""
    low, high = limits
    return 1.0 / rng.uniform(1.0 / high, 1.0 / low, n)


def _render(blobs: _Blobs, size: int, centre: FloatArray) -> FloatArray:
    """Noiseless images (n, size, size) in flux per beam, each centred on its (x, y) pixel."""
    variance = blobs.sigma**2 + BEAM_SIGMA**2  # (n, p)
    pixels = np.arange(size, dtype=float)
    dx = pixels - (blobs.x + centre[:, :1])[..., None]  # (n, p, size)
    dy = pixels - (blobs.y + centre[:, 1:])[..., None]
    across = np.exp(-0.5 * dx**2 / variance[..., None])
    upward = np.exp(-0.5 * dy**2 / variance[..., None])
    upward *= (blobs.flux * BEAM_SIGMA**2 / variance)[..., None]
    images: FloatArray = upward.transpose(0, 2, 1) @ across
    return images


@dataclass(frozen=True)
class _Sources:
    stamps: FloatArray  # (n, size, size), Jy/beam
    flux_jy: FloatArray  # (n,)
    extent: FloatArray  # (n,), pixels from end to end before the beam


def _sources(rng: np.random.Generator, shape: str, size: int, offset: FloatArray) -> _Sources:
    """Draw one source per row of `offset` (n, 2), the distance from the cutout's centre."""
    kind, n, scale = SHAPES[shape], len(offset), size / CUTOUT
    drawn = _centred(kind.draw(rng, n), rng)
    blobs = _Blobs(drawn.x * scale, drawn.y * scale, drawn.sigma * scale, drawn.flux)
    snr = _snr(rng, n, kind.snr)
    stamps = _render(blobs, size, offset + (size - 1) / 2.0)
    brightness = snr * NOISE_JY / stamps.max(axis=(1, 2))
    extent = 2.0 * np.hypot(blobs.x, blobs.y).max(axis=1)
    return _Sources(stamps * brightness[:, None, None], blobs.flux.sum(axis=1) * brightness, extent)


def _noise(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Gaussian noise of `NOISE_JY` with the beam's correlation, over the last two axes."""
    ky = np.fft.fftfreq(shape[-2])[:, None]
    kx = np.fft.rfftfreq(shape[-1])
    beam = np.exp(-2.0 * (np.pi * BEAM_SIGMA) ** 2 * (kx**2 + ky**2))
    white = np.fft.rfft2(rng.standard_normal(shape))
    smooth: FloatArray = np.fft.irfft2(white * beam, s=shape[-2:])
    full_beam = np.exp(-2.0 * (np.pi * BEAM_SIGMA) ** 2 * (np.fft.fftfreq(shape[-1]) ** 2 + ky**2))
    smooth *= NOISE_JY / np.sqrt(np.mean(full_beam**2))
    return smooth


def _shares(shapes: Sequence[str]) -> FloatArray:
    share: FloatArray = np.array([SHAPES[name].share for name in shapes])
    share /= share.sum()
    return share


def make_images(
    n: int, *, size: int = CUTOUT, seed: int, shapes: Sequence[str] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Make single cutouts of known answer, quickly enough for tens of thousands.

    Parameters
    ----------
    n : int
        Number of images.
    size : int, optional
        Pixels along an edge. Sources scale with it, the beam does not.
    seed : int
        Equal seeds give equal images.
    shapes : sequence of str, optional
        Names from `SHAPES`, drawn in proportion to their shares; by default all.

    Returns
    -------
    images : ndarray, float32, (n, 1, size, size)
        Jy/beam, with noise, never NaN.
    answers : ndarray of str, (n,)
        The question tree's key of each image.

    Raises
    ------
    InputError
        If `n` or `size` is too small or a shape is unknown.

    Examples
    --------
    >>> images, answers = make_images(3, seed=1, shapes=["compact"])
    >>> images.shape, answers.tolist()
    ((3, 1, 64, 64), ['compact', 'compact', 'compact'])
    """
    names = list(SHAPES) if shapes is None else list(shapes)
    unknown = [name for name in names if name not in SHAPES]
    if unknown or not names:
        raise InputError(f"shapes must be names among {', '.join(SHAPES)}, got {unknown}")
    if n < 1:
        raise InputError(f"n must be at least 1, got {n}")
    if size < 16:
        raise InputError(f"size must be at least 16 pixels, got {size}")
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(names), size=n, p=_shares(names))
    images = np.empty((n, 1, size, size), dtype=np.float32)
    batch = 512  # keeps the matrices of one product in the processor's cache
    for start in range(0, n, batch):
        images[start : start + batch, 0] = _noise(
            rng, (len(images[start : start + batch]), size, size)
        )
    for k, name in enumerate(names):
        rows = np.flatnonzero(chosen == k)
        for start in range(0, len(rows), batch):
            part = rows[start : start + batch]
            images[part, 0] += _sources(rng, name, size, np.zeros((len(part), 2))).stamps
    answers = np.array([SHAPES[name].answer for name in names])[chosen]
    return images, answers


@dataclass(frozen=True)
class _Row:
    id: str
    ra: str
    dec: str
    flux_total_mjy: str
    major_axis_arcsec: str
    mosaic: str
    shape: str
    answer: str


def _field_wcs(number: int, size: int) -> WCS:
    ra, dec = FIELD_CENTRE_DEG
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.crval = [ra + FIELD_STEP_DEG * number, dec]
    wcs.wcs.crpix = [(size + 1) / 2.0, (size + 1) / 2.0]
    wcs.wcs.cdelt = [-PIXEL_ARCSEC / 3600.0, PIXEL_ARCSEC / 3600.0]
    wcs.wcs.radesys = "ICRS"
    return wcs


def _header(name: str, wcs: WCS, seed: int) -> fits.Header:
    header = wcs.to_header()
    header["OBJECT"] = (name, "synthetic field, not on the sky")
    header["BUNIT"] = "Jy/beam"
    header["BMAJ"] = (BEAM_ARCSEC / 3600.0, "[deg] beam, full width at half maximum")
    header["BMIN"] = (BEAM_ARCSEC / 3600.0, "[deg] beam, full width at half maximum")
    header["BPA"] = (0.0, "[deg] position angle of the beam")
    header.add_history(f"SYNTHETIC: made by skysort.synthetic.make_survey, seed {seed}.")
    header.add_history("No telescope saw this; the sky at these positions looks different.")
    return header


def _shape_list(rng: np.random.Generator, n: int) -> list[str]:
    """Names of `n` shapes in their shares, at least one of each, shuffled."""
    share = _shares(list(SHAPES))
    counts = np.maximum(1, np.round(n * share).astype(int))
    counts[0] += n - counts.sum()
    names = np.repeat(list(SHAPES), counts)
    return [str(name) for name in rng.permutation(names)]


def _nodes(rng: np.random.Generator, mosaic_size: int) -> FloatArray:
    """Jittered positions (n, 2) in pixels, OCCUPANCY of a square grid, in reading order."""
    along = BORDER + PITCH * (np.arange((mosaic_size - 2 * BORDER) // PITCH) + 0.5)
    y, x = np.meshgrid(along, along, indexing="ij")
    nodes = np.stack([x.ravel(), y.ravel()], axis=1)
    kept = np.sort(rng.permutation(len(nodes))[: max(1, round(OCCUPANCY * len(nodes)))])
    return nodes[kept] + rng.uniform(-JITTER, JITTER, (len(kept), 2))


def _paint(mosaic: FloatArray, stamps: FloatArray, corner: NDArray[np.int64]) -> None:
    """Add stamps (n, s, s) at their lower left corners (n, 2), cut at the mosaic's edge."""
    size, edge = stamps.shape[-1], len(mosaic)
    for stamp, (x, y) in zip(stamps, corner, strict=True):
        rows = slice(max(0, y), min(edge, y + size))
        columns = slice(max(0, x), min(edge, x + size))
        mosaic[rows, columns] += stamp[
            rows.start - y : rows.stop - y, columns.start - x : columns.stop - x
        ]


def _rows(sources: _Sources, shape: str, sky: SkyCoord, mosaic: str) -> list[_Row]:
    major = np.hypot(sources.extent * PIXEL_ARCSEC, BEAM_ARCSEC)
    ra = sky.ra.to_string(unit="hourangle", sep="", precision=1, pad=True)
    dec = sky.dec.to_string(sep="", precision=0, pad=True, alwayssign=True)
    return [
        _Row(
            f"J{ra[i]}{dec[i]}",
            f"{sky.ra.deg[i]:.6f}",
            f"{sky.dec.deg[i]:.6f}",
            f"{1e3 * sources.flux_jy[i]:.3f}",
            f"{major[i]:.2f}",
            mosaic,
            shape,
            SHAPES[shape].answer,
        )
        for i in range(len(major))
    ]


def _field(
    rng: np.random.Generator,
    nodes: FloatArray,
    shapes: Sequence[str],
    wcs: WCS,
    mosaic_size: int,
    file: str,
) -> tuple[NDArray[np.float32], list[_Row]]:
    """Noise and sources of one mosaic, and their rows in reading order."""
    mosaic = _noise(rng, (mosaic_size, mosaic_size))
    corner = np.floor(nodes - (CUTOUT - 1) / 2.0).astype(np.int64)
    offset = nodes - (CUTOUT - 1) / 2.0 - corner
    found: dict[int, _Row] = {}
    for shape in SHAPES:
        members = np.array([i for i, name in enumerate(shapes) if name == shape], dtype=np.int64)
        if len(members) == 0:
            continue
        sources = _sources(rng, shape, CUTOUT, offset[members])
        _paint(mosaic, sources.stamps, corner[members])
        sky = wcs.pixel_to_world(nodes[members, 0], nodes[members, 1])
        found.update(zip(members.tolist(), _rows(sources, shape, sky, file), strict=True))
    return mosaic.astype(np.float32), [found[i] for i in range(len(nodes))]


def _write_table(path: Path, rows: Sequence[_Row], columns: Sequence[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([getattr(row, column) for column in columns] for row in rows)


def _write_mosaic(
    path: Path, pixels: NDArray[np.float32], header: fits.Header, number: int
) -> None:
    compressed = fits.CompImageHDU(
        pixels,
        header,
        compression_type="RICE_1",
        quantize_level=-QUANTIZATION_JY,  # negative: the step itself
        quantize_method=1,  # subtractive dither: no bias in faint light
        dither_seed=number + 1,
    )
    compressed.writeto(path, overwrite=True)


def make_survey(
    folder: Path | str, *, seed: int = 20261123, n_mosaics: int = 3, mosaic_size: int = 900
) -> int:
    """Write a small radio survey with known truth.

    The folder receives `field-1.fits.fz`, ... (Jy/beam, TAN projection), `sources.csv` (id, ra,
    dec, flux_total_mjy, major_axis_arcsec, mosaic) and `truth.csv` (id, shape, answer).

    Parameters
    ----------
    folder : path
        Made if need be; files of these names are overwritten.
    seed : int, optional
        Equal seeds give equal files.
    n_mosaics : int, optional
        Number of fields, side by side on the sky.
    mosaic_size : int, optional
        Pixels along an edge of a field; one of 900 holds 184 sources.

    Returns
    -------
    int
        Number of sources.

    Raises
    ------
    InputError
        If there is no mosaic, or one too small for a source.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     make_survey(folder, n_mosaics=1, mosaic_size=280)
    15
    """
    if n_mosaics < 1:
        raise InputError(f"n_mosaics must be at least 1, got {n_mosaics}")
    if mosaic_size < 2 * BORDER + 3 * PITCH:
        raise InputError(
            f"mosaic_size must be at least {2 * BORDER + 3 * PITCH} pixels, got {mosaic_size}"
        )
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    nodes = [_nodes(rng, mosaic_size) for _ in range(n_mosaics)]
    shapes = iter(_shape_list(rng, sum(map(len, nodes))))
    rows: list[_Row] = []
    for number, places in enumerate(nodes):
        file, wcs = f"field-{number + 1}.fits.fz", _field_wcs(number, mosaic_size)
        names = [next(shapes) for _ in places]
        pixels, found = _field(rng, places, names, wcs, mosaic_size, file)
        _write_mosaic(target / file, pixels, _header(f"SYNTHETIC {number + 1}", wcs, seed), number)
        rows += found
    _write_table(
        target / "sources.csv",
        rows,
        ("id", "ra", "dec", "flux_total_mjy", "major_axis_arcsec", "mosaic"),
    )
    _write_table(target / "truth.csv", rows, ("id", "shape", "answer"))
    return len(rows)
