"""The conversation as statements for the openai package: what the Python script and the pytest test are made of.

Known operations are calls of the SDK, with ids that earlier answers gave as expressions (`thread.id`); fields that the
SDK does not name go into `extra_body`. All else is `client.get` or `client.post` on the path. Runs are waited for by
state. A statement says what it does (`code`) and what the recording says came of it (`checks`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

from ..models import MAX_BODY, parse
from ..sse import Event, EventParser
from ..text import safe
from .calls import Call
from .literals import WIDTH, json_value, literal, quoted

_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
_RUN_FIELDS = frozenset({
    "assistant_id", "instructions", "max_completion_tokens", "max_prompt_tokens", "metadata", "model",
    "parallel_tool_calls", "response_format", "stream", "temperature", "tool_choice", "tools", "top_p",
    "truncation_strategy",
})  # fmt: skip
_STEP = "thread.run.step."
_PAGE = frozenset({"after", "before", "limit", "order"})
_THREAD_FIELDS = frozenset({"messages", "metadata", "tool_resources"})


@dataclass(frozen=True, slots=True)
class Method:
    """How the SDK spells an operation: the ids in the path (the first one positional), the fields that it names, those
    that it needs, and the variable for what it answers."""

    name: str
    ids: tuple[str, ...] = ()
    fields: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    variable: str = ""


METHODS = {
    "createThread": Method("create", (), _THREAD_FIELDS, variable="thread"),
    "getThread": Method("retrieve", ("thread_id",), variable="thread"),
    "modifyThread": Method("update", ("thread_id",), _THREAD_FIELDS - {"messages"}, variable="thread"),
    "deleteThread": Method("delete", ("thread_id",)),
    "listMessages": Method("messages.list", ("thread_id",), _PAGE | {"run_id"}, variable="messages"),
    "createMessage": Method(
        "messages.create",
        ("thread_id",),
        frozenset({"role", "content", "attachments", "metadata"}),
        frozenset({"role", "content"}),
        "message",
    ),
    "getMessage": Method("messages.retrieve", ("message_id", "thread_id"), variable="message"),
    "modifyMessage": Method(
        "messages.update", ("message_id", "thread_id"), frozenset({"metadata"}), variable="message"
    ),
    "deleteMessage": Method("messages.delete", ("message_id", "thread_id")),
    "createThreadAndRun": Method(
        "create_and_run", (), _RUN_FIELDS | {"thread", "tool_resources"}, frozenset({"assistant_id"}), "run"
    ),
    "listRuns": Method("runs.list", ("thread_id",), _PAGE, variable="runs"),
    "createRun": Method(
        "runs.create",
        ("thread_id",),
        _RUN_FIELDS | {"additional_instructions", "additional_messages"},
        frozenset({"assistant_id"}),
        "run",
    ),
    "getRun": Method("runs.retrieve", ("run_id", "thread_id"), variable="run"),
    "modifyRun": Method("runs.update", ("run_id", "thread_id"), frozenset({"metadata"}), variable="run"),
    "submitToolOuputsToRun": Method(
        "runs.submit_tool_outputs",
        ("run_id", "thread_id"),
        frozenset({"tool_outputs", "stream"}),
        frozenset({"tool_outputs"}),
        "run",
    ),
    "cancelRun": Method("runs.cancel", ("run_id", "thread_id"), variable="run"),
    "listRunSteps": Method("runs.steps.list", ("run_id", "thread_id"), _PAGE, variable="steps"),
    "getRunStep": Method("runs.steps.retrieve", ("step_id", "thread_id", "run_id"), variable="step"),
}
"""Of `client.beta.threads`; openai 1.x to 3.x have them all. What is not here is called by its path."""


@dataclass(frozen=True, slots=True)
class Statement:
    comment: str = ""
    code: str = ""
    checks: list[str] = field(default_factory=list)
    shows: str = ""
    """What a script prints of it."""
    skipped_write: bool = False


class Program:
    """Turns calls into statements, in order."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}  # by id: the expression that has it
        self._variables: dict[str, str] = {}  # by id of an object: its variable
        self._counts: dict[str, int] = {}

    def statements(self, calls: list[Call]) -> Iterator[Statement]:
        for call in calls:
            if call.why_not:
                yield Statement(f"Left out, {call.why_not}: {call.told()}", skipped_write=call.writes)
            else:
                yield self._statement(call)

    def _statement(self, call: Call) -> Statement:
        expression, method = self._sdk(call)
        if not expression:
            expression, method = self._raw(call), None
        streamed = method is not None and call.streams
        asked = f"list({expression})" if streamed else expression
        if call.status >= 400:
            return Statement(code=f"refused({call.status}, lambda: {asked})")
        events = _events(call) if streamed else []
        if call.cut or any(event.name == "error" for event in events):
            return Statement("The recorded answer broke off here.", f"interrupted(lambda: {asked})")
        if method is None or not method.variable:
            return Statement(code=asked)
        if streamed:
            return self._stream(events, asked)
        return self._assigned(call, method, asked)

    def _assigned(self, call: Call, method: Method, asked: str) -> Statement:
        answer = call.answer
        if not isinstance(answer, dict):
            return Statement(code=asked)
        checks: list[str] = []
        shows = ""
        if isinstance(answer.get("data"), list):
            name = method.variable
            self._learn(name, answer)
            if name == "messages" and (texts := _texts(answer)) is not None:
                checks.append(f"assert texts(messages) == {literal(texts, lambda _: None, 4)}")
                shows = "print(*texts(messages), sep='\\n')"
        else:
            name = self._variable(method.variable, answer.get("id"))
            self._learn(name, answer)
            if name.startswith("run") and call.state and (call.waits or call.writes):
                checks.append(f"assert {name}.status == {quoted(call.state)}")
                shows = f"print({name}.id, {name}.status)"
        return Statement(code=f"{name} = {asked}", checks=checks, shows=shows)

    def _stream(self, events: list[Event], asked: str) -> Statement:
        """A stream is read to its end; the last event of the run tells its state."""
        run = _last_run(events)
        if run is None:
            return Statement(code=asked)
        name = self._variable("run", run.get("id"))
        self._learn(name, run)
        state = run.get("status")
        checks = [f"assert {name}.status == {quoted(state)}"] if isinstance(state, str) else []
        return Statement(code=f"{name} = last_run({asked})", checks=checks, shows=f"print({name}.id, {name}.status)")

    def _sdk(self, call: Call) -> tuple[str, Method | None]:
        """The SDK's call; nothing where it would not make the same request."""
        method = METHODS.get(call.operation)
        if method is None or any(
            not safe(name).isascii() or quote(name, safe="") != name for name in call.ids.values()
        ):
            return "", None
        named = self._query(call, method) if call.interaction.request.method == "GET" else self._body(call, method)
        if named is None:
            return "", None
        ids = [self._id(call.ids[name]) for name in method.ids]
        words = ids[:1] + [f"{name}={value}" for name, value in zip(method.ids[1:], ids[1:], strict=True)]
        if call.waits:
            return f"settled(client, {ids[0]}, {ids[1]})", method
        words += [f"{name}={value}" for name, value in named.items()]
        return _call(f"client.beta.threads.{method.name}", words), method

    def _query(self, call: Call, method: Method) -> dict[str, str] | None:
        try:
            pairs = parse_qsl(
                call.query[1:].decode("ascii"), keep_blank_values=True, strict_parsing=bool(call.query[1:])
            )
        except ValueError:
            return None
        values = dict(pairs)
        if len(values) < len(pairs) or not values.keys() <= method.fields:
            return None
        return {
            name: value if name == "limit" and re.fullmatch("[1-9][0-9]{0,8}", value) else self._id(value)
            for name, value in values.items()
        }

    def _body(self, call: Call, method: Method) -> dict[str, str] | None:
        if call.query[1:]:
            return None
        data = call.interaction.request.body.read()
        try:
            value = json_value(data) if data else {}
        except ValueError:
            return None
        if not isinstance(value, dict) or not method.needs <= value.keys():
            return None
        if call.streams != (value.get("stream") is True):
            return None
        named = {name: literal(below, self._names.get, 8) for name, below in value.items() if name in method.fields}
        rest = {name: below for name, below in value.items() if name not in method.fields}
        if rest:
            named["extra_body"] = literal(rest, self._names.get, 8)
        return named

    def _raw(self, call: Call) -> str:
        request = call.interaction.request
        path: list[str] = []
        plain = ""
        for place, segment in enumerate(quote(call.path, safe=_VISIBLE).split("/")):
            plain += "/" if place else ""
            if segment in self._names:
                path += [quoted(plain), self._names[segment]]
                plain = ""
            else:
                plain += segment
        plain += quote(call.query, safe=_VISIBLE)
        path += [quoted(plain)] if plain else []
        words = [" + ".join(path), "cast_to=object"]
        body = request.body.read()
        if body:
            words += self._raw_body(call, body)
        return _call(f"client.{request.method.lower()}", words)

    def _raw_body(self, call: Call, body: bytes) -> list[str]:
        try:
            return [f"body={literal(json_value(body), self._names.get, 8)}"]
        except ValueError:
            lines = [value for name, value in call.interaction.request.headers if name.lower() == b"content-type"]
            kind = lines[0].decode("latin-1") if lines else "application/octet-stream"
            # In another case, since the SDK makes a form of its own of what it takes for one.
            kind = re.sub("^multipart/form-data", "Multipart/Form-Data", kind, flags=re.IGNORECASE)
            return [f"content={body!r}", f"options={{'headers': {{'Content-Type': {quoted(kind)}}}}}"]

    def _id(self, name: str) -> str:
        return self._names.get(name) or quoted(name)

    def _variable(self, kind: str, name: object) -> str:
        """The variable of an object: a new one for one that is not known yet."""
        if not isinstance(name, str) or not name:
            return kind
        if name not in self._variables:
            count = self._counts[kind] = self._counts.get(kind, 0) + 1
            self._variables[name] = kind if count == 1 else f"{kind}_{count}"
        return self._variables[name]

    def _learn(self, variable: str, answer: dict[str, Any]) -> None:
        """The variable has a new value: what it was known for is forgotten, and what is in it now is known."""
        start = variable + "."
        self._names = {name: known for name, known in self._names.items() if not known.startswith(start)}
        for name, expression in _ids_of(answer, variable):
            self._names.setdefault(name, expression)


