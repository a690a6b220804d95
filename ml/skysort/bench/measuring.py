"""What a run costs: processor time, memory, matrix products; and what the machine can do."""

import os
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

__all__ = [
    "Cost",
    "MachineRates",
    "WorkCounter",
    "in_fresh_process",
    "machine_rates",
    "measured",
    "processor_name",
]

P = ParamSpec("P")
R = TypeVar("R")

#: Of the product that shows the machine's matrix rate: far more work than data.
MATRIX_EDGE = 2048
#: Of the copy that shows the memory bandwidth: larger than any cache of a processor.
COPY_BYTES = 256 * 1024**2
REPEATS = 5


@dataclass(frozen=True)
class Cost:
    """What something cost.

    Attributes
    ----------
    cpu_s : float
        Processor time of all threads, in the kernel and outside.
    wall_s : float
        Time that passed.
    memory_bytes : int
        Largest resident memory of the process so far, Python and torch included; on an
        accelerator the largest memory that torch had there.
    """

    cpu_s: float
    wall_s: float
    memory_bytes: int

    def seconds(self, device: str) -> float:
        """Time by which rates are told: of the processor, or that passed with an accelerator."""
        return self.cpu_s if torch.device(device).type == "cpu" else self.wall_s


@dataclass(frozen=True)
class MachineRates:
    """What the machine can do, by the seconds of `Cost.seconds`.

    Attributes
    ----------
    matrix_flops : float
        Floating-point operations a second in a large product of float32 matrices.
    copy_bytes : float
        Bytes read and written a second in a large copy.
    """

    matrix_flops: float
    copy_bytes: float


def measured(work: Callable[[], R], device: str) -> tuple[R, Cost]:
    """Do something, and give what it gave and what it cost."""
    _wait(device)
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    _wait(device)
    cost = Cost(time.process_time() - cpu, time.perf_counter() - wall, _peak_memory(device))
    return result, cost


def _wait(device: str) -> None:
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


def _peak_memory(device: str) -> int:
    """Largest memory so far; Linux lets `ru_maxrss` begin with that of the parent process."""
    if torch.device(device).type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def machine_rates(device: str) -> MachineRates:
    """Measure a large matrix product and a large copy; the best of a few."""
    one, two = (torch.ones(MATRIX_EDGE, MATRIX_EDGE, device=device) for _ in range(2))
    source = torch.ones(COPY_BYTES // 8, device=device)
    target = torch.empty_like(source)
    return MachineRates(
        matrix_flops=2.0 * MATRIX_EDGE**3 / _fastest(lambda: torch.mm(one, two), device),
        copy_bytes=COPY_BYTES / _fastest(lambda: target.copy_(source), device),
    )


def _fastest(work: Callable[[], Tensor], device: str) -> float:
    work()
    return min(measured(work, device)[1].seconds(device) for _ in range(REPEATS))


class WorkCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts what torch does while this context is open.

    Attributes
    ----------
    flops : int
        Floating-point operations of dense matrix products.
    moved_bytes : int
        Size of what operations read and wrote, each once: the traffic with memory where nothing
        stays in a cache, as on an accelerator. Views move nothing.

    Examples
    --------
    >>> with WorkCounter() as work:
    ...     product = torch.ones(2, 3) @ torch.ones(3, 4)
    >>> work.flops
    48
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0
        self.moved_bytes = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Let an operation happen, and count it."""
        kwargs = dict(kwargs or {})
        result = func(*args, **kwargs)
        if func.overloadpacket in flop_registry and not any(map(_is_sparse, tree_leaves(args))):
            self.flops += flop_registry[func.overloadpacket](*args, **kwargs, out_val=result)
        if not func.is_view:
            self.moved_bytes += sum(map(_bytes, tree_leaves((args, kwargs, result))))
        return result


def _is_sparse(value: Any) -> bool:
    return isinstance(value, Tensor) and value.layout != torch.strided


def _bytes(value: Any) -> int:
    if not isinstance(value, Tensor):
        return 0
    dense = value.values() if _is_sparse(value) else value
    return dense.numel() * dense.element_size()


def in_fresh_process(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function of a module in a new interpreter, so that its memory is its own."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as process:
        return process.submit(function, *args, **kwargs).result()


def processor_name() -> str:
    """Name the processor, and how many there are."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} x {names[0] if names else 'processor'}"
