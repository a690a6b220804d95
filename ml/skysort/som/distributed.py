"""Several processes that train one map: each matches its share, and the sums are added up.

Started by ``torchrun``, with gloo on CPUs and NCCL on graphics cards; a single process is a team
of one. Batch sums do not care who made them, so the map is the same to rounding.
"""

import os
from collections.abc import Sequence
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

__all__ = ["Team", "default_device"]

T = TypeVar("T")


class Team:
    """The processes that work together, and this one's place among them.

    Attributes
    ----------
    rank, size : int
        Number of this process, and how many there are.
    """

    def __init__(self) -> None:
        together = dist.is_available() and dist.is_initialized()
        self.rank = dist.get_rank() if together else 0
        self.size = dist.get_world_size() if together else 1

    @classmethod
    def from_environment(cls, device: str = "cpu") -> "Team":
        """Join the processes that ``torchrun`` started, if it did."""
        if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
        return cls()

    @property
    def leads(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def share(self, parts: Sequence[T]) -> Sequence[T]:
        """Choose this process's parts: every size-th one."""
        return parts[self.rank :: self.size]

    def add(self, *sums: Tensor) -> None:
        """Replace sums by those over all processes."""
        if self.size > 1:
            for tensor in sums:
                dist.all_reduce(tensor)

    def gather(self, own: T) -> list[T]:
        """Collect what each process brought, in the order of their numbers."""
        if self.size == 1:
            return [own]
        found: list[T | None] = [None] * self.size
        dist.all_gather_object(found, own)
        return [item for item in found if item is not None]

    def leave(self) -> None:
        """Part from the others, when all is done."""
        if self.size > 1:
            dist.destroy_process_group()


def default_device() -> str:
    """Choose the card of this process's rank where there are cards, else the CPU."""
    if not torch.cuda.is_available():
        return "cpu"
    return f"cuda:{int(os.environ.get('LOCAL_RANK', '0')) % torch.cuda.device_count()}"
