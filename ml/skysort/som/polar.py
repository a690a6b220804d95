"""Sample images on rings, where a rotation is a cyclic shift and a flip a reflection.

The ring at radius r becomes its Fourier coefficients along the angle, weighted by
``sqrt(2 pi r dr)`` (and by sqrt(2) for all modes but the mean), so that the plain inner product of
two images' coefficients is the integral of their product over the disk (Parseval). Turning an image
by phi multiplies mode m with ``exp(-i m phi)``; mirroring it left-right conjugates and multiplies
mode m with ``(-1)**m``. Polar Fourier matching: e.g. Reddy & Chatterji 1996, IEEE TIP 5, 1266.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skysort.som.interpolation import WeightedSums, cubic_convolution, sampling_matrix
from skysort.som.rings import Rings, default_rings

__all__ = ["PolarTransform", "Rings", "default_rings"]


class PolarTransform(nn.Module):
    """Images to weighted coefficients and back; a torch module without parameters.

    Parameters
    ----------
    rings : Rings
        Where to sample.
    device : torch.device, optional
        Where to compute.

    Examples
    --------
    >>> transform = PolarTransform(default_rings(16))
    >>> transform.coefficients(torch.ones(3, 1, 16, 16)).shape  # (C * R, M, 2, N)
    torch.Size([8, 8, 2, 3])
    """

    _analysis: Tensor

    def __init__(self, rings: Rings, *, device: torch.device | None = None) -> None:
        super().__init__()
        self.rings = rings
        self.device = device or torch.device("cpu")
        self._sample = _ring_matrix(rings).to(self.device)
        self.register_buffer("_analysis", _analysis(rings).to(self.device))  # (R, 2 M, A)
        self._back: tuple[Tensor, WeightedSums] | None = None

    def coefficients(self, images: Tensor) -> Tensor:
        """Transform images.

        Parameters
        ----------
        images : Tensor (N, C, H, W), float32
            Finite, H and W equal to ``rings.size``.

        Returns
        -------
        Tensor (C * R, M, 2, N), float32
            Real and imaginary part of each mode on each ring, channel after channel.
        """
        rings, n = self.rings, len(images)
        parts = []
        for channel in range(images.shape[1]):
            columns = images[:, channel].reshape(n, -1).T.contiguous()  # (H * W, N)
            samples = (self._sample @ columns).view(rings.n_rings, rings.n_angles, n)
            parts.append(torch.bmm(self._analysis, samples))  # (R, 2 M, N)
        return torch.cat(parts).view(-1, rings.n_modes, 2, n)

    def images(self, coefficients: Tensor) -> Tensor:
        """Draw images (N, C, H, W) from coefficients (C * R, M, 2, N); 0 outside of the disk.

        Modes that were not kept are missing, so the picture is a smoothed one.
        """
        if self._back is None:
            synthesis = _synthesis(self.rings).to(self.device)  # (R, A, 2 M)
            self._back = synthesis, _drawing_matrix(self.rings).to(self.device)
        synthesis, draw = self._back
        rings, n = self.rings, coefficients.shape[-1]
        channels = []
        for part in torch.split(coefficients, rings.n_rings):
            samples = torch.bmm(synthesis, part.reshape(rings.n_rings, -1, n))  # (R, A, N)
            pixels = (draw @ samples.view(-1, n)).T  # (N, H * W)
            channels.append(pixels.reshape(n, rings.size, rings.size))
        return torch.stack(channels, dim=1)


def _waves(rings: Rings) -> NDArray[np.float64]:
    """Cosine and minus sine (2 M, A) of every mode around a ring."""
    phase = 2.0 * math.pi / rings.n_angles * np.arange(rings.n_angles)
    phase = np.arange(rings.n_modes)[:, None] * phase
    return np.stack([np.cos(phase), -np.sin(phase)], axis=1).reshape(-1, rings.n_angles)


def _mode_weights(rings: Rings) -> NDArray[np.float64]:
    """Weights (R, 2 M, 1) of the coefficients: both signs of a mode but the mean count."""
    both = np.where(np.arange(2 * rings.n_modes) < 2, 1.0, math.sqrt(2.0))
    return rings.weights()[:, None, None] * both[:, None]


def _analysis(rings: Rings) -> Tensor:
    """Matrices (R, 2 M, A): samples on a ring to weighted coefficients."""
    return torch.from_numpy(_waves(rings) * _mode_weights(rings) / rings.n_angles).float()


def _synthesis(rings: Rings) -> Tensor:
    """Matrices (R, A, 2 M): weighted coefficients to samples on a ring."""
    both = np.where(np.arange(2 * rings.n_modes) < 2, 1.0, 2.0)[:, None]
    waves = _waves(rings) * both / _mode_weights(rings)
    return torch.from_numpy(waves).float().transpose(1, 2).contiguous()


def _ring_matrix(rings: Rings) -> WeightedSums:
    """Build the matrix (R * A, H * W) of samples; a ring wider than a pixel averages several."""
    fold = max(1, math.ceil(rings.width - 1e-9))
    radii: NDArray[np.float64] = (np.arange(rings.n_rings * fold, dtype=np.float64) + 0.5) * (
        rings.width / fold
    )
    turn = 2.0 * math.pi / rings.n_angles
    offsets = ((np.arange(fold) + 0.5) / fold - 0.5) * turn
    angles = np.arange(rings.n_angles)[:, None] * turn + offsets  # (A, f)
    centre = (rings.size - 1) / 2.0
    # (R, f, A, f) to (R, A, f * f): each row of the matrix is the mean of f * f samples.
    y: NDArray[np.float64] = radii.reshape(-1, fold, 1, 1) * np.sin(angles) + centre
    x: NDArray[np.float64] = radii.reshape(-1, fold, 1, 1) * np.cos(angles) + centre
    y, x = (part.transpose(0, 2, 1, 3).reshape(-1, fold * fold) for part in (y, x))
    return sampling_matrix(y, x, (rings.size, rings.size), kernel=cubic_convolution)


def _drawing_matrix(rings: Rings) -> WeightedSums:
    """Matrix (H * W, R * A) that interpolates pixels between the samples on the rings."""
    centre = (rings.size - 1) / 2.0
    y, x = np.mgrid[: rings.size, : rings.size].astype(np.float64) - centre
    radius: NDArray[np.float64] = np.hypot(y, x)
    angle: NDArray[np.float64] = np.arctan2(y, x) % (2.0 * math.pi)
    row = (radius / rings.width - 0.5).ravel()
    column = (angle / (2.0 * math.pi) * rings.n_angles).ravel()
    outside = radius.ravel() > rings.radius + 0.5
    return sampling_matrix(
        row[:, None],
        column[:, None],
        (rings.n_rings, rings.n_angles),
        kernel=cubic_convolution,
        polar=True,
        blank=outside,
    )
