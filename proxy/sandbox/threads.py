"""The operations on threads, messages and message files."""

from collections.abc import Sequence
from typing import Any

from .calls import Answer, Call
from .errors import ApiError, not_found
from .requests import (
    CreateMessage,
    CreateThread,
    FirstCreateMessage,
    FirstCreateThread,
    Modify,
    ModifyThread,
    NewToolResources,
    ToolResources,
)
from .shapes import deleted
from .store import Json, Message, Thread

MAX_MESSAGES = 100_000
"""Messages of a thread: the host's own limit."""


def create_thread(call: Call) -> Answer:
    body = call.read(CreateThread, FirstCreateThread)
    return Answer(call.shape.thread(new_thread(call, body)))


def get_thread(call: Call) -> Answer:
    return Answer(call.shape.thread(call.thread()))


def modify_thread(call: Call) -> Answer:
    thread = call.thread()
    body = call.read(ModifyThread, Modify)
    call.sandbox.store.grow(thread, size=len(call.body))
    if "metadata" in body.model_fields_set:
        thread.metadata = dict(body.metadata or {})
    if isinstance(body, ModifyThread) and "tool_resources" in body.model_fields_set:
        thread.tool_resources = resources(call, body.tool_resources, thread.id)
    return Answer(call.shape.thread(thread))


def delete_thread(call: Call) -> Answer:
    thread = call.thread()
    call.sandbox.store.drop_thread(thread)
    return Answer(deleted("thread", thread.id))


def list_messages(call: Call) -> Answer:
    """With `run_id`, only the messages that this run made (a parameter of the second version)."""
    messages = call.thread().messages.values()
    run_id = call.query.get("run_id")
    chosen = [message for message in messages if not run_id or message.run_id == run_id]
    return call.page(chosen, "message", lambda message: message.id, call.shape.message)


def create_message(call: Call) -> Answer:
    thread = call.thread()
    body = call.read(CreateMessage, FirstCreateMessage)
    refuse_while_active(thread)
    return Answer(call.shape.message(add_messages(call, thread, [body], len(call.body))[0]))


def get_message(call: Call) -> Answer:
    return Answer(call.shape.message(call.thread().find_message(call.ids["message_id"])))


def modify_message(call: Call) -> Answer:
    thread = call.thread()
    message = thread.find_message(call.ids["message_id"])
    body = call.read(Modify)
    call.sandbox.store.grow(thread, size=len(call.body))
    if "metadata" in body.model_fields_set:
        message.metadata = dict(body.metadata or {})
    return Answer(call.shape.message(message))


def delete_message(call: Call) -> Answer:
    thread = call.thread()
    message = thread.find_message(call.ids["message_id"])
    del thread.messages[message.id]
    thread.objects -= 1
    call.sandbox.store.give_back(objects=1)
    return Answer(deleted("thread.message", message.id))


def list_message_files(call: Call) -> Answer:
    """In the second version's terms: the files of the message's attachments."""
    message = call.thread().find_message(call.ids["message_id"])
    answer = call.page(message.file_ids, "file", str, lambda file_id: call.shape.message_file(message, file_id))
    return Answer(call.shape.message_files(answer.payload["data"], answer.payload["has_more"]))


def get_message_file(call: Call) -> Answer:
    message = call.thread().find_message(call.ids["message_id"])
    file_id = call.ids["file_id"]
    if file_id not in message.file_ids:
        raise not_found("file", file_id)
    return Answer(call.shape.message_file(message, file_id))


def new_thread(call: Call, body: CreateThread | FirstCreateThread) -> Thread:
    sandbox = call.sandbox
    thread = Thread(sandbox.names.next("thread_"), int(call.at.stamp), dict(body.metadata or {}), {})
    thread.size = len(call.body)
    if isinstance(body, CreateThread):
        thread.tool_resources = resources(call, body.tool_resources, thread.id)
    sandbox.store.add_thread(thread)
    try:
        add_messages(call, thread, body.messages, 0)
    except ApiError:
        sandbox.store.drop_thread(thread)
        raise
    return thread


def add_messages(
    call: Call, thread: Thread, bodies: Sequence[CreateMessage | FirstCreateMessage], size: int
) -> list[Message]:
    if len(thread.messages) + len(bodies) > MAX_MESSAGES:
        raise ApiError(400, f"A thread holds {MAX_MESSAGES:,} messages at most.", code="too_many_messages")
    call.sandbox.store.grow(thread, objects=len(bodies), size=size)
    added: list[Message] = []
    for body in bodies:
        thread.made += 1
        message = Message(
            id=call.sandbox.names.make("msg_", thread.id, thread.made),
            thread_id=thread.id,
            created_at=int(call.at.stamp),
            role=body.role,
            content=_content(body),
            attachments=_attachments(body),
            metadata=dict(body.metadata or {}),
            completed_at=int(call.at.stamp),
        )
        thread.messages[message.id] = message
        added.append(message)
    return added


def refuse_while_active(thread: Thread) -> None:
    if (run := thread.active_run) is not None:
        raise ApiError(400, f"Can't add messages to {thread.id} while a run {run.id} is active.")


def resources(call: Call, given: ToolResources | NewToolResources | None, owner: str) -> Json:
    """Tool resources as they are shown: a vector store that is asked for gets an id, and nothing else happens to it."""
    shown: dict[str, Any] = {}
    if given is not None and given.code_interpreter is not None:
        shown["code_interpreter"] = {"file_ids": list(given.code_interpreter.file_ids)}
    search = given.file_search if given is not None else None
    if search is not None:
        identifiers = list(search.vector_store_ids or [])
        if getattr(search, "vector_stores", None):
            identifiers = [call.sandbox.names.make("vs_", owner, 1)]
        shown["file_search"] = {"vector_store_ids": identifiers}
    return shown


def _content(body: CreateMessage | FirstCreateMessage) -> list[Json]:
    if isinstance(body.content, str):
        return [{"type": "text", "text": {"value": body.content, "annotations": []}}]
    blocks: list[Json] = []
    for block in body.content:
        if block.type == "text":
            blocks.append({"type": "text", "text": {"value": block.text, "annotations": []}})
        else:
            blocks.append(block.model_dump())
    return blocks


def _attachments(body: CreateMessage | FirstCreateMessage) -> list[Json]:
    if isinstance(body, FirstCreateMessage):
        tools = [{"type": "file_search"}]
        return [{"file_id": file_id, "tools": tools} for file_id in body.file_ids or []]
    return [item.model_dump() for item in body.attachments or []]
