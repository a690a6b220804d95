"""Describes every subject by invariant features; imports torch, so no web process may import it.

What a learner may know of a subject without knowing how it is turned: its distances from all
prototypes and its power on rings, brought to a few numbers whose inner products are a kernel.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protozoo.sorting.models import Sorting
from skysort.consensus.kernel_map import KernelMap, fit_kernel_map
from skysort.images.whole_file import write_whole
from skysort.som.features import prototype_distances, ring_power
from skysort.som.polar_som import PolarSOM
from skysort.som.stack import ImageStack, Progress, Rows, slices

# Subjects among which the kernel's landmarks are drawn: many times as many as there are landmarks.
SAMPLE: Final = 4000
# Subjects described at once: 100 prototypes and 192 ring powers of them take 6 MB.
BLOCK: Final = 4096

Blocks = list[NDArray[np.float32]]


def features_write(
    *, sorting: Sorting, som: PolarSOM, images: ImageStack, on_progress: Progress
) -> None:
    """Describe all subjects, in the order of their pixels; files appear whole or not at all."""
    kernel = _kernel_map(som, images, seed=sorting.seed)
    kernel.save(sorting.feature_map_path)
    header = {
        "descr": "<f4",
        "fortran_order": False,
        "shape": (len(images), kernel.n_features),
    }
    with write_whole(sorting.features_path) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in _described(kernel, som, images, on_progress):
            file.write(block.tobytes())


def _kernel_map(som: PolarSOM, images: ImageStack, *, seed: int) -> KernelMap:
    chance = np.random.default_rng(seed)
    chosen = np.sort(chance.permutation(len(images))[:SAMPLE])
    return fit_kernel_map(_raw(som, Rows(images, chosen)), seed=seed)


def _described(
    kernel: KernelMap, som: PolarSOM, images: ImageStack, on_progress: Progress
) -> Iterator[NDArray[np.float32]]:
    for start, stop in slices(len(images), BLOCK):
        yield np.ascontiguousarray(kernel.transform(_raw(som, images[start:stop])), dtype="<f4")
        on_progress(stop, len(images))


def _raw(som: PolarSOM, images: ImageStack) -> Blocks:
    return [prototype_distances(som, images), ring_power(images, som.config.rings)]
