"""Two cassettes compared by what they mean: not bytes and ids, but what was asked, done and said.

`compare` finds what differs; `pairing` says which threads of two cassettes are the same conversation; `findings` is what
comes out. What counts and what does not is told in docs/review.md. Nothing here writes, and memory is bounded.
"""

from .compare import Tolerance, compare
from .findings import Finding, report

__all__ = ["Finding", "Tolerance", "compare", "report"]
