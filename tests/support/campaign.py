"""How far the campaigns go: `make test` takes a short walk through each, `make test-long` all of it."""

import os

LONG = os.environ.get("RESPOOL_PROPERTIES") == "long"


def sized(short: int, long: int) -> int:
    """How many: so many in `make test`, so many in `make test-long`."""
    return long if LONG else short
