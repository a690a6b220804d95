"""Turn prototypes back instead of images: the exact products at many angles are matrix products.

The product of a turned image with a prototype, ``R_phi(s) . w``, is the image's spline coefficients
times the prototype that is turned back by the adjoint of interpolation, ``s . R_phi^T(w)``. These
are few, and the same for all images, so that they are made once; the images themselves only move by
quarter turns and flips.
"""

import math
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skysort.som.interpolation import WeightedSums
from skysort.som.rotation import N_SYMMETRIES, symmetry_apply, turning_matrix

__all__ = ["BackTurner"]

#: Steps whose products are found at once, without those beside them.
STEPS = 10
#: Steps beside them on either side: a candidate is rarely farther from its best one.
MARGIN = 3


class BackTurner:
    """Turns images back by all steps of a quarter turn and some beside it.

    Parameters
    ----------
    window : Tensor (H, W), bool
        Pixels that the images may have.
    n_rotations : int
        Steps of a full turn, a positive multiple of 4.

    Attributes
    ----------
    quarter : int
        Steps of a quarter turn.
    n_steps, n_products : int
        Steps that a window of steps answers for, and how many it has, those beside included.
    n_windows : int
        Of a quarter turn.
    pixels : Tensor (8, P), int64
        Where the pixels that count lie in an image that is to be moved by each symmetry of the
        square.
    """

    def __init__(self, window: Tensor, n_rotations: int) -> None:
        self.device, self.n_rotations = window.device, n_rotations
        self.quarter = n_rotations // 4
        self.n_steps = min(STEPS, self.quarter)
        self.n_windows = math.ceil(self.quarter / self.n_steps)
        self.n_products = self.n_steps + 2 * MARGIN
        self._window = window
        self._matrices, reached = _back(window.cpu().numpy(), n_rotations, self._last, self.device)
        # Fresh memory takes longer than what is written there, so refiners share it in turn.
        self._room = self._turned = torch.empty(0)
        self._tenant: object = None
        self.lock = Lock()
        places = torch.arange(window.numel()).view(window.shape)
        moved = torch.stack([symmetry_apply(places, s).flatten() for s in range(N_SYMMETRIES)])
        self.pixels = moved[:, torch.from_numpy(reached)].to(self.device)

    @property
    def _last(self) -> int:
        """One beyond the last step."""
        return self.n_windows * self.n_steps + MARGIN

    def __reduce__(self) -> tuple[type["BackTurner"], tuple[Tensor, int]]:
        """Make the matrices anew in copies and pickles, which they would swell."""
        return BackTurner, (self._window, self.n_rotations)

    def turn_for(self, tenant: object, images: Tensor) -> Tensor:
        """Turn images back as `turn`, once for each tenant, in room that the next one takes over.

        What is given holds until another tenant asks, so hold the `lock` as long as it is needed.
        """
        if self._tenant != tenant:
            size = len(images) * self.bytes_per_image(images.shape[1]) // 4
            if self._room.numel() < size or self._room.device != images.device:
                self._room = images.new_empty(size)
            self._tenant = None
            self._turned = self.turn(images, out=self._room[:size])
            self._tenant = tenant
        return self._turned

    def turn(self, images: Tensor, *, still: bool = False, out: Tensor | None = None) -> Tensor:
        """Turn images (K, B, H, W) back by every step; gives (K, T, B * P), written to `out`.

        From `MARGIN` steps before 0 on, or by step 0 alone if they are to stay `still`.
        """
        matrices = self._matrices[MARGIN : MARGIN + 1] if still else self._matrices
        n_images, channels = images.shape[:2]
        columns = images[..., self._window].flatten(0, 1).T.contiguous()  # (D, K * B)
        n_pixels = self.pixels.shape[1]
        shape = (n_images, len(matrices), channels, n_pixels)
        turned = images.new_empty(shape) if out is None else out.view(shape)
        for step, matrix in enumerate(matrices):
            back = matrix @ columns  # (P, K * B)
            turned[:, step] = back.T.view(n_images, channels, n_pixels)
        return turned.flatten(2)

    def places(self, channels: int) -> Tensor:
        """Where `pixels` lie (8, B * P) in flattened images of several channels (B * H * W)."""
        channel = self._window.numel() * torch.arange(channels, device=self.device)
        return (channel[:, None] + self.pixels[:, None]).flatten(1)

    def bytes_per_image(self, channels: int) -> int:
        """Memory that one image takes when turned."""
        return 4 * len(self._matrices) * channels * self.pixels.shape[1]


def _back(
    window: NDArray[np.bool_], n_rotations: int, last: int, device: torch.device
) -> tuple[list[WeightedSums], NDArray[np.int64]]:
    """Matrices (P, D) from the pixels of a window to those they are interpolated from, and these.

    For the steps from -MARGIN to `last`.
    """
    size = len(window)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2.0
    radius = np.hypot(y, x)
    # A value needs the coefficients up to two pixels away in both directions.
    reached = (radius <= radius[window].max() + 2.0 * math.sqrt(2.0)).ravel().nonzero()[0]
    matrices = []
    for step in range(-MARGIN, last):
        matrix = turning_matrix(size, 2.0 * math.pi * step / n_rotations, window)
        back = matrix.transposed(size * size)
        rows = WeightedSums(back.starts[reached], back.columns, back.values)  # no others count
        matrices.append(rows.to(device))
    return matrices, reached
