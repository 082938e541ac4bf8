"""The conversation as statements for the openai package: what the Python script and the pytest test are made of.

Known operations are calls of the SDK, with ids that earlier answers gave as expressions (`thread.id`); fields that the
SDK does not name go into `extra_body`. All else is `client.get` or `client.post` on the path, whose answers are maps
(`file['id']`). Where the API's version is not the one that the SDK asks for, the header says so. Runs are waited for by
state. A statement says what it does (`code`) and what the recording says came of it (`checks`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeGuard
from urllib.parse import parse_qsl, quote

from ..models import MAX_BODY, parse
from ..sse import Event, EventParser
from ..text import safe
from .calls import Call
from .literals import WIDTH, json_value, literal, quoted
from .methods import METHODS, SDK_BETA, Method

_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
_STEP = "thread.run.step."
_TOLD = {"thread.message.created": "thread.message", "thread.run.step.created": "thread.run.step"}
"""Events that tell of a new object, and what it is."""
_BETA = re.compile(r"[0-9A-Za-z=,._-]{1,100}")
_KINDS = {"assistant", "file", "vector_store", "upload", "batch"}
"""Objects of calls by path that have a variable of their own name."""


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
        self._given: dict[str, list[str]] = {}  # by variable: the ids that are known by it, or were
        self._variables: dict[str, str] = {}  # by id of an object: its variable
        self._counts: dict[str, int] = {}
        self._asked_for: set[bytes] = set()  # what stands in the paths of all calls

    def statements(self, calls: list[Call]) -> Iterator[Statement]:
        self._asked_for = {segment for call in calls for segment in call.path.split(b"/")}
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
        if call.interaction.response is None:
            return Statement("No answer came here.", f"interrupted(lambda: {asked})")
        events = _events(call) if streamed else []
        if call.cut or any(event.name == "error" for event in events):
            return Statement("The recorded answer broke off here.", f"interrupted(lambda: {asked})")
        if call.status >= 400:
            return Statement(code=f"refused({call.status}, lambda: {asked})")
        if method is None:
            return Statement(code=self._kept(call, asked))
        if not method.variable:
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

    def _kept(self, call: Call, asked: str) -> str:
        """A call by its path, with a variable for an answer that has an id."""
        answer = call.answer
        if not isinstance(answer, dict) or not _is_id(answer.get("id")) or call.interaction.request.method == "DELETE":
            return asked
        kind = answer.get("object")
        name = self._variable(kind if isinstance(kind, str) and kind in _KINDS else "answer", answer["id"])
        self._names.setdefault(answer["id"], f"{name}['id']")
        return f"{name} = {asked}"

    def _stream(self, events: list[Event], asked: str) -> Statement:
        """A stream is read to its end; the last event of the run tells its state."""
        run = _last_run(events)
        if run is None:
            return Statement(code=asked)
        name = self._variable("run", run.get("id"))
        self._learn(name, run)
        code = f"{name} = last_run({asked})"
        self._forget(f"{name}_events", f"ids({name}_events")
        found = {kind: list(_ids_told(events, event)) for event, kind in _TOLD.items()}
        needed = [
            (each, f"ids({name}_events, {kind!r})[{place}]")
            for kind, ids in found.items()
            for place, each in enumerate(ids)
            if each.encode() in self._asked_for and each not in self._names
        ]
        if needed:
            self._names.update(needed)
            self._given[f"{name}_events"] = [each for each, _ in needed]
            code = f"{name}_events = {asked}\n    {name} = last_run({name}_events)"
        state = run.get("status")
        checks = [f"assert {name}.status == {quoted(state)}"] if isinstance(state, str) else []
        return Statement(code=code, checks=checks, shows=f"print({name}.id, {name}.status)")

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
        if (beta := _beta(call)) and beta != SDK_BETA:
            words.append(f"extra_headers={{'OpenAI-Beta': {quoted(beta)}}}")
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
        if call.query and call.version:  # some versions of the SDK put their own query in the place of the path's
            plain += f"&api-version={call.version}"
        path += [quoted(plain)] if plain else []
        words = [" + ".join(path), "cast_to=object"]
        headers = {"OpenAI-Beta": beta} if (beta := _beta(call)) else {}
        body = request.body.read()
        if body:
            words += self._raw_body(call, body, headers)
        if headers:
            words.append(f"options={{'headers': {literal(headers, lambda _: None, 8)}}}")
        return _call(f"client.{request.method.lower()}", words)

    def _raw_body(self, call: Call, body: bytes, headers: dict[str, str]) -> list[str]:
        try:
            return [f"body={literal(json_value(body), self._names.get, 8)}"]
        except ValueError:
            lines = [value for name, value in call.interaction.request.headers if name.lower() == b"content-type"]
            kind = lines[0].decode("latin-1") if lines else "application/octet-stream"
            # In another case, since the SDK makes a form of its own of what it takes for one.
            headers["Content-Type"] = re.sub("^multipart/form-data", "Multipart/Form-Data", kind, flags=re.IGNORECASE)
            return [f"content={body!r}"]

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
        self._forget(variable, f"{variable}.")
        for name, expression in _ids_of(answer, variable):
            self._names.setdefault(name, expression)
            self._given.setdefault(variable, []).append(name)

    def _forget(self, variable: str, start: str) -> None:
        """Forget the ids that are known by a variable, in words that begin so."""
        for name in self._given.pop(variable, ()):
            if self._names.get(name, "").startswith(start):
                del self._names[name]


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


def _ids_told(events: list[Event], name: str) -> Iterator[str]:
    """The ids of the objects that events of a name tell of, each once."""
    values = (parse(event.data) for event in events if event.name == name)
    return iter(dict.fromkeys(each["id"] for each in values if isinstance(each, dict) and _is_id(each.get("id"))))


def _beta(call: Call) -> str:
    """The version of the API that the client asked for; empty where it named none."""
    lines = [value for name, value in call.interaction.request.headers if name.lower() == b"openai-beta"]
    text = lines[0].decode("latin-1") if lines else ""
    return text if _BETA.fullmatch(text) else ""


def _is_id(value: object) -> TypeGuard[str]:
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
