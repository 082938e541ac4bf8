"""How long events hold up the screen of the inspector attached to a proxy, beside one in which nothing happens."""

import json
import subprocess

from respool.benchmarks.bench import Bench
from respool.benchmarks.processes import HERE, PYTHON
from respool.benchmarks.report import Ceiling, Finding, Ratio, Series

RATE = 2000
SECONDS = 6
LEFT = RATE // 2
"""Events that may wait at the end for a rate to count as absorbed: half a second's."""


def live(bench: Bench) -> Finding:
    """The live inspector under 2,000 events a second, beside the same at rest."""
    rest, busy = (
        Series("at rest, longest hold of the loop", "ms of CPU"),
        Series(f"{RATE:,} events a second, longest hold", "ms of CPU"),
    )
    usual = Series(f"{RATE:,} events a second, 99th of 100", "ms of CPU")
    walls: list[float] = []
    left: list[int] = []
    for _ in range(bench.rounds):
        rest.costs.append(_looked(0)["cpu_longest"])
        told = _looked(RATE)
        busy.costs.append(told["cpu_longest"])
        usual.costs.append(told["cpu_p99"])
        walls.append(told["wall_longest"])
        left.append(int(told["waiting"]))
    absorbed = sum(waiting < LEFT for waiting in left)
    return Finding(
        "live",
        [rest, busy, usual],
        [Ratio("at rest : under events, by the longest hold", busy, rest)],
        [Ceiling(f"the longest hold at {RATE:,} events a second", busy, 100)],
        [
            "while the loop is held nothing is drawn; a hold is the work of one turn of it, a frame and what was taken in",
            f"the rate was absorbed in {absorbed} of {len(left)} rounds: at most {LEFT:,} events waited after {SECONDS} s",
            f"on the wall, with this load on the machine, the longest was {min(walls):.0f}..{max(walls):.0f} ms",
            "20 threads, three events a call, the newest thread open and its conversation shown; 120 by 36 cells",
        ],
    )


def _looked(rate: int) -> dict[str, float]:
    command = [PYTHON, str(HERE / "looking.py"), "look", str(rate), str(SECONDS)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=120).stdout)
