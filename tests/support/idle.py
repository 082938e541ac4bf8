"""Whether a process has something to do: on a busy machine one that says nothing may only wait for its turn.

Tests that look at a screen ask, so that they need not wait longer than a process that is not kept from running would take.
"""

from pathlib import Path


def busy(pid: int) -> bool:
    """Whether a thread of a process or of its children runs, could run, or waits for a disk; not so when it has ended."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        if any((task / "stat").read_text().rpartition(")")[2].split()[0] in "RD" for task in tasks):
            return True
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return False
    return any(map(busy, children))
