"""Upstreams that drifted, each in one way: every one is found, and named by its place. A table of them."""

# ruff: noqa: E501 - a table is read by its rows
import json

import pytest
from drifting import drifted, mutating
from respool.proxy.sandbox.server import serve_sandbox
from talks import SPEED, failed, failed_in_a_stream, files, parallel_tools, polled, record, refused, streamed, tools

RUN, STEP, MESSAGE, LIST = "thread.run", "thread.run.step", "thread.message", "list"


def each(kind):
    """A mutation of every object of a kind."""

    def mark(change):
        def mutate(call):
            for value in call.objects(kind):
                change(value)

        return mutate

    return mark


def on(method, ending, status=200):
    """A mutation of one call's whole answer."""

    def mark(change):
        def mutate(call):
            if (call.method, call.status) == (method, status) and call.path.endswith(ending):
                change(call)

        return mutate

    return mark


def removed(kind, name):
    return each(kind)(lambda value: value.pop(name, None))


def put(kind, name, made):
    return each(kind)(lambda value: value.update({name: made(value.get(name))}))


def of_state(state, **fields):
    """A mutation of the runs in a state."""
    return each(RUN)(lambda value: value.update(fields) if value["status"] == state else None)


def calls_of(value):
    return ((value.get("required_action") or {}).get("submit_tool_outputs") or {}).get("tool_calls") or []


def arguments(change):
    def of_run(value):
        for call in calls_of(value):
            asked = json.loads(call["function"]["arguments"])
            change(asked)
            call["function"]["arguments"] = json.dumps(asked)

    return each(RUN)(of_run)


def renamed(value):
    for call in calls_of(value):
        call["function"]["name"] = "find_order"


def one_more_call(value):
    if calls := calls_of(value):
        calls.append({**calls[0], "id": "call_more"})


def extra_step(call):
    if call.value and call.path.endswith("/steps"):
        first = call.value["data"][0]
        details = {"type": "tool_calls", "tool_calls": [{"id": "call_x", "type": "code_interpreter", "code_interpreter": {"input": "", "outputs": []}}]}  # fmt: skip
        call.value["data"].append({**first, "id": "step_extra", "type": "tool_calls", "step_details": details})


def without_event(name):
    def change(call):
        call.events = [event for event in call.events if event[0] != name]

    return change


def renamed_event(call):
    for event in call.events:
        event[0] = event[0].replace("thread.run.step.completed", "thread.run.step.done")


def swapped_events(call):
    names = [event[0] for event in call.events]
    if "thread.message.created" in names:
        at = names.index("thread.message.created")
        call.events[at], call.events[at - 1] = call.events[at - 1], call.events[at]


def without_end(call):
    del call.events[-3:]


def no_stream(call):
    if call.is_stream:
        last = next(json.loads(event[1]) for event in reversed(call.events) if event[0].startswith("thread.run."))
        call.is_stream, call.headers, call.value = False, {"Content-Type": "application/json"}, last


def error(**fields):
    def mutate(call):
        if call.status >= 400 and isinstance(call.value, dict):
            call.value["error"].update(fields)

    return mutate


def bare_error(call):
    if call.status >= 400:
        call.value = {"detail": call.value["error"]["message"]}


def bare_list(call):
    if call.method == "GET" and call.path.endswith("/messages"):
        call.value = call.value["data"]


def nested_list(call):
    if call.method == "GET" and call.path.endswith("/messages"):
        call.value["data"] = {"items": call.value["data"]}


def status(new):
    return lambda call: setattr(call, "status", new)


def keys_as_list(value):
    value["metadata"] = [[name, each] for name, each in value["metadata"].items()]


def citation_renamed(value):
    value["file_citation"] = value.pop("file_citation", None)


