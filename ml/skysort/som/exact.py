"""The plain rotate-and-compare self-organizing map: the reference for every faster engine.

Each image is turned by every angle, with and without a flip, and compared with each prototype
pixel by pixel, as in PINK (Polsterer, Gieseke & Igel 2015, ASPC 495, 81). Training is the batch
rule with an exponentially decaying Gaussian neighbourhood; PINK's online rule is there to compare.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skysort.errors import InputError
from skysort.som.base import MEMORY_BYTES, SOM, Course
from skysort.som.config import EpochReport, SOMConfig
from skysort.som.matching import Matcher
from skysort.som.projection import Projection
from skysort.som.stack import Chunk, ImageStack, read_images, slices
from skysort.som.training import BatchSums, Members, neighbourhood, pink_step

__all__ = ["EpochReport", "ExactSOM", "Projection", "SOMConfig"]


class ExactSOM(SOM):
    """A map that is trained and used by brute force; see `SOM` for what it can.

    Raises
    ------
    InputError
        If blank pixels are to be masked or the map to be updated in small batches, which only
        `skysort.som.polar_som.PolarSOM` does.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> images = rng.normal(size=(20, 1, 9, 9)).astype(np.float32)
    >>> config = SOMConfig(image_shape=(1, 9, 9), rows=2, columns=2, n_rotations=8, epochs=2)
    >>> som = ExactSOM(config)
    >>> len(som.fit(images))
    2
    >>> len(som.project(images))
    20
    """

    def __init__(
        self, config: SOMConfig, *, device: str = "cpu", memory_bytes: int = MEMORY_BYTES
    ) -> None:
        if config.blank != "error":
            raise InputError('the exact map compares all pixels; blank must be "error"')
        if config.batch_size is not None:
            raise InputError("the exact map is updated once an epoch; batch_size must be None")
        super().__init__(config, device=device, memory_bytes=memory_bytes)

    def matcher(self) -> Matcher:
        """Make the present prototypes ready to be compared with images."""
        return self._matcher(self.weights * self._scale)

    def _matcher(self, scaled: Tensor) -> Matcher:
        return Matcher(
            scaled,
            n_rotations=self.config.n_rotations,
            use_flip=self.config.use_flip,
            window=self.config.window,
            radius=self.config.radius,
        )

    @property
    def _chunk_size(self) -> int:
        return max(1, self.memory_bytes // self.matcher().bytes_per_image(self.config.image_shape))

    def unit_distances(self) -> NDArray[np.float64]:
        """Distances (K, K) between adjacent prototypes; all others are NaN.

        Turning a onto b interpolates another image than turning b onto a; the smaller one counts.
        """
        matcher, scaled = self.matcher(), self.weights * self._scale
        parts = torch.split(scaled, self._chunk_size)
        squared = torch.cat([matcher.match(part).squared for part in parts])
        distances = torch.minimum(squared, squared.T).sqrt().cpu().numpy().astype(np.float64)
        return np.where(self.config.grid.neighbours(), distances, np.nan)

    def _epoch(self, images: ImageStack, held_out: NDArray[np.int64], course: Course) -> int | None:
        if self.config.rule == "pink":
            return self._epoch_pink(images, held_out, course)
        return self._epoch_batch(images, held_out, course)

    def _epoch_batch(
        self, images: ImageStack, held_out: NDArray[np.int64], course: Course
    ) -> int | None:
        epoch, grid = self.next_epoch, self.config.grid
        scaled = self.weights * self._scale
        sums, matcher = BatchSums(scaled), self._matcher(scaled)
        members = Members(grid.n_units, self.device)
        reach = neighbourhood(grid, self.config.sigma(epoch)).to(self.device)
        for chunk in self._read(images, slices(len(images), self._chunk_size)):
            if not course.goes_on():
                return None
            own = chunk.without(held_out)
            if len(own):
                match = matcher.match(self._scaled(own.pixels))
                best, _ = match.best_two()
                index = torch.from_numpy(own.index).to(self.device)
                members.add(best, matcher.distances(match, best), index)
                sums.add(match, reach[best])
            course.tell(epoch * len(images) + int(chunk.index[-1]) + 1)
        self._move(sums.means(scaled), epoch)
        return self._reseed(images, members, epoch)

    def _epoch_pink(
        self, images: ImageStack, held_out: NDArray[np.int64], course: Course
    ) -> int | None:
        epoch, total = self.next_epoch, len(images)
        grid_distances = torch.from_numpy(self.config.grid.distances()).to(self.device)
        order = np.random.default_rng([self.config.seed, 1 + epoch]).permutation(total)
        order = order[~np.isin(order, held_out)]
        scaled = self.weights * self._scale
        for done, i in enumerate(order.tolist()):
            if not course.goes_on():
                return None
            pixels = read_images(images, i, i + 1, self.config.image_shape)
            match = self._matcher(scaled).match(self._scaled(pixels))
            pink_step(scaled, match, int(match.best_two()[0]), grid_distances)
            course.tell(epoch * total + (done + 1) * total // len(order))
        self.weights = scaled / self._scale
        return 0

    def _placer(self) -> Callable[[Chunk], Projection]:
        matcher = self.matcher()

        def place(chunk: Chunk) -> Projection:
            match = matcher.match(self._scaled(chunk.pixels))
            best, second = match.best_two()
            columns = (
                best,
                second,
                matcher.distances(match, best),
                matcher.distances(match, second),
                match.angle_rad().gather(1, best[:, None]).squeeze(1),
                match.flip().gather(1, best[:, None]).squeeze(1),
            )
            return Projection(*(column.cpu().numpy() for column in columns))

        return place
