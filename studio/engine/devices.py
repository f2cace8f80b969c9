"""Where the numbers are computed and in which format: chosen by measuring, because machines differ too much
to guess.

On many processors bfloat16 runs at a third of float32's speed, and more threads than physical cores slow it
down.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import platform
import sys
import time
from pathlib import Path
from typing import Any, Final

import psutil
import torch

from studio.engine.threads import default_threads
from studio.errors import ResourceError
from studio.i18n import _

_MMAP_THRESHOLD: Final = (-3, 256 << 20)  # mallopt(3): number of the option, bytes
_TRIM_THRESHOLD: Final = (-1, -1)  # never
_FLOAT32_ERROR: Final = 1e-5  # of a product: float32 1e-7 to 1e-6, with factors in bfloat16 2e-3
_NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "std::bad_alloc")
_CGROUP_LIMITS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)


def pick_device(wanted: str = "auto") -> torch.device:
    """The device for ``auto | cpu | cuda | mps``. Raises ResourceError ``device.missing`` when it is not
    here."""
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return torch.device(next(name for name, here in present.items() if here))
    if not present.get(wanted, False):
        raise ResourceError(
            "device.missing",
            _("This computer has no usable device “{device}”.").format(device=wanted),
            _("Choose “Best available” as the device."),
        )
    return torch.device(wanted)


def pick_dtype(wanted: str, device: torch.device) -> torch.dtype:
    """The number format for ``auto | float32 | bfloat16 | float16`` on ``device``.

    ``auto``: bfloat16 where it measures at least 1.2 times as fast as float32, else float32; never float16,
    whose small range needs loss scaling. Takes about 0.1 s on a processor.
    """
    if wanted != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[wanted]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if device.type == "mps":
        return torch.float32
    seconds = {dtype: float("inf") for dtype in (torch.float32, torch.bfloat16)}
    for _attempt in range(6):  # by turns and best of all: other programs disturb both alike
        for dtype in seconds:
            seconds[dtype] = min(seconds[dtype], _matmul_s(dtype))
    return torch.bfloat16 if seconds[torch.float32] >= 1.2 * seconds[torch.bfloat16] else torch.float32


def multiplied_in(dtype: torch.dtype, device: torch.device) -> torch.autocast:
    """Within, matrices are multiplied in ``dtype``, while weights, sums and losses stay float32."""
    return torch.autocast(device.type, dtype, enabled=dtype is not torch.float32)


def _matmul_s(dtype: torch.dtype, size: int = 512) -> float:
    """Seconds of one product of two ``size`` x ``size`` matrices on the processor."""
    matrix = torch.ones((size, size), dtype=dtype)
    start = time.perf_counter()
    torch.mm(matrix, matrix)
    return time.perf_counter() - start


def pick_answer_dtype(device: torch.device, parameters: int) -> torch.dtype:
    """The number format to answer in, token by token, for a model of so many parameters.

    On a processor a token is matrices times one vector, which float32 does faster even where bfloat16 wins for whole
    batches (measured with AMX: 33 against 62 µs for 1536 x 576). float32 it is unless it would take over half of the
    memory; the rule looks at all memory, not at what is free, so that the same question gets the same answer.
    """
    if device.type != "cpu":
        return pick_dtype("auto", device)
    too_large = 4 * parameters > psutil.virtual_memory().total // 2
    return torch.bfloat16 if too_large else torch.float32


def dtype_name(dtype: torch.dtype) -> str:
    """``float32`` for ``torch.float32``."""
    return str(dtype).removeprefix("torch.")


def set_threads(wanted: int | None = None) -> int:
    """Let torch use ``wanted`` threads (None: one for each physical core) and return that number."""
    threads = wanted or default_threads()
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    return threads


def set_up(threads: int | None = None, device: torch.device | None = None) -> int:
    """Let this process compute as runs do, on ``device`` (None: the processor); returns the number of threads."""
    count = set_threads(threads)
    if device is None or device.type == "cpu":
        use_fast_float32()
    reuse_memory()
    return count


def use_fast_float32() -> bool:
    """Let oneDNN multiply float32 matrices from now on where MKL takes a slow way; True if it does.

    On AMD's processors MKL keeps to AVX2: 218 GFLOP/s where oneDNN's AVX-512 reaches 482 (1024 x 576 by 576 x 1536).
    torch has no switch but for products that may be rounded within; oneDNN rounds only where it has AMX, and then this
    stays off. It depends on the processor alone, so a resumed run multiplies as before. For the whole process; torch's
    older switch (``get_float32_matmul_precision``, which its compiler asks) raises from then on.
    """
    library: Any = torch.backends.mkldnn
    products = library.matmul
    if not (torch.backends.cpu.get_cpu_capability().startswith("AVX512") and _made_by_amd()):
        return False
    own = products.fp32_precision
    products.fp32_precision = "bf16"
    if _product_error() > _FLOAT32_ERROR:
        products.fp32_precision = own
        return False
    return True


def _made_by_amd() -> bool:
    with contextlib.suppress(OSError):
        return "AuthenticAMD" in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")[:4096]
    return "AuthenticAMD" in platform.processor()  # Windows


def _product_error(size: int = 256) -> float:
    """How far a float32 product of two such matrices is from the exact one, relative (Frobenius)."""
    some = torch.Generator().manual_seed(0)
    left, right = torch.randn(2, size, size, generator=some)
    exact = left.double() @ right.double()
    return float((left @ right - exact).norm() / exact.norm())


def reuse_memory() -> None:
    """Keep what is freed for the next update, where the C library can be told so (glibc).

    To give the results of each layer back to the system and to get them anew as zeros took a third of an
    autoencoder's updates and a quarter of a 135M language model's (1,400 tokens: 210,000 page faults and 7.3 s, or none
    and 5.5 s). ``release_memory`` gives back what is kept.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # no such function here
        library = ctypes.CDLL(None)
        for option, size in (_MMAP_THRESHOLD, _TRIM_THRESHOLD):
            library.mallopt(option, size)


