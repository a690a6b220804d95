"""The plain "rotated bank times prototypes" map: brute force done well, as a peer.

Every image is turned by every angle, only the pixels of the window, several images in one call;
one matrix product compares all turned images with all prototypes and their mirror images, near the
machine's matrix rate. Interpolation is torch's: bicubic; or bilinear, as PINK does it (Polsterer,
Gieseke & Igel 2015, ASPC 495, 81), which is quicker and blurs more. Distances are those of the
turned pixels, so that whatever noise interpolation takes away is missing in them; the exact
reference (`skysort.som.matching`) turns by splines and keeps the norm. What that saves by turning
pictures by quarters is left out: all angles are interpolated. Training is the batch rule with the
same neighbourhood and seeds.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from skysort.som.base import MEMORY_BYTES, SOM, Course
from skysort.som.config import SOMConfig
from skysort.som.matching import window_mask
from skysort.som.projection import Projection
from skysort.som.stack import Chunk, ImageStack, slices
from skysort.som.training import Members, neighbourhood

__all__ = ["BilinearBruteForceSOM", "BruteForceSOM"]

#: Images of one matrix product on a processor. From 2 to 16 it ran equally near the machine's rate
#: (97 %), but banks of more than 4 images leave the cache, and interpolation takes twice as long.
BATCH = 4


class _Match(NamedTuple):
    """Squared distances (N, K), and at which step and flip (N, K) of the bank they are reached."""

    squared: Tensor
    step: Tensor
    flip: Tensor

    def best_two(self) -> Tensor:
        """Best and second-best units (N, 2); ties go to the lowest index."""
        best = self.squared.argmin(dim=1, keepdim=True)
        second = self.squared.scatter(1, best, torch.inf).argmin(dim=1, keepdim=True)
        return torch.cat([best, second], dim=1)


class BruteForceSOM(SOM):
    """A map that is trained and used by one large matrix product; see `SOM` for what it can.

    Attributes
    ----------
    interpolation : {"bicubic", "bilinear"}
        How images are turned.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> images = rng.normal(size=(20, 1, 9, 9)).astype(np.float32)
    >>> config = SOMConfig(image_shape=(1, 9, 9), rows=2, columns=2, n_rotations=8, epochs=2)
    >>> som = BruteForceSOM(config)
    >>> len(som.fit(images)), len(som.project(images))
    (2, 20)
    """

    interpolation = "bicubic"

    def __init__(
        self, config: SOMConfig, *, device: str = "cpu", memory_bytes: int = MEMORY_BYTES
    ) -> None:
        super().__init__(config, device=device, memory_bytes=memory_bytes)
        size = config.image_shape[1]
        mask = window_mask(size, config.window, config.radius)
        self._pixels = mask.flatten().nonzero().squeeze(1).to(self.device)  # (D,)
        place = torch.cumsum(mask.flatten(), dim=0).view(size, size) - 1
        self._mirror = place.flip(-1)[mask].to(self.device)  # (D,): mirrored is values[mirror]
        self._grid = _sampling_grid(mask, config.n_rotations).to(self.device)

    @property
    def _chunk_size(self) -> int:
        bank = 4 * self.config.n_rotations * self.config.image_shape[0] * len(self._pixels)
        most = max(1, self.memory_bytes // (2 * bank))
        return min(BATCH, most) if self.device.type == "cpu" else most

    def _bank(self, images: Tensor) -> Tensor:
        """Turn images (N, C, H, W) by all A angles: rows (N * A, C * D)."""
        n, channels = images.shape[:2]
        stacked = images.flatten(0, 1)[None]  # as channels they share positions and weights
        turned = functional.grid_sample(
            stacked, self._grid, mode=self.interpolation, align_corners=True
        )
        turned = turned.view(n, channels, self.config.n_rotations, -1)  # (N, C, A, D)
        return turned.transpose(1, 2).reshape(n * self.config.n_rotations, -1)

    def _variants(self) -> tuple[Tensor, Tensor]:
        """Prototypes and their mirror images (F * K, C * D), and their squared norms."""
        cut = (self.weights * self._scale).flatten(2)[..., self._pixels]  # (K, C, D)
        faces = [cut, cut[..., self._mirror]] if self.config.use_flip else [cut]
        variants = torch.cat(faces).flatten(1)
        return variants, cut.square().sum(dim=(1, 2)).repeat(len(faces))

    def _match(self, bank: Tensor, variants: Tensor, norms: Tensor) -> _Match:
        """Compare a bank (N * A, C * D) with all prototypes: one matrix product, one minimum."""
        own = torch.linalg.vector_norm(bank, dim=1, keepdim=True).square()
        scores = torch.addmm(own, bank, variants.T, alpha=-2.0).add_(norms)  # (N * A, F * K)
        n, n_units = len(bank) // self.config.n_rotations, len(self.weights)
        squared, place = scores.view(n, -1, n_units).min(dim=1)  # over angle and flip
        faces = len(variants) // n_units
        return _Match(squared.clamp_min(0.0), place // faces, place % faces == 1)

    def _angle_rad(self, match: _Match) -> Tensor:
        """Angles (N, K): the bank turns before the mirror, the project's convention after it."""
        step = torch.where(match.flip, -match.step, match.step) % self.config.n_rotations
        return step.float() * (2.0 * math.pi / self.config.n_rotations)

    def _epoch(self, images: ImageStack, held_out: NDArray[np.int64], course: Course) -> int | None:
        epoch, grid = self.next_epoch, self.config.grid
        reach = neighbourhood(grid, self.config.sigma(epoch)).to(self.device).float()
        members, sums = Members(grid.n_units, self.device), _Sums(self._variants()[0], reach)
        variants, norms = self._variants()
        for chunk in self._read(images, slices(len(images), self._chunk_size)):
            if not course.goes_on():
                return None
            own = chunk.without(held_out)
            if len(own):
                bank = self._bank(self._scaled(own.pixels))
                match = self._match(bank, variants, norms)
                squared, best = match.squared.min(dim=1)
                members.add(best, squared.sqrt(), torch.from_numpy(own.index).to(self.device))
                sums.add(bank, match, best)
            course.tell(epoch * len(images) + int(chunk.index[-1]) + 1)
        self._move(self._means(sums), epoch)
        return self._reseed(images, members, epoch)

    def _means(self, sums: "_Sums") -> Tensor:
        """Means (K, C, H, W) in scaled channels; 0 outside of the window, where none compares."""
        cut = sums.means(self._mirror)
        means = torch.zeros_like(self.weights).flatten(2)
        means[..., self._pixels] = cut.view(len(means), means.shape[1], -1)
        return means.view_as(self.weights)

    def _placer(self) -> Callable[[Chunk], Projection]:
        variants, norms = self._variants()

        def place(chunk: Chunk) -> Projection:
            match = self._match(self._bank(self._scaled(chunk.pixels)), variants, norms)
            two = match.best_two()
            distance = match.squared.gather(1, two).sqrt()
            best = two[:, :1]
            columns = (
                *two.unbind(dim=1),
                *distance.unbind(dim=1),
                self._angle_rad(match).gather(1, best).squeeze(1),
                match.flip.gather(1, best).squeeze(1),
            )
            return Projection(*(column.cpu().numpy() for column in columns))

        return place

    def unit_distances(self) -> NDArray[np.float64]:
        """Distances (K, K) between adjacent prototypes; all others are NaN."""
        variants, norms = self._variants()
        parts = torch.split(self.weights * self._scale, self._chunk_size)
        squared = torch.cat([self._match(self._bank(p), variants, norms).squared for p in parts])
        distances = torch.minimum(squared, squared.T).sqrt().cpu().numpy().astype(np.float64)
        return np.where(self.config.grid.neighbours(), distances, np.nan)


