"""Lenient views of the API's objects, both versions at once: what the thread view reads of a body.

A view never raises and never stands between a client and the wire: a field that is missing, or of another type than the
API's description says, is its empty default; fields that the description does not know are kept in `model_extra`. Lists
are cut at `MAX_ITEMS`, bodies over `MAX_BODY` bytes are not parsed. The text in a view is as foreign as the body was.

Source: the API's OpenAPI descriptions, first version (`file_ids`, `retrieval`) and second (`attachments`, deltas).
"""

import json
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, PlainValidator, model_validator

from .interaction import Body

MAX_BODY = 8 * 1024 * 1024
"""Bytes of a body that is parsed; a larger one is shown by its size."""

MAX_ITEMS = 1_000
"""Items read of any one list; the API's own pages hold 100."""

SETTINGS = (
    "model",
    "instructions",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "temperature",
    "top_p",
    "max_prompt_tokens",
    "max_completion_tokens",
    "truncation_strategy",
    "response_format",
    "reasoning_effort",
)
"""Members of a run that say what it was made with, in the order in which they are shown."""

_MAX_NUMBER = 1 << 63


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # In this order: NaN and the infinities fail the comparison and are never turned into an int.
    return int(value) if -_MAX_NUMBER < value < _MAX_NUMBER else None


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> list[Any]:
    return value[:MAX_ITEMS] if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return [item for item in _items(value) if isinstance(item, str)]


Text = Annotated[str, PlainValidator(_text)]
Number = Annotated[int | None, PlainValidator(_number)]
Flag = Annotated[bool, PlainValidator(lambda value: value is True)]
Mapping = Annotated[dict[str, Any], PlainValidator(_mapping)]
Items = Annotated[list[Any], PlainValidator(_items)]
Texts = Annotated[list[str], PlainValidator(_texts)]


class View(BaseModel):
    """Base of all views: takes any value at all, and is false when that was no JSON object or an empty one."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    @model_validator(mode="before")
    @classmethod
    def _only_an_object(cls, value: object) -> dict[str, object]:
        if not isinstance(value, dict):
            return {}
        if all(isinstance(key, str) and key.isascii() for key in value):
            return value
        return {key: item for key, item in value.items() if isinstance(key, str) and _encodes(key)}

    @classmethod
    def of(cls, value: object) -> Self:
        return cls.model_validate(value)

    def __bool__(self) -> bool:
        return bool(self.model_fields_set)


def _encodes(key: str) -> bool:
    """Lone surrogates: JSON can spell them and pydantic refuses them as names."""
    return not any("\ud800" <= character <= "\udfff" for character in key)


AnyView = TypeVar("AnyView", bound=View)


def views(kind: type[AnyView], values: object) -> list[AnyView]:
    """A view of each object in a list; whatever else is in it is passed over."""
    return [kind.of(value) for value in _items(values) if isinstance(value, dict)]


class Fault(View):
    """An `error` of the API, a run's or step's `last_error`, or `incomplete_details` (which has a `reason` only)."""

    message: Text = ""
    code: Text = ""
    type: Text = ""
    param: Text = ""
    reason: Text = ""


class Usage(View):
    prompt_tokens: Number = None
    completion_tokens: Number = None
    total_tokens: Number = None


class Thread(View):
    id: Text = ""
    created_at: Number = None
    metadata: Mapping = {}
    tool_resources: Mapping = {}


class Annotation(View):
    """A piece of a text that stands for a file. First-version citations carry a `quote`."""

    index: Number = None
    type: Text = ""
    text: Text = ""
    file_citation: Mapping = {}
    file_path: Mapping = {}
    url_citation: Mapping = {}

    @property
    def said(self) -> dict[str, Any]:
        """All that it says, offsets too; `index` is about the delta that brought it."""
        known = {name: getattr(self, name) for name in type(self).model_fields if name != "index"}
        return {
            name: value for name, value in (known | (self.model_extra or {})).items() if value not in ("", {}, None)
        }


class Content(View):
    """One part of a message, or a delta of one (`index` says of which)."""

    index: Number = None
    type: Text = ""
    text: Annotated[Any, PlainValidator(lambda value: value)] = None
    """`{"value", "annotations"}` in an answer; a plain string in a request."""
    refusal: Text = ""
    image_file: Mapping = {}
    image_url: Mapping = {}

    @property
    def value(self) -> str:
        return self.text if isinstance(self.text, str) else _text(_mapping(self.text).get("value"))

    @property
    def annotations(self) -> list[Annotation]:
        return views(Annotation, _mapping(self.text).get("annotations"))


class Message(View):
    """A message as answered, or as asked for (then `content` may be a plain string)."""

    id: Text = ""
    created_at: Number = None
    role: Text = ""
    status: Text = ""
    content: Annotated[Any, PlainValidator(lambda value: value)] = None
    file_ids: Texts = []
    attachments: Items = []
    metadata: Mapping = {}
    run_id: Text = ""
    assistant_id: Text = ""
    incomplete_details: Mapping = {}

    @property
    def parts(self) -> list[Content]:
        if isinstance(self.content, str):
            return [Content.of({"type": "text", "text": self.content})]
        return views(Content, self.content)

    @property
    def files(self) -> dict[str, str]:
        """Attached files: id → the tools it was given to, joined by commas (none in the first version)."""
        found = dict.fromkeys(self.file_ids, "")
        for attachment in self.attachments:
            name = _text(_mapping(attachment).get("file_id"))
            tools = [_text(_mapping(tool).get("type")) for tool in _items(_mapping(attachment).get("tools"))]
            if name:
                found[name] = ", ".join(filter(None, tools))
        return found


class ToolCall(View):
    """A tool call in `required_action`, in a step, or in a step's delta (`index` says of which)."""

    index: Number = None
    id: Text = ""
    type: Text = ""
    function: Mapping = {}
    code_interpreter: Mapping = {}


