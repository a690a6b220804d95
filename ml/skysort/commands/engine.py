"""The map and its images as the commands open them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skysort.errors import InputError
from skysort.images.pink import file_kind
from skysort.images.stacks import OpenStack, open_stack
from skysort.som.checkpoint import load_map
from skysort.som.distributed import Team
from skysort.som.polar_som import PolarSOM

__all__ = ["Engine", "check_device", "join_team", "load_engine", "open_images"]

Engine = PolarSOM

AS_STORED = "none"


def check_device(name: str) -> str:
    """Give the name back if torch can compute there.

    Raises
    ------
    InputError
        Saying why it cannot.
    """
    import torch

    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"--device {name} cannot be used here: {said}; leave it out to compute on the processor"
        ) from error
    return name


@contextmanager
def join_team(device: str) -> Iterator[tuple[Team, str]]:
    """Work together with the other processes that ``torchrun`` started, if it did.

    Yields the team and the device of this process: with "cuda", the card of its own number.
    """
    if device == "cuda" and "LOCAL_RANK" in os.environ:
        device = f"cuda:{os.environ['LOCAL_RANK']}"
    team = Team.from_environment(check_device(device))
    try:
        yield team, device
    finally:
        team.leave()


def load_engine(path: Path, *, device: str) -> Engine:
    """Read a map and make it ready to be used."""
    if file_kind(path) == "map":
        raise InputError(
            f"{path} is a map of PINK; bring it to ours with `skysort convert {path} NAME"
            ".safetensors`"
        )
    return Engine.load(path, device=check_device(device))


def open_images(path: Path, *, recipe: str | None, map_path: Path | None = None) -> OpenStack:
    """Open images, prepared as they were when the map was trained.

    Parameters
    ----------
    path : path
        See `skysort.images.stacks.open_stack`.
    recipe : str, optional
        Overrules the map's; "none" takes the pixels as they are.
    map_path : path, optional
        The map that they are compared with.

    Raises
    ------
    InputError
        If they cannot be opened, or have another shape than the map's prototypes.
    """
    state = None if map_path is None else load_map(map_path)
    if recipe is None and state is not None:
        recipe = state.about.get("recipe")
    images = open_stack(path, recipe=None if recipe == AS_STORED else recipe)
    if state is not None and images.image_shape != state.config.image_shape:
        raise InputError(
            f"{path} has images of shape (C, H, W) = {images.image_shape}, but the prototypes of "
            f"{map_path} have {state.config.image_shape}"
        )
    return images
