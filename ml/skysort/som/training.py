"""One epoch of training: the batch rule with a neighbourhood, and PINK's online rule.

Batch: Kohonen, Self-Organizing Maps (3rd ed., 2001, sec. 3.6), with every image turned into the
frame of each prototype that it updates. Online: Polsterer, Gieseke & Igel 2015, ASPC 495, 81.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skysort.som.config import PINK_SIGMA, PINK_STEP
from skysort.som.grid import Grid
from skysort.som.matching import Match, Matcher
from skysort.som.rotation import N_SYMMETRIES, symmetry_apply

__all__ = ["BatchSums", "neighbourhood", "pink_step"]

#: An image is not aligned to units that would receive less of it than this: beyond 3.7 sigma.
MINIMUM_WEIGHT = 1e-3


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


@dataclass
class BatchSums:
    """What a batch of images asks of each prototype; sums of parts are the sums of the whole.

    Attributes
    ----------
    numerator : Tensor (K, C, H, W), float64
        Sum of the images aligned to each prototype, weighted by the neighbourhood.
    denominator : Tensor (K,), float64
        Sum of the weights.
    distances : list of ndarray
        Distance of each image from its best prototype, in the order of the images.
    n_torn : int
        Images whose best two units are not adjacent.
    """

    numerator: Tensor
    denominator: Tensor
    distances: list[NDArray[np.float32]]
    n_torn: int

    @classmethod
    def zeros_like(cls, weights: Tensor) -> "BatchSums":
        """Begin with nothing, for prototypes (K, C, H, W)."""
        numerator = torch.zeros_like(weights, dtype=torch.float64)
        return cls(numerator, numerator.new_zeros(len(weights)), [], 0)

    def add(self, match: Match, matcher: Matcher, reach: Tensor, adjacent: Tensor) -> None:
        """Add matched images; `reach` (K, K) holds the neighbourhood, `adjacent` (K, K) bool."""
        best, second = match.best_two()
        self.distances.append(matcher.distances(match, best).cpu().numpy())
        self.n_torn += int((~adjacent[best, second]).sum())
        weights = reach[best]  # (n, K)
        self.denominator += weights.sum(dim=0)
        for unit in range(len(self.numerator)):
            here = weights[:, unit].nonzero().squeeze(1)
            if len(here) == 0:
                continue
            turned = match.bank[match.step[here, unit], here]
            self.numerator[unit] += _align(turned, match.symmetry[here, unit], weights[here, unit])

    def prototypes(self, weights: Tensor) -> Tensor:
        """Make new prototypes (K, C, H, W), float32; those that no image reached stay."""
        mean = self.numerator / self.denominator.clamp_min(MINIMUM_WEIGHT).view(-1, 1, 1, 1)
        reached = (self.denominator > 0.0).view(-1, 1, 1, 1)
        return torch.where(reached, mean.to(weights.dtype), weights)


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
