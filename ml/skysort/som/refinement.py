"""The exact distances of a few alignments, pixel by pixel.

What was found on rings is compared as the reference does it (`skysort.som.matching`): turned by
bicubic interpolation to a whole step, subtracted, squared and summed over the window. The
neighbouring steps are compared as well, until the best one lies between two worse ones.
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

#: Candidates within this share of an image's nearest one climb to their best step. It is more
#: than a step changes, so the others are beaten.
CONTENDER = 1.05
#: Steps that a candidate may climb; the polar angle of 99.7 % of FIRST images was within two.
MOST_CLIMBS = 4
#: A step must bring a candidate nearer by this share of its squared distance.
CLIMB = 2e-4
#: Turning an image must bring it nearer by this share of its squared distance; else it stays.
ROUND = 1e-3
#: Interpolation ripples the squared distance of a small source from step to step. Where it is as
#: small as this share of the norm, so many steps to either side of the best one are compared.
RIPPLED = 0.02
REACH = 4
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
            Distances at the best whole step. The angle lies between the steps, at the vertex of
            the parabola through the squared distances there and beside it. Where no angle brings
            an image nearer to its best unit by more than 0.1 % of the squared distance, it stays
            as it is: a round or blank image has angle 0 and no flip.
        """
        pixels = _Pixels(images.flatten(2), None if blank is None else blank.flatten(2))
        n, full = len(images), self.turner.n_rotations
        turn = torch.where(candidates.flip, -candidates.step, candidates.step)
        every = torch.arange(len(turn), device=turn.device)
        here = self._squared(pixels, candidates, every, turn, (0,)).squeeze(1)  # (L,)
        least = here.new_full((n,), torch.inf).scatter_reduce(0, candidates.image, here, "amin")
        rows = (here <= CONTENDER * least[candidates.image]).nonzero().squeeze(1)
        turn[rows], beside = self._climb(pixels, candidates, rows, turn[rows], here[rows])
        here[rows] = beside[:, 1]
        best = self._nearest(candidates, turn, here, n)
        unit = candidates.unit[best]
        others = torch.where(candidates.unit == unit[candidates.image], torch.inf, here)
        second = self._nearest(candidates, turn, others, n)
        place = torch.empty_like(every).scatter_(
            0, rows, torch.arange(len(rows), device=rows.device)
        )
        turn, squared = turn[best], beside[place[best]]
        self._look_around(pixels, candidates, best, turn, squared)
        flip, shift = candidates.flip[best], parabola(*squared.unbind(dim=1))[0]
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
            second_distance=here[second].sqrt(),
            angle_rad=angle.remainder(2.0 * math.pi).float(),
            flip=flip,
        )

    def distances(self, images: Tensor, candidates: Candidates) -> Tensor:
        """Exact distances (L,) at the nearest whole step that a climb from each candidate finds."""
        pixels = _Pixels(images.flatten(2), None)
        turn = torch.where(candidates.flip, -candidates.step, candidates.step)
        every = torch.arange(len(turn), device=turn.device)
        here = self._squared(pixels, candidates, every, turn, (0,)).squeeze(1)
        return self._climb(pixels, candidates, every, turn, here)[1][:, 1].sqrt()

    def _climb(
        self,
        pixels: "_Pixels",
        candidates: Candidates,
        rows: Tensor,
        turn: Tensor,
        here: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Best step before mirroring (l,), and squared distances (l, 3) there and beside it.

        From the steps `turn` (l,) of some candidates, where the squared distances are `here` (l,).
        """
        beside = self._squared(pixels, candidates, rows, turn, (-1, 1))
        squared = torch.stack([beside[:, 0], here, beside[:, 1]], dim=1)
        for _ in range(MOST_CLIMBS):
            lower = squared[:, ::2] < squared[:, 1:2] * (1.0 - CLIMB)  # (l, 2)
            moving = lower.any(dim=1).nonzero().squeeze(1)
            if len(moving) == 0:
                break
            old = squared[moving]
            up = old[:, 2] <= old[:, 0]
            way = torch.where(up, 1, -1)
            turn[moving] += way
            new = self._squared(pixels, candidates, rows[moving], turn[moving] + way, (0,))
            risen = torch.cat([old[:, 1:], new], dim=1)
            fallen = torch.cat([new, old[:, :2]], dim=1)
            squared[moving] = torch.where(up[:, None], risen, fallen)
        return turn, squared

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
        squared = torch.empty((len(rows), len(offsets)), device=turn.device)
        for first, here in self.turner.groups(step):
            columns, blank = pixels.columns(image[here])
            target = self._variants[variant[here]]  # (l, C, D)
            for column, offset in enumerate(offsets):
                turned = _rows(self.turner.turn(columns, first + offset), len(here))
                unseen = None
                if blank is not None:
                    unseen = _rows(self.turner.turn(blank, first + offset), len(here)) > 0.5
                squared[here, column] = _apart(turned, target, unseen)
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
        seen = pixels.values[rows].index_select(2, self._pixels)  # (l, C, D)
        unseen = None
        if pixels.blank is not None:
            unseen = pixels.blank[rows].index_select(2, self._pixels)
        return _apart(seen, self._variants[unit], unseen)


@dataclass(frozen=True)
class _Pixels:
    """Flattened images (N, C, H * W), and where they are blank."""

    values: Tensor
    blank: Tensor | None

    def norms(self) -> Tensor:
        """Squared norms (N,)."""
        norms: Tensor = torch.linalg.vector_norm(self.values, dim=(1, 2)).square()
        return norms

    def columns(self, image: Tensor) -> tuple[Tensor, Tensor | None]:
        """Put images into columns (H * W, n * C), and their blank pixels as numbers."""
        values = self.values[image].flatten(0, 1).T.contiguous()
        if self.blank is None:
            return values, None
        return values, self.blank[image].flatten(0, 1).T.to(values.dtype)


def _rows(columns: Tensor, n: int) -> Tensor:
    """View columns (D, n * C) as images (n, C, D)."""
    return columns.view(len(columns), n, -1).permute(1, 2, 0)


def _apart(images: Tensor, targets: Tensor, unseen: Tensor | None) -> Tensor:
    """Squared distances (n,) between images (n, C, D) over the pixels that are seen."""
    difference = targets - images
    if unseen is not None:
        difference.masked_fill_(unseen, 0.0)
    squared: Tensor = torch.linalg.vector_norm(difference, dim=(1, 2)).square()
    if unseen is None:
        return squared
    # Scaled up to the whole window; infinite where nothing is seen.
    return squared * unseen.shape[1:].numel() / (~unseen).sum(dim=(1, 2))
