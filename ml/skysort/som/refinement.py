"""The exact distances of a few alignments, pixel by pixel.

What was found on rings is compared as the reference does it (`skysort.som.matching`): turned to a
whole step by cubic splines and multiplied with the prototype over the window. Alignments that may
be the nearest one climb from step to step, until they lie between two farther ones.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from skysort.som.interpolation import spline_coefficients
from skysort.som.polar_matching import Candidates, parabola, slack
from skysort.som.rotation import N_SYMMETRIES, symmetry_undo
from skysort.som.turning import Turner

__all__ = ["Pixels", "Places", "Refiner"]

#: Candidates whose squared distance exceeds that of their image's nearest one by no more than this
#: share climb to their best step; for small images, of which rings know less, by more.
CONTENDER = 0.005
MOST_CONTENDER = 0.25
#: Steps that a candidate may climb.
MOST_CLIMBS = 6
#: A step must bring a candidate nearer by this share of its squared distance.
CLIMB = 2e-4
#: Turning an image must bring it nearer by this share of its squared distance; else it stays.
ROUND = 1e-3
#: Images whose norms are found at once, so that they stay in the cache.
AT_ONCE = 128
#: Squared distances within this share of the least one, and of the image's norm, are tied: they
#: are differences of norms.
TIED = 1e-6
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


@dataclass(frozen=True)
class Pixels:
    """Images, made ready to be turned.

    Attributes
    ----------
    splines : Tensor (N, C, H, W), float32
        Spline coefficients.
    norms : Tensor (N,), float32
        Squared norms over the window, which no angle changes.
    squares : Tensor (N, 1, H, W), float32, optional
        Spline coefficients of the squared images, where the window is a square: it stands still
        while they turn, so the norm depends on the angle.
    blank : Tensor (N, C, H, W), float32, optional
        Spline coefficients of 1 where an image is blank and 0 elsewhere.
    """

    splines: Tensor
    norms: Tensor
    squares: Tensor | None
    blank: Tensor | None


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
    is_disk : bool
        Whether an image shows the window the same pixels at all angles.
    use_flip : bool
        Whether mirror images are the same thing.
    """

    def __init__(
        self, prototypes: Tensor, turner: Turner, *, window: Tensor, is_disk: bool, use_flip: bool
    ) -> None:
        self.n_prototypes, self.turner, self._is_disk = len(prototypes), turner, is_disk
        self._window = window.to(prototypes)
        share = CONTENDER * slack((len(window) - 1) / 2.0)
        self._contender = 1.0 + min(MOST_CONTENDER, share)
        pixels = window.flatten().nonzero().squeeze(1).to(prototypes.device)  # (D,)
        n_symmetries = N_SYMMETRIES if use_flip else N_SYMMETRIES // 2
        variants = [symmetry_undo(prototypes, s) for s in range(n_symmetries)]
        self._variants = torch.cat(variants).flatten(2)[..., pixels]  # (S * K, C, D)
        self._norms = self._variants.square().sum(dim=(1, 2))  # (S * K,)
        # Kept between chunks: fresh memory takes half as long again as what is written there.
        self._splines = prototypes.new_empty((0, *prototypes.shape[1:]))

    def read(self, images: Tensor, blank: Tensor | None = None) -> Pixels:
        """Make images ready; those that were read before are forgotten.

        Parameters
        ----------
        images : Tensor (N, C, H, W), float32
            Finite; 0 where blank.
        blank : Tensor (N, C, H, W), bool, optional
            Pixels that are not compared.
        """
        norms = [self._norm(part) for part in torch.split(images, AT_ONCE)]
        squares = None
        if not self._is_disk:
            squares = spline_coefficients(images.square().sum(dim=1, keepdim=True))
        gaps = None if blank is None else spline_coefficients(blank.to(images.dtype))
        if len(self._splines) < len(images):
            self._splines = torch.empty_like(images)
        splines = spline_coefficients(images, out=self._splines[: len(images)])
        return Pixels(splines, torch.cat(norms), squares, gaps)

    def _norm(self, images: Tensor) -> Tensor:
        """Squared norms (n,) over the window."""
        shown = (images * self._window).flatten(1)
        return torch.linalg.vector_norm(shown, dim=1).square()  # type: ignore[no-any-return]

    def refine(self, pixels: Pixels, candidates: Candidates) -> Places:
        """Compare all candidates exactly and find each image's best two units.

        Parameters
        ----------
        pixels : Pixels
            Of N images. Of blank ones, the squared distance over the rest is scaled up to the
            whole window.
        candidates : Candidates
            At least two units of each image.

        Returns
        -------
        Places
            The distance at the best whole step, and that of the second-best unit at the step of
            its candidate or a better one. The angle lies between the steps, at the vertex of the
            parabola through the squared distances there and beside it. Where no angle brings an
            image nearer to its best unit by more than 0.1 % of the squared distance, it stays as
            it is: a round or blank image has angle 0 and no flip.
        """
        full = self.turner.n_rotations
        turn = torch.where(candidates.flip, -candidates.step, candidates.step)
        squared = self._climb(pixels, candidates, turn, self._contender)  # (L, 3)
        here = squared[:, 1]
        best = self._nearest(pixels, candidates, turn, here)
        unit = candidates.unit[best]
        others = torch.where(candidates.unit == unit[candidates.image], torch.inf, here)
        second = self._nearest(pixels, candidates, turn, others)
        flip = candidates.flip[best]
        shift, gain = parabola(*squared[best].unbind(dim=1))
        shift = shift.masked_fill(gain.abs() <= TIED * here[best], 0.0)
        turn = turn[best]
        angle = (turn + shift.double()) * torch.where(flip, -1.0, 1.0) * (2.0 * math.pi / full)
        nearest = here[best]
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

    def distances(self, pixels: Pixels, candidates: Candidates) -> Tensor:
        """Exact distances (L,) at the nearest whole step that a climb from each candidate finds."""
        turn = torch.where(candidates.flip, -candidates.step, candidates.step)
        return self._climb(pixels, candidates, turn, math.inf)[:, 1].sqrt()

    def _climb(
        self, pixels: Pixels, candidates: Candidates, turn: Tensor, contender: float
    ) -> Tensor:
        """Squared distances (L, 3) at each candidate's best step, and beside it.

        Moves the steps before mirroring `turn` (L,) there, of candidates that are at most
        `contender` times as far as the nearest one of their image. All others stay, and beside
        their step is nothing (infinity).
        """
        squared = turn.new_full((len(turn), 3), torch.inf, dtype=pixels.norms.dtype)
        # What seems to be nearest will be needed beside its step too: it is turned only once.
        for rows, columns in ((candidates.leads, [1, 0, 2]), (~candidates.leads, [1])):
            rows = rows.nonzero().squeeze(1)
            offsets = [column - 1 for column in columns]
            squared[rows[:, None], columns] = self._squared(
                pixels, candidates, rows, turn[rows], offsets
            )
        here = squared[:, 1]
        least = torch.full_like(pixels.norms, torch.inf)
        least = least.scatter_reduce(0, candidates.image, here, "amin")
        contends = here <= contender * least[candidates.image]
        rows = (contends & ~candidates.leads).nonzero().squeeze(1)
        squared[rows, ::2] = self._squared(pixels, candidates, rows, turn[rows], [-1, 1])
        rows = contends.nonzero().squeeze(1)
        for _ in range(MOST_CLIMBS):
            lower = squared[rows, ::2] < squared[rows, 1:2] * (1.0 - CLIMB)  # (l, 2)
            rows = rows[lower.any(dim=1)]
            if len(rows) == 0:
                break
            old = squared[rows]
            up = old[:, 2] <= old[:, 0]
            way = torch.where(up, 1, -1)
            turn[rows] += way
            new = self._squared(pixels, candidates, rows, turn[rows] + way, [0])
            risen = torch.cat([old[:, 1:], new], dim=1)
            fallen = torch.cat([new, old[:, :2]], dim=1)
            squared[rows] = torch.where(up[:, None], risen, fallen)
        return squared

    def _squared(
        self,
        pixels: Pixels,
        candidates: Candidates,
        rows: Tensor,
        turn: Tensor,
        offsets: Sequence[int],
    ) -> Tensor:
        """Squared distances (l, O) of some rows (l,), turned by `turn` (l,) plus each offset."""
        image, flip = candidates.image[rows], candidates.flip[rows]
        step, symmetry = self.turner.split(torch.where(flip, -turn, turn), flip)
        variant = symmetry * self.n_prototypes + candidates.unit[rows]
        order, groups = self.turner.groups(step)
        image, variant = image[order], variant[order]
        own, norms = pixels.norms[image], self._norms[variant]
        found = [norms.new_empty((0, len(offsets)))]
        for first, part in groups:
            columns = _Columns.of(pixels, image[part], own[part])
            target = self._variants.index_select(0, variant[part]).flatten(0, 1).T  # (D, l * C)
            steps = [first + offset for offset in offsets]
            apart = [columns.squared(self.turner, at, target, norms[part]) for at in steps]
            found.append(torch.stack(apart, dim=1))
        squared = norms.new_empty((len(rows), len(offsets)))
        squared[order] = torch.cat(found)
        return squared.clamp_min_(0.0)

    def _nearest(
        self, pixels: Pixels, candidates: Candidates, turn: Tensor, squared: Tensor
    ) -> Tensor:
        """Row (N,) of each image's nearest candidate; ties go to the lowest unit, flip, angle."""
        full, image = self.turner.n_rotations, candidates.image
        least = torch.full_like(pixels.norms, torch.inf)
        least = least.scatter_reduce(0, image, squared, "amin")
        tied = squared <= (least * (1.0 + TIED) + pixels.norms * TIED)[image]
        step = torch.where(candidates.flip, -turn, turn) % full
        order = (candidates.unit * 2 + candidates.flip) * full + step
        key = order * len(order) + torch.arange(len(order), device=order.device)
        key = torch.where(tied, key, torch.iinfo(torch.int64).max)
        first = key.new_full((len(least),), torch.iinfo(torch.int64).max)
        return first.scatter_reduce(0, image, key, "amin") % len(order)

    def _unturned(self, pixels: Pixels, rows: Tensor, unit: Tensor) -> Tensor:
        """Squared distances (l,) of some images (l,) as they are from one unit each."""
        zero = torch.zeros_like(unit)
        no = torch.zeros_like(unit, dtype=torch.bool)
        still = Candidates(rows, unit, no, zero, no, leads=no)
        every = torch.arange(len(rows), device=rows.device)
        return self._squared(pixels, still, every, zero, [0]).squeeze(1)


