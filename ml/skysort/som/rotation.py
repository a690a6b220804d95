"""Turn images by any angle about their centre.

One convention in all of ProtoZoo: ``aligned = rotate(flip(image))``. First the image is mirrored
left-right if `flip` says so, then turned counter-clockwise by an angle, with row 0 at the bottom
(y up), about ((W - 1) / 2, (H - 1) / 2).

Why bicubic: measured over all whole degrees, bilinear interpolation keeps only 45 % of the
variance of pixel noise, bicubic 74 %, and a point source of a Gaussian beam of 3 pixels (FWHM) is
off by 7 % of its norm with bilinear, by 2.5 % with bicubic. An interpolation that smooths makes
every turned copy look closer to a mean image than the unturned one, so that angles would be chosen
for their blur. Bicubic costs twice the time of bilinear, which is still less than the matching.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from skysort.errors import InputError

__all__ = [
    "N_SYMMETRIES",
    "quadrant_bank",
    "rotate_images",
    "symmetry_apply",
    "symmetry_undo",
]

#: Quarter turns with and without a flip move pixels and never interpolate.
N_SYMMETRIES = 8
QUARTER = math.pi / 2.0
#: Angles this near to a quarter turn are one: at 32 pixels from the centre 1e-6 rad is 3e-5 pixel,
#: and float32 keeps angles up to 2 pi to 2.4e-7 rad.
QUARTER_TOLERANCE_RAD = 1e-6


def _quarter_turns(images: Tensor, quarters: int) -> Tensor:
    """Turn (..., H, W) counter-clockwise, y up, by whole quarters; exact."""
    return torch.rot90(images, quarters, dims=(-1, -2))


def symmetry_apply(images: Tensor, symmetry: int) -> Tensor:
    """Turn by ``symmetry % 4`` quarters, then mirror left-right if ``symmetry >= 4``.

    Parameters
    ----------
    images : Tensor (..., H, W)
        H and W are equal.
    symmetry : int
        From 0 to 7.

    Returns
    -------
    Tensor (..., H, W)
        The same pixels, moved.
    """
    turned = _quarter_turns(images, symmetry % 4)
    return turned.flip(-1) if symmetry >= 4 else turned


def symmetry_undo(images: Tensor, symmetry: int) -> Tensor:
    """Undo `symmetry_apply`.

    Examples
    --------
    >>> image = torch.arange(9.0).view(1, 1, 3, 3)
    >>> all(bool((symmetry_undo(symmetry_apply(image, s), s) == image).all()) for s in range(8))
    True
    """
    mirrored = images.flip(-1) if symmetry >= 4 else images
    return _quarter_turns(mirrored, -(symmetry % 4))


def _interpolate(images: Tensor, angles_rad: Tensor) -> Tensor:
    """Turn (N, C, H, W) by angles (N,) float64 between pixels; what lies outside is 0."""
    cos, sin = torch.cos(angles_rad), torch.sin(angles_rad)
    zero = torch.zeros_like(cos)
    # The value at p comes from the point that the rotation carries to p: R(-angle) p.
    rows = torch.stack([torch.stack([cos, sin, zero], -1), torch.stack([-sin, cos, zero], -1)], 1)
    grid = functional.affine_grid(rows, list(images.shape), align_corners=True)  # (N, H, W, 2)
    return functional.grid_sample(
        images, grid.to(images.dtype), mode="bicubic", padding_mode="zeros", align_corners=True
    )


def quadrant_bank(images: Tensor, n_rotations: int) -> Tensor:
    """Turn every image by the angles of the first quadrant, ``2 pi a / n_rotations`` < pi / 2.

    Together with the eight symmetries of the square these are all angles and flips: an eighth of
    the interpolation, and exactly the same set of images for an image turned by a quarter.

    Parameters
    ----------
    images : Tensor (N, C, H, W), float32
        Finite and square.
    n_rotations : int
        Angles of a full turn; a positive multiple of 4.

    Returns
    -------
    Tensor (A, N, C, H, W), float32
        A = n_rotations / 4; the first is the image itself.

    Raises
    ------
    InputError
        If `n_rotations` is no positive multiple of 4.

    Examples
    --------
    >>> quadrant_bank(torch.ones(5, 1, 8, 8), 12).shape
    torch.Size([3, 5, 1, 8, 8])
    """
    if n_rotations < 4 or n_rotations % 4:
        raise InputError(f"n_rotations must be a positive multiple of 4, got {n_rotations}")
    bank = torch.empty((n_rotations // 4, *images.shape), dtype=images.dtype, device=images.device)
    bank[0] = images
    for a in range(1, len(bank)):
        angle = torch.full((1,), 2.0 * math.pi * a / n_rotations, dtype=torch.float64)
        bank[a] = _interpolate(images, angle.to(images.device).expand(len(images)))
    return bank


def rotate_images(images: Tensor, angles_rad: Tensor, flip: Tensor) -> Tensor:
    """Mirror and turn each image by its own angle.

    Parameters
    ----------
    images : Tensor (N, C, H, W), float32
        Square, finite: NaN spreads to the neighbouring pixels.
    angles_rad : Tensor (N,)
        Counter-clockwise with y up, any value. Multiples of pi / 2 (to 1e-6 rad) move pixels and
        do not interpolate.
    flip : Tensor (N,), bool
        Mirror left-right first.

    Returns
    -------
    Tensor (N, C, H, W), float32
        Pixels that come from outside of the image are 0.

    Raises
    ------
    InputError
        If the images are not square or the lengths differ.

    Examples
    --------
    >>> image = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])  # 1 2 is the bottom row
    >>> rotate_images(image, torch.tensor([math.pi / 2]), torch.tensor([False]))[0, 0]
    tensor([[3., 1.],
            [4., 2.]])
    """
    if images.ndim != 4 or images.shape[2] != images.shape[3]:
        raise InputError(f"images must be square, (N, C, H, H), got shape {tuple(images.shape)}")
    if not len(images) == len(angles_rad) == len(flip):
        raise InputError(
            "images, angles_rad and flip must be equally long, "
            f"got {len(images)}, {len(angles_rad)} and {len(flip)}"
        )
    turned = torch.where(flip.view(-1, 1, 1, 1), images.flip(-1), images)
    angle = angles_rad.to(torch.float64)
    quarters = torch.floor((angle + QUARTER_TOLERANCE_RAD) / QUARTER)
    rest = angle - quarters * QUARTER
    between = rest > QUARTER_TOLERANCE_RAD
    if between.any():
        turned[between] = _interpolate(turned[between], rest[between])
    for quarter in (1, 2, 3):
        here = torch.remainder(quarters, 4) == quarter
        turned[here] = _quarter_turns(turned[here], quarter)
    return turned
