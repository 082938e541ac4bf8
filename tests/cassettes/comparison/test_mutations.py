"""One change of a recording is one finding, and it names the field that changed, with both values."""

import json
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from changes import (
    Change,
    answer,
    both,
    cut_stream,
    early,
    everywhere,
    lists,
    objects,
    one,
    put,
    put_at_end,
    request,
    run_fails,
    set_deep,
    set_tokens,
    status,
    swap_steps,
    tool_calls,
    with_another_message,
    with_copy,
    without_message,
    without_run,
    without_thread,
)
from recorded_conversation import in_json, operation_of, with_answer, with_bodies, with_request, write
from respool.cassettes.comparison import compare
from respool.cassettes.reader import Reader


class Mutation(NamedTuple):
    """`where` and `field` as the finding names them, and what its values hold."""

    name: str
    change: Change
    where: str
    field: str
    left: str | None
    right: str | None
    kind: str = "changed"


PICTURE = {"type": "image_url", "image_url": {"url": "https://shop.test/a.png", "detail": "low"}}
MORE = {"type": "text", "text": {"value": "And more.", "annotations": []}}


def asked_with(*parts: dict[str, Any]) -> Change:
    """The first prompt with more parts behind its text."""
    return request("createMessage", put(content=[{"type": "text", "text": "Where is order 118?"}, *parts]))


def searches(step: dict[str, Any]) -> None:
    """The code interpreter's call as one of file search."""
    for call in step["step_details"].get("tool_calls", []):
        if call.pop("code_interpreter", None):
            call.update(type="file_search", file_search={"results": []})


def error(**members: Any) -> Change:
    """What the first error says beside its message."""
    return answer("getMessage", lambda value: value["error"].update(members))


RUN1, RUN2 = "thread 1, run 1", "thread 1, run 2"
LOOK_UP = "thread 1, run 1, step 1, tool call lookup_order"

