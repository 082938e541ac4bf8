"""What `GET /_respool/health` says: whether the service is up and does what it is there for. No path, no name, no secret."""

import json
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from .. import __version__
from .answer import Answer, json_answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """`cassettes` that are open, `sessions` that a replay keeps, and whether a recording has `failed`."""

    cassettes: int = 0
    sessions: int = 0
    failed: bool = False


@runtime_checkable
class Living(Protocol):
    """A mode that knows how it is. One that does not is taken to be well."""

    def health(self) -> Health: ...


def health_answer(mode: str, health: Health) -> Answer:
    """200, or 503 where calls still go through but can no longer be recorded."""
    said = {
        "status": "failed" if health.failed else "ok",
        "mode": mode,
        "version": __version__,
        "cassettes": health.cassettes,
        "sessions": health.sessions,
    }
    return json_answer(503 if health.failed else 200, json.dumps(said).encode() + b"\n")
