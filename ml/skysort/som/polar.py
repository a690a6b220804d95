"""Sample images on rings, where a rotation is a cyclic shift and a flip a reflection.

The ring at radius r becomes its Fourier coefficients along the angle, weighted by the root of the
ring's area (and by sqrt(2) for all modes but the mean), so that the plain inner product of two
images' coefficients is about the integral of their product over the disk (Parseval). Turning an
image by phi multiplies mode m with ``exp(-i m phi)``; mirroring it left-right conjugates and
multiplies mode m with ``(-1)**m``. Polar Fourier matching: e.g. Reddy & Chatterji 1996, IEEE TIP
5, 1266.

Coefficients are drawn by interpolating every mode between the rings. The adjoint of drawing takes
the pixels of a prototype to what an image's coefficients are multiplied with, so that the product
is that of the pixels: nothing is lost but what lies between the rings and beyond the last mode.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skysort.som.interpolation import WeightedSums, sampling_matrix
from skysort.som.rings import Rings, default_rings

__all__ = ["PolarTransform", "Rings", "default_rings"]

#: Pixels beyond the disk, in pixels, that are drawn as its edge.
RIM = 0.5


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
    torch.Size([13, 24, 2, 3])
    """

    _analysis: Tensor

    def __init__(self, rings: Rings, *, device: torch.device | None = None) -> None:
        super().__init__()
        self.rings = rings
        self.n_radii = len(rings.radii)
        self.device = device or torch.device("cpu")
        self._sample = _ring_matrix(rings).to(self.device)
        self.register_buffer("_analysis", _analysis(rings).to(self.device))  # (R, 2 M, A)
        self._canvas: _Canvas | None = None

    def coefficients(self, splines: Tensor) -> Tensor:
        """Transform images.

        Parameters
        ----------
        splines : Tensor (N, C, H, W), float32
            Their spline coefficients (`skysort.som.interpolation.spline_coefficients`), H and W
            equal to ``rings.size``.

        Returns
        -------
        Tensor (C * R, M, 2, N), float32
            Real and imaginary part of each mode on each ring, channel after channel.
        """
        n = len(splines)
        parts = []
        for channel in range(splines.shape[1]):
            columns = splines[:, channel].reshape(n, -1).T.contiguous()  # (H * W, N)
            samples = (self._sample @ columns).view(self.n_radii, self.rings.n_angles, n)
            parts.append(torch.bmm(self._analysis, samples))  # (R, 2 M, N)
        whole = parts[0] if len(parts) == 1 else torch.cat(parts)
        return whole.view(-1, self.rings.n_modes, 2, n)

    def images(self, coefficients: Tensor) -> Tensor:
        """Draw images (N, C, H, W) from coefficients (C * R, M, 2, N); 0 outside of the disk.

        Modes that were not kept are missing, so the picture is a smoothed one.
        """
        canvas, size = self._drawing(), self.rings.size
        channels, n = coefficients.shape[0] // self.n_radii, coefficients.shape[-1]
        rows = coefficients.view(channels, self.n_radii, self.rings.n_modes, 2, n)
        drawn = coefficients.new_zeros((len(canvas.pixels), channels * n))
        for m, cosine, sine, draw, _ in canvas.modes():
            parts = rows[:, :, m].permute(1, 2, 0, 3)  # (R, 2, C, N)
            parts = parts * canvas.weights[:, m].view(-1, 1, 1, 1)
            real, imaginary = (draw @ parts.flatten(1)).chunk(2, dim=1)  # (P, C * N) each
            drawn += cosine * real - sine * imaginary
        images = coefficients.new_zeros((size * size, channels * n))
        images[canvas.pixels] = drawn
        return images.view(size, size, channels, n).permute(3, 2, 0, 1).contiguous()

    def adjoint(self, images: Tensor) -> Tensor:
        """Make what the coefficients of others are multiplied with for the products of pixels.

        The inner product of ``coefficients(x)`` and ``adjoint(w)`` is that of w with the image
        that `images` draws of x.

        Parameters
        ----------
        images : Tensor (N, C, H, W), float32
            Pixels; those outside of the disk do not count.

        Returns
        -------
        Tensor (C * R, M, 2, N), float32
        """
        canvas, n = self._drawing(), len(images)
        columns = images.permute(2, 3, 1, 0).flatten(0, 1).flatten(1)[canvas.pixels]  # (P, C * N)
        shape = (images.shape[1], self.n_radii, self.rings.n_modes, 2, n)
        found = images.new_empty(shape)
        for m, cosine, sine, _, gather in canvas.modes():
            waves = torch.cat([cosine * columns, -sine * columns], dim=1)
            sums = (gather @ waves).view(self.n_radii, 2, -1, n)  # (R, 2, C, N)
            sums *= canvas.weights[:, m].view(-1, 1, 1, 1)
            found[:, :, m] = sums.permute(2, 0, 1, 3)
        return found.flatten(0, 1)

    def _drawing(self) -> "_Canvas":
        if self._canvas is None:
            self._canvas = _Canvas(self.rings, self.device)
        return self._canvas


