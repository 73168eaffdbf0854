# SPDX-License-Identifier: Apache-2.0
"""The machine that figures are of."""

import os
import platform
from pathlib import Path

from benchmarks.cores import TICKS


def facts() -> dict[str, str | int]:
    """Cores that this process may use, processor, memory in MiB, system, Python."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": processor(Path("/proc/cpuinfo").read_text()),
        "memory_mib": pages >> 20,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
    }


def processor(text: str) -> str:
    """The model in the text of /proc/cpuinfo."""
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return "unknown"


def busy_seconds() -> float:
    """Processor seconds that all programs of this machine have used since it was started."""
    return parse_busy(Path("/proc/stat").read_text())


def parse_busy(text: str) -> float:
    """User, nice, system, irq and softirq of the first line of /proc/stat."""
    fields = [int(field) for field in text.split("\n", 1)[0].split()[1:]]
    user, nice, system, _idle, _wait, irq, softirq = fields[:7]
    return (user + nice + system + irq + softirq) / TICKS
