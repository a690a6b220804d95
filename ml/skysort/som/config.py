"""What defines a training run: with equal data and equal settings comes an equal map."""

from dataclasses import dataclass
from typing import Literal

from skysort.errors import InputError
from skysort.som.grid import Grid, Topology

__all__ = ["PINK_SIGMA", "PINK_STEP", "EpochReport", "Rule", "SOMConfig"]

Rule = Literal["batch", "pink"]

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
        Width of the neighbourhood in grid steps in the first and the last epoch; it decays
        exponentially in between. By default half the longer side (at least 1), and 0.5, where
        an adjacent unit still receives 13 % of an image.
    rule : {"batch", "pink"}
        Batch training, or PINK's online rule, for comparison.

    Raises
    ------
    InputError
        If a setting breaks one of these rules.

    Examples
    --------
    >>> config = SOMConfig(image_shape=(1, 64, 64), rows=4, columns=6, epochs=3)
    >>> [round(config.sigma(epoch), 2) for epoch in range(3)]
    [3.0, 1.22, 0.5]
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
    sigma_end: float = 0.5
    rule: Rule = "batch"

    def __post_init__(self) -> None:
        """Check the arguments."""
        _ = self.grid
        if len(self.image_shape) != 3 or min(self.image_shape) < 1:
            raise InputError(f"image_shape must be (C, H, W), got {self.image_shape}")
        if self.image_shape[1] != self.image_shape[2]:
            raise InputError(f"image_shape must be square (C, H, H), got {self.image_shape}")
        if self.n_rotations < 4 or self.n_rotations % 4:
            raise InputError(
                f"n_rotations must be a positive multiple of 4, got {self.n_rotations}"
            )
        if self.epochs < 1:
            raise InputError(f"epochs must be at least 1, got {self.epochs}")
        if self.seed < 0:
            raise InputError(f"seed must not be negative, got {self.seed}")
        for name, value, known in (
            ("window", self.window, ("disk", "square")),
            ("rule", self.rule, ("batch", "pink")),
        ):
            if value not in known:
                raise InputError(f"{name} must be {known[0]} or {known[1]}, got {value}")
        if not self.first_sigma >= self.sigma_end > 0.0:
            raise InputError(
                "sigma_start must not be below sigma_end, and both must be positive, "
                f"got {self.first_sigma} and {self.sigma_end}"
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

    def sigma(self, epoch: int) -> float:
        """Width of the neighbourhood in an epoch (from 0), in grid steps."""
        if self.rule == "pink":
            return PINK_SIGMA
        fraction = epoch / max(1, self.epochs - 1)
        return float(self.first_sigma * (self.sigma_end / self.first_sigma) ** fraction)


@dataclass(frozen=True)
class EpochReport:
    """How an epoch went.

    Attributes
    ----------
    epoch, of : int
        Which one (from 1) of how many.
    sigma : float
        Width of the neighbourhood in grid steps.
    quantization_error, topographic_error : float
        Of the images as they were matched in this epoch: in batch training, on the map that the
        epoch *began* with; online, each just before its own update.
    n_reseeded : int
        Units that no image reached and that were given a badly represented image.
    """

    epoch: int
    of: int
    sigma: float
    quantization_error: float
    topographic_error: float
    n_reseeded: int
