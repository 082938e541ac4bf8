"""The machine that is measured on: its facts, which processor runs what, and how much of it a process has used."""

import importlib.metadata
import os
import platform
import sys
from pathlib import Path


class Processors:
    """`served` is the processor of what is measured, `driven` that of the load and of upstreams; the same if there is one."""

    def __init__(self) -> None:
        allowed = sorted(os.sched_getaffinity(0))
        self.served = allowed[0]
        self.driven = allowed[1 % len(allowed)]


def cpu_us(pid: int) -> float:
    """Processor time that a process's living threads have used, in microseconds, to the nanosecond's exactness.

    Linux: the first field of `/proc/PID/task/TID/schedstat`.
    """
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1000


def unsuitable() -> str:
    """Why this machine cannot run the benchmarks; empty if it can."""
    if not sys.platform.startswith("linux"):
        return "the benchmarks read /proc and pin processes: they run on Linux only"
    if not Path("/proc/self/schedstat").exists():
        return "this kernel keeps no schedstat: processor time cannot be measured"
    return ""


def facts() -> list[tuple[str, str]]:
    """What a reader must know of the machine, in order."""
    count = len(os.sched_getaffinity(0))
    note = "" if count > 1 else " (load and server share it: requests a second say little)"
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("aiohttp", "uvloop", "vcrpy", "PyYAML")]
    return [
        ("processor", f"{_model()}, {count} in use{note}"),
        ("system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("software", f"Python {platform.python_version()}, {', '.join(versions)}"),
    ]


def load_average() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def _model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.lower().startswith(("model name", "hardware")):
            return line.partition(":")[2].strip()
    return platform.machine()
