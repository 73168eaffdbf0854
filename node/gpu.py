# SPDX-License-Identifier: Apache-2.0
"""What GPUs this machine says it has. It is a claim: speed is measured, and work is the proof.

Nothing here raises for a missing driver, library or GPU: a machine without one is a machine of class cpu.
"""

import importlib
import re
import time
from dataclasses import dataclass
from typing import Final, Protocol, cast

import pynvml  # type: ignore[import-untyped, unused-ignore]

from inferix.errors import Misconfigured

_MODEL: Final = re.compile(
    r"\b(?:(?P<line>RTX|GTX|TITAN|Quadro|Tesla)\s+)?(?P<series>RTX\s+)?(?P<model>[A-Z]{0,3}\d{1,4}[A-Z]{0,2})"
    r"(?P<suffix>(?:\s+(?:Ti|SUPER|Ada|D))*)\b"
)
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU. ``model``: short name such as "rtx-4090" or "h200", or "unknown": then only measuring tells."""

    index: int
    name: str
    model: str
    memory_bytes: int
    driver: str


@dataclass(frozen=True, slots=True)
class GpuReport:
    """The GPUs found; ``reason`` says in words why there are none, else ""."""

    gpus: tuple[Gpu, ...]
    reason: str = ""


class GpuProbe(Protocol):
    """Where knowledge of GPUs comes from."""

    def report(self) -> GpuReport:
        """What is there now; never raises for what is not."""
        ...


class NvmlProbe:
    """Asks NVIDIA's management library."""

    def report(self) -> GpuReport:
        """Every NVIDIA GPU, or why none is seen."""
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            return GpuReport((), f"no GPU: {_reason(error)}")
        try:
            driver = _text(pynvml.nvmlSystemGetDriverVersion())
            gpus = tuple(_gpu(index, driver) for index in range(pynvml.nvmlDeviceGetCount()))
            return GpuReport(gpus, "" if gpus else "no GPU: the driver is there and sees none")
        except pynvml.NVMLError as error:
            return GpuReport((), f"no GPU that answers: {_reason(error)}")
        finally:
            pynvml.nvmlShutdown()


def load_probe(name: str = "nvml") -> GpuProbe:
    """The probe ``name``: "nvml", or "module:Class" of another.

    :raises Misconfigured: it cannot be imported.
    """
    if name == "nvml":
        return NvmlProbe()
    module, _, kind = name.partition(":")
    try:
        return cast(GpuProbe, getattr(importlib.import_module(module), kind)())
    except (ImportError, AttributeError, ValueError) as error:
        raise Misconfigured(f"GPU probe {name!r} cannot be loaded ({error}): give nvml or module:Class") from error


def find(probe: GpuProbe | None = None) -> tuple[Gpu, ...]:
    """The GPUs of this machine; empty without one."""
    return (probe or NvmlProbe()).report().gpus


def model_of(name: str) -> str:
    """A short model name out of what the driver says; "unknown" for what looks like none, never an error."""
    match = _MODEL.search(name)
    if match is None:
        return UNKNOWN
    line = match["line"] or (match["series"] or "").strip()
    line = "" if line == "Tesla" else line
    return "-".join(f"{line} {match['model']}{match['suffix']}".lower().split())


def matmul_tflops(size: int = 4096, repeats: int = 20) -> float | None:
    """Half-precision matrix products per second in 10^12 operations; None without torch or a CUDA device."""
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return None
    if not torch.cuda.is_available():
        return None
    left, right = (torch.randn(size, size, device="cuda", dtype=torch.float16) for _ in range(2))
    left @ right
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(repeats):
        left @ right
    torch.cuda.synchronize()
    return float(2 * size**3 * repeats / (time.perf_counter() - started) / 1e12)


def _gpu(index: int, driver: str) -> Gpu:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    name = _text(pynvml.nvmlDeviceGetName(handle))
    return Gpu(index, name, model_of(name), int(pynvml.nvmlDeviceGetMemoryInfo(handle).total), driver)


def _reason(error: Exception) -> str:
    if isinstance(error, pynvml.NVMLError_LibraryNotFound):
        return "the NVIDIA driver is not installed"
    if isinstance(error, pynvml.NVMLError_DriverNotLoaded):
        return "the NVIDIA driver is installed but not loaded"
    return str(error)


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