MUTATIONS = [
    Mutation(
        "prompt",
        everywhere("Where is order 118?", "Where is order 119?"),
        "thread 1, message 1",
        "text",
        "Where is order 118?",
        "Where is order 119?",
    ),
    Mutation(
        "prompt, as sent only",
        request("createMessage", put(content="Where is order 119?")),
        "thread 1, message 1",
        "text",
        "Where is order 118?",
        "Where is order 119?",
    ),
    Mutation(
        "prompt, other altogether",
        everywhere("Where is order 118?", "Tell me a story"),
        "thread 1, message 1",
        "text",
        "Where is order 118?",
        "Tell me a story",
    ),
    Mutation(
        "prompt in a new thread", everywhere(": help.", ": HELP!"), "thread 2, message 1", "text", ": help.", ": HELP!"
    ),
    Mutation(
        "reply",
        everywhere("It is 42", "It is 43"),
        "thread 1, message 2",
        "text",
        "It is 42, see [1].",
        "It is 43, see [1].",
    ),
    Mutation(
        "reply of a streamed run",
        everywhere("Here is what I can tell you.", "I cannot tell."),
        "thread 1, message 4",
        "text",
        "Here is what I can tell you.",
        "I cannot tell.",
    ),
    Mutation(
        "role",
        both(request("createMessage", put(role="assistant")), objects("thread.message", put(role="assistant"), nth=0)),
        "thread 1, message 1",
        "role",
        "user",
        "assistant",
    ),
    Mutation(
        "annotation",
        everywhere("file-manual", "file-other"),
        "thread 1, message 2",
        "annotations[0]",
        "file-manual",
        "file-other",
    ),
    Mutation(
        "metadata of a message", everywhere('"shop"', '"mall"'), "thread 1, message 1", "metadata.place", "shop", "mall"
    ),
    Mutation(
        "metadata of a message gone",
        both(
            request("createMessage", lambda value: value.pop("metadata")),
            objects("thread.message", put(metadata={}), nth=0),
        ),
        "thread 1, message 1",
        "metadata.place",
        "shop",
        None,
    ),
    Mutation(
        "attachment",
        both(
            request("createMessage", put(attachments=[{"file_id": "file-mine", "tools": [{"type": "file_search"}]}])),
            objects(
                "thread.message", put(attachments=[{"file_id": "file-mine", "tools": [{"type": "file_search"}]}]), nth=0
            ),
        ),
        "thread 1, message 1",
        "attachments[0].file_id",
        "file-",
        "file-mine",
    ),
    Mutation(
        "attachment's tool",
        everywhere('"file_search"', '"code_interpreter"'),
        "thread 1, message 1",
        "attachments[0].tools",
        "file_search",
        "code_interpreter",
    ),
    Mutation(
        "attachment gone",
        both(
            request("createMessage", lambda value: value.pop("attachments")),
            objects("thread.message", put(attachments=[]), nth=0),
        ),
        "thread 1, message 1",
        "attachments[0]",
        "file_search",
        None,
    ),
    Mutation(
        "reply with a picture",
        objects("thread.message", lambda message: message["content"].append(PICTURE), nth=1),
        "thread 1, message 2",
        "content[1]",
        None,
        "https://shop.test/a.png",
    ),
    Mutation(
        "reply in two parts",
        objects("thread.message", lambda message: message["content"].append(MORE), nth=1),
        "thread 1, message 2",
        "content[1]",
        None,
        "And more.",
    ),
    Mutation(
        "reply refused",
        objects("thread.message", put(content=[{"type": "refusal", "refusal": "I must not tell."}]), nth=1),
        "thread 1, message 2",
        "content[0]",
        "It is 42, see [1].",
        "I must not tell.",
    ),
    Mutation(
        "reply without content",
        objects("thread.message", put(content=[]), nth=1),
        "thread 1, message 2",
        "text",
        "It is 42, see [1].",
        "",
    ),
    Mutation(
        "prompt with a picture",
        both(asked_with(PICTURE), objects("thread.message", lambda message: message["content"].append(PICTURE), nth=0)),
        "thread 1, message 1",
        "content[1]",
        None,
        "https://shop.test/a.png",
    ),
    Mutation(
        "member of a part of a prompt",
        request("createMessage", put(content=[{"type": "text", "text": "Where is order 118?", "tone": "kind"}])),
        "thread 1, message 1",
        "content[0].tone",
        None,
        "kind",
    ),
    Mutation(
        "message incomplete",
        objects("thread.message", put(status="incomplete"), nth=3),
        "thread 1, message 4",
        "status",
        "completed",
        "incomplete",
    ),
    Mutation(
        "message missing", without_message("Thank you for"), "thread 1, message 3", "", "Thank you for", None, "missing"
    ),
    Mutation(
        "reply missing", without_message("It is 42"), "thread 1, message 2", "", "assistant: It is 42", None, "missing"
    ),
    Mutation("message extra", with_another_message, "thread 1, message 4", "", None, "user: And one more.", "added"),
    Mutation(
        "messages in another order",
        request("createThread", lambda value: value["messages"].reverse(), 1),
        "thread 2",
        "messages",
        "user: It is urgent.",
        "user: It is urgent. →",
        "order",
    ),
    Mutation(
        "metadata of a thread, as sent only",
        request("createThread", put(metadata={"customer": "119"})),
        "thread 1",
        "metadata.customer",
        "118",
        "119",
    ),
    Mutation(
        "metadata of a thread",
        both(
            request("createThread", put(metadata={"customer": "119"})),
            answer("createThread", put(metadata={"customer": "119"})),
        ),
        "thread 1",
        "metadata.customer",
        "118",
        "119",
    ),
    Mutation(
        "metadata that was changed",
        everywhere('"done"', '"open"'),
        "thread 1, thread",
        "metadata.state",
        "done",
        "open",
    ),
    Mutation(
        "tool's argument",
        everywhere('\\"id\\": 118, \\"deep\\"', '\\"id\\": 119, \\"deep\\"'),
        LOOK_UP,
        "arguments.id",
        "118",
        "119",
    ),
    Mutation(
        "tool's argument deep inside",
        everywhere('\\"a\\": [1, 2]', '\\"a\\": [1, 3]'),
        LOOK_UP,
        "arguments.deep.a[1]",
        "2",
        "3",
    ),
    Mutation(
        "tool's argument gone",
        everywhere('\\"id\\": 118, \\"deep\\"', '\\"deep\\"'),
        LOOK_UP,
        "arguments.id",
        "118",
        None,
    ),
    Mutation(
        "all arguments",
        everywhere('{\\"how\\": \\"mail\\"}', '{\\"by\\": \\"post\\", \\"at\\": 7}'),
        "thread 1, run 1, step 3, tool call notify",
        "arguments",
        '"how": "mail"',
        '"by": "post"',
    ),
    Mutation(
        "tool's name",
        everywhere('"name": "refund"', '"name": "repay"'),
        "thread 1, run 1, step 3, tool call refund",
        "name",
        "refund",
        "repay",
    ),
    Mutation(
        "tool's output",
        everywhere('\\"by\\": \\"refund\\"', '\\"by\\": \\"post\\"'),
        "thread 1, run 1, step 3, tool call refund",
        "output.by",
        "refund",
        "post",
    ),
    Mutation(
        "all of a tool's output",
        everywhere('{\\"status\\": \\"sent\\", \\"by\\": \\"refund\\"}', "no such order"),
        "thread 1, run 1, step 3, tool call refund",
        "output",
        '{"by": "refund", "status": "sent"}',
        "no such order",
    ),
    Mutation(
        "tool's output, as sent only",
        request("submitToolOuputsToRun", set_deep("tool_outputs", 0, "output", to='{"by": "post", "status": "sent"}')),
        LOOK_UP,
        "submitted output.by",
        "lookup_order",
        "post",
    ),
    Mutation(
        "code",
        everywhere("6 * 7", "6 * 8"),
        "thread 1, run 1, step 2, tool call code_interpreter",
        "input",
        "6 * 7",
        "6 * 8",
    ),
    Mutation(
        "code's output",
        everywhere('"logs": "42"', '"logs": "43"'),
        "thread 1, run 1, step 2, tool call code_interpreter",
        "output",
        "42",
        "43",
    ),
    Mutation(
        "code's call made a search",
        objects("thread.run.step", searches),
        "thread 1, run 1, step 2, tool call code_interpreter",
        "type",
        "print(6 * 7)",
        "file_search",
    ),
    Mutation(
        "outputs never sent",
        one("submitToolOuputsToRun", lambda _: None),
        RUN1,
        "states",
        "outputs submitted → requires_action",
        "requires_action → outputs submitted",
    ),
    Mutation(
        "steps in another order",
        lists("listRunSteps", swap_steps),
        RUN1,
        "steps",
        "lookup_order",
        "code_interpreter",
        "order",
    ),
    Mutation(
        "calls in another order",
        both(
            lists("listRunSteps", lambda steps: steps[1]["step_details"]["tool_calls"].reverse()),
            objects("thread.run", lambda run: run["required_action"] and tool_calls(run).reverse()),
        ),
        "thread 1, run 1, step 3",
        "tool calls",
        "refund",
        "notify",
        "order",
    ),
    Mutation(
        "step missing",
        lists("listRunSteps", lambda steps: steps.pop(2)),
        "thread 1, run 1, step 2",
        "",
        "code_interpreter(print(6 * 7))",
        None,
        "missing",
    ),
    Mutation(
        "step failed",
        objects("thread.run.step", put(status="failed", last_error={"code": "server_error", "message": "no"}), nth=1),
        "thread 1, run 1, step 3",
        "status",
        "completed",
        "failed (server_error: no)",
    ),
    Mutation(
        "call missing",
        both(
            lists("listRunSteps", lambda steps: steps[1]["step_details"]["tool_calls"].pop()),
            objects("thread.run", lambda run: run["required_action"] and tool_calls(run).__delitem__(slice(1, None))),
            request("submitToolOuputsToRun", lambda value: value["tool_outputs"].pop(), 1),
        ),
        "thread 1, run 1, step 3, tool call notify",
        "",
        "notify(",
        None,
        "missing",
    ),
    Mutation(
        "run failed",
        objects(
            "thread.run", put_at_end(status="failed", last_error={"code": "server_error", "message": "Down."}), nth=0
        ),
        RUN1,
        "states",
        "→ completed",
        "→ failed (server_error: Down.)",
    ),
    Mutation(
        "run failed, with all that follows", run_fails, RUN1, "states", "→ completed", "→ failed (server_error: Down.)"
    ),
    Mutation(
        "run expired",
        objects("thread.run", put_at_end(status="expired"), nth=0),
        RUN1,
        "states",
        "→ completed",
        "→ expired",
    ),
    Mutation(
        "run incomplete",
        objects(
            "thread.run", put_at_end(status="incomplete", incomplete_details={"reason": "max_prompt_tokens"}), nth=0
        ),
        RUN1,
        "states",
        "→ completed",
        "→ incomplete (max_prompt_tokens)",
    ),
    Mutation(
        "run that waits for nothing",
        objects(
            "thread.run",
            lambda run: run.update(status="in_progress") if run["status"] == "requires_action" else None,
            nth=0,
        ),
        RUN1,
        "states",
        "requires_action →",
        "outputs submitted →",
    ),
    Mutation(
        "last error",
        everywhere("The server had an error.", "The server is down."),
        "thread 2, run 1",
        "last_error",
        "server_error: The server had an error.",
        "server_error: The server is down.",
    ),
    Mutation(
        "last error's code",
        objects(
            "thread.run", lambda run: run["last_error"] and run["last_error"].update(code="rate_limit_exceeded"), nth=2
        ),
        "thread 2, run 1",
        "last_error",
        "server_error:",
        "rate_limit_exceeded:",
    ),
    Mutation(
        "tokens",
        objects("thread.run", set_tokens(completion_tokens=36, total_tokens=156), nth=0),
        RUN1,
        "usage.completion_tokens",
        "35",
        "36",
    ),
    Mutation(
        "prompt's tokens",
        objects("thread.run", set_tokens(prompt_tokens=121), nth=0),
        RUN1,
        "usage.prompt_tokens",
        "120",
        "121",
    ),
    Mutation(
        "all tokens",
        objects("thread.run", set_tokens(prompt_tokens=1, completion_tokens=2, total_tokens=3), nth=0),
        RUN1,
        "usage",
        '"total_tokens": 155',
        '"total_tokens": 3',
    ),
    Mutation("no tokens", objects("thread.run", put(usage=None), nth=0), RUN1, "usage", "155", None),
    Mutation(
        "tokens of a step",
        lists("listRunSteps", lambda steps: steps[0]["usage"].update(prompt_tokens=1)),
        "thread 1, run 1, step 4",
        "usage.prompt_tokens",
        "",
        "1",
    ),
    Mutation("instructions", everywhere("Be brief.", "Be kind."), RUN1, "instructions", "Be brief.", "Be kind."),
    Mutation(
        "instructions, as told only",
        objects("thread.run", put(instructions="Be kind."), nth=0),
        RUN1,
        "instructions",
        "Be brief.",
        "Be kind.",
    ),
    Mutation("model asked for", request("createRun", put(model="gpt-4o")), RUN1, "model", None, "gpt-4o"),
    Mutation("model told", objects("thread.run", put(model="gpt-4o"), nth=0), RUN1, "model", "gpt-4o-mini", "gpt-4o"),
    Mutation(
        "model of the assistant and of all its runs",
        everywhere("gpt-4o-mini", "gpt-4o"),
        "other calls, POST /assistants",
        "model",
        "gpt-4o-mini",
        "gpt-4o",
    ),
    Mutation(
        "temperature",
        both(request("createRun", put(temperature=0.7)), objects("thread.run", put(temperature=0.7), nth=0)),
        RUN1,
        "temperature",
        "0.5",
        "0.7",
    ),
    Mutation(
        "truncation",
        both(
            request("createRun", set_deep("truncation_strategy", "last_messages", to=6)),
            objects("thread.run", set_deep("truncation_strategy", "last_messages", to=6), nth=0),
        ),
        RUN1,
        "truncation_strategy.last_messages",
        "5",
        "6",
    ),
    Mutation(
        "most tokens", request("createRun", put(max_completion_tokens=501)), RUN1, "max_completion_tokens", "500", "501"
    ),
    Mutation(
        "tools of a run",
        request("createRun", put(tools=[{"type": "file_search"}]), 1),
        RUN2,
        "tools[0]",
        None,
        "file_search",
    ),
    Mutation(
        "metadata of a run",
        request("createRun", set_deep("metadata", "kind", to="order")),
        RUN1,
        "metadata.kind",
        "question",
        "order",
    ),
    Mutation(
        "what metadata speaks of",
        request("createRun", set_deep("metadata", "speaks of", to="nobody")),
        RUN1,
        'metadata["speaks of"]',
        "msg_",
        "nobody",
    ),
    Mutation(
        "assistant of a run",
        request("createRun", put(assistant_id="asst_other"), 1),
        RUN2,
        "assistant_id",
        "asst_",
        "asst_other",
    ),
    Mutation("run missing", without_run, "thread 2, run 1", "", "failed", None, "missing"),
    Mutation("error's status", one("getMessage", status(403)), "thread 1, GET /threads/", "status", "404", "403"),
    Mutation(
        "error's text",
        everywhere("No message found", "Nothing found"),
        "thread 1, GET /threads/",
        "error",
        "No message",
        "Nothing",
    ),
    Mutation("error's code", error(code="gone"), "thread 1, GET /threads/", "error.code", None, "gone"),
    Mutation(
        "error's type", error(type="quota"), "thread 1, GET /threads/", "error.type", "invalid_request_error", "quota"
    ),
    Mutation(
        "code of an error that was retried",
        answer("createRun", lambda value: value["error"].update(code="insufficient_quota"), 2),
        "thread 2, POST /threads/",
        "error.code",
        "rate_limit",
        "insufficient_quota",
    ),
    Mutation(
        "error in a stream",
        one(
            "createRun",
            lambda call: with_answer(
                call,
                lambda data: data.replace(b"event: done", b'event: error\ndata: {"message": "Boom."}\n\nevent: done'),
            ),
            1,
        ),
        "thread 1, error",
        "",
        None,
        "Boom.",
        "added",
    ),
    Mutation("error gone", one("getMessage", lambda _: None), "thread 1, error", "", "404", None, "missing"),
    Mutation(
        "read refused",
        one("listRunSteps", lambda call: with_answer(status(500)(call), lambda _: b"{}")),
        "thread 1, error",
        "",
        None,
        "500",
        "added",
    ),
    Mutation(
        "refused call missing", one("createRun", lambda _: None, 2), "thread 2, error", "", "429", None, "missing"
    ),
    Mutation("stream cut", one("createRun", cut_stream, 1), "thread 1, cut", "", None, "cut by the upstream", "added"),
    Mutation("stream that ends early", one("createRun", early, 1), RUN2, "states", "completed", "(no end recorded)"),
    Mutation("thread missing", without_thread(1), "thread 2", "", "As I wrote in", None, "missing"),
    Mutation("thread added", with_copy(1), "thread 3", "", None, "Now something else", "added"),
    Mutation(
        "assistant's name",
        everywhere("Orders", "Order desk"),
        "other calls, POST /assistants",
        "name",
        "Orders",
        "Order desk",
    ),
    Mutation(
        "assistant's tool",
        everywhere("Find an order.", "Look it up."),
        "other calls, POST /assistants",
        "tools[0].function.description",
        "Find an order.",
        "Look it up.",
    ),
    Mutation(
        "file's bytes",
        everywhere("one red kettle", "two red kettles"),
        "other calls, POST /files",
        "part[1].data",
        "one",
        "two",
    ),
    Mutation(
        "file's name",
        one("POST /files", lambda call: with_bodies(call, lambda data: data.replace(b"receipt.txt", b"bill.txt"))),
        "other calls, POST /files",
        "part[1].filename",
        "receipt.txt",
        "bill.txt",
    ),
    Mutation(
        "file's length",
        one(
            "POST /files",
            lambda call: with_answer(
                with_request(call, lambda data: data.replace(b"one red", b"one very red")), in_json(put(bytes=38))
            ),
        ),
        "other calls, POST /files",
        "part[1].data",
        "one red",
        "one very red",
    ),
    Mutation(
        "file's purpose",
        one(
            "POST /files",
            lambda call: with_answer(
                with_request(call, lambda data: data.replace(b"\nassistants\r", b"\nvision\r")),
                in_json(put(purpose="vision")),
            ),
        ),
        "other calls, POST /files",
        "part[0].data",
        "assistants",
        "vision",
    ),
    Mutation(
        "call of no thread missing",
        one("POST /files", lambda _: None),
        "other calls, POST /files",
        "",
        "200",
        None,
        "missing",
    ),
    Mutation(
        "call of no thread refused",
        one("POST /assistants", status(400)),
        "other calls, POST /assistants",
        "status",
        "200",
        "400",
    ),
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name.replace(" ", "-"))
def test_one_change_is_one_finding_that_names_the_field_and_both_values(tmp_path, calls, recorded, mutation):
    changed = write(tmp_path / "changed.cassette", mutation.change(calls))
    with Reader.open(recorded) as left, Reader.open(changed) as right:
        findings = compare(left, right)
        back = compare(right, left)
    assert len(findings) == 1, "\n\n".join(map(str, findings))
    (finding,) = findings
    assert finding.place.startswith(mutation.where), finding
    assert (finding.kind, finding.field) == (mutation.kind, mutation.field), finding
    for told, wanted in ((finding.left, mutation.left), (finding.right, mutation.right)):
        assert (told is None) == (wanted is None), finding
        assert wanted is None or wanted in (told or ""), finding
    assert len(back) == 1
    assert (back[0].left, back[0].right) == (finding.right, finding.left)


def test_what_was_done_to_a_message_that_one_side_lacks_follows_from_that(tmp_path, calls):
    message = next(call for call in calls if operation_of(call) == "createMessage")
    name = json.loads(message.response.body.read())["id"]
    done = [
        replace(call, request=replace(call.request, method=method, target=message.request.target + f"/{new}".encode()))
        for method, call in (
            ("POST", with_request(message, lambda _: b'{"metadata": {"seen": "1"}}')),
            ("DELETE", with_answer(message, lambda _: b'{"deleted": true}')),
        )
        for new in [name + "x"]
    ]
    added = [
        with_bodies(each, lambda data: data.replace(name.encode(), f"{name}x".encode())) for each in (message, *done)
    ]
    at = calls.index(message) + 1
    paths = [
        write(tmp_path / f"{n}.cassette", each) for n, each in enumerate((calls, [*calls[:at], *added, *calls[at:]]))
    ]
    with Reader.open(paths[0]) as left, Reader.open(paths[1]) as right:
        (finding,) = compare(left, right)
    assert (finding.kind, finding.note) == ("added", "so only one has its 1 change, its 1 deletion")
