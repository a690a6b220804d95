"""Compare images with prototypes at every angle and flip, by brute force.

The squared distance at angle a is ``|x|^2 + |p|^2 - 2 x_a . p`` over the window, all products of
a chunk in one matrix product. Turning changes no image's norm, so it is that of the pixels as they
are: interpolation would take some of the noise of single pixels, more at some angles than at
others, and angles would be chosen for their blur. The square window stands still while the image
turns, so there the norm is the sum of the turned squares. Only the angles of the first quadrant are
interpolated; quarter turns and flips move pixels, so they are applied, undone, to the prototypes
instead of the images: ``T(x_a) . p = x_a . T^-1(p)``.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from skysort.errors import InputError
from skysort.som.rotation import N_SYMMETRIES, quadrant_bank, rotate_images, symmetry_undo

__all__ = ["Match", "Matcher", "Window", "aligned_distances", "window_mask"]

Window = Literal["disk", "square"]


def window_mask(size: int, window: Window, radius: float | None = None) -> Tensor:
    """Pixels (size, size) that are compared: none leaves the image at any angle.

    Parameters
    ----------
    size : int
        Edge of the image in pixels.
    window : {"disk", "square"}
        The inscribed disk, or the square inside of it, as in PINK (side size / sqrt 2).
    radius : float, optional
        Of the disk in pixels; by default (size - 1) / 2.

    Returns
    -------
    Tensor (size, size), bool
        Symmetric under quarter turns and flips.

    Examples
    --------
    >>> int(window_mask(5, "disk").sum()), int(window_mask(5, "square").sum())
    (13, 9)
    """
    centre = (size - 1) / 2.0
    radius = centre if radius is None else radius
    offset = (torch.arange(size, dtype=torch.float64) - centre).abs()
    if window == "disk":
        return offset[:, None] ** 2 + offset[None, :] ** 2 <= radius**2 + 1e-9
    if window == "square":
        inside = offset <= radius / math.sqrt(2.0)
        return inside[:, None] & inside[None, :]
    raise InputError(f"window must be disk or square, got {window}")


def aligned_distances(
    images: Tensor,
    prototypes: Tensor,
    angles_rad: Tensor,
    flip: Tensor,
    *,
    window: Window,
    radius: float | None = None,
) -> Tensor:
    """Distances of images from one prototype each at given angles: the plain formula.

    Parameters
    ----------
    images, prototypes : Tensor (N, C, H, W), float32
        Square and finite.
    angles_rad : Tensor (N,)
        By which each image is turned after mirroring, see `skysort.som.rotation.rotate_images`.
    flip : Tensor (N,), bool
        Whether it is mirrored.
    window, radius
        See `window_mask`.

    Returns
    -------
    Tensor (N,), float32

    Examples
    --------
    >>> dot = torch.zeros(1, 1, 3, 3)
    >>> dot[..., 1, 1] = 2.0
    >>> still = torch.zeros(1, dtype=torch.bool)
    >>> aligned_distances(dot, torch.zeros_like(dot), torch.tensor([0.3]), still, window="disk")
    tensor([2.])
    """
    mask = window_mask(images.shape[-1], window, radius).to(images.device)
    turned, squares = rotate_images(images, angles_rad, flip), images.square()
    if window == "square":
        squares = rotate_images(squares, angles_rad, flip)
    apart = squares.double() + prototypes.double() * (prototypes.double() - 2.0 * turned)
    return (apart * mask).sum(dim=(1, 2, 3)).clamp_min(0.0).sqrt().float()


@dataclass(frozen=True)
class Match:
    """Best alignment of N images with each of K prototypes.

    Attributes
    ----------
    bank : Tensor (A, N, C, H, W)
        The images turned by the angles of the first quadrant.
    norms : Tensor (A, N), float32
        Squared norms over the window of the images turned by these angles.
    squared : Tensor (N, K), float32
        Squared distances: rounded to about 1e-6 of the images' norms, and never negative.
    step : Tensor (N, K), int64
        Index into the bank's angles.
    symmetry : Tensor (N, K), int64
        What is then applied to the turned image, see `symmetry_apply`.
    """

    bank: Tensor
    norms: Tensor
    squared: Tensor
    step: Tensor
    symmetry: Tensor

    def flip(self) -> Tensor:
        """Whether each image is mirrored (N, K)."""
        return self.symmetry >= 4

    def angle_rad(self) -> Tensor:
        """Angles (N, K), float32, in [0, 2 pi)."""
        n_rotations = 4 * len(self.bank)
        turn = (self.symmetry % 4) * len(self.bank) + self.step
        # The bank turns before the mirror, the project's convention after it.
        index = torch.where(self.flip(), -turn, turn) % n_rotations
        return (index.to(torch.float64) * (2.0 * math.pi / n_rotations)).to(torch.float32)

    def best_two(self) -> tuple[Tensor, Tensor]:
        """Best and second-best prototypes (N,); ties go to the lowest index."""
        best = self.squared.min(dim=1).indices
        rest = self.squared.scatter(1, best[:, None], torch.inf)
        return best, rest.min(dim=1).indices


class Matcher:
    """K prototypes, made ready to be compared with images.

    Parameters
    ----------
    prototypes : Tensor (K, C, H, W), float32
        Square and finite.
    n_rotations : int
        Angles of a full turn, a positive multiple of 4.
    use_flip : bool
        Whether mirror images are the same thing.
    window, radius
        See `window_mask`.
    """

    def __init__(
        self,
        prototypes: Tensor,
        *,
        n_rotations: int,
        use_flip: bool,
        window: Window,
        radius: float | None = None,
    ) -> None:
        self.n_rotations = n_rotations
        self.n_prototypes, channels, size, _ = prototypes.shape
        mask = window_mask(size, window, radius).to(prototypes.device).expand(channels, -1, -1)
        self._turning_norms = window == "square"
        self._pixels = mask.flatten().nonzero().squeeze(1)  # (D,)
        self._n_symmetries = N_SYMMETRIES if use_flip else N_SYMMETRIES // 2
        self._variants = torch.cat(
            [self._cut(symmetry_undo(prototypes, s)) for s in range(self._n_symmetries)]
        )  # (S * K, D)
        norm = self._variants[: self.n_prototypes].square().sum(dim=1)
        self._norms = norm.repeat(self._n_symmetries)  # equal for all variants, so that ties tie

    def _cut(self, images: Tensor) -> Tensor:
        """Keep the window's pixels: (..., C, H, W) to (..., D)."""
        return images.flatten(-3).index_select(-1, self._pixels)

    def bytes_per_image(self, image_shape: tuple[int, int, int]) -> int:
        """Memory that matching takes for one image: bank, window, scores."""
        turned = math.prod(image_shape) + len(self._pixels) + len(self._variants)
        return 4 * (turned * self.n_rotations // 4 + 2 * len(self._variants))

    def match(self, images: Tensor) -> Match:
        """Find the best angle and flip of each image (N, C, H, W) for each prototype.

        Ties go to the unmirrored image and then to the smallest angle, so that a blank image
        stays as it is.
        """
        bank = quadrant_bank(images, self.n_rotations)  # (A, N, C, H, W)
        cut = self._cut(bank).flatten(0, 1)  # (A * N, D)
        norms = self._image_norms(images, len(bank))  # (A, N)
        scores = torch.addmm(norms.view(-1, 1), cut, self._variants.T, alpha=-2.0)  # (A * N, S * K)
        per_angle = scores.add_(self._norms).view(len(bank), len(images), -1).min(dim=0)
        per_symmetry = per_angle.values.view(len(images), self._n_symmetries, -1).min(dim=1)
        symmetry = per_symmetry.indices  # (N, K)
        step = per_angle.indices.view(len(images), self._n_symmetries, -1)
        return Match(
            bank=bank,
            norms=norms,
            squared=per_symmetry.values.clamp_min(0.0),
            step=step.gather(1, symmetry[:, None]).squeeze(1),
            symmetry=symmetry,
        )

    def _image_norms(self, images: Tensor, n_angles: int) -> Tensor:
        """Squared norms (A, N) over the window, of images turned by the bank's angles."""
        squares = images.square()
        if self._turning_norms:
            squares = quadrant_bank(squares, 4 * n_angles)
        return self._cut(squares).sum(dim=-1).expand(n_angles, -1).contiguous()

    def distances(self, match: Match, units: Tensor) -> Tensor:
        """Distances (N,) of each image from its unit (N,), with the precision of float64."""
        row = torch.arange(len(units), device=units.device)
        step = match.step[row, units]
        aligned = self._cut(match.bank[step, row]).double()  # (N, D)
        variant = self._variants[match.symmetry[row, units] * self.n_prototypes + units].double()
        products = (aligned * variant).sum(dim=1)
        squared = match.norms[step, row].double() + variant.square().sum(dim=1) - 2.0 * products
        return squared.clamp_min(0.0).sqrt().float()