def _call(function: str, words: list[str]) -> str:
    """A call: on one line where it fits, else with a line for each argument."""
    line = f"{function}({', '.join(words)})"
    if len(line) <= WIDTH and "\n" not in line:
        return line
    return f"{function}(\n" + "".join(f"        {word},\n" for word in words) + "    )"


def _ids_of(answer: dict[str, Any], variable: str) -> Iterator[tuple[str, str]]:
    items = answer.get("data")
    if isinstance(items, list):
        for place, item in enumerate(items[:100]):
            if isinstance(item, dict) and _is_id(item.get("id")):
                yield item["id"], f"{variable}.data[{place}].id"
        return
    for name in ("id", "thread_id") if variable.startswith("run") else ("id",):
        if _is_id(answer.get(name)):
            yield answer[name], f"{variable}.{name}"
    action = answer.get("required_action")
    asked = action.get("submit_tool_outputs") if isinstance(action, dict) else None
    calls = asked.get("tool_calls") if isinstance(asked, dict) else None
    for place, item in enumerate(calls[:100] if isinstance(calls, list) else ()):
        if isinstance(item, dict) and _is_id(item.get("id")):
            yield item["id"], f"{variable}.required_action.submit_tool_outputs.tool_calls[{place}].id"


def _is_id(value: object) -> bool:
    """Whether a text is long enough not to stand elsewhere by chance."""
    return isinstance(value, str) and len(value) >= 6


def _texts(page: dict[str, Any]) -> list[str] | None:
    """The texts of a page of messages as the program reads them; None where that could fail."""
    texts: list[str] = []
    for item in page["data"]:
        parts = item.get("content") if isinstance(item, dict) else None
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict) and part.get("type") == "text":
                text = part.get("text")
                value = text.get("value") if isinstance(text, dict) else None
                if not isinstance(value, str):
                    return None
                texts.append(value)
    return texts


def _events(call: Call) -> list[Event]:
    """The events of a stream; of one too long to be looked at, none."""
    response = call.interaction.response
    if response is None or response.body.length > MAX_BODY:
        return []
    return list(EventParser(MAX_BODY).feed(response.body.read()))


def _last_run(events: list[Event]) -> dict[str, Any] | None:
    """The run in the last event of a stream that tells of one."""
    told = [each for each in events if each.name.startswith("thread.run.") and not each.name.startswith(_STEP)]
    last = parse(told[-1].data) if told else None
    return last if isinstance(last, dict) else None
