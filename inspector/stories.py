"""What the inspector shows of one scope, made from the cassette when it is first asked for.

Making one reads and folds all calls of the scope, which may take seconds: never on the event loop, and from one thread
at a time, since a reader is for one. Nothing that went wrong with one thread keeps the others from being seen.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ..cassettes.conversation import Recorded
from ..cassettes.errors import RespoolError
from ..cassettes.folding import fold
from ..cassettes.interaction import Interaction
from ..cassettes.summary import Row as IndexRow
from ..cassettes.text import clip
from .layout import Sheet, lay_out
from .outline import MAX_LABEL, Branch, Face, Kind, Row, outline_of
from .transcript import Document, plain, transcript

MAX_STORIES = 16
"""Scopes that are kept; each is bounded by `transcript.MAX_CHARACTERS`."""


class Story(NamedTuple):
    """A scope: its rows for the list, and what there is to read, broken to the pane's width."""

    branch: Branch
    document: Document
    sheet: Sheet


class Abandoned(Exception):
    """The story is not wanted any more."""


def tell(recording: Recorded, scope: str, width: int, wanted: Callable[[], bool]) -> Story:
    """The story of a scope. Raises `Abandoned` once `wanted` says no; damage becomes a story that tells of it."""
    try:
        conversation = fold(_Watched(recording, wanted), scope)
        branch, document = outline_of(conversation), transcript(conversation)
    except Abandoned:
        raise
    except RespoolError as error:
        branch, document = _broken(scope, "damaged"), plain(error.message, error.hint, title="This cannot be read.")
    except Exception as error:  # noqa: BLE001 - a fault of ours in one thread must not close the screen on all others
        what = f"{type(error).__name__}: {error}"
        branch, document = _broken(scope, "not shown"), plain(what, title="A fault in respool: this cannot be shown.")
    return Story(branch, document, lay_out(document, width))


def _broken(scope: str, why: str) -> Branch:
    kind = Kind.COLLECTION if scope.startswith("/") else Kind.THREAD
    return Branch(Row(kind, scope), Face(clip(scope, MAX_LABEL), why, "bad"))


class Shelf:
    """The stories asked for last, up to `MAX_STORIES`."""

    def __init__(self) -> None:
        self._stories: OrderedDict[str, Story] = OrderedDict()

    def get(self, scope: str) -> Story | None:
        story = self._stories.get(scope)
        if story is not None:
            self._stories.move_to_end(scope)
        return story

    def put(self, story: Story) -> Row | None:
        """Keep a story. Returns the row of the one that had to go for it."""
        self._stories[story.branch.row.scope] = story
        self._stories.move_to_end(story.branch.row.scope)
        return self._stories.popitem(last=False)[1].branch.row if len(self._stories) > MAX_STORIES else None

    def __len__(self) -> int:
        return len(self._stories)


class _Watched:
    """A recording that stops answering when nobody wants to know any more."""

    def __init__(self, recording: Recorded, wanted: Callable[[], bool]) -> None:
        self._recording = recording
        self._wanted = wanted

    @property
    def path(self) -> Path:
        return self._recording.path

    @property
    def meta(self) -> Mapping[str, object]:
        return self._recording.meta

    @property
    def sealed(self) -> bool:
        return self._recording.sealed

    def __len__(self) -> int:
        return len(self._recording)

    def rows(self) -> Iterator[IndexRow]:
        return self._recording.rows()

    def rows_of_scope(self, name: str) -> list[IndexRow]:
        return self._recording.rows_of_scope(name)

    def scopes(self) -> list[str]:
        return self._recording.scopes()

    def scope_name(self, scope: int) -> str:
        return self._recording.scope_name(scope)

    def interaction(self, row: IndexRow) -> Interaction:
        if not self._wanted():
            raise Abandoned
        return self._recording.interaction(row)