@dataclass(frozen=True)
class _Columns:
    """Some of the images as columns (H * W, l * C), and their norms (l,)."""

    splines: Tensor
    norms: Tensor
    squares: Tensor | None
    blank: Tensor | None

    @classmethod
    def of(cls, pixels: Pixels, image: Tensor, norms: Tensor) -> "_Columns":
        """Put images (l,), whose norms (l,) are known, into columns."""

        def columns(images: Tensor | None) -> Tensor | None:
            if images is None:
                return None
            return images.index_select(0, image).flatten(0, 1).flatten(1).T.contiguous()

        splines = columns(pixels.splines)
        assert splines is not None
        return cls(splines, norms, columns(pixels.squares), columns(pixels.blank))

    def squared(self, turner: Turner, step: int, target: Tensor, norms: Tensor) -> Tensor:
        """Squared distances (l,) at one step from targets (D, l * C) with their norms (l,)."""
        n_channels = target.shape[1] // len(norms)

        def per_image(values: Tensor) -> Tensor:
            return values.sum(dim=0).view(-1, n_channels).sum(dim=1)

        own = self.norms if self.squares is None else turner.turn(self.squares, step).sum(dim=0)
        products = per_image(turner.turn(self.splines, step).mul_(target))
        if self.blank is None:
            return own + norms - 2.0 * products
        seen = 1.0 - turner.turn(self.blank, step)
        shown, covered = per_image(target.square() * seen), per_image(seen)
        apart = (own + shown - 2.0 * products).clamp_min(0.0)
        squared = apart * (target.numel() / len(norms)) / covered
        return squared.where(covered >= LEAST_SEEN, squared.new_tensor(torch.inf))
