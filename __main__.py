"""`python -m respool`, and the console script."""

import sys


def main() -> int:
    try:
        from .cli.main import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return 130  # also while the modules are still being read


if __name__ == "__main__":
    sys.exit(main())
