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

#: A unit this much farther than the second-best one need not know its best angle to the step.
HOPELESS = 1.05
#: Steps that a candidate may climb; the polar angle of 99.7 % of FIRST images was within two.
MOST_CLIMBS = 4
#: A step must bring a candidate nearer by this share of its squared distance.
CLIMB = 2e-4
#: Turning an image must bring it nearer by this share of its squared distance; else it stays.
ROUND = 1e-3
#: Interpolation ripples the squared distance of a small source by a few per cent of its norm from
#: step to step. Where that counts, as many steps to either side of the best one are compared.
RIPPLED = 0.3
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
        turn, squared = self._climb(pixels, candidates)
        best = self._nearest(candidates, turn, squared[:, 1], len(images))
        unit = candidates.unit[best]
        others = torch.where(candidates.unit == unit[candidates.image], torch.inf, squared[:, 1])
        second = self._nearest(candidates, turn, others, len(images))
        turn, squared, second_squared = turn[best], squared[best], squared[second, 1]
        unturned = self._unturned(pixels, unit)
        rippled = squared[:, 1] < RIPPLED * pixels.norms()
        self._look_around(pixels, candidates, best[rippled], rippled, turn, squared)
        flip, full = candidates.flip[best], self.turner.n_rotations
        shift, _ = parabola(*squared.unbind(dim=1))
        angle = torch.where(flip, -(turn + shift.double()), turn + shift.double()) * (
            2.0 * math.pi / full
        )
        stays = (flip | (turn % full != 0)) & (unturned <= squared[:, 1] * (1.0 + ROUND))
        return Places(
            best=unit,
            second=candidates.unit[second],
            distance=torch.where(stays, unturned, squared[:, 1]).sqrt(),
            second_distance=second_squared.sqrt(),
            angle_rad=angle.masked_fill(stays, 0.0).remainder(2.0 * math.pi).float(),
            flip=flip & ~stays,
        )

    def distances(self, images: Tensor, candidates: Candidates) -> Tensor:
        """Exact distances (L,) at the nearest whole step that a climb from each candidate finds."""
        squared = self._climb(_Pixels(images.flatten(2), None), candidates, patient=True)[1]
        return squared[:, 1].sqrt()

    def _look_around(
        self,
        pixels: "_Pixels",
        candidates: Candidates,
        rows: Tensor,
        where: Tensor,
        turn: Tensor,
        squared: Tensor,
    ) -> None:
        """Move the best alignments `where` to a nearer step a few steps away, if there is one."""
        if len(rows) == 0:
            return
        reach = torch.arange(-REACH, REACH + 1, device=turn.device)
        beyond = [o for o in reach.tolist() if abs(o) > 1]
        new = self._squared(pixels, candidates, rows, turn[where], tuple(beyond))
        half = len(beyond) // 2
        all_of = torch.cat(
            [new[:, :half], squared[where], new[:, half:]], dim=1
        )  # (n, 2 REACH + 1)
        place = all_of[:, 1:-1].argmin(dim=1) + 1
        turn[where] += reach[place]
        squared[where] = all_of.gather(1, place[:, None] + reach[REACH - 1 : REACH + 2])

    def _climb(
        self, pixels: "_Pixels", candidates: Candidates, *, patient: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Best step before mirroring (L,), and squared distances (L, 3) there and beside it.

        Only what may be an image's best or second-best unit climbs, unless all do.
        """
        turn = torch.where(candidates.flip, -candidates.step, candidates.step)
        every = torch.arange(len(turn), device=turn.device)
        squared = self._squared(pixels, candidates, every, turn, (-1, 0, 1))
        for _ in range(MOST_CLIMBS):
            down = squared[:, 0] < squared[:, 1] * (1.0 - CLIMB)
            up = (squared[:, 2] < squared[:, 1] * (1.0 - CLIMB)) & (squared[:, 2] <= squared[:, 0])
            down &= ~up
            moving = down | up
            if not patient:
                lowest = squared.amin(dim=1)
                second = self._second(candidates, lowest, len(pixels.values))
                moving &= lowest <= HOPELESS * second
            rows = moving.nonzero().squeeze(1)
            if len(rows) == 0:
                break
            way = torch.where(up[rows], 1, -1)
            turn[rows] += way
            new = self._squared(pixels, candidates, rows, turn[rows] + way, (0,))
            old = squared[rows]
            risen = torch.cat([old[:, 1:], new], dim=1)
            fallen = torch.cat([new, old[:, :2]], dim=1)
            squared[rows] = torch.where((way > 0)[:, None], risen, fallen)
        return turn, squared

    def _second(self, candidates: Candidates, squared: Tensor, n_images: int) -> Tensor:
        """Squared distance (L,) of the second-best unit of each candidate's image."""
        table = squared.new_full((n_images * self.n_prototypes,), torch.inf)
        place = candidates.image * self.n_prototypes + candidates.unit
        table = table.scatter_reduce(0, place, squared, "amin").view(n_images, -1)
        return table.topk(2, dim=1, largest=False).values[:, 1][candidates.image]

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
            target = self._variants[variant[here]].flatten(0, 1).T.contiguous()  # (D, l * C)
            for column, offset in enumerate(offsets):
                apart = self.turner.turn(columns, first + offset).sub_(target)
                unseen = None if blank is None else self.turner.turn(blank, first + offset) > 0.5
                squared[here, column] = _sum(apart, unseen, len(here))
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

    def _unturned(self, pixels: "_Pixels", unit: Tensor) -> Tensor:
        """Squared distances (N,) of the images as they are from one unit each."""
        apart = pixels.values[..., self._pixels] - self._variants[unit]  # (N, C, D)
        unseen = None if pixels.blank is None else pixels.blank[..., self._pixels]
        return _sum(
            apart.flatten(0, 1).T,
            None if unseen is None else unseen.flatten(0, 1).T,
            len(apart),
        )


@dataclass(frozen=True)
class _Pixels:
    """Flattened images (N, C, H * W), and where they are blank."""

    values: Tensor
    blank: Tensor | None

    def norms(self) -> Tensor:
        """Squared norms (N,)."""
        return self.values.square().sum(dim=(1, 2))

    def columns(self, image: Tensor) -> tuple[Tensor, Tensor | None]:
        """Put images into columns (H * W, n * C), and their blank pixels as numbers."""
        values = self.values[image].flatten(0, 1).T.contiguous()
        if self.blank is None:
            return values, None
        return values, self.blank[image].flatten(0, 1).T.to(values.dtype)


def _sum(apart: Tensor, unseen: Tensor | None, n: int) -> Tensor:
    """Squared distances (n,) of differences (D, n * C); overwrites them."""
    if unseen is None:
        return apart.square_().sum(dim=0).view(n, -1).sum(dim=1)
    seen = (~unseen).sum(dim=0).view(n, -1).sum(dim=1)
    squared = apart.square_().masked_fill_(unseen, 0.0).sum(dim=0).view(n, -1).sum(dim=1)
    return squared * (apart.numel() / n) / seen  # infinite where nothing is seen
