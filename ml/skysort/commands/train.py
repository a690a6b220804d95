"""`skysort train`: a map from images."""

import argparse
import io
from pathlib import Path
from typing import TYPE_CHECKING

from skysort.commands.arguments import (
    Commands,
    add_device,
    add_force,
    add_images,
    check_target,
    grid_shape,
    positive_float,
    positive_number,
    whole_number,
)
from skysort.commands.progress import ProgressLine
from skysort.errors import InputError

if TYPE_CHECKING:
    from skysort.som.config import EpochReport, SOMConfig


def add(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "train",
        help="train a map on images",
        description="Train a map and say after each epoch how well it represents the images. "
        "What is done after each epoch is kept in MAP.unfinished until the map is whole. Started "
        "by torchrun, several processes share the work and make the same map.",
        epilog="Example: torchrun --nproc-per-node 4 -m skysort.cli train IMAGES -o MAP "
        "--device cuda",
    )
    add_images(parser, usual="none")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="MAP",
        help="the map.safetensors file to write",
    )
    _add_map_settings(parser)
    _add_comparison_settings(parser)
    parser.add_argument(
        "--resume", action="store_true", help="go on with a training that was interrupted"
    )
    add_device(parser)
    add_force(parser)
    parser.set_defaults(run=run)


def _add_map_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--grid",
        type=grid_shape,
        default=(10, 10),
        metavar="ROWSxCOLUMNS",
        help="prototypes (default: 10x10)",
    )
    parser.add_argument(
        "--topology",
        choices=("rectangular", "hexagonal"),
        default="rectangular",
        help="of the grid (default: %(default)s)",
    )
    parser.add_argument("--periodic", action="store_true", help="let opposite edges touch")
    parser.add_argument(
        "--epochs",
        type=positive_number,
        default=10,
        metavar="N",
        help="passes over all images (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", type=whole_number, default=1, help="of everything random (default: %(default)s)"
    )
    parser.add_argument(
        "--initialization",
        choices=("samples", "pca"),
        default="samples",
        help="begin with images that differ, or with a plane (default: %(default)s)",
    )
    parser.add_argument(
        "--sigma-end",
        type=positive_float,
        default=0.3,
        metavar="STEPS",
        help="width of the last neighbourhood in grid steps (default: %(default)s)",
    )
    parser.add_argument(
        "--batch-size",
        type=positive_number,
        metavar="N",
        help="update the map after so many images (default: once an epoch)",
    )
    parser.add_argument(
        "--patience",
        type=positive_number,
        metavar="N",
        help="end early once so many epochs brought nothing (default: do all)",
    )


def _add_comparison_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--window",
        choices=("disk", "square"),
        default="disk",
        help="pixels that are compared; PINK compares a square (default: disk)",
    )
    parser.add_argument(
        "--rotations",
        type=positive_number,
        default=360,
        metavar="N",
        help="angles of a full turn, a multiple of 4 (default: %(default)s)",
    )
    parser.add_argument("--no-flip", action="store_true", help="tell mirror images apart")
    parser.add_argument(
        "--blank",
        choices=("error", "mask"),
        default="error",
        help="what a NaN pixel is: an error, or not compared (default: %(default)s)",
    )


def run(options: argparse.Namespace) -> str:
    """Train, with a checkpoint after each epoch."""
    from skysort.commands.engine import join_team

    unfinished = _check_files(options)
    with join_team(options.device) as (team, device):
        return _train(options, unfinished, device=device, leads=team.leads)


def _train(options: argparse.Namespace, unfinished: Path, *, device: str, leads: bool) -> str:
    """Train as one of a team, whose leader alone tells and writes."""
    from skysort.commands.engine import Engine, open_images

    images = open_images(options.images, recipe=options.recipe)
    som = Engine(_config(options, images.image_shape), device=device)
    about = {"recipe": str(images.recipe)} if images.recipe is not None else {}
    progress = ProgressLine(None if leads else io.StringIO())
    try:
        history = som.fit(
            images,
            on_epoch=lambda report: progress.say(_epoch(report)),
            on_progress=progress,
            checkpoint=unfinished,
            resume=options.resume,
            about=about,
        )
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(_interrupted(options, unfinished)) from interrupt
    finally:
        progress.end()
    if not leads:
        return ""
    som.save(options.output, about=about)
    unfinished.unlink(missing_ok=True)
    rows, columns = options.grid
    return f"{options.output}: {rows} x {columns} prototypes of {len(images)} images, " + _quality(
        history[-1]
    )


def _check_files(options: argparse.Namespace) -> Path:
    """Give the name of the checkpoint."""
    check_target(options.output, force=options.force)
    unfinished: Path = options.output.with_name(f"{options.output.name}.unfinished")
    if unfinished.exists() and not (options.resume or options.force):
        raise InputError(
            f"{unfinished} is left of a training that was interrupted; go on with --resume, or "
            "begin anew with --force"
        )
    return unfinished


def _config(options: argparse.Namespace, image_shape: tuple[int, int, int]) -> "SOMConfig":
    from skysort.som.config import SOMConfig

    rows, columns = options.grid
    return SOMConfig(
        image_shape=image_shape,
        rows=rows,
        columns=columns,
        topology=options.topology,
        periodic=options.periodic,
        n_rotations=options.rotations,
        use_flip=not options.no_flip,
        window=options.window,
        epochs=options.epochs,
        seed=options.seed,
        initialization=options.initialization,
        sigma_end=options.sigma_end,
        batch_size=options.batch_size,
        patience=options.patience,
        blank=options.blank,
    )


def _epoch(report: "EpochReport") -> str:
    return f"epoch {report.epoch} of {report.of}: {_quality(report)}"


def _quality(report: "EpochReport") -> str:
    return (
        f"quantization error {report.quantization_error:.4f}, "
        f"topographic error {report.topographic_error:.4f}, "
        f"dead prototypes {report.dead_share:.1%}, hit entropy {report.hit_entropy:.3f}"
    )


def _interrupted(options: argparse.Namespace, unfinished: Path) -> str:
    if not unfinished.exists():
        return f"stopped before the first epoch was done; {options.output} was not written"
    return f"stopped; the epochs that are done lie in {unfinished}, go on with --resume"
