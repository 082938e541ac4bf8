"""The operations on runs and run steps."""

from typing import Any

from .calls import Answer, Call
from .errors import ApiError, not_found, scripted
from .listeners import Listener
from .performance import Performance
from .requests import (
    CreateRun,
    CreateThread,
    CreateThreadAndRun,
    FirstCreateRun,
    FirstCreateThread,
    FirstCreateThreadAndRun,
    Modify,
    SubmitToolOutputs,
)
from .rules import KEY, find_script, fitting_script
from .script import ScriptError
from .shapes import tool_files
from .statements import Say, Script
from .store import Assistant, Json, Run, Thread
from .threads import add_messages, new_thread

MAX_RUNS = 100_000
"""Runs of a thread."""

AnyRunBody = CreateRun | CreateThreadAndRun | FirstCreateRun | FirstCreateThreadAndRun


def list_runs(call: Call) -> Answer:
    return call.page(call.thread().runs.values(), "run", lambda run: run.id, call.shape.run)


def get_run(call: Call) -> Answer:
    run = _run(call)
    return Answer(call.shape.run(run), poll=run.active)


def modify_run(call: Call) -> Answer:
    thread = call.thread()
    run = _run(call)
    body = call.read(Modify)
    call.sandbox.store.grow(thread, size=len(call.body))
    if "metadata" in body.model_fields_set:
        run.metadata = dict(body.metadata or {})
    return Answer(call.shape.run(run), poll=run.active)


def create_run(call: Call) -> Answer:
    thread = call.thread()
    body = call.read(CreateRun, FirstCreateRun)
    assistant = call.sandbox.store.find_assistant(body.assistant_id)
    if (active := thread.active_run) is not None:
        raise ApiError(400, f"Thread {thread.id} already has an active run {active.id}.")
    if len(thread.runs) >= MAX_RUNS:
        raise ApiError(400, f"A thread holds {MAX_RUNS:,} runs at most.", code="too_many_runs")
    more = list(body.additional_messages or [])
    texts = [_text(message.content) for message in more if message.role == "user"]
    question = texts[-1] if texts else thread.question.text if thread.question else None
    options = _options(body, assistant)
    _need_something_to_do(call, question, options)
    script = _choose(call, thread, body, assistant, options, question or "", fresh=bool(texts))
    if more:
        add_messages(call, thread, more, 0)
    return _begin(call, thread, body, options, script)


def create_thread_and_run(call: Call) -> Answer:
    body = call.read(CreateThreadAndRun, FirstCreateThreadAndRun)
    assistant = call.sandbox.store.find_assistant(body.assistant_id)
    wanted = body.thread or (FirstCreateThread() if call.first else CreateThread())
    texts = [_text(message.content) for message in wanted.messages if message.role == "user"]
    options = _options(body, assistant)
    _need_something_to_do(call, texts[-1] if texts else None, options)
    script = _choose(call, None, body, assistant, options, texts[-1] if texts else "", fresh=True)
    thread = new_thread(call, wanted)
    if isinstance(body, CreateThreadAndRun) and body.tool_resources is not None:
        options["file_ids"] = tool_files(body.tool_resources.model_dump())
    return _begin(call, thread, body, options, script, fresh=True)


def submit_tool_outputs(call: Call) -> Answer:
    thread = call.thread()
    run = _run(call)
    body = call.read(SubmitToolOutputs)
    if run.status != "requires_action" or thread.performance is None:
        raise ApiError(400, f'Runs in status "{run.status}" do not accept tool outputs.')
    wanted = [item["id"] for item in run.required_action or []]
    outputs = {item.tool_call_id: item.output for item in body.tool_outputs}
    if set(outputs) != set(wanted) or len(body.tool_outputs) != len(wanted):
        given = [item.tool_call_id[:64] for item in body.tool_outputs[:20]]
        raise ApiError(400, f"Expected tool outputs for call_ids {wanted}, got {given}", param="tool_outputs")
    call.sandbox.store.grow(thread, size=len(call.body))
    listener = _listen(call, run) if body.stream else None
    thread.performance.submit(outputs, call.at)
    return _answer(call, thread, run, listener)


def cancel_run(call: Call) -> Answer:
    thread = call.thread()
    run = _run(call)
    if run.status not in ("queued", "in_progress", "requires_action") or thread.performance is None:
        raise ApiError(400, f"Cannot cancel run with status '{run.status}'.")
    thread.performance.cancel(call.at)
    return Answer(call.shape.run(run), poll=True)


def list_run_steps(call: Call) -> Answer:
    run = _run(call)
    return call.page(run.steps.values(), "run step", lambda step: step.id, lambda step: call.shape.step(run, step))


def get_run_step(call: Call) -> Answer:
    run = _run(call)
    if (step := run.steps.get(call.ids["step_id"])) is None:
        raise not_found("run step", call.ids["step_id"])
    return Answer(call.shape.step(run, step))


