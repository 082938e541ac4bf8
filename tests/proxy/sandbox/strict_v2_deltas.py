"""The second version's schemas of what only streams have, written out by hand: exact as those in `strict_v2`."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

NotNegative = Annotated[int, Field(ge=0)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class FileId(Strict):
    file_id: str


class DeltaCitation(Strict):
    file_id: str = ""
    quote: str = ""


class DeltaFileCitation(Strict):
    index: int
    type: Literal["file_citation"]
    text: str = ""
    file_citation: DeltaCitation = DeltaCitation()
    start_index: NotNegative = 0
    end_index: NotNegative = 0


class DeltaFilePath(Strict):
    index: int
    type: Literal["file_path"]
    text: str = ""
    file_path: FileId
    start_index: NotNegative = 0
    end_index: NotNegative = 0


class DeltaText(Strict):
    value: str = ""
    annotations: list[DeltaFileCitation | DeltaFilePath] = []


class DeltaTextContent(Strict):
    index: int
    type: Literal["text"]
    text: DeltaText


class DeltaMessageBody(Strict):
    role: Literal["user", "assistant"] = "assistant"
    content: list[DeltaTextContent]


class MessageDelta(Strict):
    id: str
    object: Literal["thread.message.delta"]
    delta: DeltaMessageBody


class DeltaLogs(Strict):
    index: int
    type: Literal["logs"]
    logs: str = ""


class DeltaCodeRun(Strict):
    input: str = ""
    outputs: list[DeltaLogs] = []


class DeltaCodeCall(Strict):
    index: int
    id: str = ""
    type: Literal["code_interpreter"]
    code_interpreter: DeltaCodeRun


class DeltaSearchCall(Strict):
    index: int
    id: str = ""
    type: Literal["file_search"]
    file_search: dict[str, Any]


class DeltaFunction(Strict):
    name: str = ""
    arguments: str = ""
    output: str | None = None


class DeltaFunctionCall(Strict):
    index: int
    id: str = ""
    type: Literal["function"]
    function: DeltaFunction


class DeltaToolCalls(Strict):
    type: Literal["tool_calls"]
    tool_calls: list[DeltaCodeCall | DeltaSearchCall | DeltaFunctionCall]


class DeltaStepBody(Strict):
    step_details: DeltaToolCalls


class StepDelta(Strict):
    id: str
    object: Literal["thread.run.step.delta"]
    delta: DeltaStepBody


class Error(Strict):
    message: str
    type: str
    param: str | None
    code: str | None


EVENTS: dict[str, type[Strict]] = {
    "thread.message.delta": MessageDelta,
    "thread.run.step.delta": StepDelta,
    "error": Error,
}

STATES: dict[str, tuple[str, ...]] = {
    "thread": ("created",),
    "thread.run": (
        "created",
        "queued",
        "in_progress",
        "requires_action",
        "completed",
        "incomplete",
        "failed",
        "cancelling",
        "cancelled",
        "expired",
    ),
    "thread.run.step": ("created", "in_progress", "completed", "failed", "cancelled", "expired"),
    "thread.message": ("created", "in_progress", "completed", "incomplete"),
}
"""The events that carry a whole object, by what object it is."""
