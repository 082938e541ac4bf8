"""respool: record, replay and inspect traffic of the threads API.

The names below are the public surface. Importing this package imports neither aiohttp nor textual.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
