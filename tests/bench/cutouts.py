"""Cutouts from a mosaic: ours against the loop over astropy's Cutout2D that users would write.

.venv/bin/python tests/bench/cutouts.py
"""

import time
from tempfile import TemporaryDirectory

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import Cutout2D
from astropy.wcs import WCS

from skysort.images.mosaics import Mosaic, cutouts, open_mosaic

EDGE, SIZE, N_OURS, N_PEER = 4000, 64, 20_000, 2_000


def make_mosaic(folder: str) -> Mosaic:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [150.0, 2.0]
    wcs.wcs.crpix = [EDGE / 2, EDGE / 2]
    wcs.wcs.cdelt = [-1.8 / 3600, 1.8 / 3600]
    pixels = np.random.default_rng(1).normal(size=(EDGE, EDGE)).astype(np.float32)
    path = f"{folder}/mosaic.fits"
    fits.PrimaryHDU(pixels, wcs.to_header()).writeto(path)
    return open_mosaic(path)


def cpu_seconds(work) -> tuple[float, np.ndarray]:
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def peer(mosaic: Mosaic, sky: SkyCoord) -> np.ndarray:
    return np.stack(
        [
            Cutout2D(mosaic.pixels, position, SIZE, wcs=mosaic.wcs, mode="partial").data
            for position in sky
        ]
    )


def main() -> None:
    with TemporaryDirectory() as folder:
        mosaic = make_mosaic(folder)
        rng = np.random.default_rng(2)
        x, y = rng.uniform(SIZE, EDGE - SIZE, (2, N_OURS))
        sky = mosaic.sky_positions(x, y)
        cutouts(mosaic, sky.ra.deg[:100], sky.dec.deg[:100], SIZE)  # touches the mosaic once
        ours_s, (ours, inside) = cpu_seconds(lambda: cutouts(mosaic, sky.ra.deg, sky.dec.deg, SIZE))
        peer_s, theirs = cpu_seconds(lambda: peer(mosaic, sky[:N_PEER]))
    assert inside.all()
    np.testing.assert_array_equal(ours[:N_PEER], theirs)
    ours_rate, peer_rate = N_OURS / ours_s, N_PEER / peer_s
    print(f"cutouts of {SIZE} x {SIZE} from {EDGE} x {EDGE}, equal pixels, per CPU-second")
    print(f"  skysort.images.mosaics.cutouts  {ours_rate:10,.0f}")
    print(f"  astropy.nddata.Cutout2D loop    {peer_rate:10,.0f}")
    print(f"  ratio                           {ours_rate / peer_rate:10.1f}")


if __name__ == "__main__":
    main()