class _Canvas:
    """How each mode is drawn, and the adjoint of that.

    Attributes
    ----------
    pixels : Tensor (P,), int64
        Those of the disk.
    weights : Tensor (R, M)
        What a weighted coefficient counts in a picture.
    """

    def __init__(self, rings: Rings, device: torch.device) -> None:
        centre = (rings.size - 1) / 2.0
        y, x = np.mgrid[: rings.size, : rings.size].astype(np.float64) - centre
        radius: NDArray[np.float64] = np.hypot(y, x)
        inside = radius <= rings.radius + RIM
        angle: NDArray[np.float64] = np.arctan2(y, x)[inside]
        self._angle = torch.from_numpy(angle).to(device)[:, None]
        self.pixels = torch.from_numpy(inside.ravel().nonzero()[0]).to(device)
        both = _both_signs(rings.n_modes)
        weights = both / rings.weights[:, None] / _blur(rings)
        self.weights = torch.from_numpy(weights).float().to(device)
        self._draw, self._gather = [], []
        for odd in (False, True):
            draw = WeightedSums.of(rings.between(radius[inside], odd=odd))
            self._draw.append(draw.to(device))
            self._gather.append(draw.transposed(len(rings.radii)).to(device))

    def modes(self) -> Iterator[tuple[int, Tensor, Tensor, WeightedSums, WeightedSums]]:
        """Each mode: cosine and sine (P, 1) of the pixels' angles, how to draw, the adjoint."""
        for m in range(self.weights.shape[1]):
            phase = m * self._angle
            cosine, sine = torch.cos(phase).float(), torch.sin(phase).float()
            yield m, cosine, sine, self._draw[m % 2], self._gather[m % 2]


def _both_signs(n_modes: int) -> NDArray[np.float64]:
    """Weights (M,) that let both signs of a mode but the mean count in a product."""
    return np.where(np.arange(n_modes) == 0, 1.0, math.sqrt(2.0))


def _analysis(rings: Rings) -> Tensor:
    """Matrices (R, 2 M, A): samples on a ring to weighted coefficients."""
    turn = 2.0 * math.pi / rings.n_angles * np.arange(rings.n_angles)
    phase = np.arange(rings.n_modes)[:, None] * turn
    waves = np.stack([np.cos(phase), -np.sin(phase)], axis=1).reshape(-1, rings.n_angles)
    waves *= _both_signs(rings.n_modes).repeat(2)[:, None] / rings.n_angles
    return torch.from_numpy(rings.weights[:, None, None] * waves).float()


def _fold(rings: Rings) -> NDArray[np.int64]:
    """How many samples (R,) a ring averages, outwards and around: one for each pixel of width."""
    fold: NDArray[np.int64] = np.ceil(np.diff(rings.edges) - 1e-9).astype(np.int64)
    return np.maximum(fold, 1)


def _offsets(rings: Rings) -> NDArray[np.float64]:
    """Places (R, F) of a ring's samples within its width, from -0.5 to 0.5.

    Where there are fewer than F they repeat, which changes no mean.
    """
    fold = _fold(rings)[:, None]
    place = np.arange(int(fold.max())) * fold // fold.max()
    offsets: NDArray[np.float64] = (place + 0.5) / fold - 0.5
    return offsets


def _blur(rings: Rings) -> NDArray[np.float64]:
    """Find what is left (R, M) of a mode when neighbouring samples are averaged."""
    turn = 2.0 * math.pi / rings.n_angles
    phase = np.arange(rings.n_modes)[:, None] * _offsets(rings)[:, None, :] * turn  # (R, M, F)
    mean: NDArray[np.float64] = np.cos(phase).mean(axis=2)
    return mean


def _ring_matrix(rings: Rings) -> WeightedSums:
    """Build the matrix (R * A, H * W) of samples."""
    offsets, width = _offsets(rings), np.diff(rings.edges)
    # The last ring, on the edge, averages inwards only.
    middle = np.minimum(rings.radii, rings.radius - np.where(_fold(rings) > 1, 0.5 * width, 0.0))
    radii = middle[:, None] + offsets * width[:, None]  # (R, F)
    turn = 2.0 * math.pi / rings.n_angles
    angles = (np.arange(rings.n_angles)[None, :, None] + offsets[:, None]) * turn  # (R, A, F)
    centre = (rings.size - 1) / 2.0
    # Each row of the matrix is the mean of F * F samples.
    y = radii[:, None, :, None] * np.sin(angles)[..., None, :] + centre  # (R, A, F, F)
    x = radii[:, None, :, None] * np.cos(angles)[..., None, :] + centre
    shape = (-1, offsets.shape[1] ** 2)
    return sampling_matrix(y.reshape(shape), x.reshape(shape), (rings.size, rings.size))
