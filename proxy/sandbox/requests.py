"""What a request body may be: one pydantic model a schema, both versions.

Top-level bodies allow no unknown property, as the description says (`additionalProperties: false`); nested objects that
it leaves open ignore what they do not know. The limits that it gives only in words (16 metadata pairs, the form of
a function's name) hold as well. The first version takes, beside its own properties, those that its host had come to
accept by its last days: `stream`, sampling and token limits.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Metadata = Annotated[
    dict[
        Annotated[str, StringConstraints(max_length=64)],
        Annotated[str, StringConstraints(max_length=512)],
    ],
    Field(max_length=16),
]
FileId = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Open(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class Modify(Closed):
    """modifyMessage, modifyRun, and modifyThread of the first version."""

    metadata: Metadata | None = None


# Tools


class FunctionBody(Open):
    name: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-zA-Z0-9_-]+$")]
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class FunctionTool(Open):
    type: Literal["function"]
    function: FunctionBody


class CodeTool(Open):
    type: Literal["code_interpreter"]


class RetrievalTool(Open):
    type: Literal["retrieval"]


class RankingOptions(Open):
    ranker: Literal["auto", "default_2024_08_21"] | None = None
    score_threshold: Annotated[float, Field(ge=0, le=1)]


class FileSearchOptions(Open):
    max_num_results: Annotated[int, Field(ge=1, le=50)] | None = None
    ranking_options: RankingOptions | None = None


class FileSearchTool(Open):
    type: Literal["file_search"]
    file_search: FileSearchOptions | None = None


class FileSearchTypeOnly(Open):
    type: Literal["file_search"]


Tool = Annotated[CodeTool | FileSearchTool | FunctionTool, Field(discriminator="type")]
FirstTool = Annotated[CodeTool | RetrievalTool | FunctionTool, Field(discriminator="type")]
Tools = Annotated[list[Tool], Field(max_length=20)]
FirstTools = Annotated[list[FirstTool], Field(max_length=20)]
AttachmentTool = Annotated[CodeTool | FileSearchTypeOnly, Field(discriminator="type")]


# Messages


class ImageFile(Open):
    file_id: FileId
    detail: Literal["auto", "low", "high"] = "auto"


class ImageFileBlock(Open):
    type: Literal["image_file"]
    image_file: ImageFile


class ImageUrl(Open):
    url: Annotated[str, StringConstraints(pattern=r"^(https?|data):\S+$")]
    detail: Literal["auto", "low", "high"] = "auto"


class ImageUrlBlock(Open):
    type: Literal["image_url"]
    image_url: ImageUrl


class TextBlock(Open):
    type: Literal["text"]
    text: str


Block = Annotated[ImageFileBlock | ImageUrlBlock | TextBlock, Field(discriminator="type")]


class Attachment(Open):
    file_id: FileId
    tools: list[AttachmentTool]


class CreateMessage(Closed):
    role: Literal["user", "assistant"]
    content: (
        Annotated[str, StringConstraints(min_length=1, max_length=256_000)]
        | Annotated[list[Block], Field(min_length=1, max_length=1_000)]
    )
    attachments: Annotated[list[Attachment], Field(max_length=500)] | None = None
    metadata: Metadata | None = None


class FirstCreateMessage(Closed):
    role: Literal["user"]
    content: Annotated[str, StringConstraints(min_length=1, max_length=32_768)]
    file_ids: Annotated[list[FileId], Field(min_length=1, max_length=10)] | None = None
    metadata: Metadata | None = None


# Threads


class CodeResources(Open):
    file_ids: Annotated[list[FileId], Field(max_length=20)] = []


class AutoChunking(Closed):
    type: Literal["auto"]


class StaticChunks(Closed):
    max_chunk_size_tokens: Annotated[int, Field(ge=100, le=4096)]
    chunk_overlap_tokens: int


class StaticChunking(Closed):
    type: Literal["static"]
    static: StaticChunks


class VectorStore(Open):
    file_ids: Annotated[list[FileId], Field(max_length=10_000)] = []
    chunking_strategy: Annotated[AutoChunking | StaticChunking, Field(discriminator="type")] | None = None
    metadata: Metadata | None = None


class SearchResources(Open):
    vector_store_ids: Annotated[list[FileId], Field(max_length=1)] | None = None


class NewSearchResources(SearchResources):
    vector_stores: Annotated[list[VectorStore], Field(max_length=1)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "NewSearchResources":
        if self.vector_store_ids is not None and self.vector_stores is not None:
            raise ValueError("give vector_store_ids or vector_stores, not both")
        return self


class ToolResources(Open):
    code_interpreter: CodeResources | None = None
    file_search: SearchResources | None = None


class NewToolResources(Open):
    code_interpreter: CodeResources | None = None
    file_search: NewSearchResources | None = None


class CreateThread(Closed):
    messages: list[CreateMessage] = []
    tool_resources: NewToolResources | None = None
    metadata: Metadata | None = None


class FirstCreateThread(Closed):
    messages: list[FirstCreateMessage] = []
    metadata: Metadata | None = None


class ModifyThread(Closed):
    tool_resources: ToolResources | None = None
    metadata: Metadata | None = None


# Runs


class Truncation(Open):
    type: Literal["auto", "last_messages"]
    last_messages: Annotated[int, Field(ge=1)] | None = None


class ChosenFunction(Open):
    name: str


class NamedToolChoice(Open):
    type: Literal["function", "code_interpreter", "file_search"]
    function: ChosenFunction | None = None


class JsonSchema(Open):
    name: str
    description: str | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None


class TextFormat(Open):
    type: Literal["text"]


class JsonObjectFormat(Open):
    type: Literal["json_object"]


class JsonSchemaFormat(Open):
    type: Literal["json_schema"]
    json_schema: JsonSchema


ResponseFormat = (
    Literal["auto"] | Annotated[TextFormat | JsonObjectFormat | JsonSchemaFormat, Field(discriminator="type")]
)
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class RunOptions(Closed):
    """What both versions' runs take, and what the first version's host had come to take."""

    assistant_id: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    model: str | None = None
    instructions: Annotated[str, StringConstraints(max_length=256_000)] | None = None
    metadata: Metadata | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    stream: bool | None = None
    max_prompt_tokens: Annotated[int, Field(ge=256)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=256)] | None = None
    truncation_strategy: Truncation | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedToolChoice | None = None
    response_format: ResponseFormat | None = None


class CreateRun(RunOptions):
    additional_instructions: Annotated[str, StringConstraints(max_length=256_000)] | None = None
    additional_messages: list[CreateMessage] | None = None
    reasoning_effort: Effort | None = None
    tools: Tools | None = None
    parallel_tool_calls: bool = True


class CreateThreadAndRun(RunOptions):
    thread: CreateThread | None = None
    tools: Tools | None = None
    tool_resources: ToolResources | None = None
    parallel_tool_calls: bool = True


class FirstCreateRun(RunOptions):
    additional_instructions: Annotated[str, StringConstraints(max_length=32_768)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    additional_messages: list[FirstCreateMessage] | None = None
    tools: FirstTools | None = None


class FirstCreateThreadAndRun(RunOptions):
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    thread: FirstCreateThread | None = None
    tools: FirstTools | None = None


class ToolOutput(Open):
    tool_call_id: str
    output: str = ""


class SubmitToolOutputs(Closed):
    tool_outputs: Annotated[list[ToolOutput], Field(max_length=1_000)]
    stream: bool | None = None


# Assistants


class CreateAssistant(Closed):
    model: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    name: Annotated[str, StringConstraints(max_length=256)] | None = None
    description: Annotated[str, StringConstraints(max_length=512)] | None = None
    instructions: Annotated[str, StringConstraints(max_length=256_000)] | None = None
    reasoning_effort: Effort | None = None
    tools: Annotated[list[Tool], Field(max_length=128)] = []
    tool_resources: NewToolResources | None = None
    metadata: Metadata | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    response_format: ResponseFormat | None = None


class FirstCreateAssistant(Closed):
    model: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    name: Annotated[str, StringConstraints(max_length=256)] | None = None
    description: Annotated[str, StringConstraints(max_length=512)] | None = None
    instructions: Annotated[str, StringConstraints(max_length=32_768)] | None = None
    tools: Annotated[list[FirstTool], Field(max_length=128)] = []
    file_ids: Annotated[list[FileId], Field(max_length=20)] = []
    metadata: Metadata | None = None


class ModifyAssistant(CreateAssistant):
    model: Annotated[str, StringConstraints(min_length=1, max_length=256)] = ""


class FirstModifyAssistant(FirstCreateAssistant):
    model: Annotated[str, StringConstraints(min_length=1, max_length=256)] = ""
