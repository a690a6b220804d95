"""What defines a training run: with equal data and equal settings comes an equal map."""

import math
from dataclasses import dataclass
from typing import Literal

from skysort.errors import InputError
from skysort.som.grid import Grid, Topology
from skysort.som.rings import Rings, default_rings

__all__ = ["PINK_SIGMA", "PINK_STEP", "EpochReport", "Rule", "SOMConfig"]

Rule = Literal["batch", "pink"]
Schedule = Literal["exponential", "linear"]

#: PINK's defaults: width of its normalized Gaussian in grid steps, and the damping.
PINK_SIGMA = 1.1
PINK_STEP = 0.2


@dataclass(frozen=True, kw_only=True)
class SOMConfig:
    """Settings of a map.

    Parameters
    ----------
    image_shape : tuple of int
        (C, H, W) of every image, H == W.
    rows, columns, topology, periodic
        The lattice, see `skysort.som.grid.Grid`.
    n_rotations : int
        Angles of a full turn that are compared; a positive multiple of 4.
    use_flip : bool
        Whether mirror images are the same thing.
    window : {"disk", "square"}
        Pixels that are compared: the inscribed disk, or PINK's central square.
    epochs : int
        Passes over all images.
    seed : int
        Of everything random; not negative.
    sigma_start, sigma_end : float, optional
        Width of the neighbourhood in grid steps in the first and the last epoch. By default half
        the longer side (at least 1), and 0.3, where an adjacent unit receives 0.4 % of an image:
        prototypes are then as near to their own members as they can be. At 0.5 it is 13 %, which
        makes a smoother map with fewer topographic errors and a larger quantization error.
    step_start, step_end : float
        How far a prototype moves towards the mean of its images, in the first and the last epoch;
        above 0 and at most 1.
    schedule : {"exponential", "linear"}
        How sigma and step go from their start to their end.
    batch_size : int, optional
        Images after which the map is updated; by default once an epoch. Within an epoch the sums
        go on, and the prototypes that it began with count as one batch.
    initialization : {"samples", "pca"}
        Begin with images that differ, or with the plane of the first two principal components.
    holdout : float
        Share of the images, below 1, that are kept out of training to judge it: at most 1,000;
        where it is fewer than 20, training images are used.
    patience : int, optional
        End early once the quantization error has not fallen by 0.1 % for so many epochs: the epoch
        after these is the last one. By default all epochs are done.
    channel_weights : tuple of float, optional
        Weight of each channel's squared distance; positive.
    blank : {"error", "mask"}
        What NaN pixels are: an error, or pixels that are not compared (only `PolarSOM`).
    radius : float, optional
        Of the disk that is compared, or that the square fits into, in pixels; by default the
        largest that no angle turns out of the image, (H - 1) / 2.
    n_rings, n_angles, n_modes : int, optional
        Of the polar transform, see `skysort.som.rings.Rings`; by default derived from the image's
        size. The exact map does not use them.
    rule : {"batch", "pink"}
        Batch training, or PINK's online rule, for comparison (only `ExactSOM`).

    Raises
    ------
    InputError
        If a setting breaks one of these rules.

    Examples
    --------
    >>> config = SOMConfig(image_shape=(1, 64, 64), rows=4, columns=6, epochs=3)
    >>> [round(config.sigma(epoch), 2) for epoch in range(3)]
    [3.0, 0.95, 0.3]
    """

    image_shape: tuple[int, int, int]
    rows: int = 10
    columns: int = 10
    topology: Topology = "rectangular"
    periodic: bool = False
    n_rotations: int = 360
    use_flip: bool = True
    window: Literal["disk", "square"] = "disk"
    epochs: int = 10
    seed: int = 1
    sigma_start: float | None = None
    sigma_end: float = 0.3
    step_start: float = 1.0
    step_end: float = 1.0
    schedule: Schedule = "exponential"
    batch_size: int | None = None
    initialization: Literal["samples", "pca"] = "samples"
    holdout: float = 0.05
    patience: int | None = None
    channel_weights: tuple[float, ...] | None = None
    blank: Literal["error", "mask"] = "error"
    radius: float | None = None
    n_rings: int | None = None
    n_angles: int | None = None
    n_modes: int | None = None
    rule: Rule = "batch"

    def __post_init__(self) -> None:
        """Check the arguments."""
        _ = self.grid
        self._check_images()
        self._check_choices()
        self._check_schedule()

    def _check_images(self) -> None:
        if len(self.image_shape) != 3 or min(self.image_shape) < 1:
            raise InputError(f"image_shape must be (C, H, W), got {self.image_shape}")
        if self.image_shape[1] != self.image_shape[2]:
            raise InputError(f"image_shape must be square (C, H, H), got {self.image_shape}")
        if self.n_rotations < 4 or self.n_rotations % 4:
            raise InputError(
                f"n_rotations must be a positive multiple of 4, got {self.n_rotations}"
            )
        radius = self.rings.radius
        if self.image_shape[1] % 2 == 0 and radius < math.sqrt(0.5):
            raise InputError(
                f"no pixel lies within a radius of {radius}; the nearest ones of an "
                "even number of pixels are 0.71 from the center"
            )
        weights = self.channel_weights
        if weights is not None and (
            len(weights) != self.image_shape[0] or not all(0.0 < w < math.inf for w in weights)
        ):
            raise InputError(
                f"channel_weights must be {self.image_shape[0]} positive numbers, got {weights}"
            )

    def _check_choices(self) -> None:
        for name, value, known in (
            ("window", self.window, ("disk", "square")),
            ("schedule", self.schedule, ("exponential", "linear")),
            ("initialization", self.initialization, ("samples", "pca")),
            ("blank", self.blank, ("error", "mask")),
            ("rule", self.rule, ("batch", "pink")),
        ):
            if value not in known:
                raise InputError(f"{name} must be {known[0]} or {known[1]}, got {value}")

    def _check_schedule(self) -> None:
        for name, number in (
            ("epochs", self.epochs),
            ("batch_size", self.batch_size),
            ("patience", self.patience),
        ):
            if number is not None and number < 1:
                raise InputError(f"{name} must be at least 1, got {number}")
        if self.seed < 0:
            raise InputError(f"seed must not be negative, got {self.seed}")
        if not 0.0 <= self.holdout < 1.0:
            raise InputError(f"holdout must be at least 0 and below 1, got {self.holdout}")
        if not self.first_sigma >= self.sigma_end > 0.0:
            raise InputError(
                "sigma_start must not be below sigma_end, and both must be positive, "
                f"got {self.first_sigma} and {self.sigma_end}"
            )
        if not 1.0 >= self.step_start >= self.step_end > 0.0:
            raise InputError(
                "step_start and step_end must lie above 0 and at most at 1, and not grow, "
                f"got {self.step_start} and {self.step_end}"
            )

    @property
    def grid(self) -> Grid:
        """The lattice of units."""
        return Grid(self.rows, self.columns, topology=self.topology, periodic=self.periodic)

    @property
    def first_sigma(self) -> float:
        """Width of the neighbourhood in the first epoch, in grid steps."""
        if self.sigma_start is not None:
            return self.sigma_start
        return max(max(self.rows, self.columns) / 2.0, self.sigma_end, 1.0)

    @property
    def rings(self) -> Rings:
        """Where the polar transform samples an image."""
        return default_rings(
            self.image_shape[1],
            radius=self.radius,
            n_rings=self.n_rings,
            n_angles=self.n_angles,
            n_modes=self.n_modes,
        )

    def sigma(self, epoch: int) -> float:
        """Width of the neighbourhood in an epoch (from 0), in grid steps."""
        if self.rule == "pink":
            return PINK_SIGMA
        return self._scheduled(self.first_sigma, self.sigma_end, epoch)

    def step(self, epoch: int) -> float:
        """How far prototypes move towards the mean of their images in an epoch (from 0)."""
        if self.rule == "pink":
            return PINK_STEP
        return self._scheduled(self.step_start, self.step_end, epoch)

    def _scheduled(self, start: float, end: float, epoch: int) -> float:
        fraction = min(1.0, epoch / max(1, self.epochs - 1))
        if self.schedule == "linear":
            return start + (end - start) * fraction
        return float(start * (end / start) ** fraction)


@dataclass(frozen=True)
class EpochReport:
    """How good the map is after an epoch, on images that were held out of training.

    Attributes
    ----------
    epoch, of : int
        Which one (from 1) of how many.
    sigma, step : float
        Width of the neighbourhood in grid steps, and how far prototypes moved to their means.
    quantization_error, topographic_error, dead_share, hit_entropy : float
        See `skysort.som.quality`.
    n_reseeded : int
        Units without a member that were given a badly represented image.
    """

    epoch: int
    of: int
    sigma: float
    step: float
    quantization_error: float
    topographic_error: float
    dead_share: float
    hit_entropy: float
    n_reseeded: int
