"""One epoch of training: the batch rule with a neighbourhood, and PINK's online rule.

Batch: Kohonen, Self-Organizing Maps (3rd ed., 2001, sec. 3.6), with every image turned into the
frame of each prototype that it updates. Online: Polsterer, Gieseke & Igel 2015, ASPC 495, 81.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from skysort.som.config import PINK_SIGMA, PINK_STEP
from skysort.som.distributed import Team
from skysort.som.grid import Grid
from skysort.som.interpolation import WeightedSums
from skysort.som.matching import Match
from skysort.som.polar_matching import Alignment
from skysort.som.rotation import N_SYMMETRIES, symmetry_apply
from skysort.som.turning import Turner

__all__ = [
    "AlignedRows",
    "BatchSums",
    "Members",
    "PixelSums",
    "PolarSums",
    "neighbourhood",
    "pink_step",
]

#: An image is not aligned to units that would receive less of it than this: beyond 3.7 sigma.
MINIMUM_WEIGHT = 1e-3
#: For images that are turned at once, before they are added up.
TURNED_BYTES = 64 * 1024**2


def neighbourhood(grid: Grid, sigma: float) -> Tensor:
    """Gaussian weights (K, K), float64, of the distance between units; 0 below 0.001.

    Examples
    --------
    >>> neighbourhood(Grid(1, 3), 0.5).numpy().round(3).tolist()[0]
    [1.0, 0.135, 0.0]
    """
    weights = torch.exp(-0.5 * (torch.from_numpy(grid.distances()) / sigma) ** 2)
    return torch.where(weights > MINIMUM_WEIGHT, weights, 0.0)


def _align(turned: Tensor, symmetry: Tensor, weight: Tensor) -> Tensor:
    """Weighted sum (C, H, W) of turned images (n, C, H, W), each under its own symmetry."""
    share = torch.nn.functional.one_hot(symmetry, N_SYMMETRIES) * weight[:, None]  # (n, 8)
    sums = (share.T.to(turned.dtype) @ turned.flatten(1)).view(-1, *turned.shape[1:])
    return torch.stack([symmetry_apply(sums[s], s) for s in range(N_SYMMETRIES)]).sum(dim=0)


class BatchSums:
    """What images ask of each prototype; sums of parts are the sums of the whole.

    Parameters
    ----------
    weights : Tensor (K, C, H, W)
        Prototypes.

    Attributes
    ----------
    numerator : Tensor (K, C, H, W), float64
        Sum of the images aligned to each prototype, weighted by the neighbourhood.
    denominator : Tensor (K,), float64
        Sum of the weights.
    """

    def __init__(self, weights: Tensor) -> None:
        self.numerator = torch.zeros_like(weights, dtype=torch.float64)
        self.denominator = self.numerator.new_zeros(len(weights))

    def add(self, match: Match, weights: Tensor) -> None:
        """Add matched images with their weights (n, K)."""
        self.denominator += weights.sum(dim=0)
        for unit in range(len(self.numerator)):
            here = weights[:, unit].nonzero().squeeze(1)
            if len(here) == 0:
                continue
            turned = match.bank[match.step[here, unit], here]
            self.numerator[unit] += _align(turned, match.symmetry[here, unit], weights[here, unit])

    def means(self, weights: Tensor) -> Tensor:
        """Weighted means (K, C, H, W), float32; a prototype that no image reached stays."""
        return _mean(self.numerator, self.denominator.view(-1, 1, 1, 1), weights)


class PolarSums:
    """The same in polar coefficients, where aligning is a phase and a sum a matrix product.

    Parameters
    ----------
    n_units : int
        K.
    rows, modes : int
        Q and M of the coefficients, see `skysort.som.polar`.
    device : torch.device
        Where to compute.

    Attributes
    ----------
    numerator : Tensor (Q, M, 2, K), float64
        Coefficients of the weighted sum.
    denominator : Tensor (K,), float64
        Sum of the weights.
    """

    def __init__(self, n_units: int, rows: int, modes: int, device: torch.device) -> None:
        self.numerator = torch.zeros((rows, modes, 2, n_units), dtype=torch.float64, device=device)
        self.denominator = self.numerator.new_zeros(n_units)

    def begin(self, coefficients: Tensor, weight: Tensor) -> None:
        """Let each prototype (Q, M, 2, K) count as images of a weight (K,)."""
        self.numerator += weight * coefficients
        self.denominator += weight

    def add(self, coefficients: Tensor, angle_rad: Tensor, flip: Tensor, weights: Tensor) -> None:
        """Add images (Q, M, 2, n), each turned onto each prototype: (n, K) all others.

        A mirrored image is the conjugate, turned by half a turn more.
        """
        self.denominator += weights.sum(dim=0)
        rows, modes, _, n = coefficients.shape
        n_units = weights.shape[1]
        angle = torch.where(flip, angle_rad + math.pi, angle_rad)
        back = torch.polar(torch.ones_like(angle), -angle)
        mirror = torch.complex(torch.zeros_like(weights), torch.where(flip, -1.0, 1.0))
        # What the real parts of an image count, w exp(-i m phi), and its imaginary parts.
        turn = torch.empty((2, n, n_units), dtype=torch.complex64, device=weights.device)
        turn[0] = weights
        flat = torch.view_as_real(turn).view(2 * n, 2 * n_units)
        own = coefficients.transpose(0, 1).reshape(modes, rows, 2 * n)
        part = coefficients.new_empty((modes, rows, 2 * n_units))
        for m in range(modes):
            torch.mul(turn[0], mirror, out=turn[1])
            torch.mm(own[m], flat, out=part[m])
            turn[0] *= back
        self.numerator += part.view(modes, rows, n_units, 2).permute(1, 0, 3, 2)

    def means(self, coefficients: Tensor) -> Tensor:
        """Weighted means (Q, M, 2, K), float32; a prototype that no image reached stays."""
        return _mean(self.numerator, self.denominator, coefficients)


class AlignedRows(NamedTuple):
    """Which image goes to which prototype, and how.

    Attributes
    ----------
    image, unit : Tensor (L,), int64
        Which ones.
    angle_rad : Tensor (L,), float32
        By which the image is turned.
    flip : Tensor (L,), bool
        Whether it is mirrored before.
    weight : Tensor (L,), float32
        How much it counts.
    """

    image: Tensor
    unit: Tensor
    angle_rad: Tensor
    flip: Tensor
    weight: Tensor

    @classmethod
    def of(cls, alignment: Alignment, weights: Tensor) -> "AlignedRows":
        """Rows of the weights (n, K) that are not 0."""
        image, unit = weights.nonzero().unbind(dim=1)
        angle, flip = alignment.angle_rad[image, unit], alignment.flip[image, unit]
        return cls(image, unit, angle, flip, weights[image, unit])


class PixelSums:
    """The same in pixels, for the few prototypes that an image reaches with some weight.

    Parameters
    ----------
    turner : Turner
        Of whole images.
    n_units : int
        K.
    image_shape : tuple of int
        (C, H, W).

    Attributes
    ----------
    numerator : Tensor (K, C, H * W), float64
        Sum of the aligned images.
    denominator : Tensor (K,), float64
        Sum of the weights.
    """

    def __init__(self, turner: Turner, n_units: int, image_shape: tuple[int, int, int]) -> None:
        self.turner = turner
        channels, height, width = image_shape
        self.numerator = torch.zeros(
            (n_units, channels, height * width), dtype=torch.float64, device=turner.device
        )
        self.denominator = self.numerator.new_zeros(n_units)
        pixels = torch.arange(height * width, device=turner.device).view(height, width)
        self._moved = [symmetry_apply(pixels, s).flatten() for s in range(N_SYMMETRIES)]

    def begin(self, weights: Tensor, weight: Tensor) -> None:
        """Let each prototype (K, C, H, W) count as images of a weight (K,)."""
        self.numerator += weight.view(-1, 1, 1) * weights.flatten(2)
        self.denominator += weight

    def add(self, splines: Tensor, rows: "AlignedRows") -> None:
        """Add images by their spline coefficients (n, C, H, W).

        Many at once are much cheaper than a few. Angles are taken to the nearest step of the
        turner.
        """
        image, unit, angle_rad, flip, weight = rows
        self.denominator.index_add_(0, unit, weight.double())
        full = self.turner.n_rotations
        steps = (angle_rad.double() * (full / (2.0 * math.pi))).round().long() % full
        step, symmetry = self.turner.split(steps, flip)
        at_once = max(1, TURNED_BYTES // (4 * self.numerator[0].numel()))
        flat = splines.flatten(2)
        order = torch.argsort(symmetry * len(self.numerator) + unit)  # then by prototype
        for part in torch.split(order, at_once):
            turned = self._turned(flat, image[part], step[part])
            self._sum(turned, symmetry[part], unit[part], weight[part])

    def _turned(self, splines: Tensor, image: Tensor, step: Tensor) -> Tensor:
        """Images (l, C * H * W) of coefficients, each turned by its step of the first quadrant."""
        turned = splines.new_empty((len(image), splines[0].numel()))
        order, groups = self.turner.groups(step)
        for first, part in groups:
            rows = order[part]
            columns = splines[image[rows]].flatten(0, 1).T.contiguous()  # (H * W, l * C)
            turned[rows] = self.turner.turn(columns, first).T.reshape(len(rows), -1)
        return turned

    def _sum(self, turned: Tensor, symmetry: Tensor, unit: Tensor, weight: Tensor) -> None:
        """Add turned images (l, C * H * W) that are in the order of symmetries and prototypes."""
        n_units, channels, _ = self.numerator.shape
        counts = torch.bincount(symmetry, minlength=N_SYMMETRIES).tolist()
        parts = zip(*(torch.split(part, counts) for part in (turned, unit, weight)), strict=True)
        for moved, (rows, units, shares) in zip(self._moved, parts, strict=True):
            if len(units) == 0:
                continue
            counts_of = torch.bincount(units, minlength=n_units)
            starts = counts_of.cumsum(0) - counts_of
            every = torch.arange(len(units), device=units.device)
            sums = WeightedSums(starts, every, shares) @ rows
            self.numerator += sums.view(n_units, channels, -1)[..., moved]

    def means(self, weights: Tensor) -> Tensor:
        """Weighted means (K, C, H, W), float32; a prototype that no image reached stays."""
        sums = self.numerator.view_as(weights)
        return _mean(sums, self.denominator.view(-1, 1, 1, 1), weights)


def _mean(numerator: Tensor, denominator: Tensor, otherwise: Tensor) -> Tensor:
    mean = numerator / denominator.clamp_min(MINIMUM_WEIGHT)
    return torch.where(denominator > 0.0, mean.to(otherwise.dtype), otherwise)


class Members:
    """Who was on which unit in an epoch: how many, and who fits worst.

    Parameters
    ----------
    n_units : int
        K.
    device : torch.device
        Where to compute.

    Attributes
    ----------
    count : Tensor (K,), int64
        Images whose best unit it was.
    worst : Tensor (K,), float32
        Largest distance among them; -1 without a member.
    index : Tensor (K,), int64
        Whose it was.
    error : Tensor, float64
        Sum of all distances.
    """

    def __init__(self, n_units: int, device: torch.device) -> None:
        self.count = torch.zeros(n_units, dtype=torch.int64, device=device)
        self.worst = torch.full((n_units,), -1.0, device=device)
        self.index = torch.full((n_units,), -1, dtype=torch.int64, device=device)
        self.error = torch.zeros((), dtype=torch.float64, device=device)

    def add(self, unit: Tensor, distance: Tensor, index: Tensor) -> None:
        """Count images (n,) on their units; of equal distances the first image stays."""
        # A bincount would make a graphics card wait, to learn the largest unit.
        self.count.index_add_(0, unit, torch.ones_like(unit))
        self.error += distance.sum(dtype=torch.float64)
        worst = torch.full_like(self.worst, -1.0).scatter_reduce(0, unit, distance, "amax")
        missing = torch.iinfo(torch.int64).max
        is_worst = torch.where(distance == worst[unit], index, missing)
        first = torch.full_like(self.index, missing).scatter_reduce(0, unit, is_worst, "amin")
        self._merge(worst, first)

    def _merge(self, worst: Tensor, index: Tensor) -> None:
        tied = (worst == self.worst) & (worst >= 0.0) & (index < self.index)
        better = (worst > self.worst) | tied
        self.worst = torch.where(better, worst, self.worst)
        self.index = torch.where(better, index, self.index)

    def add_team(self, team: Team) -> None:
        """Take in what the other processes counted."""
        if team.size == 1:
            return
        everyone = team.gather((self.count.cpu(), self.worst.cpu(), self.index.cpu()))
        self.count = torch.zeros_like(self.count)
        for count, worst, index in everyone:
            self.count += count.to(self.count.device)
            self._merge(worst.to(self.worst.device), index.to(self.index.device))

    def heirs(self, grid: Grid) -> dict[int, int]:
        """Image for each unit without a member: the worst one of its adjacent units.

        So it lands where the map has too few units, and the map stays in order. An image is
        given away once; a unit that only empty ones surround stays as it is.
        """
        adjacent, taken = grid.neighbours(), set[int]()
        worst, index = self.worst.cpu().numpy(), self.index.cpu().numpy()
        heirs = {}
        for unit in np.flatnonzero(self.count.cpu().numpy() == 0).tolist():
            near = [k for k in np.flatnonzero(adjacent[unit]).tolist() if worst[k] > 0.0]
            free = [k for k in near if k not in taken]
            if free:
                donor = max(free, key=lambda k: float(worst[k]))
                taken.add(donor)
                heirs[unit] = int(index[donor])
        return heirs


def pink_step(weights: Tensor, match: Match, unit: int, grid_distances: Tensor) -> None:
    """Move every prototype (K, C, H, W) towards one image, in place, by PINK's default rule.

    The Gaussian is normalized, so the best unit moves by 0.2 / (1.1 sqrt(2 pi)) = 7 % of the way.
    """
    gauss = torch.exp(-0.5 * (grid_distances[unit] / PINK_SIGMA) ** 2)
    step = (PINK_STEP / (PINK_SIGMA * math.sqrt(2.0 * math.pi)) * gauss).to(weights.dtype)
    turned = match.bank[match.step[0], 0]  # (K, C, H, W)
    for s in range(N_SYMMETRIES):
        here = match.symmetry[0] == s
        aligned = symmetry_apply(turned[here], s)
        weights[here] += step[here].view(-1, 1, 1, 1) * (aligned - weights[here])
