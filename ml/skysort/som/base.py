"""What all engines of a map share: the course of training, files, and the work on chunks."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.dlpack import from_dlpack

from skysort.errors import InputError
from skysort.som.checkpoint import MapState, load_map, save_map
from skysort.som.config import EpochReport, SOMConfig
from skysort.som.distributed import Team
from skysort.som.interpolation import spline_coefficients
from skysort.som.projection import Projection
from skysort.som.quality import map_quality, u_matrix
from skysort.som.seeding import seed_prototypes
from skysort.som.stack import (
    Chunk,
    ImageStack,
    Progress,
    Rows,
    fingerprint,
    iterate_chunks,
    read_chunk,
    slices,
)
from skysort.som.training import AlignedRows, Members, PixelSums
from skysort.som.turning import Turner

__all__ = ["SOM", "Course"]

#: For what a chunk of images needs while it is matched, and again for prototypes that are turned
#: back; the prototypes themselves come on top.
MEMORY_BYTES = 256 * 1024**2
#: Held-out images: more would not tell more, fewer than these would tell nothing.
MOST_HELD_OUT = 1000
FEWEST_HELD_OUT = 20
#: A map that becomes better by less has converged.
IMPROVEMENT = 1e-3
#: Members are turned to the nearest of at least so many angles for a prototype's picture.
LEAST_ROTATIONS = 360


class Course:
    """Callbacks of one training: says how far it is, and asks whether to stop.

    Parameters
    ----------
    total : int
        Images in all epochs.
    on_progress : callable, optional
        Called with (images done, total).
    should_stop : callable, optional
        Asked before each chunk.
    """

    def __init__(
        self,
        total: int,
        on_progress: Progress | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        self.total = total
        self._on_progress, self._should_stop = on_progress, should_stop
        self.stopped = False

    def goes_on(self) -> bool:
        """Whether nobody asked to stop."""
        self.stopped = self.stopped or bool(self._should_stop and self._should_stop())
        return not self.stopped

    def tell(self, done: int) -> None:
        """Say how many images are done."""
        if self._on_progress is not None:
            self._on_progress(min(done, self.total), self.total)


class SOM(ABC):
    """A rotation- and flip-invariant self-organizing map.

    Parameters
    ----------
    config : SOMConfig
        Settings.
    device : str, optional
        Where torch computes. Equal seeds give bitwise equal maps on one device with the same
        number of threads and the same `memory_bytes`.
    memory_bytes : int, optional
        Sets how many images are matched at once, and how many prototypes are kept turned back.

    Attributes
    ----------
    weights : Tensor (K, C, H, W), float32
        Prototypes; zeros before training.
    history : list of EpochReport
        One per finished epoch.
    fingerprint : str
        Of the images it was trained on; empty before training.
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
        self.team = Team()
        scale = config.channel_weights or (1.0,) * config.image_shape[0]
        self._scale = torch.tensor(scale, device=self.device).sqrt().view(-1, 1, 1)  # (C, 1, 1)

    @abstractmethod
    def _epoch(self, images: ImageStack, held_out: NDArray[np.int64], course: Course) -> int | None:
        """Train for one epoch; gives the number of units seeded anew, or None if it was stopped."""

    @abstractmethod
    def _placer(self) -> Callable[[Chunk], Projection]:
        """Make the present prototypes ready: gives what finds the places of a chunk of images."""

    @property
    @abstractmethod
    def _chunk_size(self) -> int:
        """Images that are read at once."""

    @abstractmethod
    def unit_distances(self) -> NDArray[np.float64]:
        """Distances (K, K) between prototypes at their best angles and flips.

        Only those between adjacent ones are measured; all others are NaN.
        """

    def u_matrix(self) -> NDArray[np.float64]:
        """Mean distance (K,) of each prototype from the adjacent ones, see `u_matrix`."""
        return u_matrix(self.unit_distances())

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
        return cls.of(load_map(path), device=device, memory_bytes=memory_bytes)

    @classmethod
    def of(cls, state: MapState, *, device: str = "cpu", memory_bytes: int = MEMORY_BYTES) -> Self:
        """Take up a map from what its file holds."""
        som = cls(state.config, device=device, memory_bytes=memory_bytes)
        som._take(state)
        return som

    def _take(self, state: MapState) -> None:
        self.weights = torch.from_numpy(state.weights.copy()).to(self.device)
        self.history = list(state.history)
        self.fingerprint = state.fingerprint

    def _scaled(self, pixels: NDArray[np.float32]) -> Tensor:
        """Images (n, C, H, W) on the device, so that channels count by their weights."""
        images = from_dlpack(pixels).to(self.device, non_blocking=True)
        return images if self.config.channel_weights is None else images * self._scale

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
        held_out = self._hold_out(len(images))
        course = Course(len(images) * self.config.epochs, on_progress, should_stop)
        while not self.is_trained:
            before = self.weights
            n_reseeded = self._epoch(images, held_out, course)
            if n_reseeded is None:
                self.weights = before
                break
            report = self._report(images, held_out, n_reseeded)
            self.history.append(report)
            if checkpoint is not None and self.team.leads:
                self.save(checkpoint, about=about)
            if on_epoch is not None:
                on_epoch(report)
        return list(self.history)

    @property
    def is_trained(self) -> bool:
        """Whether the last epoch of the schedule is done."""
        return bool(self.history) and self.history[-1].epoch == self.config.epochs

    @property
    def next_epoch(self) -> int:
        """The epoch (from 0) that training goes on with: the last one, once it has converged."""
        done = self.history[-1].epoch if self.history else 0
        return self.config.epochs - 1 if self._converged() else done

    def _converged(self) -> bool:
        patience, errors = self.config.patience, [r.quantization_error for r in self.history]
        if patience is None or len(errors) <= patience:
            return False
        return min(errors[-patience:]) > (1.0 - IMPROVEMENT) * min(errors[:-patience])

    def _move(self, means: Tensor, epoch: int) -> None:
        """Move the prototypes by the epoch's step towards means (K, C, H, W) in scaled channels."""
        step = self.config.step(epoch)
        means = means / self._scale
        self.weights = means if step == 1.0 else torch.lerp(self.weights, means, step)

    def _reseed(self, images: ImageStack, members: Members, epoch: int) -> int:
        """Give units without a member an image that is represented badly; counts them.

        Not while the neighbourhood is wide, since it fills the gaps of the map, and not after
        the last epoch, when nothing would settle the new seeds.
        """
        if self.config.sigma(epoch) >= 1.0 or epoch + 1 >= self.config.epochs:
            return 0
        heirs = members.heirs(self.config.grid)
        if heirs:
            seeds = Rows(images, np.array(list(heirs.values())))
            chunk = read_chunk(seeds, 0, len(seeds), self.config.image_shape, allow_blank=True)
            self.weights = self.weights.clone()
            self.weights[list(heirs)] = from_dlpack(chunk.pixels).to(self.device)
        return len(heirs)

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
        self.weights = seed_prototypes(images, self.config, device=self.device)

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

    def _hold_out(self, n_images: int) -> NDArray[np.int64]:
        """Sorted indices of the images that are kept out of training; may be none."""
        n = min(MOST_HELD_OUT, int(n_images * self.config.holdout))
        n = min(n, n_images - self.config.grid.n_units)
        if n < FEWEST_HELD_OUT:
            return np.empty(0, dtype=np.int64)
        rng = np.random.default_rng([self.config.seed, 7])
        return np.sort(rng.choice(n_images, size=n, replace=False))

    def _report(
        self, images: ImageStack, held_out: NDArray[np.int64], n_reseeded: int
    ) -> EpochReport:
        epoch = self.next_epoch
        sample = held_out
        if len(sample) == 0:
            n = min(len(images), MOST_HELD_OUT)
            sample = np.linspace(0, len(images) - 1, n).astype(np.int64)
        quality = map_quality(self.project(Rows(images, sample)), self.config.grid)
        return EpochReport(
            epoch=epoch + 1,
            of=self.config.epochs,
            sigma=self.config.sigma(epoch),
            step=self.config.step(epoch),
            **asdict(quality),
            n_reseeded=n_reseeded,
        )

    def project(self, images: ImageStack, *, on_progress: Progress | None = None) -> Projection:
        """Find every image's place on the map.

        Parameters
        ----------
        images : ImageStack
            N images, (C, H, W) each, float32.
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
            If there are no images, or one has another shape, infinite pixels, or NaN where the
            settings do not allow it; names its index.
        """
        if len(images) == 0:
            raise InputError("there are no images to project, got 0")
        place, found, done = self._placer(), [], 0
        parts = slices(len(images), self._chunk_size)
        for chunk in self._read(images, self.team.share(parts)):
            found.append(place(chunk))
            done += len(chunk) * self.team.size
            if on_progress is not None:
                on_progress(min(done, len(images)), len(images))
        shares = self.team.gather(found)
        return Projection.joined(
            [shares[i % self.team.size][i // self.team.size] for i in range(len(parts))]
        )

    def _read(self, images: ImageStack, parts: Sequence[tuple[int, int]]) -> Iterator[Chunk]:
        blank = self.config.blank == "mask"
        return iterate_chunks(images, parts, self.config.image_shape, allow_blank=blank)

    def refine(
        self,
        prototype: int,
        images: ImageStack,
        projection: Projection,
        *,
        rows: int = 3,
        columns: int = 3,
        **settings: Any,
    ) -> tuple[Self, NDArray[np.int64]]:
        """Train a child map on the members of one prototype, for a group that is not pure.

        Parameters
        ----------
        prototype : int
            Unit of this map.
        images : ImageStack
            The N images that were projected, in the same order.
        projection : Projection
            Of these images.
        rows, columns : int, optional
            Of the child.
        **settings
            What else of the settings is to differ from this map's.

        Returns
        -------
        child : SOM
            Of the same kind as this map.
        members : ndarray (n,), int64
            Which images are members, and so the child's images.

        Raises
        ------
        InputError
            If there is no such prototype, or it has fewer members than the child prototypes.
        """
        if not 0 <= prototype < self.config.grid.n_units:
            raise InputError(
                f"prototype must be from 0 to {self.config.grid.n_units - 1}, got {prototype}"
            )
        members = np.flatnonzero(projection.best == prototype)
        if len(members) < rows * columns:
            raise InputError(
                f"prototype {prototype} has {len(members)} members, fewer than the "
                f"{rows * columns} prototypes of its child map; choose fewer rows or columns"
            )
        changes: dict[str, Any] = {"sigma_start": None, **settings}
        config = replace(self.config, rows=rows, columns=columns, **changes)
        child = type(self)(config, device=str(self.device), memory_bytes=self.memory_bytes)
        child.fit(Rows(images, members))
        return child, members

    def aligned_means(
        self,
        images: ImageStack,
        projection: Projection,
        *,
        on_progress: Progress | None = None,
    ) -> NDArray[np.float32]:
        """Picture of each prototype: the mean of its aligned members.

        Parameters
        ----------
        images : ImageStack
            The N images that were projected, in the same order; they may have another stretch,
            but not another shape. Blank pixels count as 0.
        projection : Projection
            Of these images.
        on_progress : callable, optional
            Called with (images done, images in all) after each chunk.

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
        fold = math.ceil(LEAST_ROTATIONS / self.config.n_rotations)
        everywhere = torch.ones(self.config.image_shape[1:], dtype=torch.bool)
        turner = Turner(
            self.config.image_shape[1], fold * self.config.n_rotations, everywhere, self.device
        )
        sums = PixelSums(turner, self.config.grid.n_units, self.config.image_shape)
        for chunk in self._read(images, slices(len(images), self._chunk_size)):
            pixels = from_dlpack(chunk.pixels).to(self.device)
            unit, angle, flip = (
                torch.from_numpy(column[chunk.index]).to(self.device)
                for column in (projection.best, projection.angle_rad, projection.flip)
            )
            every = torch.arange(len(pixels), device=self.device)
            rows = AlignedRows(every, unit, angle, flip, torch.ones_like(angle))
            sums.add(spline_coefficients(pixels), rows)
            if on_progress is not None:
                on_progress(int(chunk.index[-1]) + 1, len(images))
        return sums.means(self.weights).cpu().numpy()
