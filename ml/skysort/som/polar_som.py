"""The fast rotation- and flip-invariant self-organizing map.

Matching and training happen on rings (`skysort.som.polar_matching`, `PolarSums`). The last epoch
gathers its means in pixels, so that the prototypes are as sharp as their members; projection ends
in pixels too (`skysort.som.refinement`), with the distances of the exact map. Training is
Kohonen's batch rule (Self-Organizing Maps, 3rd ed., 2001, sec. 3.6).
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skysort.errors import InputError
from skysort.som.backturn import BackTurner
from skysort.som.base import MEMORY_BYTES, SOM, Course
from skysort.som.comparison import Comparison
from skysort.som.config import EpochReport, SOMConfig
from skysort.som.interpolation import spline_coefficients
from skysort.som.polar import PolarTransform
from skysort.som.polar_matching import Alignment, Candidates, PolarMatcher
from skysort.som.projection import Projection
from skysort.som.refinement import Refiner
from skysort.som.rotation import rotate_images
from skysort.som.stack import Chunk, ImageStack, slices
from skysort.som.training import AlignedRows, Members, PixelSums, PolarSums, neighbourhood
from skysort.som.turning import Turner

__all__ = ["EpochReport", "PartialUpdate", "PolarSOM", "Projection", "SOMConfig"]

#: Adds a chunk to sums and members.
Gather = Callable[[Chunk, Any, Members], None]

#: Images matched at once: as many as make the matrix products efficient and no more, so that what
#: they need stays in the processor's cache; a graphics card wants as many as its memory takes.
BLOCK = {"cpu": 128, "cuda": 8192}
#: Images that are read, and whose candidates are compared exactly, at once: the more there are,
#: the more of them share a prototype and an angle. They, their coefficients and their alignments
#: take about the memory that is allowed; prototypes that are turned back may take as much again.
CHUNK = 4096
#: In the last epoch images are placed exactly if a batch has as many for each unit.
PLACED_PER_UNIT = 4
#: A batch is cut into as many parts, from all over the survey, that several processes share.
PARTS_PER_BATCH = 8


@contextmanager
def multiplying(device: torch.device, *, exactly: bool) -> Iterator[None]:
    """Let a graphics card multiply with all bits, or with TF32.

    Its ten bits suffice to choose candidates. What the caller has set holds again afterwards.
    """
    if device.type != "cuda":
        yield
        return
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest" if exactly else "high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


class PartialUpdate(NamedTuple):
    """What a part of the images asks of the map.

    Attributes
    ----------
    epoch : int
        Whose neighbourhood held.
    numerator, denominator : Tensor
        See `PolarSums`, and in the last epoch `PixelSums`.
    error : Tensor, float64
        Sum of the distances from the best units.
    """

    epoch: int
    numerator: Tensor
    denominator: Tensor
    error: Tensor


class PolarSOM(SOM):
    """A map that is trained on rings and used to the pixel; see `SOM` for what it can.

    Raises
    ------
    InputError
        If PINK's online rule is asked for, which only `skysort.som.exact.ExactSOM` follows.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> images = rng.normal(size=(20, 1, 9, 9)).astype(np.float32)
    >>> som = PolarSOM(SOMConfig(image_shape=(1, 9, 9), rows=2, columns=2, epochs=2))
    >>> [report.epoch for report in som.fit(images)]
    [1, 2]
    >>> len(som.project(images))
    20
    """

    def __init__(
        self, config: SOMConfig, *, device: str = "cpu", memory_bytes: int = MEMORY_BYTES
    ) -> None:
        if config.rule != "batch":
            raise InputError(f'the polar map is trained by the rule "batch", got {config.rule}')
        super().__init__(config, device=device, memory_bytes=memory_bytes)
        size = config.image_shape[1]
        self.transform = PolarTransform(config.rings, device=self.device)
        self._comparison = Comparison(size, config.window, config.radius, device=self.device)
        everywhere = torch.ones((size, size), dtype=torch.bool)
        self._turner = Turner(size, config.n_rotations, everywhere, self.device)
        self._n_batches, self._mass = 0, torch.zeros(len(self.weights), device=self.device)

    def matcher(self) -> PolarMatcher:
        """Make the present prototypes ready to be compared with images on rings."""
        return PolarMatcher(
            self.transform,
            self._comparison,
            self.weights * self._scale,
            n_rotations=self.config.n_rotations,
            use_flip=self.config.use_flip,
        )

    @cached_property
    def _back(self) -> BackTurner:
        return BackTurner(self._comparison.window, self.config.n_rotations)

    def _refiner(self) -> Refiner:
        return Refiner(
            self.weights * self._scale,
            self._comparison,
            self._back,
            memory_bytes=self.memory_bytes,
        )

    @property
    def _block(self) -> int:
        """Images that are matched at once."""
        need = PolarMatcher.bytes_per_image(
            self.config.rings, self.config.grid.n_units, self.config.n_rotations
        )
        return max(1, min(BLOCK.get(self.device.type, 128), self.memory_bytes // need))

    @property
    def _chunk_size(self) -> int:
        image_bytes = 4 * math.prod(self.config.image_shape)
        alignment_bytes = 9 * self.config.grid.n_units
        most = self.memory_bytes // (4 * max(image_bytes, alignment_bytes))
        return max(self._block, min(CHUNK, most))

    def _on_device(self, chunk: Chunk) -> tuple[Tensor, Tensor | None]:
        """Images (n, C, H, W) on the device, and where they are blank."""
        if chunk.blank is None:
            return self._scaled(chunk.pixels), None
        unseen = chunk.blank[..., self._comparison.window.cpu().numpy()].all(axis=(1, 2))
        if unseen.any():
            raise InputError(
                f"image {chunk.index[np.argmax(unseen)]} is blank in the whole window that is "
                "compared"
            )
        return self._scaled(chunk.pixels), torch.from_numpy(chunk.blank).to(self.device)

    def _epoch(self, images: ImageStack, held_out: NDArray[np.int64], course: Course) -> int | None:
        epoch, total, done = self.next_epoch, len(images), 0
        members = Members(self.config.grid.n_units, self.device)
        running = self._sums(epoch)
        if self.config.batch_size is not None:
            weight = torch.full_like(
                running.denominator, self.config.batch_size / len(self.weights)
            )
            running.begin(self._present(running), weight)
        for batch in self._batches(total, epoch):
            sums, gather = self._sums(epoch), self._gatherer(epoch)
            for chunk in self._read(images, self.team.share(batch)):
                if not course.goes_on():
                    break
                gather(chunk.without(held_out), sums, members)
                done += len(chunk) * self.team.size
                course.tell(epoch * total + min(done, total))
            if any(self.team.gather(course.stopped)):
                return None
            self.team.add(sums.numerator, sums.denominator)
            running.numerator += sums.numerator
            running.denominator += sums.denominator
            self._move(self._means(running), epoch)
        members.add_team(self.team)
        return self._reseed(images, members, epoch)

    def partial_update(self, images: ImageStack, *, epoch: int | None = None) -> PartialUpdate:
        """Find what some images ask of each prototype, without moving it.

        Parameters
        ----------
        images : ImageStack
            Some of all images.
        epoch : int, optional
            Whose neighbourhood holds, from 0; by default the last one.

        Returns
        -------
        PartialUpdate
            The updates of parts of the images add up to that of all; `apply` moves the map.
        """
        epoch = self.config.epochs - 1 if epoch is None else epoch
        members = Members(self.config.grid.n_units, self.device)
        sums, gather = self._sums(epoch), self._gatherer(epoch)
        for chunk in self._read(images, slices(len(images), self._chunk_size)):
            gather(chunk, sums, members)
        return PartialUpdate(epoch, sums.numerator, sums.denominator, members.error)

    def apply(self, update: PartialUpdate, *, weight: Tensor | None = None) -> None:
        """Move the prototypes to the means of an update.

        Parameters
        ----------
        update : PartialUpdate
            Of all images that are meant.
        weight : Tensor (K,), optional
            As how many images the present prototypes count; by default they do not.
        """
        sums = self._sums(update.epoch)
        if weight is not None:
            sums.begin(self._present(sums), weight)
        sums.numerator += update.numerator
        sums.denominator += update.denominator
        self._move(self._means(sums), update.epoch)

    def partial_fit(self, images: ImageStack) -> float:
        """Learn from one more batch of images; gives their mean distance before.

        The first `epochs` batches unfold the map, each with the neighbourhood of its turn. From
        then on a prototype is the mean of all images that it was ever given.
        """
        if not self.fingerprint:
            self._begin(images, None)
        last = self.config.epochs - 1
        epoch = last if self.is_trained else min(self._n_batches, last)
        update = self.partial_update(images, epoch=epoch)
        self.apply(update, weight=self._mass)
        if epoch == last:
            self._mass = self._mass + update.denominator.float()
        self._n_batches += 1
        return float(update.error) / len(images)

    def _batches(self, total: int, epoch: int) -> list[list[tuple[int, int]]]:
        """Parts of the images in the order of training, in batches after which the map moves."""
        size = self.config.batch_size
        if size is None:
            return [slices(total, self._chunk_size)]
        parts = slices(total, min(self._chunk_size, max(1, size // PARTS_PER_BATCH)))
        order = np.random.default_rng([self.config.seed, 1 + epoch]).permutation(len(parts))
        batches: list[list[tuple[int, int]]] = [[]]
        for i in order.tolist():
            if sum(stop - start for start, stop in batches[-1]) >= size:
                batches.append([])
            batches[-1].append(parts[i])
        return batches

    def _sums(self, epoch: int) -> PolarSums | PixelSums:
        """Begin the sums of an epoch: on rings, and in pixels in the last one."""
        n_units, rings = self.config.grid.n_units, self.config.rings
        if epoch + 1 == self.config.epochs:
            return PixelSums(self._turner, n_units, self.config.image_shape)
        rows = self.config.image_shape[0] * len(rings.radii)
        return PolarSums(n_units, rows, rings.n_modes, self.device)

    def _gatherer(self, epoch: int) -> Gather:
        """Make what matches a chunk and adds it, aligned, to what each prototype is to become."""
        config, matcher = self.config, self.matcher()
        reach = neighbourhood(config.grid, config.sigma(epoch)).to(self.device).float()
        if epoch + 1 < config.epochs:
            return partial(self._gather_on_rings, matcher, reach)
        is_small = (config.batch_size or math.inf) < PLACED_PER_UNIT * config.grid.n_units
        return partial(self._gather_pixels, matcher, reach, None if is_small else self._refiner())

    def _gather_on_rings(
        self, matcher: PolarMatcher, reach: Tensor, chunk: Chunk, sums: PolarSums, members: Members
    ) -> None:
        """Match a chunk and add it on rings, block by block."""
        if len(chunk) == 0:  # all of it was held out
            return
        images, blank = self._on_device(chunk)
        index = torch.from_numpy(chunk.index).to(self.device)
        for start, stop in slices(len(chunk), self._block):
            part, gaps = images[start:stop], None if blank is None else blank[start:stop]
            with multiplying(self.device, exactly=False):
                on_rings = matcher.sample(self._comparison.view(part, gaps))
                alignment = matcher.align(on_rings)
            squared, best = alignment.squared.min(dim=1)
            members.add(best, squared.sqrt(), index[start:stop])
            if gaps is not None and gaps.any():
                whole = self._comparison.view(self._filled(part, gaps, alignment, best))
                with multiplying(self.device, exactly=False):
                    on_rings = matcher.sample(whole)
            own = on_rings.coefficients[: len(sums.numerator)]
            sums.add(own, alignment.angle_rad, alignment.flip, reach[best])

    def _gather_pixels(
        self,
        matcher: PolarMatcher,
        reach: Tensor,
        refiner: Refiner | None,
        chunk: Chunk,
        sums: PixelSums,
        members: Members,
    ) -> None:
        """Match a chunk and add it in pixels.

        Images are placed on their best units as a projection does it, unless batches are so small
        that making the prototypes ready for that took longer.
        """
        if len(chunk) == 0:
            return
        images, blank = self._on_device(chunk)
        view, parts = self._comparison.view(images, blank), slices(len(chunk), self._block)
        alignments, candidates = [], []
        for start, stop in parts:
            with multiplying(self.device, exactly=False):
                on_rings = matcher.sample(view.part(start, stop))
                alignments.append(matcher.align(on_rings))
                if refiner is not None:
                    candidates.append(matcher.shortlist(on_rings).of(self._numbers(start, stop)))
        alignment = Alignment.joined(alignments)
        squared, best = alignment.squared.min(dim=1)
        if refiner is not None:
            with multiplying(self.device, exactly=True):
                places = refiner.refine(view, Candidates.joined(candidates))
            squared, best = places.distance.square(), places.best
            alignment.put(best, places.angle_rad, places.flip)
        members.add(best, squared.sqrt(), torch.from_numpy(chunk.index).to(self.device))
        splines = view.splines[:, : images.shape[1]]
        if blank is not None and blank.any():
            splines = spline_coefficients(self._filled(images, blank, alignment, best))
        sums.add(splines, AlignedRows.of(alignment, reach[best]))

    def _numbers(self, start: int, stop: int) -> Tensor:
        return torch.arange(start, stop, device=self.device)

    def _filled(self, images: Tensor, gaps: Tensor, alignment: Alignment, best: Tensor) -> Tensor:
        """Images whose blank pixels are those of their best prototypes, turned back onto them.

        So what is not known moves no prototype (Cottrell & Letremy 2007, Proc. ICANN, 403).
        """
        every = torch.arange(len(best), device=best.device)
        angle, flip = alignment.angle_rad[every, best], alignment.flip[every, best]
        # The inverse of "mirror, then turn by phi" is "mirror, then turn by phi", or "by -phi".
        back = rotate_images(
            (self.weights * self._scale)[best], torch.where(flip, angle, -angle), flip
        )
        return torch.where(gaps, back, images)

    def _means(self, sums: PolarSums | PixelSums) -> Tensor:
        """Make prototypes (K, C, H, W) in scaled channels of the sums."""
        means = sums.means(self._present(sums))
        return self.transform.images(means) if isinstance(sums, PolarSums) else means

    def _present(self, sums: PolarSums | PixelSums) -> Tensor:
        """Draw the prototypes as the sums do: as coefficients, or as pixels."""
        scaled = self.weights * self._scale
        if isinstance(sums, PixelSums):
            return scaled
        return self.transform.coefficients(spline_coefficients(scaled))

    def _placer(self) -> Callable[[Chunk], Projection]:
        matcher, refiner = self.matcher(), self._refiner()
        # Kept between chunks: fresh memory takes half as long again as what is written there.
        kept = torch.empty((0, *self.config.image_shape), device=self.device)

        def place(chunk: Chunk) -> Projection:
            nonlocal kept
            images, blank = self._on_device(chunk)
            if len(kept) < len(images):
                kept = torch.empty_like(images)
            view, found = self._comparison.view(images, blank, out=kept), []
            for start, stop in slices(len(chunk), self._block):
                with multiplying(self.device, exactly=False):
                    candidates = matcher.shortlist(matcher.sample(view.part(start, stop)))
                found.append(candidates.of(self._numbers(start, stop)))
            with multiplying(self.device, exactly=True):
                places = refiner.refine(view, Candidates.joined(found))
            return Projection(*(column.cpu().numpy() for column in places))

        return place

    def unit_distances(self) -> NDArray[np.float64]:
        """Distances (K, K) between adjacent prototypes, in pixels; all others are NaN.

        Turning a onto b interpolates another image than turning b onto a; the smaller one counts.
        """
        matcher, scaled = self.matcher(), self.weights * self._scale
        adjacent = torch.from_numpy(self.config.grid.neighbours()).to(self.device)
        found = []
        for start, stop in slices(len(scaled), self._block):
            alignment = matcher(scaled[start:stop])
            pairs = Candidates.chosen(alignment, adjacent[start:stop], self.config.n_rotations)
            found.append(pairs.of(self._numbers(start, stop)))
        pairs, refiner = Candidates.joined(found), self._refiner()
        distances = np.full((len(scaled), len(scaled)), np.nan)
        with multiplying(self.device, exactly=True):
            exact = refiner.distances(self._comparison.view(scaled), pairs)
        place = pairs.image.cpu().numpy(), pairs.unit.cpu().numpy()
        distances[place] = exact.double().cpu().numpy()
        smaller: NDArray[np.float64] = np.fmin(distances, distances.T)
        return smaller
