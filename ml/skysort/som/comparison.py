"""What is compared: a distance as an inner product of images and prototypes.

The squared distance of an image turned by phi from a prototype is ``|x|^2 + |p|^2 - 2 x_phi . p``
over the window. Two things are extra channels of the same product and cost nothing where they are
not used. PINK's square window stands still while the image turns, so the norm of what it sees
depends on the angle: the squared image against the window. Blank pixels take their share of the
prototype's norm away: the blank pixels against the squared prototype.

Products on rings (`skysort.som.polar_matching`) and in pixels (`skysort.som.refinement`) are both
of what is made here.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from skysort.som.interpolation import spline_coefficients
from skysort.som.matching import Window, window_mask

__all__ = ["Comparison", "View"]

#: Images whose norms are found at once, so that they stay in the processor's cache.
AT_ONCE = 128


@dataclass(frozen=True)
class View:
    """Images, made ready to be turned.

    Attributes
    ----------
    splines : Tensor (N, B, H, W), float32
        Spline coefficients of the image's channels, and of those that belong to its window and its
        blank pixels.
    norms : Tensor (N,), float32
        What an image adds to its squared distances at any angle.
    power : Tensor (N,), float32
        Its squared norm over the window, which tells how large errors may be.
    blank : slice, optional
        Which channels tell where the images are blank.
    """

    splines: Tensor
    norms: Tensor
    power: Tensor
    blank: slice | None = None

    def __len__(self) -> int:
        return len(self.splines)

    def part(self, start: int, stop: int) -> "View":
        """Take some of the images."""
        here = slice(start, stop)
        return View(self.splines[here], self.norms[here], self.power[here], self.blank)


class Comparison:
    """How images and prototypes are compared.

    Parameters
    ----------
    size : int
        Edge of the images in pixels.
    window, radius
        See `skysort.som.matching.window_mask`.
    device : torch.device, optional
        Where to compute.

    Attributes
    ----------
    window : Tensor (H, W), bool
        Pixels that are compared.
    is_disk : bool
        Whether an image shows the window the same pixels at all angles.

    Examples
    --------
    >>> compared = Comparison(5, "disk")
    >>> compared.view(torch.ones(3, 1, 5, 5)).norms
    tensor([13., 13., 13.])
    """

    def __init__(
        self,
        size: int,
        window: Window,
        radius: float | None = None,
        *,
        device: torch.device | None = None,
    ) -> None:
        self.is_disk = window == "disk"
        self.device = device or torch.device("cpu")
        self.window = window_mask(size, window, radius).to(self.device)
        self._seen = self.window.float()

    def view(self, images: Tensor, blank: Tensor | None = None, out: Tensor | None = None) -> View:
        """Make images ready.

        Parameters
        ----------
        images : Tensor (N, C, H, W), float32
            Finite; 0 where blank.
        blank : Tensor (N, C, H, W), bool, optional
            Pixels that are not compared.
        out : Tensor (>= N, C, H, W), float32, optional
            Memory for the coefficients, if there are no more channels than those of the images.
        """
        parts = [images]
        power = torch.cat([self.squared_norms(part) for part in torch.split(images, AT_ONCE)])
        norms = power if self.is_disk else torch.zeros_like(power)
        if not self.is_disk:
            parts.append(images.square().sum(dim=1, keepdim=True))
        if blank is not None:
            parts.append(blank.to(images.dtype))
        if len(parts) == 1:
            place = None if out is None else out[: len(images)]
            return View(spline_coefficients(images, place), norms, power)
        channels = torch.cat(parts, dim=1)
        gaps = None if blank is None else slice(channels.shape[1] - blank.shape[1], None)
        return View(spline_coefficients(channels), norms, power, gaps)

    def weights(self, prototypes: Tensor, *, blank: bool = False, whole: bool = False) -> Tensor:
        """Make images (K, B, H, W) of prototypes (K, C, H, W), to multiply turned views with.

        The squared distance is the sum of both norms, minus twice the product.

        Parameters
        ----------
        prototypes : Tensor (K, C, H, W), float32
            Finite.
        blank : bool, optional
            For views with blank pixels.
        whole : bool, optional
            Keep what lies beyond a disk, for those who cut it out themselves.
        """
        seen = prototypes if whole and self.is_disk else prototypes * self._seen
        parts = [seen]
        if not self.is_disk:
            parts.append((-0.5 * self._seen).expand(len(seen), 1, -1, -1))
        if blank:
            parts.append(0.5 * seen.square())
        return torch.cat(parts, dim=1)

    def squared_norms(self, images: Tensor) -> Tensor:
        """Squared norms (N,) of images (N, C, H, W) over the window."""
        shown = (images * self._seen).flatten(1)
        return torch.linalg.vector_norm(shown, dim=1).square()  # type: ignore[no-any-return]
