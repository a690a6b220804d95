"""What the engine asks of a collection of images: a length, and slices of pixels."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from skysort.errors import InputError

__all__ = ["ImageStack", "Progress", "fingerprint", "iterate_images", "read_images"]

#: Called with (images done, images in all).
Progress = Callable[[int, int], None]
#: Images that enter a fingerprint: enough to notice another survey, order or recipe at once.
FINGERPRINT_SAMPLE = 256


class ImageStack(Protocol):
    """N images; ``stack[start:stop]`` gives (n, C, H, W). A NumPy array is one."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> NDArray[Any]: ...


def read_images(
    images: ImageStack, start: int, stop: int, image_shape: tuple[int, int, int]
) -> NDArray[np.float32]:
    """Read and check some images.

    Parameters
    ----------
    images : ImageStack
        All of them.
    start, stop : int
        The slice to read.
    image_shape : tuple of int
        (C, H, W) that every image must have.

    Returns
    -------
    ndarray (stop - start, C, H, W), float32
        Finite.

    Raises
    ------
    InputError
        If the shape differs, or an image has NaN or infinite pixels; names the image's index.
    """
    pixels = np.ascontiguousarray(images[start:stop], dtype=np.float32)
    if pixels.shape[1:] != image_shape:
        raise InputError(
            f"images {start} to {stop - 1} must have the shape (C, H, W) = {image_shape} each, "
            f"got {pixels.shape[1:]}"
        )
    finite = np.isfinite(pixels).all(axis=(1, 2, 3))
    if not finite.all():
        raise InputError(
            f"image {start + int(np.argmin(finite))} has blank (NaN) or infinite pixels; "
            "apply a preprocessing recipe first"
        )
    return pixels


def iterate_images(
    images: ImageStack, size: int, image_shape: tuple[int, int, int]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Walk through all images in chunks: (index of the first, pixels (n, C, H, W))."""
    for start in range(0, len(images), size):
        yield start, read_images(images, start, min(start + size, len(images)), image_shape)


def fingerprint(images: ImageStack, image_shape: tuple[int, int, int]) -> str:
    """SHA-256 over the number of images, their shape and up to 256 of them, evenly spaced.

    Examples
    --------
    >>> cube = np.zeros((3, 1, 4, 4), dtype=np.float32)
    >>> fingerprint(cube, (1, 4, 4)) == fingerprint(cube[:2], (1, 4, 4))
    False
    """
    digest = hashlib.sha256(f"{len(images)} {image_shape}".encode())
    for i in np.unique(np.linspace(0, len(images) - 1, FINGERPRINT_SAMPLE).astype(int)).tolist():
        digest.update(read_images(images, i, i + 1, image_shape).tobytes())
    return digest.hexdigest()