MUTATIONS = {
    "a field of runs is gone": (polled, removed(RUN, "usage"), "field missing $.usage: recorded null, upstream nothing (in 5 answers)"),
    "a field of messages is gone": (polled, removed(MESSAGE, "role"), "field missing $.role: recorded string"),
    "a field of some messages is gone": (
        polled,
        each(MESSAGE)(lambda value: value.pop("run_id") if value["role"] == "assistant" else None),
        "field missing $.data[*].run_id: recorded string, upstream nothing",
    ),
    "a field is added": (polled, put(MESSAGE, "reply_to", lambda _: None), "field added $.reply_to: recorded nothing, upstream null"),
    "a field is renamed": (
        polled,
        each(RUN)(lambda value: value.update(created=value.pop("created_at"))),
        "field missing $.created_at: recorded number, upstream nothing",
    ),
    "a field deep inside is added": (
        polled,
        each(MESSAGE)(lambda value: value["content"][0]["text"].update(format="markdown")),
        "field added $.content[*].text.format: recorded nothing, upstream string",
    ),
    "a type changed": (polled, put(RUN, "created_at", str), "type changed $.created_at: recorded number, upstream string"),
    "a type deep inside changed": (
        polled,
        each(MESSAGE)(lambda value: value["content"][0].update(text=value["content"][0]["text"]["value"])),
        "type changed $.content[*].text: recorded object, upstream string",
    ),
    "a value became null": (polled, of_state("completed", usage=None), "type changed $.usage: recorded object, upstream null (completed)"),
    "metadata is forgotten": (polled, put("thread", "metadata", lambda _: {}), "metadata $.metadata: recorded customer, upstream nothing"),
    "metadata has another type": (polled, each("thread")(keys_as_list), "type changed $.metadata: recorded object, upstream list"),
    "an object's kind changed": (polled, put("thread", "object", lambda _: "thread.v2"), "kind changed $: recorded thread, upstream thread.v2"),
    "a part's kind changed": (
        polled,
        each(MESSAGE)(lambda value: value["content"][0].update(type="output_text")),
        "kind changed $.content[*]: recorded text, upstream output_text",
    ),
    "another status of success": (polled, on("POST", "/messages")(status(201)), "write 2, createMessage: status: recorded 200, upstream 201"),
    "a write is refused": (polled, on("POST", "/runs")(status(500)), "write 3, createRun: status: recorded 200, upstream 500"),
    "a read is refused": (polled, on("GET", "/messages")(status(404)), "listMessages: status: recorded 200, upstream 404"),
    "a refusal is a success": (refused, on("POST", "/messages", 404)(status(200)), "createMessage: status: recorded 404 (type invalid_request_error), upstream 200"),
    "another status of an error": (refused, on("POST", "/messages", 400)(status(422)), "createMessage: status: recorded 400"),
    "an error's code changed": (refused, error(code="not_there"), "error code $.error.code: recorded nothing, upstream not_there"),
    "an error's type changed": (refused, error(type="api_error"), "error type $.error.type: recorded invalid_request_error, upstream api_error"),
    "an error's param changed": (refused, error(param="thread"), "error param $.error.param: recorded nothing, upstream thread"),
    "an error has another shape": (refused, bare_error, "field missing $.error: recorded object, upstream nothing"),
    "a run fails": (
        polled,
        of_state("completed", status="failed", last_error={"code": "server_error", "message": "x"}),
        "getRun: run state $.status: recorded completed, upstream failed (server_error)",
    ),
    "a run fails otherwise": (
        failed,
        each(RUN)(lambda value: value["last_error"].update(code="server_error") if value["last_error"] else None),
        "run error $.last_error.code: recorded rate_limit_exceeded, upstream server_error",
    ),
    "a run is incomplete for another reason": (
        failed,
        each(RUN)(lambda value: value["incomplete_details"].update(reason="x") if value["incomplete_details"] else None),
        "run error $.incomplete_details.reason: recorded max_completion_tokens, upstream x",
    ),
    "a run has a state that nobody knows": (refused, of_state("in_progress", status="thinking"), "run state $.status: recorded a known state, upstream thinking"),
    "a run asks for nothing": (tools, of_state("requires_action", status="completed", required_action=None), "run state $.status: recorded requires_action, upstream completed"),
    "a run asks for something": (polled, of_state("completed", status="requires_action"), "run state $.status: recorded completed, upstream requires_action"),
    "a step more": (tools, extra_step, "element added $.data[1]: recorded nothing, upstream tool_calls code_interpreter"),
    "a step less": (tools, on("GET", "/steps")(lambda call: call.value["data"].pop(0)), "element missing $.data[0]: recorded"),
    "steps in another order": (tools, on("GET", "/steps")(lambda call: call.value["data"].reverse()), "order changed $.data[0]: recorded message_creation, upstream tool_calls lookup_order"),
    "a step of another type": (tools, put(STEP, "type", lambda _: "thought"), "kind changed $.data[*]: recorded thread.run.step message_creation or thread.run.step tool_calls, upstream thread.run.step thought"),
    "a message more": (polled, on("GET", "/messages")(lambda call: call.value["data"].insert(0, call.value["data"][0])), "element added $.data[0]: recorded nothing, upstream assistant message"),
    "no messages at all": (polled, on("GET", "/messages")(lambda call: call.value["data"].clear()), "element missing $.data[0]: recorded assistant message, user message, upstream nothing"),
    "a list is bare": (polled, bare_list, "type changed $: recorded object, upstream list"),
    "a list is nested": (polled, nested_list, "type changed $.data: recorded list, upstream object"),
    "a list says less of itself": (polled, removed(LIST, "has_more"), "field missing $.has_more: recorded boolean, upstream nothing"),
    "a tool is renamed": (tools, each(RUN)(renamed), "tools called $.required_action.submit_tool_outputs.tool_calls: recorded lookup_order, upstream find_order"),
    "a tool is called twice": (tools, each(RUN)(one_more_call), "tools called $.required_action.submit_tool_outputs.tool_calls: recorded lookup_order, upstream lookup_order, lookup_order"),
    "an argument is missing": (tools, arguments(lambda asked: asked.pop("id")), "field missing $.required_action.submit_tool_outputs.tool_calls[*].function.arguments.id: recorded number, upstream nothing"),
    "an argument is added": (tools, arguments(lambda asked: asked.update(why="x")), "field added $.required_action.submit_tool_outputs.tool_calls[*].function.arguments.why"),
    "an argument's type changed": (tools, arguments(lambda asked: asked.update(id="118")), "function.arguments.id: recorded number, upstream string"),
    "an argument deep inside changed": (
        parallel_tools,
        arguments(lambda asked: asked["to"].update(tags="a") if "to" in asked else None),
        "function.arguments.to.tags: recorded list, upstream string",
    ),
    "an event is missing": (streamed, without_event("thread.run.queued"), "createRun: event missing event 2: recorded thread.run.queued, upstream nothing"),
    "an event is renamed": (streamed, renamed_event, "recorded thread.run.step.completed, upstream thread.run.step.done"),
    "events in another order": (streamed, swapped_events, "event order changed event"),
    "all deltas are missing": (streamed, without_event("thread.message.delta"), "recorded thread.message.delta, upstream nothing"),
    "a stream has no end": (streamed, without_end, "event missing event"),
    "a stream is none": (streamed, no_stream, "content type: recorded an event stream, upstream JSON"),
    "a field of a delta is gone": (streamed, removed("thread.message.delta", "delta"), "field missing thread.message.delta $.delta: recorded object"),
    "an event's object changed": (streamed, put(STEP, "run_id", lambda _: 7), "type changed thread.run.step.created $.run_id: recorded string, upstream number"),
    "an error event's code changed": (
        failed_in_a_stream,
        lambda call: [event.__setitem__(1, json.dumps({"code": "other", "type": "x", "message": "m", "param": None})) for event in call.events if event[0] == "error"],
        "upstream other",
    ),
    "a file has no name any more": (files, removed("file", "filename"), "POST /files: field missing $.filename: recorded string, upstream nothing"),
    "a message's file is another object": (files, put("thread.message.file", "object", lambda _: "file"), "kind changed"),
    "a file comes as another type": (files, on("GET", "/content")(lambda call: call.headers.update({"Content-Type": "text/csv"})), "GET /files/*/content: content type: recorded"),
    "a deletion says nothing": (files, on("DELETE", "")(lambda call: setattr(call, "value", {})), "DELETE /assistants/*: field missing $.deleted: recorded boolean, upstream nothing"),
}  # fmt: skip


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    return tmp_path_factory.mktemp("recorded")


@pytest.mark.parametrize("name", MUTATIONS)
async def test_a_drifted_upstream_is_found_and_named(proxies, recorded, name):
    talk, mutate, said = MUTATIONS[name]
    path = recorded / f"{talk.__name__}.cassette"
    if not path.exists():
        await record(proxies, path, talk)
    async with serve_sandbox(seed=2, speed=SPEED) as other, mutating(other.url, mutate) as url:
        work = await drifted(path, url, patience=3)
        found = [str(finding) for finding in work.findings]
        assert [line for line in found if said in line], found
        assert len(found) <= 12, "one cause is not told over and over"
        assert not other.sandbox.store.threads, "what was created is deleted all the same"


@pytest.mark.parametrize("talk", [polled, tools, streamed, files, refused], ids=lambda talk: talk.__name__)
async def test_an_upstream_behind_a_faithful_proxy_has_not_drifted(proxies, recorded, talk):
    """Else the table above would show nothing."""
    path = recorded / f"{talk.__name__}.cassette"
    if not path.exists():
        await record(proxies, path, talk)
    async with serve_sandbox(seed=2, speed=SPEED) as other, mutating(other.url, lambda call: None) as url:
        assert [str(finding) for finding in (await drifted(path, url)).findings] == []
