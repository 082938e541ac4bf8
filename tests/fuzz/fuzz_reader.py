"""Coverage-guided fuzzing of the reader, with atheris (`make fuzz`, which installs the extra `fuzz`).

    python tests/fuzz/fuzz_reader.py [SECONDS] [atheris options]

Inputs are programs (tests/support/programs.py), so that what is changed lies behind the checksums. It begins with the seeds in
`tests/fuzz/seeds`; an input that breaks the reader is left in `crash-*`. Put it among the seeds with what it was fixed by:
`make test` reads every seed.
"""

import sys
import tempfile
from pathlib import Path

import atheris

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "support"))

with atheris.instrument_imports(include=["respool", "programs", "msgpack"]):
    import programs


def attack(data: bytes) -> None:
    programs.read_everything(programs.build(data))


def main() -> None:
    seconds = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1].isdigit() else "60"
    options = sys.argv[2:] if len(sys.argv) > 1 and sys.argv[1].isdigit() else sys.argv[1:]
    with tempfile.TemporaryDirectory() as found:
        limits = [
            f"-max_total_time={seconds}",
            "-max_len=8192",
            "-timeout=5",
            "-rss_limit_mb=600",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *limits, *options, found, str(HERE / "seeds")], attack)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
