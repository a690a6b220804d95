"""Where every image lies on a map, as plain arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

__all__ = ["Projection"]


@dataclass(frozen=True)
class Projection:
    """Best and second-best unit of N images, one row per image.

    Attributes
    ----------
    best, second : ndarray (N,), int64
        Units, numbered ``row * columns + column``.
    distance, second_distance : ndarray (N,), float32
        Euclidean distance of the aligned image from that unit's prototype over the window.
    angle_rad : ndarray (N,), float32
        In [0, 2 pi): turns the image (mirrored first, if `flip`) into the frame of `best`.
    flip : ndarray (N,), bool
        Whether the image is mirrored left-right before it is turned.
    """

    best: NDArray[np.int64]
    second: NDArray[np.int64]
    distance: NDArray[np.float32]
    second_distance: NDArray[np.float32]
    angle_rad: NDArray[np.float32]
    flip: NDArray[np.bool_]

    @classmethod
    def joined(cls, parts: Sequence["Projection"]) -> "Projection":
        """One projection of all images of several."""
        columns = (
            np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)
        )
        return cls(*columns)

    def __len__(self) -> int:
        return len(self.best)
