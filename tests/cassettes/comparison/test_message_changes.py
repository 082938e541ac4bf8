"""One change of a message is one finding, and it names the field that changed, with both values."""

import json
from dataclasses import replace
from typing import Any

from changes import (
    Change,
    Mutation,
    both,
    each_of,
    everywhere,
    objects,
    put,
    request,
    told_once,
    with_another_message,
    without_message,
)
from recorded_conversation import operation_of, with_answer, with_bodies, with_request, write
from respool.cassettes.comparison import compare
from respool.cassettes.reader import Reader

PICTURE = {"type": "image_url", "image_url": {"url": "https://shop.test/a.png", "detail": "low"}}


MORE = {"type": "text", "text": {"value": "And more.", "annotations": []}}


def asked_with(*parts: dict[str, Any]) -> Change:
    """The first prompt with more parts behind its text."""
    return request("createMessage", put(content=[{"type": "text", "text": "Where is order 118?"}, *parts]))


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
]


@each_of(MUTATIONS)
def test_a_change_of_a_message_is_one_finding_that_names_the_field_and_both_values(tmp_path, calls, recorded, mutation):
    told_once(tmp_path, calls, recorded, mutation)


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
