"""Parts of messages and tool calls of runs, made from views of whole objects or grown by deltas."""

from typing import Any

from . import models
from .conversation import Part, ToolCall
from .models import compact

MAX_PARTS = 1_000
"""Tool calls of one run, outputs of one call, annotations of one part: the rest is left out."""


def fault_text(value: dict[str, Any]) -> str:
    """An error of a run or a step in one line: `code: message`."""
    fault = models.Fault.of(value)
    return ": ".join(filter(None, (fault.code or fault.type, fault.message)))


def part_of(view: models.Content) -> Part:
    """A message part; of a delta, what it adds."""
    kind = view.type or ("text" if view.value else "")
    part = Part(kind)
    if kind == "text":
        text = view.value
        for note in view.annotations[:MAX_PARTS]:
            part.chips[_chip(note)] = None
            part.annotations.append(note.said)
    elif kind == "refusal":
        text = view.refusal
    elif kind == "image_file":
        text = _string(view.image_file.get("file_id"))
    elif kind == "image_url":
        text = _string(view.image_url.get("url"))
    else:
        text = compact(view.model_extra)
    if text:
        part.pieces.append(text)
    return part


def _chip(view: models.Annotation) -> str:
    target = view.file_citation or view.file_path or view.url_citation
    words = [view.type or "annotation"]
    words += [str(target[name]) for name in ("file_id", "url") if isinstance(target.get(name), str)]
    if isinstance(target.get("quote"), str) and target["quote"]:
        words.append(compact(target["quote"]))
    return " ".join(words)


def tool_call(calls: dict[str, ToolCall], name: str, view: models.ToolCall, *, whole: bool = True) -> ToolCall | None:
    """Merge a tool call into `calls`: a whole one says its arguments anew, a delta adds to them."""
    call = calls.get(name)
    if call is None:
        if len(calls) >= MAX_PARTS:
            return None
        call = calls[name] = ToolCall(name)
    call.kind = view.type or call.kind
    if whole:
        call.arguments = []
    if view.function:
        call.name = _string(view.function.get("name")) or call.name
        if arguments := _string(view.function.get("arguments")):
            call.arguments.append(arguments)
        if isinstance(view.function.get("output"), str):
            call.output = view.function["output"]
    elif view.code_interpreter:
        call.name = call.name or "code_interpreter"
        if source := _string(view.code_interpreter.get("input")):
            call.arguments.append(source)
        if whole:
            call.logs = {}
        _logs(call, view.code_interpreter.get("outputs"))
    elif call.kind not in {"", "function", "code_interpreter"}:
        call.name = call.kind
        payload = (view.model_extra or {}).get(call.kind)
        if payload:
            call.arguments = [compact(payload)]
    return call


def _logs(call: ToolCall, outputs: object) -> None:
    for position, output in enumerate(outputs[:MAX_PARTS] if isinstance(outputs, list) else []):
        if not isinstance(output, dict):
            continue
        index = output.get("index")
        index = index if isinstance(index, int) else position
        image = output.get("image")
        if isinstance(image, dict):
            text = f"image {_string(image.get('file_id'))}"
        else:
            text = _string(output.get("logs"))
        if index in call.logs or len(call.logs) < MAX_PARTS:
            call.logs.setdefault(index, []).append(text)


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
