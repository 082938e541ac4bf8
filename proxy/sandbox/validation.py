"""From bytes to a checked body, or to the 400 that the host would give: message, `param` and `code`.

A request holds whatever its sender likes. Nothing in an error repeats more of it than the name of a property and a short
value that was not one of the allowed ones.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .errors import ApiError

Model = TypeVar("Model", bound=BaseModel)

MAX_DEPTH = 100
"""Levels of nesting of a body: far beyond any real schema, far below what the interpreter's stack bears."""

_SHOWN = 60
_KINDS = {
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    str: "a string",
    list: "an array",
    dict: "an object",
}
_WANTED = {
    "string_type": "a string",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a decimal",
    "bool_type": "a boolean",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
_LIMITS = {
    "too_long": ("array_above_max_length", "array too long. Expected an array with maximum length {max_length}"),
    "too_short": ("empty_array", "empty array. Expected an array with minimum length {min_length}"),
    "string_too_long": (
        "string_above_max_length",
        "string too long. Expected a string with maximum length {max_length}",
    ),
    "string_too_short": ("empty_string", "empty string. Expected a string with minimum length {min_length}"),
    "string_pattern_mismatch": (
        "invalid_value",
        "string does not match pattern. Expected a string that matches the pattern '{pattern}'",
    ),
    "greater_than_equal": ("integer_below_min_value", "number below minimum value. Expected a value >= {ge}"),
    "less_than_equal": ("integer_above_max_value", "number above maximum value. Expected a value <= {le}"),
}


def read_json(body: bytes) -> dict[str, Any]:
    """The body as an object; nothing at all counts as an empty one. Raises the host's 400."""
    if not body.strip():
        return {}
    try:
        value = json.loads(body, parse_constant=_refuse)
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair can be written but not sent
    except (ValueError, RecursionError):
        raise ApiError(
            400,
            "We could not parse the JSON body of your request. The API expects a JSON payload, but what was sent was "
            "not valid JSON.",
        ) from None
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise ApiError(400, f"The request body is nested deeper than {MAX_DEPTH} levels.")
    if not isinstance(value, dict):
        raise ApiError(400, f"Invalid type for the request body: expected an object, but got {_kind(value)} instead.")
    return value


def check(model: type[Model], value: dict[str, Any]) -> Model:
    """The body as a model. Raises a 400 that names the first property that is wrong."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _explain(_pick(error.errors(include_url=False))) from None


def _pick(errors: list[ErrorDetails]) -> ErrorDetails:
    """The error to speak of: of those of a union, the one of the branch that came furthest."""
    first = errors[0]
    top = first["loc"][:1]
    return max((error for error in errors if error["loc"][:1] == top), key=lambda error: len(_path(error["loc"])))


def _explain(error: ErrorDetails) -> ApiError:
    path = _path(error["loc"])
    param = _spell(path) or None
    kind, context, given = error["type"], error.get("ctx", {}), error["input"]
    if kind == "missing":
        return ApiError(400, f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")
    if kind == "extra_forbidden":
        return ApiError(400, f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")
    if kind in _WANTED:
        message = f"Invalid type for '{param}': expected {_WANTED[kind]}, but got {_kind(given)} instead."
        return ApiError(400, message, param=param, code="invalid_type")
    if kind in ("literal_error", "union_tag_invalid"):
        allowed = str(context.get("expected") or context.get("expected_tags"))
        given = context.get("tag", given)
        shown = f"'{given[:_SHOWN]}'" if isinstance(given, str) else _kind(given)
        message = f"Invalid value: {shown}. Supported values are: {allowed}."
        return ApiError(400, message, param=_tagged(param, kind), code="invalid_value")
    if kind == "union_tag_not_found":
        param = _tagged(param, "union_tag_invalid")
        return ApiError(400, f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")
    if kind in _LIMITS:
        code, words = _LIMITS[kind]
        if param == "content" and kind in ("string_too_short", "too_short"):
            return ApiError(400, "Message content must be non-empty.", param="content")
        return ApiError(400, f"Invalid '{param}': {words.format(**context)}.", param=param, code=code)
    reason = str(context.get("error") or error["msg"])
    return ApiError(400, f"Invalid '{param}': {reason}.", param=param, code="invalid_value")


_TAGS = {"code_interpreter", "file_search", "retrieval", "function", "text", "image_file", "image_url"}
_TAGS |= {"auto", "static", "json_object", "json_schema"}
_BRANCH = re.compile(r"[A-Z]|(?:str|constrained-str)$|.*[\[(]")
"""How pydantic names a branch of a union, which is no part of the client's path. Property names begin small."""


def _path(location: tuple[int | str, ...]) -> list[int | str]:
    """The client's own path: without the branches and tags of unions that pydantic puts in between."""
    path: list[int | str] = []
    for before, part in zip((None, *location), location, strict=False):
        if isinstance(part, str) and "metadata" not in path:
            chosen = isinstance(before, int) or (isinstance(before, str) and before.startswith("tagged-union"))
            if (part in _TAGS and chosen) or (path and _BRANCH.match(part)):
                continue
        elif part == "[key]":
            continue
        path.append(part)
    return path


def _spell(path: list[int | str]) -> str:
    spelled = ""
    for part in path:
        part = part if isinstance(part, int) else part[:_SHOWN]
        spelled += f"[{part}]" if isinstance(part, int) else f".{part}" if spelled else part
    return spelled


def _tagged(param: str | None, kind: str) -> str | None:
    if kind == "literal_error":
        return param
    return f"{param}.type" if param else "type"


def _kind(value: Any) -> str:
    return "null" if value is None else _KINDS.get(type(value), "something else")


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        if depth > MAX_DEPTH:
            break
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth


def _refuse(name: str) -> Any:
    raise ValueError(name)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted."""

    limit: int = 20
    descending: bool = True
    after: str | None = None
    before: str | None = None


def check_page(query: Mapping[str, str], *, most: int = 100, usual: int = 20) -> Page:
    """The paging parameters of a query. Raises a 400 for a limit outside 1 to `most`, or an unknown order."""
    limit, order = query.get("limit", str(usual)), query.get("order", "desc")
    if not re.fullmatch(r"-?[0-9]{1,18}", limit):
        message = "Invalid type for 'limit': expected an integer, but got a string instead."
        raise ApiError(400, message, param="limit", code="invalid_type")
    if int(limit) < 1:
        message = f"Invalid 'limit': integer below minimum value. Expected a value >= 1, but got {int(limit)} instead."
        raise ApiError(400, message, param="limit", code="integer_below_min_value")
    if int(limit) > most:
        message = (
            f"Invalid 'limit': integer above maximum value. Expected a value <= {most}, but got {int(limit)} instead."
        )
        raise ApiError(400, message, param="limit", code="integer_above_max_value")
    if order not in ("asc", "desc"):
        message = f"Invalid value: '{order[:_SHOWN]}'. Supported values are: 'asc' and 'desc'."
        raise ApiError(400, message, param="order", code="invalid_value")
    return Page(int(limit), order == "desc", query.get("after") or None, query.get("before") or None)
