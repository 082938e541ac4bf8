"""How the openai package spells the operations of the threads API: the table by which a call becomes one of its methods."""

from dataclasses import dataclass

SDK_BETA = "assistants=v2"
"""The OpenAI-Beta that these methods send by themselves."""

_RUN_FIELDS = frozenset({
    "assistant_id", "instructions", "max_completion_tokens", "max_prompt_tokens", "metadata", "model",
    "parallel_tool_calls", "response_format", "stream", "temperature", "tool_choice", "tools", "top_p",
    "truncation_strategy",
})  # fmt: skip
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