def _run(call: Call) -> Run:
    """The run that the path names, unless its script has this call fail."""
    run = call.thread().find_run(call.ids["run_id"])
    for fault in run.script.faults:
        if fault.operation == call.operation and run.faults.get(fault, 0) < fault.times:
            run.faults[fault] = run.faults.get(fault, 0) + 1
            raise scripted(fault.status, fault.retry_after)
    return run


def _choose(
    call: Call,
    thread: Thread | None,
    body: AnyRunBody,
    assistant: Assistant,
    options: Json,
    question: str,
    *,
    fresh: bool,
) -> Script:
    """The script for a run. Raises the refusal where the script begins with one, or cannot be read."""
    sandbox = call.sandbox
    sources = [body.metadata or {}, assistant.fields["metadata"]]
    try:
        found = find_script(sources, sandbox.rules, sandbox.script, question)
    except ScriptError as error:
        raise ApiError(400, error.message, param=f"metadata.{KEY}", code="invalid_script") from None
    if found is None:
        last = thread.question if thread is not None else None
        answered = not fresh and last is not None and thread is not None and thread.answered == last.id
        return fitting_script(options["tools"], options["tool_choice"], question, answered=answered)
    place, script = found
    for fault in script.faults:
        if fault.operation in ("", call.operation):
            owner = thread.id if thread is not None and place.startswith("metadata") else ""
            sandbox.strike(f"{owner}:{place}", fault)
    return script


def _begin(
    call: Call, thread: Thread, body: AnyRunBody, options: Json, script: Script, *, fresh: bool = False
) -> Answer:
    spoken = sum(isinstance(statement, Say) for statement in script.statements)
    call.sandbox.store.grow(thread, objects=1 + spoken, size=0 if fresh else len(call.body))
    thread.made += 1
    run = Run(
        id=call.sandbox.names.make("run_", thread.id, thread.made),
        thread_id=thread.id,
        assistant_id=body.assistant_id,
        created=call.at,
        script=script,
        options=options,
        metadata=dict(body.metadata or {}),
        question=thread.question,
    )
    listener = _listen(call, run) if body.stream else None
    if listener is not None and fresh:
        listener.hear("thread.created", call.shape.thread(thread))
    thread.runs[run.id] = run
    thread.performance = Performance(thread, run, call.sandbox.names)
    return _answer(call, thread, run, listener)


def _listen(call: Call, run: Run) -> Listener:
    listener = Listener(call.shape)
    run.listeners.append(listener)
    return listener


def _answer(call: Call, thread: Thread, run: Run, listener: Listener | None) -> Answer:
    if listener is None:
        return Answer(call.shape.run(run), poll=True)
    return Answer(events=listener, thread=thread)


def _options(body: AnyRunBody, assistant: Assistant) -> Json:
    """What the run goes by: what the request says, and else what the assistant says."""
    fields = assistant.fields
    instructions = fields["instructions"] or "" if body.instructions is None else body.instructions
    if isinstance(body, CreateRun | FirstCreateRun) and body.additional_instructions:
        instructions = f"{instructions}\n{body.additional_instructions}".strip("\n")
    truncation = body.truncation_strategy
    return {
        "model": body.model or fields["model"],
        "instructions": instructions,
        "tools": fields["tools"] if body.tools is None else stored_tools(body.tools),
        "file_ids": tool_files(fields["tool_resources"]),
        "temperature": _either(body.temperature, fields["temperature"]),
        "top_p": _either(body.top_p, fields["top_p"]),
        "max_completion_tokens": body.max_completion_tokens,
        "max_prompt_tokens": body.max_prompt_tokens,
        "truncation_strategy": truncation.model_dump() if truncation else {"type": "auto", "last_messages": None},
        "response_format": plain(body.response_format) or fields["response_format"],
        "tool_choice": plain(body.tool_choice) or "auto",
        "parallel_tool_calls": getattr(body, "parallel_tool_calls", True),
    }


def stored_tools(tools: Any) -> list[Json]:
    """Tools as they are kept: what the first version calls retrieval is the file search."""
    kept = [plain(tool) for tool in tools]
    return [{"type": "file_search"} if tool["type"] == "retrieval" else tool for tool in kept]


def plain(value: Any) -> Any:
    """A checked value as plain JSON, with nothing in it that the client did not say."""
    dump = getattr(value, "model_dump", None)
    return value if dump is None else dump(exclude_none=True, by_alias=True)


def _either(value: float | None, other: float | None) -> float:
    chosen = other if value is None else value
    return 1.0 if chosen is None else float(chosen)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block.text for block in content if block.type == "text")


def _need_something_to_do(call: Call, question: str | None, options: Json) -> None:
    """The second version refuses a run that has neither a question nor instructions, as recorded."""
    if question is None and not options["instructions"] and not call.first:
        message = "Run creation requires a Thread with a user message or an assistant with instructions."
        raise ApiError(400, message, code="invalid_thread")
