"""One call on its way through the sandbox: what a handler gets, what it gives, and how both versions' shapes are chosen.

Handlers are plain functions of a `Call`; no HTTP library stands here or in them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

from .clock import Instant
from .errors import ApiError
from .listeners import Listener
from .pages import cut
from .shapes import SHAPES, Shape
from .store import Json, Thread
from .validation import check, check_page, read_json
from .world import World

Item = TypeVar("Item")
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came in a multipart form, and the form's other fields."""

    filename: str
    content_type: str
    content: bytes
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """One request, checked as far as all have in common: credential, version, path."""

    sandbox: World
    operation: str
    ids: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    shape: Shape
    at: Instant
    upload: Upload | None = None

    @property
    def first(self) -> bool:
        """Whether the client speaks the API's first version."""
        return self.shape.version == 1

    def read(self, model: type[Model], first: type[Model] | None = None) -> Model:
        """The body, checked against the model of the client's version."""
        return check(first if first is not None and self.first else model, read_json(self.body))

    def thread(self) -> Thread:
        """The thread that the path names, moved on to the present."""
        thread = self.sandbox.store.find_thread(self.ids["thread_id"])
        self.sandbox.catch_up(thread, self.at.now)
        return thread

    def page(
        self,
        items: Iterable[Item],
        kind: str,
        name: Callable[[Item], str],
        show: Callable[[Item], Json],
        *,
        most: int = 100,
        usual: int = 20,
    ) -> "Answer":
        """The page of `items` that the query asks for. `most` and `usual` are the bounds of its `limit`."""
        chosen, has_more = cut(items, check_page(self.query, most=most, usual=usual), kind, name)
        return Answer(self.shape.listing([show(item) for item in chosen], has_more))


@dataclass(slots=True)
class Answer:
    """What goes back: JSON, raw `content`, or the events of a run. `poll`: the run is not over, so say when to ask."""

    payload: Any = None
    status: int = 200
    poll: bool = False
    content: bytes | None = None
    content_type: str = "application/json"
    events: Listener | None = None
    thread: Thread | None = None
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Answer]


def select_shape(header: str | None) -> Shape:
    """The shape for an `OpenAI-Beta` header. Without one it is the second version. Raises a 400 for another version."""
    for token in (header or "").split(","):
        name, _, value = token.strip().partition("=")
        if name.strip().lower() == "assistants":
            if value.strip().lower() not in ("v1", "v2"):
                message = "Invalid 'OpenAI-Beta' header: supported values are 'assistants=v1' and 'assistants=v2'."
                raise ApiError(400, message, code="invalid_beta")
            return SHAPES[int(value.strip()[1:])]
    return SHAPES[2]
