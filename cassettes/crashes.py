"""How a fault of respool's own is told: its kind and the places in the code, and nothing that was being worked on.

The text of an unexpected exception often quotes a value (a header, a body, a key), and so does a traceback that shows
locals. Neither is needed to find the fault, and both would carry a secret into a log or an issue.
"""

import traceback

MOST_PLACES = 12


def told(error: BaseException, *, most: int = MOST_PLACES) -> str:
    """The kind of an error and where it came from, innermost first: `KeyError in f (a.py:3) < g (b.py:9)`."""
    frames = traceback.extract_tb(error.__traceback__)[-most:]
    places = [f"{frame.name} ({frame.filename.rpartition('/')[2]}:{frame.lineno})" for frame in reversed(frames)]
    return f"{type(error).__name__} in {' < '.join(places)}" if places else type(error).__name__
