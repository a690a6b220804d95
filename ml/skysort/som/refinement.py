"""The exact distances of a few alignments, pixel by pixel.

What was found on rings is compared as the reference does it (`skysort.som.matching`): turned to
whole steps by cubic splines and multiplied with the prototype over the window, at the steps around
the candidate's. It is the prototypes that are turned (`skysort.som.backturn`), so that the products
of all images near one prototype at one angle are a matrix product.
"""

import math
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from skysort.som.backturn import MARGIN, BackTurner
from skysort.som.comparison import Comparison, View
from skysort.som.polar_matching import Candidates, parabola

__all__ = ["Places", "Refiner"]

#: How often a candidate may move on, if its nearest step lies at the end of those looked at.
MOST_MOVES = 4
#: Turning an image must bring it nearer by this share of its squared distance; else it stays.
ROUND = 1e-3
#: Squared distances within this share of the least one, and of the image's norm, are tied: they
#: are differences of norms.
TIED = 1e-6
#: Candidates that are compared at once, so that their images stay in the processor's cache.
AT_ONCE = {"cpu": 128, "cuda": 16384}
#: Pixels that an angle must leave in the window of an image with gaps.
LEAST_SEEN = 1.0


class Places(NamedTuple):
    """Best and second-best unit of N images, see `skysort.som.projection.Projection`."""

    best: Tensor
    second: Tensor
    distance: Tensor
    second_distance: Tensor
    angle_rad: Tensor
    flip: Tensor


