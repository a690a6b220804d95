"""How well places on a map agree with those of the exact reference, image by image."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.dlpack import from_dlpack

from skysort.som.exact import ExactSOM
from skysort.som.matching import aligned_distances
from skysort.som.projection import Projection
from skysort.som.stack import iterate_chunks, slices

__all__ = ["Agreement", "compared"]

#: Two units whose distances differ by less, relatively, are tied.
TIE = 1e-6
#: An image is round if turning it by so much, to either side, brings it no farther than by this
#: share of its distance: pixel noise alone then decides on its angle.
TURNED_RAD = math.radians(10.0)
ROUND = 1e-2
#: Another alignment that is at most this much farther, relatively, is as good.
AS_NEAR = 1e-3
CHUNK = 32

#: Median, 99th percentile and maximum; None where there was nothing to measure.
Spread = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class Agreement:
    """How places of N images agree with those of the exact reference.

    Attributes
    ----------
    same_unit : float
        Share with the reference's best unit, or one that is tied with it.
    distance_error : tuple of float
        Median, 99th percentile and maximum of the relative error of the distance, by the exact
        distance from the same unit.
    n_not_round : int
        Images on the same unit whose angle means something.
    within_degree : float, optional
        Share of these whose angle and flip are the reference's to one degree (or half a step of
        the reference, where that is more), or that lie as near by another alignment; None without
        any.
    angle_error_deg : tuple of float
        Median, 99th percentile and maximum for those of them that are flipped alike and have no
        other alignment.
    quantization_error : float
        Mean exact distance of the images from the units that were chosen for them.
    """

    same_unit: float
    distance_error: Spread
    n_not_round: int
    within_degree: float | None
    angle_error_deg: Spread
    quantization_error: float


@dataclass(frozen=True)
class _Truth:
    """What the reference says: distances (N, K), its own places, and which images are round."""

    distances: NDArray[np.float64]
    projection: Projection
    round: NDArray[np.bool_]


def compared(
    reference: ExactSOM, images: NDArray[np.float32], others: Mapping[str, Projection]
) -> dict[str, Agreement]:
    """Compare projections of images (N, C, H, W) on the reference's map with its own.

    Parameters
    ----------
    reference : ExactSOM
        With the prototypes that the others used.
    images : ndarray (N, C, H, W), float32
        All of them.
    others : mapping of str to Projection
        By the names of what made them.

    Returns
    -------
    dict of str to Agreement
    """
    projection = reference.project(images)
    truth = _Truth(
        distances=_all_distances(reference, images),
        projection=projection,
        round=_is_round(reference, images, projection),
    )
    return {name: _agreement(reference, images, truth, other) for name, other in others.items()}


def _all_distances(reference: ExactSOM, images: NDArray[np.float32]) -> NDArray[np.float64]:
    """Distances (N, K) from all units."""
    matcher, found = reference.matcher(), []
    for chunk in iterate_chunks(images, slices(len(images), CHUNK), reference.config.image_shape):
        match = matcher.match(from_dlpack(chunk.pixels).to(reference.device))
        found.append(match.squared.sqrt().cpu().numpy().astype(np.float64))
    return np.concatenate(found)


def _aligned_distances(
    reference: ExactSOM,
    images: NDArray[np.float32],
    places: Projection,
    turned_rad: float = 0.0,
) -> NDArray[np.float64]:
    """Exact distances (N,) at the alignments of a projection, turned by a little more."""
    config = reference.config
    found = []
    for start, stop in slices(len(images), CHUNK):
        unit, angle, flip = (
            torch.from_numpy(column[start:stop]).to(reference.device)
            for column in (places.best, places.angle_rad, places.flip)
        )
        pixels = torch.from_numpy(np.array(images[start:stop])).to(reference.device)
        found.append(
            aligned_distances(
                pixels,
                reference.weights[unit],
                angle.double() + turned_rad,
                flip,
                window=config.window,
                radius=config.radius,
            )
        )
    return torch.cat(found).cpu().numpy().astype(np.float64)


def _is_round(
    reference: ExactSOM, images: NDArray[np.float32], places: Projection
) -> NDArray[np.bool_]:
    left, right = (
        _aligned_distances(reference, images, places, sign * TURNED_RAD) for sign in (-1.0, 1.0)
    )
    round_: NDArray[np.bool_] = np.minimum(left, right) <= places.distance * (1.0 + ROUND)
    return round_


def _agreement(
    reference: ExactSOM, images: NDArray[np.float32], truth: _Truth, other: Projection
) -> Agreement:
    every, exact = np.arange(len(other)), truth.projection
    chosen = truth.distances[every, other.best]
    chosen = np.where(other.best == exact.best, exact.distance, chosen)  # subtracted, not expanded
    same = (other.best == exact.best) | (chosen <= truth.distances.min(axis=1) * (1.0 + TIE))
    error = np.abs(other.distance - chosen) / np.maximum(chosen, np.finfo(np.float32).tiny)
    shaped = (other.best == exact.best) & ~truth.round
    turn = np.abs((other.angle_rad - exact.angle_rad + np.pi) % (2.0 * np.pi) - np.pi)
    degrees = np.degrees(turn)
    alike = shaped & (other.flip == exact.flip)
    near = alike & (degrees <= max(1.0, 180.0 / reference.config.n_rotations))
    aligned = _aligned_distances(reference, images, _on_steps(other, reference.config.n_rotations))
    as_good = shaped & ~near & (aligned <= exact.distance * (1.0 + AS_NEAR))
    return Agreement(
        same_unit=float(same.mean()),
        distance_error=_spread(error),
        n_not_round=int(shaped.sum()),
        within_degree=float((near | as_good)[shaped].mean()) if shaped.any() else None,
        angle_error_deg=_spread(degrees[alike & ~as_good]),
        quantization_error=float(chosen.mean()),
    )


def _on_steps(places: Projection, n_rotations: int) -> Projection:
    """Move angles to the nearest ones that the reference compares."""
    step = 2.0 * np.pi / n_rotations
    return replace(places, angle_rad=(np.round(places.angle_rad / step) * step).astype(np.float32))


def _spread(values: NDArray[np.floating]) -> Spread:
    """Median, 99th percentile and maximum; None of nothing."""
    if len(values) == 0:
        return (None, None, None)
    median, most, largest = np.percentile(values, [50.0, 99.0, 100.0])
    return float(median), float(most), float(largest)
