"""`python -m respool`, and the console script."""

import os
import sys


def main() -> int:
    _open_missing_streams()
    try:
        from .cli.main import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return 130  # also while the modules are still being read


def _open_missing_streams() -> None:
    """Put /dev/null where stdin, stdout or stderr was closed (`>&-`): what is opened next would else get its number."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            fd = os.open(os.devnull, os.O_RDWR)
            if fd != number:
                os.dup2(fd, number)
                os.close(fd)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115  # it lasts as long as the process


if __name__ == "__main__":
    sys.exit(main())
