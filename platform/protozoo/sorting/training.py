"""Trains maps and projects subjects on them; imports torch, so no web process may import it."""

from typing import Final

import numpy as np

from protozoo.jobs.services import Report, silent
from protozoo.sorting.exceptions import SortingError
from protozoo.sorting.models import Sorting
from skysort.errors import InputError
from skysort.images.prepared import PreparedImages
from skysort.images.recipes import get_recipe
from skysort.images.shards import ShardReader
from skysort.som.exact import EpochReport, ExactSOM, SOMConfig

# Rows that go into the database at once.
BATCH_SIZE: Final = 2000


def sorting_run(*, sorting_id: int, report: Report = silent) -> Sorting:
    """Train the map, project every subject and write both down; goes on from its checkpoint."""
    sorting = Sorting.objects.select_related("survey").get(pk=sorting_id)
    if sorting.state == Sorting.State.READY:
        return sorting
    sorting.folder.mkdir(parents=True, exist_ok=True)
    try:
        images = _images(sorting)
        som = _train(sorting, images, report)
        projection = _project(sorting, som, images, report)
        pictures = som.aligned_means(images, projection)
    except InputError as error:
        raise SortingError(str(error)) from error
    np.save(sorting.pictures_path, pictures.astype(np.float32, copy=False))
    _write_down(sorting, som, projection)
    return sorting


def _images(sorting: Sorting) -> PreparedImages:
    reader = ShardReader(sorting.survey.shard_folder)
    if reader.n_images < sorting.n_subjects:
        raise SortingError(
            f"The shards of survey {sorting.survey.slug} hold {reader.n_images} images and the"
            f" database {sorting.n_subjects} subjects; import the survey again to mend it."
        )
    return PreparedImages(reader, get_recipe(sorting.recipe), n_images=sorting.n_subjects)


def _train(sorting: Sorting, images: PreparedImages, report: Report) -> ExactSOM:
    sorting.state = Sorting.State.TRAINING
    sorting.save(update_fields=["state"])
    som = ExactSOM(_config(sorting, images))

    def on_progress(done: int, total: int) -> None:
        # Projection comes after the last epoch and takes about as long as one.
        report(done, total + total // sorting.n_epochs, "training the map")

    def on_epoch(epoch: EpochReport) -> None:
        sorting.history = [*sorting.history[: epoch.epoch - 1], _history_row(epoch)]
        sorting.save(update_fields=["history"])

    som.fit(
        images,
        on_epoch=on_epoch,
        on_progress=on_progress,
        checkpoint=sorting.folder / "checkpoint.safetensors",
    )
    return som


def _config(sorting: Sorting, images: PreparedImages) -> SOMConfig:
    return SOMConfig(
        rows=sorting.rows,
        columns=sorting.columns,
        topology=sorting.topology,
        periodic=sorting.is_periodic,
        n_rotations=sorting.n_rotations,
        epochs=sorting.n_epochs,
        seed=sorting.seed,
        image_shape=images.image_shape,
    )


def _history_row(epoch: EpochReport) -> dict[str, float]:
    return {
        "epoch": epoch.epoch,
        "quantization_error": epoch.quantization_error,
        "topographic_error": epoch.topographic_error,
        "sigma": epoch.sigma,
    }
