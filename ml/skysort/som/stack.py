"""What the engine asks of a collection of images: a length, and slices of pixels."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from skysort.errors import InputError

__all__ = [
    "Chunk",
    "ImageStack",
    "Progress",
    "Rows",
    "fingerprint",
    "iterate_chunks",
    "read_chunk",
    "read_images",
    "slices",
]

#: Called with (images done, images in all).
Progress = Callable[[int, int], None]
#: Images that enter a fingerprint: enough to notice another survey, order or recipe at once.
FINGERPRINT_SAMPLE = 256


@dataclass(frozen=True)
class Chunk:
    """Some images of a stack.

    Attributes
    ----------
    index : ndarray (n,), int64
        Their places in the stack.
    pixels : ndarray (n, C, H, W), float32
        Finite; 0 where blank.
    blank : ndarray (n, C, H, W), bool, or None
        Where they are blank; None where nothing is.
    """

    index: NDArray[np.int64]
    pixels: NDArray[np.float32]
    blank: NDArray[np.bool_] | None

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, part: slice | NDArray[np.bool_], /) -> "Chunk":
        """Take some of them."""
        blank = None if self.blank is None else self.blank[part]
        return Chunk(self.index[part], self.pixels[part], blank)

    def without(self, rows: NDArray[np.int64]) -> "Chunk":
        """All but those at the sorted places `rows` of the stack."""
        if len(rows) == 0 or len(self) == 0:
            return self
        place = np.minimum(np.searchsorted(rows, self.index), len(rows) - 1)
        out = rows[place] == self.index
        return self[~out] if out.any() else self


class ImageStack(Protocol):
    """N images; ``stack[start:stop]`` gives (n, C, H, W). A NumPy array is one."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> NDArray[Any]: ...


def read_images(
    images: ImageStack, start: int, stop: int, image_shape: tuple[int, int, int]
) -> NDArray[np.float32]:
    """Read and check some images, none of whose pixels may be blank; see `read_chunk`."""
    return read_chunk(images, start, stop, image_shape, allow_blank=False).pixels


def read_chunk(
    images: ImageStack,
    start: int,
    stop: int,
    image_shape: tuple[int, int, int],
    *,
    allow_blank: bool,
) -> Chunk:
    """Read and check some images.

    Parameters
    ----------
    images : ImageStack
        All of them.
    start, stop : int
        The slice to read.
    image_shape : tuple of int
        (C, H, W) that every image must have.
    allow_blank : bool
        Whether pixels may be NaN.

    Returns
    -------
    Chunk
        Of ``stop - start`` images.

    Raises
    ------
    InputError
        If the shape differs, a pixel is infinite, or NaN where that is not allowed, or all pixels
        of an image are NaN; names the image's index.
    """
    pixels = np.require(images[start:stop], dtype=np.float32, requirements=["C"])
    if pixels.shape[1:] != image_shape:
        raise InputError(
            f"images {start} to {stop - 1} must have the shape (C, H, W) = {image_shape} each, "
            f"got {pixels.shape[1:]}"
        )
    index = np.arange(start, stop)
    with np.errstate(over="ignore", invalid="ignore"):
        total = pixels.reshape(len(pixels), -1).sum(axis=1)
    if np.isfinite(total).all():  # a sum that overflows is looked at more closely
        return Chunk(index, pixels, None)
    names = images.index[start:stop] if isinstance(images, Rows) else index
    blank: NDArray[np.bool_] = np.isnan(pixels)
    _refuse(names, np.isinf(pixels), "has infinite pixels")
    if not allow_blank:
        _refuse(names, blank, "has blank (NaN) pixels; apply a preprocessing recipe first")
    whole = np.asarray(blank.all(axis=(1, 2, 3)))
    _refuse(names, whole.reshape(-1, 1, 1, 1), "is blank: all of its pixels are NaN")
    pixels = np.where(blank, np.float32(0.0), pixels)
    return Chunk(index, pixels, blank)


def _refuse(names: NDArray[np.int64], wrong: NDArray[np.bool_], what: str) -> None:
    rows = wrong.any(axis=(1, 2, 3))
    if rows.any():
        raise InputError(f"image {names[np.argmax(rows)]} {what}")


class Rows:
    """Some images of a stack, as a stack of their own.

    Parameters
    ----------
    images : ImageStack
        All of them.
    index : ndarray (n,), int64
        Places of those that are meant, in the order that they shall have.

    Examples
    --------
    >>> cube = np.arange(3.0).reshape(3, 1, 1, 1)
    >>> Rows(cube, np.array([2, 0]))[0:2].ravel().tolist()
    [2.0, 0.0]
    """

    def __init__(self, images: ImageStack, index: NDArray[np.int64]) -> None:
        self.images, self.index = images, index

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, part: slice, /) -> NDArray[Any]:
        """Read a slice; in one go where the stack is an array or can `take` rows."""
        index = self.index[part]
        if isinstance(self.images, np.ndarray):
            chosen: NDArray[Any] = self.images[index]
            return chosen
        if isinstance(self.images, _Takes):
            return self.images.take(index)
        return np.concatenate([self.images[i : i + 1] for i in index.tolist()])


@runtime_checkable
class _Takes(Protocol):
    def take(self, index: NDArray[np.int64], /) -> NDArray[Any]: ...


def slices(total: int, size: int) -> list[tuple[int, int]]:
    """Cut `total` images into slices (start, stop) of `size`; the last one may be shorter.

    Examples
    --------
    >>> slices(5, 2)
    [(0, 2), (2, 4), (4, 5)]
    """
    return [(start, min(start + size, total)) for start in range(0, total, size)]


def iterate_chunks(
    images: ImageStack,
    parts: Sequence[tuple[int, int]],
    image_shape: tuple[int, int, int],
    *,
    allow_blank: bool = False,
) -> Iterator[Chunk]:
    """Read the slices `parts`, each one while the one before it is worked on."""

    def read(part: tuple[int, int]) -> Chunk:
        return read_chunk(images, *part, image_shape, allow_blank=allow_blank)

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="images") as reader:
        ahead = [reader.submit(read, part) for part in parts[:1]]
        for following in [*parts[1:], None]:
            if not ahead:
                return
            chunk = ahead.pop().result()
            if following is not None:
                ahead.append(reader.submit(read, following))
            yield chunk


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
        chunk = read_chunk(images, i, i + 1, image_shape, allow_blank=True)
        digest.update(chunk.pixels.tobytes())
        if chunk.blank is not None:
            digest.update(chunk.blank.tobytes())
    return digest.hexdigest()