class BilinearBruteForceSOM(BruteForceSOM):
    """The same with PINK's interpolation."""

    interpolation = "bilinear"


class _Sums:
    """Weighted sums of turned images, as they lie in the bank.

    Parameters
    ----------
    variants : Tensor (F * K, C * D)
        Prototypes of this epoch; one that no image reaches stays.
    reach : Tensor (K, K)
        Weights of the neighbourhood.
    """

    def __init__(self, variants: Tensor, reach: Tensor) -> None:
        self.variants, self.reach = variants, reach
        self.numerator = torch.zeros_like(variants, dtype=torch.float64)
        self.denominator = torch.zeros_like(reach[0], dtype=torch.float64)

    def add(self, bank: Tensor, match: _Match, best: Tensor) -> None:
        """Add matched images, each in the alignment of each prototype that it reaches."""
        weights = self.reach[best]  # (N, K)
        self.denominator += weights.sum(dim=0)
        image, unit = weights.nonzero(as_tuple=True)
        n_rotations = len(bank) // len(best)
        bag, order = (match.flip[image, unit] * len(self.reach) + unit).sort(stable=True)
        rows = (image * n_rotations + match.step[image, unit])[order]
        starts = torch.searchsorted(bag, torch.arange(len(self.variants), device=bag.device))
        self.numerator += functional.embedding_bag(
            rows, bank, starts, mode="sum", per_sample_weights=weights[image, unit][order]
        )

    def means(self, mirror: Tensor) -> Tensor:
        """Weighted means (K, C * D), float32; sums of mirrored images are mirrored back."""
        n_units, total = len(self.reach), self.numerator
        upright = total[:n_units]
        if len(total) > n_units:
            channels = total.shape[1] // len(mirror)
            back = total[n_units:].view(n_units, channels, -1)[..., mirror]
            upright = upright + back.flatten(1)
        reached = self.denominator > 0.0
        mean = (upright / self.denominator.clamp_min(1e-12)[:, None]).float()
        return torch.where(reached[:, None], mean, self.variants[:n_units])


def _sampling_grid(mask: Tensor, n_rotations: int) -> Tensor:
    """Where the window's pixels come from at each angle: (1, A, D, 2) for `grid_sample`."""
    centre = (len(mask) - 1) / 2.0
    y, x = (place.double() - centre for place in mask.nonzero(as_tuple=True))
    angle = torch.arange(n_rotations, dtype=torch.float64)[:, None] * (2.0 * math.pi / n_rotations)
    back_x = torch.cos(angle) * x + torch.sin(angle) * y
    back_y = torch.cos(angle) * y - torch.sin(angle) * x
    return (torch.stack([back_x, back_y], dim=-1) / centre).float()[None]
