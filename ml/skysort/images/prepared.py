"""Shards seen through a recipe: an array of images that is prepared as it is read."""

import numpy as np
from numpy.typing import NDArray

from skysort.images.recipes import Recipe
from skysort.images.shards import ShardReader


class PreparedImages:
    """Images of a shard folder, prepared by a recipe; looks like an array (N, C, H, W).

    Only the slice that is asked for is in memory, so a survey may be larger than the machine's.

    Parameters
    ----------
    reader : ShardReader
        The raw pixels.
    recipe : Recipe
        What to do with them.
    n_images : int, optional
        How many of the images to show, from the first on; all by default.
    """

    def __init__(self, reader: ShardReader, recipe: Recipe, *, n_images: int | None = None) -> None:
        self.reader = reader
        self.recipe = recipe
        self.n_images = reader.n_images if n_images is None else n_images

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of each image."""
        return self.reader.image_shape

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the whole as an array."""
        return (self.n_images, *self.image_shape)

    def __len__(self) -> int:
        return self.n_images

    def __getitem__(self, part: slice, /) -> NDArray[np.float32]:
        """Read and prepare a slice of the images."""
        return self.recipe(self.reader.read_numbers(np.arange(self.n_images)[part]))
