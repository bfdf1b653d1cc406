"""Memory and processor time of processes, where the system has /proc to ask (Linux)."""

from __future__ import annotations

import os
from pathlib import Path


def resident_megabytes(pid: int) -> float | None:
    """Memory that a process has in RAM; none where there is no /proc to ask."""
    return _read_status(str(pid), "VmRSS")


def peak_megabytes(pid: int | None = None) -> float | None:
    """The most that a process (this one) has had in RAM; none where there is no /proc to ask.

    Not getrusage's figure: that one starts with what the parent had.
    """
    return _read_status("self" if pid is None else str(pid), "VmHWM")


def processor_seconds(pid: int) -> float | None:
    """Processor time of a process and all its threads; none where there is no /proc to ask."""
    path = Path(f"/proc/{pid}/stat")
    if not path.exists():
        return None
    # After the program's name, which may have spaces and brackets, from the state (field 3) on.
    fields = path.read_text().rpartition(")")[2].split()
    in_program, in_system = int(fields[11]), int(fields[12])
    return (in_program + in_system) / os.sysconf("SC_CLK_TCK")


def _read_status(process: str, field: str) -> float | None:
    path = Path(f"/proc/{process}/status")
    if not path.exists():
        return None
    return int(path.read_text().split(f"{field}:")[1].split()[0]) / 1024
