"""Lists by the page, as the API cuts them: `limit`, `order`, `after` and `before`."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from .errors import not_found
from .validation import Page

Item = TypeVar("Item")


def cut(items: Iterable[Item], page: Page, kind: str, name: Callable[[Item], str]) -> tuple[list[Item], bool]:
    """The wanted page of items that stand in order of creation, and whether more follow in the same direction.

    `before` without `after` gives the items nearest to it, still in the list's own order. Raises a 404 where a cursor
    names none of the items.
    """
    ordered = list(items)
    if page.descending:
        ordered.reverse()
    start, end = 0, len(ordered)
    if page.after is not None:
        start = _place(ordered, page.after, kind, name) + 1
    if page.before is not None:
        end = _place(ordered, page.before, kind, name)
    window: list[Any] = ordered[start:end]
    if page.before is not None and page.after is None:
        return window[-page.limit :], len(window) > page.limit
    return window[: page.limit], len(window) > page.limit


def _place(items: list[Item], identifier: str, kind: str, name: Callable[[Item], str]) -> int:
    for place, item in enumerate(items):
        if name(item) == identifier:
            return place
    raise not_found(kind, identifier)
