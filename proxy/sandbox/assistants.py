"""Assistants and models, as far as threads need them."""

from .calls import Answer, Call
from .errors import ApiError, not_found
from .requests import CreateAssistant, FirstCreateAssistant, FirstModifyAssistant, ModifyAssistant
from .rules import KEY, cached_script
from .runs import plain, stored_tools
from .script import ScriptError
from .shapes import deleted
from .store import Assistant, Json
from .threads import resources

FIRST_ID = "asst_abc123"
"""The assistant that is there from the start, under the id that the API's documentation uses."""

MODELS = ("gpt-4.1", "gpt-4.1-mini", "gpt-4o", "gpt-4o-mini", "gpt-4-turbo", "gpt-4", "gpt-3.5-turbo")

AnyBody = CreateAssistant | FirstCreateAssistant


def first_assistant(created_at: int) -> Assistant:
    fields = _blank() | {"name": "Sandbox assistant", "model": "gpt-4o", "instructions": "You are a helpful assistant."}
    return Assistant(FIRST_ID, created_at, fields)


def create_assistant(call: Call) -> Answer:
    body = call.read(CreateAssistant, FirstCreateAssistant)
    store = call.sandbox.store
    _check_script(body)
    store.make_room(objects=1, size=len(call.body))
    assistant = Assistant(call.sandbox.names.next("asst_"), int(call.at.stamp), _blank())
    _apply(call, assistant, body)
    store.assistants[assistant.id] = assistant
    return Answer(call.shape.assistant(assistant))


def get_assistant(call: Call) -> Answer:
    return Answer(call.shape.assistant(call.sandbox.store.find_assistant(call.ids["assistant_id"])))


def modify_assistant(call: Call) -> Answer:
    assistant = call.sandbox.store.find_assistant(call.ids["assistant_id"])
    body = call.read(ModifyAssistant, FirstModifyAssistant)
    _check_script(body)
    call.sandbox.store.make_room(size=len(call.body))
    _apply(call, assistant, body)
    return Answer(call.shape.assistant(assistant))


def delete_assistant(call: Call) -> Answer:
    assistant = call.sandbox.store.find_assistant(call.ids["assistant_id"])
    del call.sandbox.store.assistants[assistant.id]
    call.sandbox.store.give_back(objects=1)
    return Answer(deleted("assistant", assistant.id))


def list_assistants(call: Call) -> Answer:
    assistants = call.sandbox.store.assistants.values()
    return call.page(assistants, "assistant", lambda assistant: assistant.id, call.shape.assistant)


def list_models(call: Call) -> Answer:
    return Answer({"object": "list", "data": [_model(name) for name in MODELS]})


def get_model(call: Call) -> Answer:
    if call.ids["model"] not in MODELS:
        raise not_found("model", call.ids["model"])
    return Answer(_model(call.ids["model"]))


def _model(name: str) -> Json:
    return {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "sandbox"}


def _blank() -> Json:
    return {
        "name": None,
        "description": None,
        "model": "",
        "instructions": None,
        "tools": [],
        "top_p": 1.0,
        "temperature": 1.0,
        "tool_resources": {},
        "metadata": {},
        "response_format": "auto",
    }


def _apply(call: Call, assistant: Assistant, body: AnyBody) -> None:
    """Put what the body says in place of what stood there."""
    fields = assistant.fields
    for name in body.model_fields_set - {"reasoning_effort"}:
        value = getattr(body, name)
        match name:
            case "tools":
                fields["tools"] = stored_tools(value)
            case "tool_resources":
                fields["tool_resources"] = resources(call, value, assistant.id)
            case "file_ids":
                fields["tool_resources"] = {"code_interpreter": {"file_ids": list(value)}}
            case "metadata":
                fields["metadata"] = dict(value or {})
            case "temperature" | "top_p":
                fields[name] = 1.0 if value is None else float(value)
            case "response_format":
                fields[name] = plain(value) or "auto"
            case _:
                fields[name] = value


def _check_script(body: AnyBody) -> None:
    script = (body.metadata or {}).get(KEY)
    if script is not None:
        try:
            cached_script(script)
        except ScriptError as error:
            raise ApiError(400, error.message, param=f"metadata.{KEY}", code="invalid_script") from None
