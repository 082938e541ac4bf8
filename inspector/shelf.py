"""The stories that are at hand, the ones asked for last. What a story is, `stories.py` tells."""

from collections import OrderedDict
from typing import TYPE_CHECKING

from .outline import Row

if TYPE_CHECKING:
    from .stories import Story

MAX_STORIES = 16
"""Scopes that are kept; each is bounded by `transcript.MAX_CHARACTERS`."""


class Shelf:
    """The stories asked for last, up to `MAX_STORIES`."""

    def __init__(self) -> None:
        self._stories: OrderedDict[str, Story] = OrderedDict()

    def get(self, scope: str) -> "Story | None":
        story = self._stories.get(scope)
        if story is not None:
            self._stories.move_to_end(scope)
        return story

    def put(self, story: "Story") -> Row | None:
        """Keep a story. Returns the row of the one that had to go for it."""
        self._stories[story.branch.row.scope] = story
        self._stories.move_to_end(story.branch.row.scope)
        return self._stories.popitem(last=False)[1].branch.row if len(self._stories) > MAX_STORIES else None

    def forget(self, scope: str) -> None:
        """Let go of one that is not true any more."""
        self._stories.pop(scope, None)

    def __len__(self) -> int:
        return len(self._stories)
