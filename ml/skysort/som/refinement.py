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
        squared = view.norms.new_full((len(step), 3), torch.inf)
        rows = torch.arange(len(step), device=step.device)
        for _ in range(MOST_MOVES):
            at = candidates.moved(rows, step[rows])
            first, found = self._squared(view, at)  # (l,), (l, T)
            last = found.shape[1] - 1
            least = found.amin(dim=1, keepdim=True)
            tied = found <= least * (1.0 + TIED) + TIED * view.power[at.image, None]
            inside = tied[:, 1:last].any(dim=1)
            tied[inside, 0] = False
            place = tied.int().argmax(dim=1)  # the first one
            beside = place.clamp(1, last - 1)[:, None] + torch.arange(-1, 2, device=place.device)
            three = found.gather(1, beside)
            alone = torch.full_like(three, torch.inf)
            alone[:, 1] = found.gather(1, place[:, None]).squeeze(1)
            squared[rows] = torch.where(inside[:, None], three, alone)
            step[rows] = (first + place) % self.back.n_rotations
            rows = rows[~inside]
            if len(rows) == 0:
                break
        return step, squared

    def _squared(self, view: View, candidates: Candidates) -> tuple[Tensor, Tensor]:
        """Squared distances (l, T) at T steps around each candidate's, and the first step (l,)."""
        back, unit = self.back, candidates.unit
        quarter, rest = candidates.step // back.quarter, candidates.step % back.quarter
        window = rest // back.n_steps
        first = quarter * back.quarter + window * back.n_steps - MARGIN
        # Mirrored, then turned by k quarters, is turned by -k quarters, then mirrored.
        symmetry = torch.where(candidates.flip, 4 + (-quarter) % 4, quarter)
        found = view.norms.new_empty((len(unit), back.n_products))
        covered = None if view.blank is None else torch.empty_like(found)
        order = torch.argsort(unit * back.n_windows + window, stable=True)
        counts = torch.bincount(unit, minlength=len(self.prototypes))
        start = 0
        for units, bank in self._banks(blank=view.blank is not None):
            stop = start + int(counts[units].sum())
            for rows in torch.split(order[start:stop], AT_ONCE.get(view.norms.device.type, 1024)):
                images = self._moved(view.splines, candidates.image[rows], symmetry[rows])
                group = (unit[rows] - units.start) * back.n_windows + window[rows]
                found[rows] = self._products(images, bank, group)
                if covered is not None:
                    shape = (len(rows), view.splines.shape[1], self.back.pixels.shape[1])
                    gaps = images.view(shape)[:, view.blank]
                    covered[rows] = self._products(gaps.sum(dim=1), self._window, window[rows])
            start = stop
        squared = (view.norms[candidates.image] + self._norms[unit])[:, None] - 2.0 * found
        squared.clamp_min_(0.0)
        if covered is None:
            return first, squared
        seen = self._n_compared - covered
        scaled = squared * (self._n_compared / seen)
        return first, torch.where(seen >= LEAST_SEEN, scaled, torch.inf)

    def _moved(self, splines: Tensor, image: Tensor, symmetry: Tensor) -> Tensor:
        """Images (l, B * P), each moved by its own symmetry."""
        flat, n_pixels = splines.flatten(1), splines[0, 0].numel()
        channel = n_pixels * torch.arange(splines.shape[1], device=splines.device)
        places = (channel[:, None] + self.back.pixels[:, None]).flatten(1)  # (8, B * P)
        order = torch.argsort(symmetry)
        counts = torch.bincount(symmetry, minlength=len(places)).tolist()
        moved = splines.new_empty((len(image), places.shape[1]))
        parts = torch.split(flat.index_select(0, image[order]), counts)
        for part, there, target in zip(parts, places, torch.split(moved, counts), strict=True):
            torch.gather(part, 1, there.expand(len(part), -1), out=target)
        return moved.index_select(0, torch.argsort(order))

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
        """Blocks of prototypes, and these turned back (k, T, B * P)."""
        weights = self.comparison.weights(self.prototypes, blank=blank)
        at_once = max(1, self._memory_bytes // self.back.bytes_per_image(weights.shape[1]))
        if at_once >= len(weights):
            yield slice(0, len(weights)), self.back.turn_for((self._key, blank), weights)
            return
        for start in range(0, len(weights), at_once):
            bank = self.back.turn(weights[start : start + at_once])
            yield slice(start, start + len(bank)), bank

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
        zero = torch.zeros_like(unit)
        as_it_is = Candidates(rows, unit, zero.bool(), zero, zero.bool())
        return self._squared(view, as_it_is)[1][:, MARGIN]
