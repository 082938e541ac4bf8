"""The first version's schemas, written out by hand: nothing missing, nothing more, exact types and values.

From the OpenAPI description of the first version and the schemas that it refers to. `RESPONSES` has one model for each
operation.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Metadata = dict[str, Any] | None
NotNegative = Annotated[int, Field(ge=0)]
ErrorCode = Literal["server_error", "rate_limit_exceeded"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Thread(Strict):
    id: str
    object: Literal["thread"]
    created_at: int
    metadata: Metadata


class DeletedThread(Strict):
    id: str
    object: Literal["thread.deleted"]
    deleted: bool


class DeletedMessage(Strict):
    """The operation came with the second version; the first version's clients call it all the same."""

    id: str
    object: Literal["thread.message.deleted"]
    deleted: bool


class Citation(Strict):
    file_id: str
    quote: str


class FileCitation(Strict):
    type: Literal["file_citation"]
    text: str
    file_citation: Citation
    start_index: NotNegative
    end_index: NotNegative


class FileId(Strict):
    file_id: str


class FilePath(Strict):
    type: Literal["file_path"]
    text: str
    file_path: FileId
    start_index: NotNegative
    end_index: NotNegative


class TextValue(Strict):
    value: str
    annotations: list[FileCitation | FilePath]


class TextContent(Strict):
    type: Literal["text"]
    text: TextValue


class ImageFileContent(Strict):
    type: Literal["image_file"]
    image_file: FileId


class Message(Strict):
    id: str
    object: Literal["thread.message"]
    created_at: int
    thread_id: str
    role: Literal["user", "assistant"]
    content: list[TextContent | ImageFileContent]
    assistant_id: str | None
    run_id: str | None
    file_ids: Annotated[list[str], Field(max_length=10)]
    metadata: Metadata


class MessageFile(Strict):
    id: str
    object: Literal["thread.message.file"]
    created_at: int
    message_id: str


class CalledFunction(Strict):
    name: str
    arguments: str


class ToolCall(Strict):
    id: str
    type: Literal["function"]
    function: CalledFunction


class ToolCalls(Strict):
    tool_calls: list[ToolCall]


class RequiredAction(Strict):
    type: Literal["submit_tool_outputs"]
    submit_tool_outputs: ToolCalls


class LastError(Strict):
    code: ErrorCode
    message: str


class CodeTool(Strict):
    type: Literal["code_interpreter"]


class RetrievalTool(Strict):
    type: Literal["retrieval"]


class FunctionBody(Strict):
    name: str
    description: str = ""
    parameters: dict[str, Any] = {}


class FunctionTool(Strict):
    type: Literal["function"]
    function: FunctionBody


class Usage(Strict):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Run(Strict):
    id: str
    object: Literal["thread.run"]
    created_at: int
    thread_id: str
    assistant_id: str
    status: Literal[
        "queued", "in_progress", "requires_action", "cancelling", "cancelled", "failed", "completed", "expired"
    ]
    required_action: RequiredAction | None
    last_error: LastError | None
    expires_at: int
    started_at: int | None
    cancelled_at: int | None
    failed_at: int | None
    completed_at: int | None
    model: str
    instructions: str
    tools: Annotated[list[CodeTool | RetrievalTool | FunctionTool], Field(max_length=20)]
    file_ids: list[str]
    metadata: Metadata
    usage: Usage | None


class MessageId(Strict):
    message_id: str


class MessageCreation(Strict):
    type: Literal["message_creation"]
    message_creation: MessageId


class Logs(Strict):
    type: Literal["logs"]
    logs: str


class ImageOutput(Strict):
    type: Literal["image"]
    image: FileId


class CodeRun(Strict):
    input: str
    outputs: list[Logs | ImageOutput]


class CodeCall(Strict):
    id: str
    type: Literal["code_interpreter"]
    code_interpreter: CodeRun


class RetrievalCall(Strict):
    id: str
    type: Literal["retrieval"]
    retrieval: dict[str, Any]


class FunctionResult(Strict):
    name: str
    arguments: str
    output: str | None


class FunctionCall(Strict):
    id: str
    type: Literal["function"]
    function: FunctionResult


class ToolCallsDetails(Strict):
    type: Literal["tool_calls"]
    tool_calls: list[CodeCall | RetrievalCall | FunctionCall]


class Step(Strict):
    id: str
    object: Literal["thread.run.step"]
    created_at: int
    assistant_id: str
    thread_id: str
    run_id: str
    type: Literal["message_creation", "tool_calls"]
    status: Literal["in_progress", "cancelled", "failed", "completed", "expired"]
    step_details: MessageCreation | ToolCallsDetails
    last_error: LastError | None
    expired_at: int | None
    cancelled_at: int | None
    failed_at: int | None
    completed_at: int | None
    metadata: Metadata
    usage: Usage | None


class Listing(Strict):
    object: Literal["list"]
    first_id: str
    last_id: str
    has_more: bool


class Messages(Listing):
    data: list[Message]


class Runs(Listing):
    data: list[Run]


class Steps(Listing):
    data: list[Step]


class MessageFiles(Listing):
    data: list[MessageFile]
    items: list[MessageFile]
    """Required by the schema, which does not describe it."""


RESPONSES: dict[str, type[Strict]] = {
    "createThread": Thread,
    "getThread": Thread,
    "modifyThread": Thread,
    "deleteThread": DeletedThread,
    "listMessages": Messages,
    "createMessage": Message,
    "getMessage": Message,
    "modifyMessage": Message,
    "deleteMessage": DeletedMessage,
    "listMessageFiles": MessageFiles,
    "getMessageFile": MessageFile,
    "createThreadAndRun": Run,
    "listRuns": Runs,
    "createRun": Run,
    "getRun": Run,
    "modifyRun": Run,
    "submitToolOuputsToRun": Run,
    "cancelRun": Run,
    "listRunSteps": Steps,
    "getRunStep": Step,
}