class Step(View):
    id: Text = ""
    created_at: Number = None
    completed_at: Number = None
    run_id: Text = ""
    type: Text = ""
    status: Text = ""
    step_details: Mapping = {}
    last_error: Mapping = {}
    usage: Mapping = {}

    @property
    def tool_calls(self) -> list[ToolCall]:
        return views(ToolCall, self.step_details.get("tool_calls"))

    @property
    def message_id(self) -> str:
        return _text(_mapping(self.step_details.get("message_creation")).get("message_id"))


class Run(View):
    id: Text = ""
    created_at: Number = None
    thread_id: Text = ""
    assistant_id: Text = ""
    status: Text = ""
    model: Text = ""
    instructions: Text = ""
    required_action: Mapping = {}
    last_error: Mapping = {}
    incomplete_details: Mapping = {}
    metadata: Mapping = {}
    usage: Mapping = {}

    @property
    def settings(self) -> dict[str, Any]:
        """What is told of `SETTINGS`, as it was told."""
        told = {"model": self.model, "instructions": self.instructions} | (self.model_extra or {})
        return {name: told[name] for name in SETTINGS if told.get(name) not in (None, "")}

    @property
    def tool_calls(self) -> list[ToolCall]:
        return views(ToolCall, _mapping(self.required_action.get("submit_tool_outputs")).get("tool_calls"))


class ToolOutput(View):
    """One entry of a submit request's `tool_outputs`."""

    tool_call_id: Text = ""
    output: Annotated[Any, PlainValidator(lambda value: value)] = None


class Delta(View):
    """`thread.message.delta` and `thread.run.step.delta`: what to add to the object `id`."""

    id: Text = ""
    delta: Mapping = {}

    @property
    def parts(self) -> list[Content]:
        return views(Content, self.delta.get("content"))

    @property
    def step(self) -> Step:
        return Step.of({"step_details": self.delta.get("step_details")})


class Page(View):
    """A list answer, and the first version's message file lists."""

    data: Items = []
    has_more: Flag = False


class File(View):
    """A message file (first version: `thread.message.file`, or `assistant.file` in early answers)."""

    id: Text = ""


def parse(data: bytes | str) -> Any:
    """The JSON value that `data` spells; None when it spells none, or one too deep or too large to be looked at."""
    if len(data) > MAX_BODY:
        return None
    try:
        return json.loads(data)
    except (ValueError, RecursionError):  # ValueError: bad JSON, bad UTF-8, a number of too many digits
        return None


def read(body: Body) -> Any:
    """The JSON value of a body, by the rules of `parse`; a body that is too large is not even read."""
    return parse(body.read()) if 0 < body.length <= MAX_BODY else None


def error_message(value: object) -> str:
    """What an error body says, in the API's shape or a gateway's (`{"message"}`, `{"detail"}`); else nothing."""
    outer = _mapping(value)
    inner = outer.get("error")
    if isinstance(inner, str):
        return inner
    for candidate in (_mapping(inner).get("message"), outer.get("message"), outer.get("detail"), outer.get("msg")):
        if isinstance(candidate, str) and candidate:
            return candidate
    fault = Fault.of(inner)
    return fault.code or fault.type


def error_kind(value: object) -> dict[str, Any]:
    """Type, code and parameter that an error body names beside its message; those that it leaves out are not there."""
    outer = _mapping(value)
    inner = _mapping(outer.get("error")) or outer
    return {name: inner[name] for name in ("type", "code", "param") if isinstance(inner.get(name), str | int)}


def compact(value: object) -> str:
    """One line of JSON, keys sorted so that equal values give equal text."""
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(", ", ": "))
    except (ValueError, TypeError, RecursionError):
        return "(not shown: too deep)"