def memory_used(device: torch.device | None = None) -> int:
    """Bytes held now: by this process in main memory, or by torch on a GPU."""
    if device is not None and device.type == "cuda":
        return int(torch.cuda.memory_allocated(device))
    return int(psutil.Process().memory_info().rss)


def peak_memory(device: torch.device | None = None) -> int:
    """Most bytes ever held by this process in main memory, or by torch on a GPU."""
    if device is not None and device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    info = psutil.Process().memory_info()
    windows_peak = getattr(info, "peak_wset", None)
    if windows_peak is not None:
        return int(windows_peak)
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return max(int(info.rss), peak if sys.platform == "darwin" else peak * 1024)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory was asked for that is not there, on whatever device; torch says so in several ways."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in said for words in _NO_MEMORY)


def release_memory() -> None:
    """Give memory that nobody uses any more back to the system, as far as the libraries let go of it."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
    if sys.platform == "linux":
        try:
            ctypes.CDLL(None).malloc_trim(
                0
            )  # glibc keeps freed memory for itself; other C libraries have no such call
        except AttributeError:
            return


@torch.no_grad()
def move(model: torch.nn.Module, optimizer: torch.optim.Optimizer, device: torch.device) -> None:
    """The model and the optimizer's state on another device; parameters stay the same objects."""
    model.to(device)
    for state in optimizer.state.values():
        for name, value in state.items():
            if (
                isinstance(value, torch.Tensor) and value.ndim
            ):  # counters of steps stay where torch keeps them
                state[name] = value.to(device)


def memory_available(device: torch.device | None = None) -> int:
    """Bytes that can still be had: GPU memory, or main memory within the container's limit."""
    if device is not None and device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    available = int(psutil.virtual_memory().available)
    left = _cgroup_left()
    return available if left is None else min(available, left)


def _cgroup_left() -> int | None:
    """Bytes left below the memory limit of the control group; None without a limit."""
    for limit_file, used_file in _CGROUP_LIMITS:
        try:
            limit, used = limit_file.read_text().strip(), used_file.read_text().strip()
        except OSError:
            continue
        if limit.isdigit() and used.isdigit() and int(limit) < 2**60:
            return max(0, int(limit) - int(used))
    return None


def describe(device: torch.device) -> str:
    """What a person calls the device, e.g. the GPU's product name or ``cpu``."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
