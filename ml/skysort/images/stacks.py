"""Opens images for the engine: NumPy cubes, shard folders and PINK files, read as they are asked.

Only the images of a slice are in memory, so a survey may be larger than the machine's.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skysort.errors import InputError
from skysort.images import pink
from skysort.images.recipes import Recipe, get_recipe
from skysort.images.shards import ShardReader
from skysort.images.sources import NPY_DAMAGE

__all__ = ["OpenStack", "open_stack"]

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

NPY_MAGIC: Final = b"\x93NUMPY"


class OpenStack:
    """Images of one file or folder; looks like an array (N, C, H, W) along its first axis.

    Parameters
    ----------
    name : str
        What was opened.
    shape : tuple of int
        (N, C, H, W).
    read : callable
        Gives the images (n, C, H, W) of running numbers (n,).
    recipe : Recipe, optional
        How to prepare what was read.
    """

    def __init__(
        self,
        name: str,
        shape: tuple[int, int, int, int],
        read: Callable[[IntArray], NDArray[Any]],
        *,
        recipe: Recipe | None = None,
    ) -> None:
        self.name = name
        self.shape = shape
        self.recipe = recipe
        self._read = read

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of each image."""
        return self.shape[1:]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, part: slice, /) -> FloatArray:
        """Read and prepare a slice of the images."""
        return self._prepared(np.arange(len(self))[part])

    def take(self, indices: ArrayLike) -> FloatArray:
        """Read and prepare images from anywhere.

        Parameters
        ----------
        indices : array_like of int, (n,)
            In any order, each from 0 to N - 1.

        Returns
        -------
        ndarray (n, C, H, W), float32

        Raises
        ------
        InputError
            If there is no such image.
        """
        numbers = np.asarray(indices, dtype=np.int64).reshape(-1)
        wrong = (numbers < 0) | (numbers >= len(self))
        if wrong.any():
            raise InputError(
                f"{self.name} has images 0 to {len(self) - 1}, not {numbers[wrong][0]}"
            )
        return self._prepared(numbers)

    def as_stored(self) -> "OpenStack":
        """Give the same images without a recipe."""
        return OpenStack(self.name, self.shape, self._read)

    def _prepared(self, numbers: IntArray) -> FloatArray:
        raw = self._read(numbers)
        if self.recipe is not None:
            return self.recipe(raw)
        with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, hence blank
            return np.ascontiguousarray(raw, dtype=np.float32)


def open_stack(path: Path | str, *, recipe: str | None = None) -> OpenStack:
    """Open images for training or projection.

    Parameters
    ----------
    path : path
        A `.npy` cube (n, y, x) or (n, c, y, x) of real numbers, a folder of shards, or a file of
        images of PINK 2; what a file is, its content says.
    recipe : str, optional
        A key of `skysort.images.recipes.RECIPES`; without it pixels are as they were stored.

    Returns
    -------
    OpenStack

    Raises
    ------
    InputError
        If there is nothing of the kind, it is damaged, holds no images, or they are not square.
    """
    source = Path(path)
    chosen = None if recipe is None else get_recipe(recipe)
    if source.is_dir():
        return _open_shards(source, chosen)
    if not source.is_file():
        raise InputError(
            f"{source} does not exist; expected a .npy cube, a folder of shards or PINK's images"
        )
    with source.open("rb") as file:
        is_numpy = file.read(len(NPY_MAGIC)) == NPY_MAGIC
    if is_numpy:
        return _open_cube(source, chosen)
    if pink.file_kind(source) is not None:
        images = pink.read_images(source)
        return _of_array(source, images, chosen)
    raise InputError(
        f"{source} is neither a .npy cube nor a file of images of PINK 2, and no folder of shards"
    )


def _open_shards(folder: Path, recipe: Recipe | None) -> OpenStack:
    reader = ShardReader(folder)
    shape = (reader.n_images, *reader.image_shape)
    _check_shape(folder, shape)
    return OpenStack(str(folder), shape, reader.read_numbers, recipe=recipe)


def _open_cube(path: Path, recipe: Recipe | None) -> OpenStack:
    try:
        cube = np.load(path, mmap_mode="r", allow_pickle=False)
    except NPY_DAMAGE as error:
        raise InputError(f"{path} is no readable .npy array of numbers: {error}") from error
    if cube.dtype.kind not in "biuf" or cube.ndim not in (3, 4):
        raise InputError(
            f"{path} must be real numbers of shape (n, y, x) or (n, c, y, x), "
            f"not {cube.dtype} of shape {cube.shape}"
        )
    return _of_array(path, cube[:, None] if cube.ndim == 3 else cube, recipe)


def _of_array(path: Path, images: NDArray[Any], recipe: Recipe | None) -> OpenStack:
    n_images, channels, height, width = images.shape
    _check_shape(path, images.shape)
    return OpenStack(
        str(path),
        (n_images, channels, height, width),
        lambda numbers: np.asarray(images[numbers]),
        recipe=recipe,
    )


def _check_shape(path: Path, shape: tuple[int, ...]) -> None:
    if 0 in shape:
        raise InputError(f"{path} holds no images: its shape (n, c, y, x) is {shape}")
    if shape[2] != shape[3]:
        raise InputError(
            f"{path} must hold square images, got {shape[2]} x {shape[3]} pixels; "
            "cut them about their sources first"
        )
