"""`skysort verify`: whether shards are as they were written."""

import argparse
from pathlib import Path

from skysort.commands.arguments import Commands


def add(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "verify",
        help="compare a folder of shards with the checksums of its manifest",
        description="Read every shard and say whether all pixels are as they were written.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="holds a manifest.json")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> str:
    """Read every shard."""
    from skysort.images.shards import ShardReader

    reader = ShardReader(options.folder)
    reader.verify()
    return f"{options.folder}: {reader.n_images} images, all as the manifest says"
