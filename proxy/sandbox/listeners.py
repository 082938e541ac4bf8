"""Who hears of a run's events: one listener a stream, each in its own version's shape.

An event is rendered when it happens, so that a later change cannot show in it.
"""

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .shapes import Shape  # which imports the store, which imports this


@dataclass(slots=True, eq=False)
class Listener:
    """The events that a stream has yet to write.

    `over`: no more will come. `dropped`: the connection is then to be cut rather than ended.
    """

    shape: "Shape"
    waiting: deque[bytes] = field(default_factory=deque)
    over: bool = False
    dropped: bool = False

    def hear(self, event: str, payload: Any) -> None:
        data = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        self.waiting.append(f"event: {event}\ndata: {data}\n\n".encode())

    def finish(self, *, dropped: bool = False) -> None:
        if not dropped:
            self.hear("done", "[DONE]")
        self.over, self.dropped = True, dropped
