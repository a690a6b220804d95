"""The map with scikit-learn's protocol: fit, predict, transform, score; without scikit-learn.

Pedregosa et al. 2011 (JMLR 12, 2825) and the "Developing scikit-learn estimators" guide: settings
are arguments of the constructor and nothing else, what is learnt ends with an underscore.
"""

import dataclasses
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skysort.errors import InputError
from skysort.som.base import MEMORY_BYTES
from skysort.som.config import EpochReport, SOMConfig
from skysort.som.features import prototype_distances
from skysort.som.polar_matching import PolarMatcher
from skysort.som.polar_som import PolarSOM
from skysort.som.projection import Projection
from skysort.som.quality import quantization_error
from skysort.som.stack import ImageStack, Progress, Rows, fingerprint

__all__ = ["RotationInvariantSOM"]


class RotationInvariantSOM:
    """Self-organizing map that does not care how an image is turned or mirrored.

    Parameters
    ----------
    grid : tuple of int
        Rows and columns of the map.
    epochs : int
        Passes over all images.
    window : {"disk", "square"}
        Pixels that are compared.
    n_rotations : int
        Angles of a full turn; a positive multiple of 4.
    use_flip : bool
        Whether mirror images are the same thing.
    topology, periodic
        See `skysort.som.grid.Grid`.
    seed : int
        Of everything random; equal seeds give equal maps.
    device : str
        Where torch computes.
    memory_bytes : int
        Sets how many images are matched at once.
    **settings
        All others of `skysort.som.config.SOMConfig`, such as ``sigma_end`` or ``batch_size``.

    Attributes
    ----------
    prototypes_ : ndarray (K, C, H, W), float32
        K = rows * columns; unit ``row * columns + column``.
    labels_ : ndarray (N,), int64
        Best unit of each image that it was fitted to.
    history_ : list of EpochReport
        Quality after each epoch, on images that were held out.
    projection_ : Projection
        Of the images that it was fitted to: distances, angles and flips too.
    som_ : PolarSOM
        The map itself.

    Raises
    ------
    InputError
        If a setting breaks a rule, which `fit` says, since the constructor only keeps settings.

    Examples
    --------
    >>> images = np.random.default_rng(1).normal(size=(40, 12, 12)).astype(np.float32)
    >>> som = RotationInvariantSOM(grid=(2, 3), epochs=3).fit(images)
    >>> som.prototypes_.shape, som.predict(images[:5]).shape, som.transform(images[:5]).shape
    ((6, 1, 12, 12), (5,), (5, 6))
    """

    def __init__(
        self,
        grid: tuple[int, int] = (10, 10),
        *,
        epochs: int = 10,
        window: str = "disk",
        n_rotations: int = 360,
        use_flip: bool = True,
        topology: str = "rectangular",
        periodic: bool = False,
        seed: int = 1,
        device: str = "cpu",
        memory_bytes: int = MEMORY_BYTES,
        **settings: Any,
    ) -> None:
        self.grid, self.epochs, self.window = grid, epochs, window
        self.n_rotations, self.use_flip = n_rotations, use_flip
        self.topology, self.periodic, self.seed = topology, periodic, seed
        self.device, self.memory_bytes = device, memory_bytes
        unknown = set(settings) - _further_settings()
        if unknown:
            raise TypeError(
                f"{type(self).__name__} has no setting {', '.join(sorted(unknown))}; "
                f"it has {', '.join(sorted(_own_settings() | _further_settings()))}"
            )
        self._further = tuple(sorted(settings))
        vars(self).update(settings)

    def get_params(self, *, deep: bool = True) -> dict[str, Any]:
        """All settings by name; `deep` changes nothing, since no setting is an estimator."""
        del deep
        return {name: getattr(self, name) for name in (*sorted(_own_settings()), *self._further)}

    def set_params(self, **settings: Any) -> Self:
        """Change settings; they hold from the next `fit` on."""
        fresh = type(self)(**{**self.get_params(), **settings})
        vars(self).update(vars(fresh))
        return self

    def __repr__(self) -> str:
        """Show the settings that differ from the defaults."""
        defaults = type(self)().get_params()
        changed = {k: v for k, v in self.get_params().items() if v != defaults.get(k, v is None)}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in changed.items())})"

    def config(self, image_shape: tuple[int, int, int]) -> SOMConfig:
        """Make the settings of a map of images (C, H, W); `InputError` tells a wrong one."""
        settings = self.get_params()
        rows, columns = settings.pop("grid")
        for name in ("device", "memory_bytes"):
            del settings[name]
        return SOMConfig(image_shape=image_shape, rows=rows, columns=columns, **settings)

    def fit(
        self,
        X: NDArray[Any] | ImageStack,  # noqa: N803
        y: None = None,
        *,
        on_epoch: Callable[[EpochReport], None] | None = None,
        on_progress: Progress | None = None,
        checkpoint: Path | str | None = None,
        resume: bool = False,
    ) -> Self:
        """Train on images, then find the place of each.

        Parameters
        ----------
        X : array (N, H, W) or (N, C, H, W), or ImageStack
            Finite, unless ``blank="mask"``; a stack is read in slices and never kept.
        y : None
            Not used; here because the protocol has it.
        on_epoch, on_progress, checkpoint, resume
            See `skysort.som.base.SOM.fit`.

        Raises
        ------
        InputError
            See `skysort.som.base.SOM.fit`.
        """
        del y
        images = _stack(X)
        self.som_ = PolarSOM(
            self.config(_image_shape(images)), device=self.device, memory_bytes=self.memory_bytes
        )
        self.som_.fit(
            images,
            on_epoch=on_epoch,
            on_progress=on_progress,
            checkpoint=checkpoint,
            resume=resume,
        )
        self._place(images)
        return self

    def partial_fit(self, X: NDArray[Any] | ImageStack, y: None = None) -> Self:  # noqa: N803
        """Learn from one more batch of images.

        The first `epochs` batches unfold the map, each with the neighbourhood of its turn. From
        then on a prototype is the mean of all images that it was ever given.

        Parameters
        ----------
        X : array (N, H, W) or (N, C, H, W), or ImageStack
            The first batch must have at least as many images as there are prototypes.
        y : None
            Not used.
        """
        del y
        images = _stack(X)
        if not hasattr(self, "som_"):
            self.som_ = PolarSOM(
                self.config(_image_shape(images)),
                device=self.device,
                memory_bytes=self.memory_bytes,
            )
        self.som_.partial_fit(images)
        self._place(images)
        return self

    def predict(self, X: NDArray[Any] | ImageStack) -> NDArray[np.int64]:  # noqa: N803
        """Best unit (N,) of each image."""
        return self.project(X).best

    def project(self, X: NDArray[Any] | ImageStack) -> Projection:  # noqa: N803
        """Full places of images: best and second-best unit, distances, angles and flips."""
        return self._fitted().project(_stack(X))

    def transform(self, X: NDArray[Any] | ImageStack) -> NDArray[np.float32]:  # noqa: N803
        """Distances (N, K) of images from all prototypes, compared on rings."""
        return prototype_distances(self._fitted(), _stack(X))

    def fit_predict(self, X: NDArray[Any] | ImageStack, y: None = None) -> NDArray[np.int64]:  # noqa: N803
        """Fit, and give the best unit (N,) of each image."""
        return self.fit(X, y).labels_

    def fit_transform(self, X: NDArray[Any] | ImageStack, y: None = None) -> NDArray[np.float32]:  # noqa: N803
        """Fit, and give the distances (N, K) of the images from all prototypes."""
        return self.fit(X, y).transform(X)

    def score(self, X: NDArray[Any] | ImageStack, y: None = None) -> float:  # noqa: N803
        """Minus the quantization error of images: the larger, the better."""
        del y
        return -quantization_error(self.project(X))

    def refine(
        self,
        prototype: int,
        X: NDArray[Any] | ImageStack,  # noqa: N803
        *,
        grid: tuple[int, int] = (3, 3),
        **settings: Any,
    ) -> tuple["RotationInvariantSOM", NDArray[np.int64]]:
        """Train a child map on the members of one prototype, for a group that is not pure.

        Parameters
        ----------
        prototype : int
            Unit of this map.
        X : array (N, H, W) or (N, C, H, W), or ImageStack
            Images whose members of that unit are meant; those of `fit`, as a rule.
        grid : tuple of int, optional
            Rows and columns of the child.
        **settings
            What else is to differ from this map's settings.

        Returns
        -------
        child : RotationInvariantSOM
            Fitted to the members.
        members : ndarray (n,), int64
            Which images they are; ``child.labels_`` goes with them.

        Raises
        ------
        InputError
            If there is no such prototype, or it has fewer members than the child prototypes.
        """
        images, som = _stack(X), self._fitted()
        projection = getattr(self, "projection_", None)
        if projection is None or self._seen != fingerprint(images, som.config.image_shape):
            projection = som.project(images)
        core, members = som.refine(
            prototype, images, projection, rows=grid[0], columns=grid[1], **settings
        )
        child = type(self)(**{**self.get_params(), **settings, "grid": grid})
        child.som_ = core
        child._place(Rows(images, members))  # noqa: SLF001 - another one of this class
        return child, members

    @property
    def prototypes_(self) -> NDArray[np.float32]:
        """Prototypes (K, C, H, W), float32."""
        prototypes: NDArray[np.float32] = self._fitted().weights.cpu().numpy()
        return prototypes

    @property
    def history_(self) -> list[EpochReport]:
        """Quality after each epoch."""
        return self._fitted().history

    @property
    def labels_(self) -> NDArray[np.int64]:
        """Best unit (N,) of each image of the last `fit` or `partial_fit`."""
        self._fitted()
        return self.projection_.best

    @property
    def module_(self) -> PolarMatcher:
        """The torch module inside: images (N, C, H, W) to their alignments with all prototypes."""
        return self._fitted().matcher()

    def save(self, path: Path | str) -> None:
        """Write the map to one file (safetensors with a JSON header)."""
        self._fitted().save(path)

    @classmethod
    def load(
        cls, path: Path | str, *, device: str = "cpu", memory_bytes: int = MEMORY_BYTES
    ) -> Self:
        """Read a map that `save`, `skysort train` or a sorting wrote; it has no `labels_`."""
        core = PolarSOM.load(path, device=device, memory_bytes=memory_bytes)
        settings = {
            field.name: getattr(core.config, field.name)
            for field in dataclasses.fields(core.config)
            if field.name not in ("image_shape", "rows", "columns", "rule")
        }
        grid = (core.config.rows, core.config.columns)
        som = cls(grid, device=device, memory_bytes=memory_bytes, **settings)
        som.som_ = core
        return som

    def _place(self, images: ImageStack) -> None:
        """Find the places of the images that it was fitted to."""
        self.projection_ = self.som_.project(images)
        self._seen = fingerprint(images, self.som_.config.image_shape)

    def _fitted(self) -> PolarSOM:
        if not hasattr(self, "som_"):
            raise InputError(f"this {type(self).__name__} is not fitted yet; call fit first")
        return self.som_


def _own_settings() -> set[str]:
    """Names of the constructor's own arguments."""
    parameters = inspect.signature(RotationInvariantSOM.__init__).parameters
    return set(parameters) - {"self", "settings"}


def _further_settings() -> set[str]:
    """Names of the settings that only `SOMConfig` spells out."""
    return {field.name for field in dataclasses.fields(SOMConfig)} - {
        *_own_settings(),
        "image_shape",
        "rows",
        "columns",
        "rule",
    }


def _stack(X: NDArray[Any] | ImageStack) -> ImageStack:  # noqa: N803
    """Images as a stack of (C, H, W); an array (N, H, W) has one channel."""
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) == 3:
        return np.asarray(X)[:, None]
    if shape is not None and len(shape) != 4:
        raise InputError(f"images must be (N, H, W) or (N, C, H, W), got the shape {shape}")
    return X


def _image_shape(images: ImageStack) -> tuple[int, int, int]:
    if len(images) == 0:
        raise InputError("there are no images, got 0")
    channels, height, width = images[0:1].shape[1:]
    return channels, height, width