class Refiner:
    """K prototypes, made ready for exact comparison.

    Parameters
    ----------
    prototypes : Tensor (K, C, H, W), float32
        Square and finite.
    comparison : Comparison
        The window.
    back : BackTurner
        Turns prototypes back; of the same window.
    memory_bytes : int
        For prototypes that are turned back: if not all find room, they are turned block after
        block for each call.
    """

    def __init__(
        self, prototypes: Tensor, comparison: Comparison, back: BackTurner, *, memory_bytes: int
    ) -> None:
        self.prototypes, self.comparison, self.back = prototypes, comparison, back
        self._norms = comparison.squared_norms(prototypes)  # (K,)
        self._memory_bytes, self._key = memory_bytes, object()
        self._n_compared = prototypes.shape[1] * int(comparison.window.sum())  # pixels

    @cached_property
    def _window(self) -> Tensor:
        """The window itself, turned back."""
        return self.back.turn(self.comparison.window.to(self._norms)[None, None])

    def refine(self, view: View, candidates: Candidates) -> Places:
        """Compare all candidates exactly and find each image's best two units.

        Parameters
        ----------
        view : View
            Of N images. Of blank ones, the squared distance over the rest is scaled up to the
            whole window.
        candidates : Candidates
            At least two units of each image.

        Returns
        -------
        Places
            The distances at the best whole steps that are found from the candidates'. The angle
            lies between the steps, at the vertex of the parabola through the squared distances
            there and beside it. Where no angle brings an image nearer to its best unit by more
            than 0.1 % of the squared distance, it stays as it is: a round or blank image has angle
            0 and no flip.
        """
        step, squared = self._climb(view, candidates)  # (L,), (L, 3)
        here, full = squared[:, 1], self.back.n_rotations
        best = self._nearest(view, candidates, step, here)
        unit = candidates.unit[best]
        others = torch.where(candidates.unit == unit[candidates.image], torch.inf, here)
        second = self._nearest(view, candidates, step, others)
        shift, gain = parabola(*squared[best].unbind(dim=1))
        shift = torch.where(gain.abs() > TIED * here[best], shift, 0.0)  # nor where gain is NaN
        angle = (step[best] + shift.double()) * (2.0 * math.pi / full)
        nearest, flip = here[best], candidates.flip[best]
        moved = flip | (step[best] != 0)
        rows = (candidates.is_round[best] & moved).nonzero().squeeze(1)
        unturned = self._unturned(view, rows, unit[rows])
        stays = unturned <= nearest[rows] * (1.0 + ROUND)
        rows = rows[stays]
        nearest[rows], angle[rows], flip[rows] = unturned[stays], 0.0, False
        return Places(
            best=unit,
            second=candidates.unit[second],
            distance=nearest.sqrt(),
            second_distance=here[second].sqrt(),
            angle_rad=angle.remainder(2.0 * math.pi).float(),
            flip=flip,
        )

    def distances(self, view: View, candidates: Candidates) -> Tensor:
        """Exact distances (L,) at the nearest whole step that is found from each candidate."""
        return self._climb(view, candidates)[1][:, 1].sqrt()

    def _climb(self, view: View, candidates: Candidates) -> tuple[Tensor, Tensor]:
        """Find each candidate's best step (L,), and the squared distances (L, 3) there and beside.

        Beside a step that still lies at the end of those looked at is nothing (infinity).
        """
        step = candidates.step.clone()
        squared = view.power.new_full((len(step), 3), torch.inf)
        order = torch.argsort(candidates.unit, stable=True)
        counts = torch.bincount(candidates.unit, minlength=len(self.prototypes))
        start = 0
        with self.back.lock:
            for units, bank in self._banks(blank=view.blank is not None):
                rows = order[start : start + int(counts[units].sum())]
                start += len(rows)
                for _ in range(MOST_MOVES):
                    if len(rows) == 0:
                        break
                    at = candidates.moved(rows, step[rows])
                    first, found = self._squared(view, at, bank, units.start)
                    place, squared[rows], inside = _nearest_step(found, view.power[at.image])
                    step[rows] = (first + place) % self.back.n_rotations
                    rows = rows[~inside]
        return step, squared

    def _squared(
        self, view: View, candidates: Candidates, bank: Tensor, first_unit: int
    ) -> tuple[Tensor, Tensor]:
        """Squared distances (l, T) at T steps around each candidate's, and the first step (l,).

        Their units are those of the bank, which begins with `first_unit`.
        """
        back, unit = self.back, candidates.unit
        quarter, rest = candidates.step // back.quarter, candidates.step % back.quarter
        window = rest // back.n_steps
        first = quarter * back.quarter + window * back.n_steps - MARGIN
        # Mirrored, then turned by k quarters, is turned by -k quarters, then mirrored.
        symmetry = torch.where(candidates.flip, 4 + (-quarter) % 4, quarter)
        group = (unit - first_unit) * back.n_windows + window
        found = view.power.new_empty((len(unit), back.n_products))
        covered = None if view.blank is None else torch.empty_like(found)
        at_once = AT_ONCE.get(found.device.type, AT_ONCE["cpu"])
        places = back.places(view.splines.shape[1])
        for rows in torch.split(torch.argsort(group, stable=True), at_once):
            images = _moved(view.splines, places, candidates.image[rows], symmetry[rows])
            found[rows] = self._products(images, bank, group[rows])
            if covered is not None:
                gaps = self._gaps(images, view)
                covered[rows] = self._products(gaps, self._window, window[rows])
        return first, self._apart(view, candidates.image, unit, found, covered)

    def _apart(
        self, view: View, image: Tensor, unit: Tensor, products: Tensor, covered: Tensor | None
    ) -> Tensor:
        """Squared distances (l, T) by the products and by how many pixels are blank (l, T)."""
        norms = view.norms[image] + self._norms[unit]
        squared = (norms[:, None] - 2.0 * products).clamp_min_(0.0)
        if covered is None:
            return squared
        seen = self._n_compared - covered
        return torch.where(seen >= LEAST_SEEN, squared * (self._n_compared / seen), torch.inf)

    def _gaps(self, images: Tensor, view: View) -> Tensor:
        """How many channels (l, P) are blank, of moved images (l, B * P)."""
        shape = (len(images), view.splines.shape[1], self.back.pixels.shape[1])
        return images.view(shape)[:, view.blank].sum(dim=1)

    def _products(self, images: Tensor, bank: Tensor, group: Tensor) -> Tensor:
        """Products (l, T) of moved images (l, B * P) with their own part of the bank.

        `group` (l,) tells the unit of the block and its window of steps; what is alike should lie
        together.
        """
        back = self.back
        found = images.new_empty((len(images), back.n_products))
        groups, counts = torch.unique_consecutive(group, return_counts=True)
        parts = zip(
            torch.split(images, counts.tolist()), torch.split(found, counts.tolist()), strict=True
        )
        for place, (some, target) in zip(groups.tolist(), parts, strict=True):
            unit, window = divmod(place, back.n_windows)
            first = window * back.n_steps
            torch.mm(some, bank[unit, first : first + back.n_products].T, out=target)
        return found

    def _banks(self, *, blank: bool) -> Iterator[tuple[slice, Tensor]]:
        """Blocks of prototypes, and these turned back (k, T, B * P); one holds until the next."""
        weights = self.comparison.weights(self.prototypes, blank=blank)
        at_once = max(1, self._memory_bytes // self.back.bytes_per_image(weights.shape[1]))
        for start in range(0, len(weights), at_once):
            part = weights[start : start + at_once]
            bank = self.back.turn_for((self._key, blank, start), part)
            yield slice(start, start + len(part)), bank

    def _nearest(self, view: View, candidates: Candidates, step: Tensor, squared: Tensor) -> Tensor:
        """Row (N,) of each image's nearest candidate; ties go to the lowest unit, flip, angle."""
        full, image = self.back.n_rotations, candidates.image
        least = torch.full_like(view.norms, torch.inf)
        least = least.scatter_reduce(0, image, squared, "amin")
        tied = squared <= (least * (1.0 + TIED) + view.power * TIED)[image]
        order = (candidates.unit * 2 + candidates.flip) * full + step
        key = order * len(order) + torch.arange(len(order), device=order.device)
        key = torch.where(tied, key, torch.iinfo(torch.int64).max)
        first = key.new_full((len(least),), torch.iinfo(torch.int64).max)
        return first.scatter_reduce(0, image, key, "amin") % len(order)

    def _unturned(self, view: View, rows: Tensor, unit: Tensor) -> Tensor:
        """Squared distances (l,) of some images (l,) as they are from one unit each."""
        weights = self.comparison.weights(self.prototypes[unit], blank=view.blank is not None)
        places = self.back.places(view.splines.shape[1])
        images = _moved(view.splines, places, rows, torch.zeros_like(rows))
        products = (images * self.back.turn(weights, still=True)[:, 0]).sum(dim=1, keepdim=True)
        covered = None
        if view.blank is not None:
            covered = self._gaps(images, view) @ self._window[0, MARGIN, :, None]
        return self._apart(view, rows, unit, products, covered).squeeze(1)


def _moved(splines: Tensor, places: Tensor, image: Tensor, symmetry: Tensor) -> Tensor:
    """Images (l, B * P), each moved by its own symmetry, see `BackTurner.places`."""
    order = torch.argsort(symmetry)
    counts = torch.bincount(symmetry, minlength=len(places)).tolist()
    moved = splines.new_empty((len(image), places.shape[1]))
    parts = torch.split(splines.flatten(1).index_select(0, image[order]), counts)
    for part, there, target in zip(parts, places, torch.split(moved, counts), strict=True):
        torch.gather(part, 1, there.expand(len(part), -1), out=target)
    return moved.index_select(0, torch.argsort(order))


def _nearest_step(squared: Tensor, power: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Find the least of squared distances (l, T) of images with squared norms (l,).

    Of equal ones the first counts, but rather none at an end.

    Returns
    -------
    place : Tensor (l,)
        Where it is.
    three : Tensor (l, 3)
        It, and those beside it; infinity beside one at an end.
    inside : Tensor (l,), bool
        Whether it lies at no end.
    """
    last = squared.shape[1] - 1
    least = squared.amin(dim=1, keepdim=True)
    tied = squared <= least * (1.0 + TIED) + TIED * power[:, None]
    inside = tied[:, 1:last].any(dim=1)
    tied[inside, 0] = False
    place = tied.int().argmax(dim=1)
    beside = place.clamp(1, last - 1)[:, None] + torch.arange(-1, 2, device=place.device)
    alone = torch.full((len(place), 3), torch.inf, device=place.device)
    alone[:, 1] = squared.gather(1, place[:, None]).squeeze(1)
    return place, torch.where(inside[:, None], squared.gather(1, beside), alone), inside
