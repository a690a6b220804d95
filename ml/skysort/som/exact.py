"""The plain rotate-and-compare self-organizing map: the reference for every faster engine.

Each image is turned by every angle, with and without a flip, and compared with each prototype
pixel by pixel, as in PINK (Polsterer, Gieseke & Igel 2015, ASPC 495, 81). Training is the batch
rule with an exponentially decaying Gaussian neighbourhood; PINK's online rule is there to compare.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from skysort.errors import InputError
from skysort.som.checkpoint import MapState, load_map, save_map
from skysort.som.config import EpochReport, SOMConfig
from skysort.som.matching import Matcher
from skysort.som.projection import Projection
from skysort.som.rotation import rotate_images
from skysort.som.seeding import seed_prototypes
from skysort.som.stack import ImageStack, Progress, fingerprint, iterate_images, read_images
from skysort.som.training import BatchSums, neighbourhood, pink_step

__all__ = ["EpochReport", "ExactSOM", "Projection", "SOMConfig"]

#: For turned images and their scores; eight copies of the prototypes come on top.
MEMORY_BYTES = 256 * 1024**2


class ExactSOM:
    """A map that is trained and used by brute force.

    Parameters
    ----------
    config : SOMConfig
        Settings.
    device : str, optional
        Where torch computes. Equal seeds give bitwise equal maps on one device with the same
        number of threads and the same `memory_bytes`.
    memory_bytes : int, optional
        Sets how many images are matched at once.

    Attributes
    ----------
    weights : Tensor (K, C, H, W), float32
        Prototypes; zeros before training.
    history : list of EpochReport
        One per finished epoch.
    fingerprint : str
        Of the images it was trained on; empty before training.

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
        self.config = config
        self.device = torch.device(device)
        self.memory_bytes = memory_bytes
        self.weights = torch.zeros((config.grid.n_units, *config.image_shape), device=self.device)
        self.history: list[EpochReport] = []
        self.fingerprint = ""
        self._adjacent = torch.from_numpy(config.grid.neighbours()).to(self.device)

    def save(self, path: Path | str, *, about: Mapping[str, str] | None = None) -> None:
        """Write the map to one file, with whatever the caller says about it."""
        state = MapState(
            config=self.config,
            weights=self.weights.cpu().numpy(),
            history=tuple(self.history),
            fingerprint=self.fingerprint,
            about=about or {},
        )
        save_map(path, state)

    @classmethod
    def load(
        cls, path: Path | str, *, device: str = "cpu", memory_bytes: int = MEMORY_BYTES
    ) -> Self:
        """Read a map; `InputError` names a file that is missing, truncated or foreign."""
        state = load_map(path)
        som = cls(state.config, device=device, memory_bytes=memory_bytes)
        som._take(state)
        return som

    def _take(self, state: MapState) -> None:
        self.weights = torch.from_numpy(state.weights.copy()).to(self.device)
        self.history = list(state.history)
        self.fingerprint = state.fingerprint

    def matcher(self) -> Matcher:
        """Make the present prototypes ready to be compared with images."""
        return Matcher(
            self.weights,
            n_rotations=self.config.n_rotations,
            use_flip=self.config.use_flip,
            window=self.config.window,
        )

    def _chunk_size(self, matcher: Matcher) -> int:
        return max(1, self.memory_bytes // matcher.bytes_per_image(self.config.image_shape))

    def fit(
        self,
        images: ImageStack,
        *,
        on_epoch: Callable[[EpochReport], None] | None = None,
        on_progress: Progress | None = None,
        should_stop: Callable[[], bool] | None = None,
        checkpoint: Path | str | None = None,
        resume: bool = False,
        about: Mapping[str, str] | None = None,
    ) -> list[EpochReport]:
        """Train on all images.

        Parameters
        ----------
        images : ImageStack
            N images, ``images[start:stop]`` giving (n, C, H, W); read in slices, never kept. N is
            at least the number of prototypes, since every prototype begins as an image.
        on_epoch : callable, optional
            Called after each epoch, when its checkpoint is written.
        on_progress : callable, optional
            Called with (images done, images in all epochs) after each chunk.
        should_stop : callable, optional
            Asked before each chunk; once it says True the unfinished epoch is dropped and `fit`
            returns what is done.
        checkpoint : path, optional
            Map file, written after each epoch.
        resume : bool, optional
            Go on from `checkpoint` where it exists; the map is the same as without interruption.
        about : mapping of str to str, optional
            Goes into the checkpoint.

        Returns
        -------
        list of EpochReport
            All finished epochs, with those before a resumption.

        Raises
        ------
        InputError
            If there are fewer images than prototypes, an image has NaN or another shape, or the
            checkpoint belongs to other settings or images.
        """
        self._begin(images, Path(checkpoint) if resume and checkpoint else None)
        run_epoch = self._epoch_pink if self.config.rule == "pink" else self._epoch_batch
        tick = on_progress or (lambda _done, _total: None)
        stop = should_stop or (lambda: False)
        while len(self.history) < self.config.epochs:
            report = run_epoch(images, len(self.history), tick, stop)
            if report is None:
                break
            self.history.append(report)
            if checkpoint is not None:
                self.save(checkpoint, about=about)
            if on_epoch is not None:
                on_epoch(report)
        return list(self.history)

    def _begin(self, images: ImageStack, checkpoint: Path | None) -> None:
        n_units = self.config.grid.n_units
        if len(images) < n_units:
            raise InputError(
                f"a map of {n_units} prototypes needs at least as many images, got {len(images)}; "
                "choose fewer rows or columns"
            )
        found = fingerprint(images, self.config.image_shape)
        if checkpoint is not None and checkpoint.exists():
            self._resume(checkpoint, found)
            return
        self.fingerprint, self.history = found, []
        self.weights = seed_prototypes(
            images, self.config, device=self.device, memory_bytes=self.memory_bytes
        )

    def _resume(self, checkpoint: Path, found: str) -> None:
        state = load_map(checkpoint)
        theirs, ours = asdict(state.config), asdict(self.config)
        other = [f"{key} {theirs[key]}" for key in ours if ours[key] != theirs[key]]
        if other:
            raise InputError(
                f"{checkpoint} was trained with other settings ({', '.join(other)}); "
                "resume with these, or train anew"
            )
        if state.fingerprint != found:
            raise InputError(
                f"{checkpoint} was trained on other images; resume with these, or train anew"
            )
        self._take(state)

    def _epoch_batch(
        self, images: ImageStack, epoch: int, tick: Progress, stop: Callable[[], bool]
    ) -> EpochReport | None:
        sums, matcher = BatchSums.zeros_like(self.weights), self.matcher()
        sigma = self.config.sigma(epoch)
        reach = neighbourhood(self.config.grid, sigma).to(self.device)
        total, size = len(images), self._chunk_size(matcher)
        for start, pixels in iterate_images(images, size, self.config.image_shape):
            if stop():
                return None
            match = matcher.match(torch.from_numpy(pixels).to(self.device))
            sums.add(match, matcher, reach, self._adjacent)
            tick(epoch * total + start + len(pixels), self.config.epochs * total)
        self.weights = sums.prototypes(self.weights)
        distances = np.concatenate(sums.distances)
        reseeded = 0
        if epoch + 1 < self.config.epochs:  # after the last epoch nothing would settle new seeds
            reseeded = self._reseed(images, (sums.denominator == 0.0).cpu().numpy(), distances)
        return self._report(epoch, distances, sums.n_torn, reseeded)

    def _reseed(
        self, images: ImageStack, empty: NDArray[np.bool_], distances: NDArray[np.float32]
    ) -> int:
        """Give units that no image reached the images that are represented worst."""
        units = np.flatnonzero(empty).tolist()
        worst = np.argsort(-distances, kind="stable").tolist()
        for unit, i in zip(units, worst, strict=False):
            pixels = read_images(images, i, i + 1, self.config.image_shape)
            self.weights[unit] = torch.from_numpy(pixels[0]).to(self.device)
        return len(units)

    def _epoch_pink(
        self, images: ImageStack, epoch: int, tick: Progress, stop: Callable[[], bool]
    ) -> EpochReport | None:
        before, total = self.weights.clone(), len(images)
        grid_distances = torch.from_numpy(self.config.grid.distances()).to(self.device)
        order = np.random.default_rng([self.config.seed, 1 + epoch]).permutation(total).tolist()
        distances, n_torn = np.empty(total, dtype=np.float32), 0
        for done, i in enumerate(order):
            if stop():
                self.weights = before
                return None
            pixels = read_images(images, i, i + 1, self.config.image_shape)
            matcher = self.matcher()
            match = matcher.match(torch.from_numpy(pixels).to(self.device))
            best, second = match.best_two()
            distances[i] = matcher.distances(match, best).item()
            n_torn += int(~self._adjacent[best, second])
            pink_step(self.weights, match, int(best), grid_distances)
            tick(epoch * total + done + 1, self.config.epochs * total)
        return self._report(epoch, distances, n_torn, 0)

    def _report(
        self, epoch: int, distances: NDArray[np.float32], n_torn: int, n_reseeded: int
    ) -> EpochReport:
        return EpochReport(
            epoch=epoch + 1,
            of=self.config.epochs,
            sigma=self.config.sigma(epoch),
            quantization_error=float(distances.mean(dtype=np.float64)),
            topographic_error=n_torn / len(distances),
            n_reseeded=n_reseeded,
        )

    def project(self, images: ImageStack, *, on_progress: Progress | None = None) -> Projection:
        """Find every image's place on the map.

        Parameters
        ----------
        images : ImageStack
            N images, (C, H, W) each, float32, finite.
        on_progress : callable, optional
            Called with (images done, images in all) after each chunk.

        Returns
        -------
        Projection
            Exact Euclidean distances over the window. Ties go to the lowest unit, the unmirrored
            image and the smallest angle; a blank image has angle 0 and no flip.

        Raises
        ------
        InputError
            If an image has NaN or another shape; names its index.
        """
        matcher = self.matcher()
        parts: list[tuple[NDArray[np.generic], ...]] = []
        size = self._chunk_size(matcher)
        for start, pixels in iterate_images(images, size, self.config.image_shape):
            parts.append(self._project_chunk(matcher, pixels))
            if on_progress is not None:
                on_progress(start + len(pixels), len(images))
        if not parts:
            raise InputError("there are no images to project, got 0")
        best, second, distance, second_distance, angle_rad, flip = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
        return Projection(best, second, distance, second_distance, angle_rad, flip)

    def _project_chunk(
        self, matcher: Matcher, pixels: NDArray[np.float32]
    ) -> tuple[NDArray[np.generic], ...]:
        match = matcher.match(torch.from_numpy(pixels).to(self.device))
        best, second = match.best_two()
        columns = (
            best,
            second,
            matcher.distances(match, best),
            matcher.distances(match, second),
            match.angle_rad().gather(1, best[:, None]).squeeze(1),
            match.flip().gather(1, best[:, None]).squeeze(1),
        )
        return tuple(column.cpu().numpy() for column in columns)

    def aligned_means(self, images: ImageStack, projection: Projection) -> NDArray[np.float32]:
        """Picture of each prototype: the mean of its aligned members.

        Parameters
        ----------
        images : ImageStack
            The N images that were projected, in the same order; they may have
            another stretch, but not another shape.
        projection : Projection
            Of these images.

        Returns
        -------
        ndarray (K, C, H, W), float32
            A unit without members shows its own weights.

        Raises
        ------
        InputError
            If the numbers of images differ, or an image has NaN or another shape than the map.
        """
        if len(images) != len(projection):
            raise InputError(
                f"the projection has {len(projection)} rows, but there are {len(images)} images"
            )
        sums = torch.zeros_like(self.weights, dtype=torch.float64)
        size = max(1, self.memory_bytes // (16 * self.weights[0].nbytes))
        for start, pixels in iterate_images(images, size, self.config.image_shape):
            rows = slice(start, start + len(pixels))
            aligned = rotate_images(
                torch.from_numpy(pixels).to(self.device),
                torch.from_numpy(projection.angle_rad[rows]).to(self.device),
                torch.from_numpy(projection.flip[rows]).to(self.device),
            )
            best = torch.from_numpy(projection.best[rows]).to(self.device)
            for unit in np.unique(projection.best[rows]).tolist():
                sums[unit] += aligned[best == unit].sum(dim=0, dtype=torch.float64)
        counts = np.bincount(projection.best, minlength=len(sums)).reshape(-1, 1, 1, 1)
        means = sums.cpu().numpy() / np.maximum(counts, 1)
        pictures: NDArray[np.float32] = np.where(counts > 0, means, self.weights.cpu().numpy())
        return pictures.astype(np.float32)
