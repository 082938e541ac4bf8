"""The second version's schemas, written out by hand: nothing missing, nothing more, exact types and values.

From the OpenAPI description of the second version. `RESPONSES` has one model for each operation; what only streams
have is in `strict_v2_deltas`.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Metadata = dict[str, str] | None
NotNegative = Annotated[int, Field(ge=0)]
ErrorCode = Literal["server_error", "rate_limit_exceeded"]
Detail = Literal["auto", "low", "high"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class CodeResources(Strict):
    file_ids: Annotated[list[str], Field(max_length=20)] = []


class SearchResources(Strict):
    vector_store_ids: Annotated[list[str], Field(max_length=1)] = []


class ToolResources(Strict):
    code_interpreter: CodeResources = CodeResources()
    file_search: SearchResources = SearchResources()


class Thread(Strict):
    id: str
    object: Literal["thread"]
    created_at: int
    tool_resources: ToolResources | None
    metadata: Metadata


class DeletedThread(Strict):
    id: str
    object: Literal["thread.deleted"]
    deleted: bool


class DeletedMessage(Strict):
    id: str
    object: Literal["thread.message.deleted"]
    deleted: bool


class FileId(Strict):
    file_id: str


class FileCitation(Strict):
    type: Literal["file_citation"]
    text: str
    file_citation: FileId
    start_index: NotNegative
    end_index: NotNegative


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


class ImageFile(Strict):
    file_id: str
    detail: Detail = "auto"


class ImageFileContent(Strict):
    type: Literal["image_file"]
    image_file: ImageFile


class ImageUrl(Strict):
    url: str
    detail: Detail = "auto"


class ImageUrlContent(Strict):
    type: Literal["image_url"]
    image_url: ImageUrl


class Refusal(Strict):
    type: Literal["refusal"]
    refusal: str


class CodeTool(Strict):
    type: Literal["code_interpreter"]


class SearchTypeOnly(Strict):
    type: Literal["file_search"]


class Attachment(Strict):
    file_id: str
    tools: list[CodeTool | SearchTypeOnly]


class IncompleteMessage(Strict):
    reason: Literal["content_filter", "max_tokens", "run_cancelled", "run_expired", "run_failed"]


class Message(Strict):
    id: str
    object: Literal["thread.message"]
    created_at: int
    thread_id: str
    status: Literal["in_progress", "incomplete", "completed"]
    incomplete_details: IncompleteMessage | None
    completed_at: int | None
    incomplete_at: int | None
    role: Literal["user", "assistant"]
    content: list[ImageFileContent | ImageUrlContent | TextContent | Refusal]
    assistant_id: str | None
    run_id: str | None
    attachments: list[Attachment] | None
    metadata: Metadata


class MessageFile(Strict):
    """The first version's, which the sandbox still answers in the second."""

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


class RunError(Strict):
    code: Literal["server_error", "rate_limit_exceeded", "invalid_prompt"]
    message: str


class StepError(Strict):
    code: ErrorCode
    message: str


class IncompleteRun(Strict):
    reason: Literal["max_completion_tokens", "max_prompt_tokens"]


class RankingOptions(Strict):
    ranker: Literal["auto", "default_2024_08_21"] = "auto"
    score_threshold: Annotated[float, Field(ge=0, le=1)]


class SearchOptions(Strict):
    max_num_results: Annotated[int, Field(ge=1, le=50)] = 20
    ranking_options: RankingOptions | None = None


class SearchTool(Strict):
    type: Literal["file_search"]
    file_search: SearchOptions = SearchOptions()


class FunctionBody(Strict):
    name: str
    description: str = ""
    parameters: dict[str, Any] = {}
    strict: bool | None = None


class FunctionTool(Strict):
    type: Literal["function"]
    function: FunctionBody


class Truncation(Strict):
    type: Literal["auto", "last_messages"]
    last_messages: Annotated[int, Field(ge=1)] | None = None


class ChosenName(Strict):
    name: str


class NamedToolChoice(Strict):
    type: Literal["function", "code_interpreter", "file_search"]
    function: ChosenName | None = None


class TextFormat(Strict):
    type: Literal["text"]


class JsonObjectFormat(Strict):
    type: Literal["json_object"]


class JsonSchemaFormat(Strict):
    type: Literal["json_schema"]
    json_schema: dict[str, Any]


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
        "queued",
        "in_progress",
        "requires_action",
        "cancelling",
        "cancelled",
        "failed",
        "completed",
        "incomplete",
        "expired",
    ]
    required_action: RequiredAction | None
    last_error: RunError | None
    expires_at: int | None
    started_at: int | None
    cancelled_at: int | None
    failed_at: int | None
    completed_at: int | None
    incomplete_details: IncompleteRun | None
    model: str
    instructions: str
    tools: Annotated[list[CodeTool | SearchTool | FunctionTool], Field(max_length=20)]
    metadata: Metadata
    usage: Usage | None
    temperature: float | None = None
    top_p: float | None = None
    max_prompt_tokens: Annotated[int, Field(ge=256)] | None
    max_completion_tokens: Annotated[int, Field(ge=256)] | None
    truncation_strategy: Truncation | None
    tool_choice: Literal["none", "auto", "required"] | NamedToolChoice | None
    parallel_tool_calls: bool
    response_format: Literal["auto"] | TextFormat | JsonObjectFormat | JsonSchemaFormat | None


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


class FoundText(Strict):
    type: Literal["text"]
    text: str


class Found(Strict):
    file_id: str
    file_name: str
    score: Annotated[float, Field(ge=0, le=1)]
    content: list[FoundText] = []


class UsedRanking(Strict):
    ranker: Literal["auto", "default_2024_08_21"]
    score_threshold: Annotated[float, Field(ge=0, le=1)]


class SearchRun(Strict):
    ranking_options: UsedRanking | None = None
    results: list[Found] = []


class SearchCall(Strict):
    id: str
    type: Literal["file_search"]
    file_search: SearchRun


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
    tool_calls: list[CodeCall | SearchCall | FunctionCall]


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
    last_error: StepError | None
    expired_at: int | None
    cancelled_at: int | None
    failed_at: int | None
    completed_at: int | None
    metadata: Metadata
    usage: Usage | None


class Listing(Strict):
    object: Literal["list"]
    first_id: str | None
    """Null for an empty list, as the host has it; the schema has strings only."""
    last_id: str | None
    has_more: bool


class Messages(Listing):
    data: list[Message]


class Runs(Listing):
    data: list[Run]


class Steps(Listing):
    data: list[Step]


class MessageFiles(Listing):
    data: list[MessageFile]


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
