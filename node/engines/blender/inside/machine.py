# SPDX-License-Identifier: Apache-2.0
"""Names what computes pixels here: two machines of one name give the same bits, those of two names perhaps not.

Cycles chooses its processor kernel by what the processor can do; its C library chooses mathematical functions by model
and version. All three are in the name, which is rather too narrow than too wide: another name is compared within a
tolerance, the same name bit for bit.
"""

import contextlib
import os
import platform
import re
from pathlib import Path
from typing import Any, Final

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]

_COUNTED: Final = ("x86_64", "amd64")
_CPUINFO: Final = Path("/proc/cpuinfo")
_CAPABILITIES: Final = re.compile(r"CPU device capabilities: (.+)")
_MODEL: Final = (("vendor_id", "cpu family", "model"), ("CPU implementer", "CPU architecture", "CPU part"))


def cpu_class() -> str:
    """The device class of this processor: ``cpu`` of the architecture whose processors were compared, else another for
    each, such as ``cpu-aarch64``: a difference blames nobody until that pair is counted too."""
    name = platform.machine().lower()
    return "cpu" if name in _COUNTED else f"cpu-{name or 'unknown'}"[:32]


def is_cpu(device_class: str) -> bool:
    """Whether it is a processor's, of whatever architecture."""
    return device_class == "cpu" or device_class.startswith("cpu-")


def kernel(device_class: str) -> str:
    """The name within a device class; empty where a part of it cannot be told."""
    if not is_cpu(device_class):
        return _gpus(device_class)
    parts = [_instructions(), _processor(), "-".join(platform.libc_ver()).strip("-")]
    return " ".join(part.lower().replace(" ", "-") for part in parts) if all(parts) else ""


def _instructions() -> str:
    """Cycles' own word for the instructions that its kernel uses; it does not see that it was told not to use them."""
    if os.environ.get("CYCLES_CPU_NO_AVX2"):
        return "no avx2"
    import _cycles  # type: ignore[import-not-found, unused-ignore]

    found = _CAPABILITIES.search(_cycles.system_info())
    return found[1].strip() if found else ""


def _processor() -> str:
    """Vendor, family and model."""
    rows: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in _CPUINFO.read_text().split("\n\n", 1)[0].splitlines():
            name, _, value = line.partition(":")
            rows[name.strip()] = value.strip()
    for names in _MODEL:
        if all(rows.get(name) for name in names):
            return "-".join(rows[name] for name in names)
    return platform.processor() if platform.system() != "Linux" else ""


def cycles_preferences() -> Any:
    """Where Cycles keeps which devices there are, and which of them it is to use."""
    return bpy.context.preferences.addons["cycles"].preferences


def _gpus(device_class: str) -> str:
    """The models of the GPUs in use."""
    names = {item.name for item in cycles_preferences().devices if item.use and item.type == device_class.upper()}
    return " + ".join(sorted(names)).lower()
