"""The operations of the threads API, one row each: the table that naming, scopes, showing and the tests read.

Rows 1 to 19 are the first version's; `deleteMessage` came with the second. Source: the API's OpenAPI description, by
operationId (`submitToolOuputsToRun` is spelled there as it is here). Numbers are stored in cassettes and never reused.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple


class Operation(NamedTuple):
    number: int
    name: str
    method: str
    template: str

    @property
    def writes(self) -> bool:
        return self.method not in READS


READS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing; all others are writes (RFC 9110 section 9.2.1, less TRACE, which is not proxied)."""

OPERATIONS: tuple[Operation, ...] = (
    Operation(1, "createThread", "POST", "/threads"),
    Operation(2, "getThread", "GET", "/threads/{thread_id}"),
    Operation(3, "modifyThread", "POST", "/threads/{thread_id}"),
    Operation(4, "deleteThread", "DELETE", "/threads/{thread_id}"),
    Operation(5, "listMessages", "GET", "/threads/{thread_id}/messages"),
    Operation(6, "createMessage", "POST", "/threads/{thread_id}/messages"),
    Operation(7, "getMessage", "GET", "/threads/{thread_id}/messages/{message_id}"),
    Operation(8, "modifyMessage", "POST", "/threads/{thread_id}/messages/{message_id}"),
    Operation(9, "createThreadAndRun", "POST", "/threads/runs"),
    Operation(10, "listRuns", "GET", "/threads/{thread_id}/runs"),
    Operation(11, "createRun", "POST", "/threads/{thread_id}/runs"),
    Operation(12, "getRun", "GET", "/threads/{thread_id}/runs/{run_id}"),
    Operation(13, "modifyRun", "POST", "/threads/{thread_id}/runs/{run_id}"),
    Operation(14, "submitToolOuputsToRun", "POST", "/threads/{thread_id}/runs/{run_id}/submit_tool_outputs"),
    Operation(15, "cancelRun", "POST", "/threads/{thread_id}/runs/{run_id}/cancel"),
    Operation(16, "listRunSteps", "GET", "/threads/{thread_id}/runs/{run_id}/steps"),
    Operation(17, "getRunStep", "GET", "/threads/{thread_id}/runs/{run_id}/steps/{step_id}"),
    Operation(18, "listMessageFiles", "GET", "/threads/{thread_id}/messages/{message_id}/files"),
    Operation(19, "getMessageFile", "GET", "/threads/{thread_id}/messages/{message_id}/files/{file_id}"),
    Operation(20, "deleteMessage", "DELETE", "/threads/{thread_id}/messages/{message_id}"),
)

_COLLECTIONS = rb"threads|assistants|files|vector_stores|uploads|batches|models"
_BASE = re.compile(
    # Whatever stands before the first collection of the API; for other paths, the bases that vendors are known to use.
    rb"(?:/[^/]+){0,12}?(?=/(?:" + _COLLECTIONS + rb")(?:/|$))|(?:/api/projects/[^/]+)?(?:/openai)?(?:/v[0-9]+)?(?=/)"
)
_PATTERNS = [
    (row, re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(row.template)).encode()))
    for row in OPERATIONS
]


def split_target(target: bytes) -> tuple[bytes, bytes, bytes]:
    """Split an origin-form target into (base prefix, path below it, query with its `?` or nothing).

    Vendors serve the same paths below `/v1`, `/openai`, `/openai/v1`, `/api/projects/NAME`, a gateway's own prefix or nothing; a
    recording of one must answer a client of another, so the prefix never counts.
    """
    return _split(target) if len(target) <= _REMEMBERED_LENGTH else _split.__wrapped__(target)


def find_operation(method: str, path: bytes) -> tuple[Operation | None, Mapping[str, str]]:
    """The operation that a method and a path (below its base prefix) name, and the ids in that path."""
    return _find(method, path) if len(path) <= _REMEMBERED_LENGTH else _find.__wrapped__(method, path)


def name_of(number: int) -> str:
    """The name of the operation with this number, fit for a sentence."""
    return next((known.name for known in OPERATIONS if known.number == number), "a call of no known operation")


_REMEMBERED_LENGTH = 512
"""Bytes of a target whose parts are remembered: the same paths come again and again, above all in polls."""


@lru_cache(maxsize=4096)
def _split(target: bytes) -> tuple[bytes, bytes, bytes]:
    path, mark, query = target.partition(b"?")
    match = _BASE.match(path)
    cut = match.end() if match else 0
    return path[:cut], path[cut:], mark + query


@lru_cache(maxsize=4096)
def _find(method: str, path: bytes) -> tuple[Operation | None, Mapping[str, str]]:
    if path.startswith(b"/threads"):
        for row, pattern in _PATTERNS:
            if row.method == method and (match := pattern.fullmatch(path)):
                if match.groupdict().get("thread_id") == b"runs":
                    continue  # `/threads/runs` is no thread
                ids = {name: value.decode("latin-1") for name, value in match.groupdict().items()}
                return row, MappingProxyType(ids)
    return None, MappingProxyType({})


def table_as_markdown() -> str:
    """The operations, for the docs."""
    rows = [f"| `{row.name}` | `{row.method} {row.template}` |" for row in OPERATIONS]
    return "\n".join(["| operation | call |", "|---|---|", *rows]) + "\n"
