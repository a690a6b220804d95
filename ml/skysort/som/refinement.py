"""The exact distances of a few alignments, pixel by pixel.

What was found on rings is compared as the reference does it (`skysort.som.matching`): turned by
bicubic interpolation to a whole step, subtracted, squared and summed over the window. The
neighbouring steps are compared as well, until the best one lies between two worse ones.

That is a local minimum. Noise of single pixels makes the squared distance of a nearly round source
jump by some per cent from step to step, since interpolation takes more of it at some angles than at
others; there the least of all steps, which the reference finds by trying each, may be elsewhere.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from skysort.som.polar_matching import Candidates, parabola
from skysort.som.rotation import N_SYMMETRIES, symmetry_undo
from skysort.som.turning import Turner

__all__ = ["Places", "Refiner"]

#: Candidates within this share of an image's nearest one climb to their best step. Of 400 noisy
#: synthetic sources 98.3 % found their best unit with 1.05, and 99.8 % with 1.25.
CONTENDER = 1.25
#: Steps that a candidate may climb; the polar angle of 99.7 % of FIRST images was within two.
MOST_CLIMBS = 4
#: A step must bring a candidate nearer by this share of its squared distance.
CLIMB = 2e-4
#: Turning an image must bring it nearer by this share of its squared distance; else it stays.
ROUND = 1e-3
#: Interpolation ripples the squared distance of a small source from step to step. Where it is as
#: small as this share of the norm, so many steps to either side of the best one are compared. Of
#: 1,200 FIRST images that leaves 0.5 % more than a thousandth farther than the reference finds
#: them, instead of 2 %.
RIPPLED = 0.35
REACH = 6
#: Squared distances within this share are tied.
TIED = 1e-6


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
    turner : Turner
        Keeps the pixels of the window.
    window : Tensor (H, W), bool
        Pixels that are compared.
    use_flip : bool
        Whether mirror images are the same thing.
    """

    def __init__(
        self, prototypes: Tensor, turner: Turner, *, window: Tensor, use_flip: bool
    ) -> None:
        self.n_prototypes, self.turner = len(prototypes), turner
        self._pixels = window.flatten().nonzero().squeeze(1).to(prototypes.device)  # (D,)
        n_symmetries = N_SYMMETRIES if use_flip else N_SYMMETRIES // 2
        variants = [symmetry_undo(prototypes, s) for s in range(n_symmetries)]
        self._variants = torch.cat(variants).flatten(2)[..., self._pixels]  # (S * K, C, D)

    def refine(self, images: Tensor, candidates: Candidates, blank: Tensor | None = None) -> Places:
        """Compare all candidates exactly and find each image's best two units.

        Parameters
        ----------
        images : Tensor (N, C, H, W), float32
            Finite; 0 where blank.
        candidates : Candidates
            At least two units of each image.
        blank : Tensor (N, C, H, W), bool, optional
            Pixels that are not compared. A squared distance over the rest is scaled up to the
            whole window.

        Returns
        -------
        Places
            Distances at the best whole step; that of the second-best unit is a local minimum. The
            angle lies between the steps, at the vertex of
            the parabola through the squared distances there and beside it. Where no angle brings
            an image nearer to its best unit by more than 0.1 % of the squared distance, it stays
            as it is: a round or blank image has angle 0 and no flip.
        """
        pixels = _Pixels(images.flatten(2), None if blank is None else blank.flatten(2))
        n, full = len(images), self.turner.n_rotations
        turn = torch.where(candidates.flip, -candidates.step, candidates.step)
        squared = self._climb(pixels, candidates, turn, CONTENDER)  # (L, 3)
        here = squared[:, 1]
        best = self._nearest(candidates, turn, here, n)
        unit = candidates.unit[best]
        others = torch.where(candidates.unit == unit[candidates.image], torch.inf, here)
        second = self._nearest(candidates, turn, others, n)
        second_squared = here[second]
        turn, squared = turn[best], squared[best]
        self._look_around(pixels, candidates, best, turn, squared)
        flip = candidates.flip[best]
        shift, gain = parabola(*squared.unbind(dim=1))
        shift = shift.masked_fill(gain.abs() <= TIED * squared[:, 1], 0.0)
        angle = (turn + shift.double()) * torch.where(flip, -1.0, 1.0) * (2.0 * math.pi / full)
        nearest = squared[:, 1].clone()
        moved = flip | (turn % full != 0)
        rows = (candidates.is_round[best] & moved).nonzero().squeeze(1)
        unturned = self._unturned(pixels, rows, unit[rows])
        stays = unturned <= nearest[rows] * (1.0 + ROUND)
        rows = rows[stays]
        nearest[rows], angle[rows], flip[rows] = unturned[stays], 0.0, False
        return Places(
            best=unit,
            second=candidates.unit[second],
            distance=nearest.sqrt(),
            second_distance=second_squared.sqrt(),
            angle_rad=angle.remainder(2.0 * math.pi).float(),
            flip=flip,
        )

    def distances(self, images: Tensor, candidates: Candidates) -> Tensor:
        """Exact distances (L,) at the nearest whole step that a climb from each candidate finds."""
        pixels = _Pixels(images.flatten(2), None)
        turn = torch.where(candidates.flip, -candidates.step, candidates.step)
        return self._climb(pixels, candidates, turn, math.inf)[:, 1].sqrt()

    def _climb(
        self, pixels: "_Pixels", candidates: Candidates, turn: Tensor, contender: float
    ) -> Tensor:
        """Squared distances (L, 3) at each candidate's best step, and beside it.

        Moves the steps before mirroring `turn` (L,) there, of candidates that are at most
        `contender` times as far as the nearest one of their image.
        """
        every = torch.arange(len(turn), device=turn.device)
        squared = self._squared(pixels, candidates, every, turn, (-1, 0, 1))
        lowest = squared.amin(dim=1)
        least = lowest.new_full((len(pixels.values),), torch.inf)
        least = least.scatter_reduce(0, candidates.image, lowest, "amin")
        able = lowest <= contender * least[candidates.image]
        for _ in range(MOST_CLIMBS):
            lower = squared[:, ::2] < squared[:, 1:2] * (1.0 - CLIMB)  # (L, 2)
            rows = (lower.any(dim=1) & able).nonzero().squeeze(1)
            if len(rows) == 0:
                break
            old = squared[rows]
            up = old[:, 2] <= old[:, 0]
            way = torch.where(up, 1, -1)
            turn[rows] += way
            new = self._squared(pixels, candidates, rows, turn[rows] + way, (0,))
            risen = torch.cat([old[:, 1:], new], dim=1)
            fallen = torch.cat([new, old[:, :2]], dim=1)
            squared[rows] = torch.where(up[:, None], risen, fallen)
        # What is beaten does not climb, but the best that was seen of it counts.
        squared[~able, 1] = lowest[~able]
        return squared

    def _look_around(
        self,
        pixels: "_Pixels",
        candidates: Candidates,
        best: Tensor,
        turn: Tensor,
        squared: Tensor,
    ) -> None:
        """Move images (N,) that resemble their units to a nearer step a few steps away."""
        rippled = squared[:, 1] < RIPPLED * pixels.norms()
        if not rippled.any():
            return
        reach = torch.arange(-REACH, REACH + 1, device=turn.device)
        beyond = [step for step in reach.tolist() if abs(step) > 1]
        new = self._squared(pixels, candidates, best[rippled], turn[rippled], tuple(beyond))
        below, above = torch.split(new, len(beyond) // 2, dim=1)
        around = torch.cat([below, squared[rippled], above], dim=1)  # (n, 2 REACH + 1)
        place = around[:, 1:-1].argmin(dim=1) + 1
        turn[rippled] += reach[place]
        squared[rippled] = around.gather(1, place[:, None] + reach[REACH - 1 : REACH + 2])

    def _squared(
        self,
        pixels: "_Pixels",
        candidates: Candidates,
        rows: Tensor,
        turn: Tensor,
        offsets: tuple[int, ...],
    ) -> Tensor:
        """Squared distances (l, O) of some rows (l,), turned by `turn` (l,) plus each offset."""
        image = candidates.image[rows]
        flip = candidates.flip[rows]
        step, symmetry = self.turner.split(torch.where(flip, -turn, turn), flip)
        variant = symmetry * self.n_prototypes + candidates.unit[rows]
        found, order = [], []
        for first, here in self.turner.groups(step):
            columns, blank = pixels.columns(image[here])  # (H * W, l * C)
            target = _columns(self._variants, variant[here])  # (D, l * C)
            for offset in offsets:
                apart = self.turner.turn(columns, first + offset).sub_(target)
                unseen = None if blank is None else self.turner.turn(blank, first + offset) > 0.5
                found.append(_sum(apart, unseen, pixels.n_channels))
            order.append(here)
        parts = torch.cat([part.repeat(len(offsets)) for part in order])
        which = torch.arange(len(offsets), device=turn.device)
        which = torch.cat([which.repeat_interleave(len(part)) for part in order])
        squared = torch.empty((len(rows), len(offsets)), device=turn.device)
        squared[parts, which] = torch.cat(found)
        return squared

    def _nearest(
        self, candidates: Candidates, turn: Tensor, squared: Tensor, n_images: int
    ) -> Tensor:
        """Row (N,) of each image's nearest candidate; ties go to the lowest unit, flip, angle."""
        full, image = self.turner.n_rotations, candidates.image
        least = squared.new_full((n_images,), torch.inf)
        least = least.scatter_reduce(0, image, squared, "amin")
        tied = squared <= (least * (1.0 + TIED))[image]
        step = torch.where(candidates.flip, -turn, turn) % full
        order = (candidates.unit * 2 + candidates.flip) * full + step
        key = order * len(order) + torch.arange(len(order), device=order.device)
        key = torch.where(tied, key, torch.iinfo(torch.int64).max)
        first = key.new_full((n_images,), torch.iinfo(torch.int64).max)
        return first.scatter_reduce(0, image, key, "amin") % len(order)

    def _unturned(self, pixels: "_Pixels", rows: Tensor, unit: Tensor) -> Tensor:
        """Squared distances (l,) of some images (l,) as they are from one unit each."""
        columns, blank = pixels.columns(rows)
        apart = columns[self._pixels].sub_(_columns(self._variants, unit))
        unseen = None if blank is None else blank[self._pixels] > 0.5
        return _sum(apart, unseen, pixels.n_channels)


@dataclass(frozen=True)
class _Pixels:
    """Flattened images (N, C, H * W), and where they are blank."""

    values: Tensor
    blank: Tensor | None

    @property
    def n_channels(self) -> int:
        """C."""
        return self.values.shape[1]

    def norms(self) -> Tensor:
        """Squared norms (N,)."""
        norms: Tensor = torch.linalg.vector_norm(self.values, dim=(1, 2)).square()
        return norms

    def columns(self, image: Tensor) -> tuple[Tensor, Tensor | None]:
        """Put images into columns (H * W, n * C), and their blank pixels as numbers."""
        values = _columns(self.values, image)
        if self.blank is None:
            return values, None
        return values, _columns(self.blank, image).to(values.dtype)


def _columns(images: Tensor, rows: Tensor) -> Tensor:
    """Put some images (N, C, D) into columns (D, n * C)."""
    return images.index_select(0, rows).flatten(0, 1).T.contiguous()


def _sum(apart: Tensor, unseen: Tensor | None, n_channels: int) -> Tensor:
    """Squared distances (n,) of differences (D, n * C), which it overwrites."""
    if unseen is None:
        return apart.square_().sum(dim=0).view(-1, n_channels).sum(dim=1)
    apart.masked_fill_(unseen, 0.0)
    squared = apart.square_().sum(dim=0).view(-1, n_channels).sum(dim=1)
    seen = (~unseen).sum(dim=0).view(-1, n_channels).sum(dim=1)
    # Scaled up to the whole window; infinite where nothing is seen.
    return squared * (len(apart) * n_channels) / seen
