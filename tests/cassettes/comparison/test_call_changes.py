"""One change of a thread, of an error or of a call of no thread is one finding that names the field, with both values."""

from typing import Any

from changes import (
    Change,
    Mutation,
    answer,
    both,
    cut_stream,
    each_of,
    everywhere,
    one,
    put,
    request,
    status,
    told_once,
    with_copy,
    without_thread,
)
from recorded_conversation import in_json, with_answer, with_bodies, with_request


def error(**members: Any) -> Change:
    """What the first error says beside its message."""
    return answer("getMessage", lambda value: value["error"].update(members))


MUTATIONS = [
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


@each_of(MUTATIONS)
def test_a_change_of_a_thread_or_another_call_is_one_finding_that_names_the_field_and_both_values(
    tmp_path, calls, recorded, mutation
):
    told_once(tmp_path, calls, recorded, mutation)
