"""One thread of the corpus: an endless line of calls, as a client of the `openai` package makes them.

Turn by turn: a question, a run (polled, with tools, streamed or cancelled), then what clients look at afterwards. Now and
then a call is refused (429) and repeated, or asks for what is not there (404). Time is the thread's own and only moves on.
"""

from collections import deque
from collections.abc import Iterator
from random import Random

from respool.benchmarks import prose, shapes
from respool.benchmarks.shapes import NULL, Json, quoted
from respool.cassettes.interaction import Body, End, Headers, Interaction, Request, Response

Calls = Iterator[Interaction]

POLL_US = 1_000_000
"""The pause between two polls of the `openai` package's helpers."""


class Conversation:
    """The calls of one thread.

    `key` is the client's credential, `assistants` pairs of id and instructions; without `streams` all runs are polled.
    """

    def __init__(
        self, rng: Random, start_us: int, key: bytes, assistants: list[tuple[str, str]], *, streams: bool = True
    ) -> None:
        self._rng = rng
        self._streams = streams
        self._now = start_us
        self._key = key
        self._thread = "thread_" + prose.token(rng, 24)
        assistant, told = rng.choice(assistants)
        self._assistant = quoted(assistant)
        self._instructions = quoted(told)
        self._messages: deque[tuple[str, str]] = deque(maxlen=4)
        self._path = f"/v1/threads/{self._thread}"

    def calls(self) -> Calls:
        if self._rng.random() < 0.1:
            yield from self._polled_run(tools=False, outcome="completed", creates=True)
        else:
            yield self._create_thread()
        while True:
            yield self._ask()
            kind = self._rng.random()
            if kind < 0.22 and self._streams:
                yield from self._streamed_run()
            else:
                outcome = "cancelled" if kind > 0.95 else "failed" if kind > 0.92 else "completed"
                yield from self._polled_run(tools=kind < 0.45, outcome=outcome)
            yield from self._look_around()

    # -- calls

    def _create_thread(self) -> Interaction:
        # Many clients create their threads with one and the same empty body.
        named = self._rng.random() < 0.7
        metadata = f'{{"customer":"c-{self._rng.randrange(10**6):06d}"}}' if named else "{}"
        values = {"id": quoted(self._thread), "created": self._second(), "metadata": metadata}
        asked = f'{{"metadata":{metadata}}}' if named else "{}"
        return self._call("POST", "/v1/threads", asked, shapes.THREAD.pretty(values).encode())

    def _ask(self) -> Interaction:
        text = quoted(prose.question(self._rng))
        identity, shown = self._message("user", text, run=NULL)
        self._messages.append((identity, shown))
        return self._call("POST", self._path + "/messages", f'{{"content":{text},"role":"user"}}', shown.encode())

    def _polled_run(self, *, tools: bool, outcome: str, creates: bool = False) -> Calls:
        rng = self._rng
        path = self._path + "/runs"
        asked = f'{{"assistant_id":{self._assistant},"stream":false}}'
        run = self._new_run()
        if creates:
            text = quoted(prose.question(rng))
            self._messages.append(self._message("user", text, run=NULL))
            first = f'{{"messages":[{{"role":"user","content":{text}}}]}}'
            asked = f'{{"assistant_id":{self._assistant},"thread":{first},"stream":false}}'
            yield self._call("POST", "/v1/threads/runs", asked, self._run(run, "queued"))
        else:
            refused = rng.random() < 0.05
            if refused:
                yield self._refused("POST", path, asked)
            yield self._call("POST", path, asked, self._run(run, "queued"), retries=int(refused))
        name = run["name"]
        yield from self._polls(run, "queued", rng.randrange(0, 2))
        run["started"] = self._second()
        if outcome == "cancelled":
            yield from self._polls(run, "in_progress", 1)
            yield self._call("POST", f"{path}/{name}/cancel", "", self._run(run, "cancelling"))
            run["cancelled"], run["expires"] = self._second(), NULL
            yield from self._polls(run, "cancelled", 1)
            return
        yield from self._polls(run, "in_progress", self._patience())
        steps: list[tuple[str, str]] = []
        if tools:
            call = "call_" + prose.token(rng, 24)
            arguments = quoted(f'{{"number":"{rng.randrange(100_000, 1_000_000)}","detail":"full"}}')
            function = f'{{"name":"find_order","arguments":{arguments}}}'
            needed = f'[{{"id":"{call}","type":"function","function":{function}}}]'
            run["action"] = f'{{"type":"submit_tool_outputs","submit_tool_outputs":{{"tool_calls":{needed}}}}}'
            yield from self._polls(run, "requires_action", 1)
            run["action"] = NULL
            output = quoted(f'{{"state":"sent","parcel":"{prose.token(rng, 12)}","items":{rng.randrange(1, 9)}}}')
            outputs = f'{{"tool_outputs":[{{"tool_call_id":"{call}","output":{output}}}],"stream":false}}'
            yield self._call("POST", f"{path}/{name}/submit_tool_outputs", outputs, self._run(run, "queued"))
            steps.append(self._step(run, "tool_calls", f'{{"type":"tool_calls","tool_calls":{needed}}}'))
            yield from self._polls(run, "in_progress", self._patience())
        run["expires"], run["usage"] = NULL, self._usage()
        if outcome == "failed":
            run["failed"], run["error"] = (
                self._second(),
                '{"code":"server_error","message":"Sorry, something went wrong."}',
            )
            yield from self._polls(run, "failed", 1)
            return
        run["completed"] = self._second()
        yield from self._polls(run, "completed", 1)
        message, shown = self._message("assistant", quoted(prose.answer(rng)), run=run["id"])
        self._messages.append((message, shown))
        steps.append(self._step(run, "message_creation", _creation(message)))
        if rng.random() < 0.3:
            yield self._call("GET", f"{path}/{name}/steps?order=asc", None, shapes.listing(steps))
        if rng.random() < 0.08:
            step, shown = steps[-1]
            yield self._call("GET", f"{path}/{name}/steps/{step}", None, shown.encode())

    def _patience(self) -> int:
        """How many polls find a run unchanged: mostly some, sometimes many."""
        return min(40, 1 + int(self._rng.expovariate(1 / 6)))

    def _polls(self, run: dict[str, Json], status: str, count: int) -> Calls:
        body = self._run(run, status)
        for _ in range(count):
            self._now += POLL_US
            yield self._call("GET", f"{self._path}/runs/{run['name']}", None, body, polls=True)

    def _streamed_run(self) -> Calls:
        rng = self._rng
        run = self._new_run()
        run["started"] = self._second()
        text = prose.answer(rng)
        message, _ = self._message("assistant", quoted(text), run=run["id"])
        step, _ = self._step(run, "message_creation", _creation(message))
        values = self._message_values(message, "assistant", quoted(text), run=run["id"])
        begun = shapes.MESSAGE_EVENT.compact({**values, "status": '"in_progress"', "completed": NULL, "content": "[]"})
        opened = self._step_values(run, step, "message_creation", _creation(message), "in_progress")
        events = [
            ("thread.run.created", self._run_event(run, "queued")),
            ("thread.run.queued", self._run_event(run, "queued")),
            ("thread.run.in_progress", self._run_event(run, "in_progress")),
            ("thread.run.step.created", shapes.STEP.compact(opened)),
            ("thread.run.step.in_progress", shapes.STEP.compact(opened)),
            ("thread.message.created", begun),
            ("thread.message.in_progress", begun),
        ]
        words = text.split(" ")
        for at in range(0, len(words), 2):
            piece = quoted((" " if at else "") + " ".join(words[at : at + 2]))
            events.append(
                ("thread.message.delta", shapes.MESSAGE_DELTA.compact({"id": quoted(message), "text": piece}))
            )
        content = f'[{{"type":"text","text":{{"value":{quoted(text)},"annotations":[]}}}}]'
        told = shapes.MESSAGE_EVENT.compact(
            {**values, "status": '"completed"', "completed": self._second(), "content": content}
        )
        closed = self._step_values(run, step, "message_creation", _creation(message), "completed")
        run["completed"], run["expires"], run["usage"] = self._second(), NULL, self._usage()
        events += [
            ("thread.message.completed", told),
            ("thread.run.step.completed", shapes.STEP.compact(closed)),
            ("thread.run.completed", self._run_event(run, "completed")),
            ("done", "[DONE]"),
        ]
        self._messages.append((message, shapes.MESSAGE.pretty(values)))
        asked = f'{{"assistant_id":{self._assistant},"stream":true}}'
        end = End.COMPLETE
        if rng.random() < 0.03:  # the client has heard enough
            end, events = End.CLIENT_CUT, events[: rng.randrange(8, len(events) - 4)]
        yield self._call("POST", self._path + "/runs", asked, b"", events=events, end=end)

    def _look_around(self) -> Calls:
        rng = self._rng
        order = "?order=asc" if rng.random() < 0.5 else "?limit=20"
        shown = list(self._messages) if order == "?order=asc" else list(self._messages)[::-1]
        yield self._call("GET", self._path + "/messages" + order, None, shapes.listing(shown))
        if rng.random() < 0.08:
            missing = "msg_" + prose.token(rng, 24)
            body = shapes.error(f"No message found with id '{missing}'.", "invalid_request_error", None)
            yield self._call("GET", f"{self._path}/messages/{missing}", None, body, status=404, reason=b"Not Found")
        if rng.random() < 0.1:
            values = {"id": quoted(self._thread), "created": self._second(), "metadata": '{"solved":"yes"}'}
            body = shapes.THREAD.pretty(values).encode()
            yield self._call("POST", self._path, '{"metadata":{"solved":"yes"}}', body)
        if rng.random() < 0.1:
            identity, text = self._messages[-1]
            yield self._call("GET", f"{self._path}/messages/{identity}", None, text.encode())
        self._now += rng.randrange(2_000_000, 30_000_000)

    # -- objects

    def _second(self) -> Json:
        return str(self._now // 1_000_000)

    def _usage(self) -> Json:
        asked, answered = self._rng.randrange(200, 900), self._rng.randrange(40, 200)
        return f'{{"prompt_tokens":{asked},"completion_tokens":{answered},"total_tokens":{asked + answered}}}'

    def _new_run(self) -> dict[str, Json]:
        name = "run_" + prose.token(self._rng, 24)
        return {
            "name": name,
            "id": quoted(name),
            "created": self._second(),
            "assistant": self._assistant,
            "thread": quoted(self._thread),
            "started": NULL,
            "expires": str(self._now // 1_000_000 + 600),
            "cancelled": NULL,
            "completed": NULL,
            "failed": NULL,
            "error": NULL,
            "action": NULL,
            "instructions": self._instructions,
            "usage": NULL,
        }

    def _run(self, run: dict[str, Json], status: str) -> bytes:
        return shapes.RUN.pretty({**run, "status": quoted(status)}).encode()

    def _run_event(self, run: dict[str, Json], status: str) -> str:
        return shapes.RUN.compact({**run, "status": quoted(status)})

    def _message_values(self, identity: str, role: str, text: Json, *, run: Json) -> dict[str, Json]:
        return {
            "id": quoted(identity),
            "created": self._second(),
            "assistant": self._assistant if role == "assistant" else NULL,
            "thread": quoted(self._thread),
            "run": run,
            "role": quoted(role),
            "text": text,
            "metadata": "{}",
        }

    def _message(self, role: str, text: Json, *, run: Json) -> tuple[str, str]:
        identity = "msg_" + prose.token(self._rng, 24)
        return identity, shapes.MESSAGE.pretty(self._message_values(identity, role, text, run=run))

    def _step_values(
        self, run: dict[str, Json], identity: str, kind: str, details: Json, status: str
    ) -> dict[str, Json]:
        done = status == "completed"
        return {
            "id": quoted(identity),
            "created": self._second(),
            "run": run["id"],
            "assistant": self._assistant,
            "thread": run["thread"],
            "type": quoted(kind),
            "status": quoted(status),
            "completed": self._second() if done else NULL,
            "expires": NULL if done else run["expires"],
            "details": details,
            "usage": self._usage() if done else NULL,
        }

    def _step(self, run: dict[str, Json], kind: str, details: Json) -> tuple[str, str]:
        identity = "step_" + prose.token(self._rng, 24)
        return identity, shapes.STEP.pretty(self._step_values(run, identity, kind, details, "completed"))

    # -- the exchange

    def _refused(self, method: str, path: str, asked: str) -> Interaction:
        message = "Rate limit reached for gpt-4o-mini: 500 requests a minute. Please try again in 120ms."
        body = shapes.error(message, "requests", "rate_limit_exceeded")
        more = ((b"retry-after-ms", b"120"), (b"retry-after", b"1"), (b"x-ratelimit-remaining-requests", b"0"))
        return self._call(method, path, asked, body, status=429, reason=b"Too Many Requests", more=more)

    def _call(
        self,
        method: str,
        target: str,
        asked: str | None,
        told: bytes,
        *,
        status: int = 200,
        reason: bytes = b"OK",
        polls: bool = False,
        retries: int = 0,
        more: Headers = (),
        events: list[tuple[str, str]] | None = None,
        end: End = End.COMPLETE,
    ) -> Interaction:
        rng = self._rng
        body = asked.encode() if asked is not None else b""
        length = len(body) if asked is not None else None
        request = Request(
            method,
            target.encode(),
            shapes.request_headers(self._key, length=length, polls=polls, retries=retries),
            Body.of(body),
        )
        head_us = rng.randrange(60_000, 400_000)
        took_us = head_us + rng.randrange(50, 2_000)
        marks: list[tuple[int, int]] = []
        if events is not None:
            pieces = [shapes.event(name, data) for name, data in events]
            for piece in pieces:
                marks.append((len(piece), took_us))
                took_us += rng.randrange(8_000, 60_000)
            told = b"".join(pieces)
        coding = "gzip" if events is None and len(told) > 1000 else ""
        started = self._now
        self._now += took_us + rng.randrange(500, 5_000)
        response = Response(
            status,
            reason,
            shapes.response_headers(
                self._now // 1_000_000,
                request=f"{rng.getrandbits(128):032x}",
                took_ms=head_us // 1000 - 20,
                kind=shapes.JSON_TYPE if events is None else shapes.STREAM_TYPE,
                coding=coding,
                more=more,
            ),
            Body.of(told),
            coding,
            head_us,
            tuple(marks),
        )
        return Interaction(0, started, request, response, end, took_us)


def _creation(message: str) -> Json:
    return f'{{"type":"message_creation","message_creation":{{"message_id":"{message}"}}}}'
