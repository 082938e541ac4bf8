"""How stored objects look on the wire: one class a version of the API, over one store.

Each method gives exactly the properties that the version's OpenAPI description lists, in the order in which the host
wrote them. Where the first version has no word for something of the second, the nearest word stands in its place, and
the method says which.
"""

from .store import Assistant, Json, Message, Run, Step, StoredFile, Thread

ENDED_AT = {
    "cancelled": "cancelled_at",
    "failed": "failed_at",
    "completed": "completed_at",
    "incomplete": "completed_at",
    "expired": "expired_at",
}
"""The property that holds when a run or a step ended, by its status."""

EXPIRES_IN = 600
"""Seconds until a run that waits for tool outputs expires."""


def deleted(kind: str, identifier: str) -> Json:
    return {"id": identifier, "object": f"{kind}.deleted", "deleted": True}


class Shape:
    """The second version."""

    version = 2

    def listing(self, items: list[Json], has_more: bool) -> Json:
        return {
            "object": "list",
            "data": items,
            "first_id": items[0]["id"] if items else None,
            "last_id": items[-1]["id"] if items else None,
            "has_more": has_more,
        }

    def thread(self, thread: Thread) -> Json:
        return {
            "id": thread.id,
            "object": "thread",
            "created_at": thread.created_at,
            "metadata": thread.metadata,
            "tool_resources": thread.tool_resources,
        }

    def message(self, message: Message) -> Json:
        return {
            "id": message.id,
            "object": "thread.message",
            "created_at": message.created_at,
            "assistant_id": message.assistant_id,
            "thread_id": message.thread_id,
            "run_id": message.run_id,
            "status": message.status,
            "incomplete_details": {"reason": message.incomplete_reason} if message.incomplete_reason else None,
            "incomplete_at": message.incomplete_at,
            "completed_at": message.completed_at,
            "role": message.role,
            "content": [self.block(block) for block in message.content],
            "attachments": message.attachments,
            "metadata": message.metadata,
        }

    def block(self, block: Json) -> Json:
        if block["type"] != "text":
            return block
        annotations = [self.annotation(item) for item in block["text"]["annotations"]]
        return {"type": "text", "text": {"value": block["text"]["value"], "annotations": annotations}}

    def annotation(self, annotation: Json) -> Json:
        if annotation["type"] != "file_citation":
            return annotation
        return {**annotation, "file_citation": {"file_id": annotation["file_citation"]["file_id"]}}

    def message_delta(self, message: Message, content: list[Json]) -> Json:
        return {"id": message.id, "object": "thread.message.delta", "delta": {"content": content}}

    def message_file(self, message: Message, file_id: str) -> Json:
        return {
            "id": file_id,
            "object": "thread.message.file",
            "created_at": message.created_at,
            "message_id": message.id,
        }

    def message_files(self, items: list[Json], has_more: bool) -> Json:
        return self.listing(items, has_more)

    def tools(self, tools: list[Json]) -> list[Json]:
        return tools

    def run(self, run: Run) -> Json:
        options = run.options
        body: Json = {
            "id": run.id,
            "object": "thread.run",
            "created_at": int(run.created.stamp),
            "assistant_id": run.assistant_id,
            "thread_id": run.thread_id,
            "status": run.status,
            "started_at": run.started_at,
            "expires_at": int(run.created.stamp) + EXPIRES_IN if run.active else None,
            "cancelled_at": None,
            "failed_at": None,
            "completed_at": None,
            "required_action": _required_action(run),
            "last_error": run.last_error,
            "model": options["model"],
            "instructions": options["instructions"],
            "tools": self.tools(options["tools"]),
            "metadata": run.metadata,
            "temperature": options["temperature"],
            "top_p": options["top_p"],
            "max_completion_tokens": options["max_completion_tokens"],
            "max_prompt_tokens": options["max_prompt_tokens"],
            "truncation_strategy": options["truncation_strategy"],
            "incomplete_details": {"reason": run.incomplete_reason} if run.incomplete_reason else None,
            "usage": run.usage,
            "response_format": options["response_format"],
            "tool_choice": options["tool_choice"],
            "parallel_tool_calls": options["parallel_tool_calls"],
        }
        place = ENDED_AT.get(run.status)
        if place in body:
            body[place] = run.ended_at
        return body

    def step(self, run: Run, step: Step) -> Json:
        body: Json = {
            "id": step.id,
            "object": "thread.run.step",
            "created_at": step.created_at,
            "run_id": run.id,
            "assistant_id": run.assistant_id,
            "thread_id": run.thread_id,
            "type": step.type,
            "status": step.status,
            "cancelled_at": None,
            "completed_at": None,
            "expired_at": None,
            "failed_at": None,
            "last_error": step.last_error,
            "step_details": self.step_details(step),
            "metadata": {},
            "usage": step.usage,
        }
        place = ENDED_AT.get(step.status)
        if place is not None:
            body[place] = step.ended_at
        return body

    def step_details(self, step: Step) -> Json:
        return step.details

    def step_delta(self, step: Step, calls: list[Json]) -> Json:
        details = {"type": "tool_calls", "tool_calls": calls}
        return {"id": step.id, "object": "thread.run.step.delta", "delta": {"step_details": details}}

    def assistant(self, assistant: Assistant) -> Json:
        return {
            "id": assistant.id,
            "object": "assistant",
            "created_at": assistant.created_at,
            **assistant.fields,
            "tools": self.tools(assistant.fields["tools"]),
        }

    def file(self, file: StoredFile) -> Json:
        return {
            "object": "file",
            "id": file.id,
            "purpose": file.purpose,
            "filename": file.filename,
            "bytes": len(file.content),
            "created_at": file.created_at,
            "expires_at": None,
            "status": "processed",
            "status_details": None,
        }


class FirstShape(Shape):
    """The first version: `file_ids` for attachments, `retrieval` for the file search, no incomplete run."""

    version = 1

    def listing(self, items: list[Json], has_more: bool) -> Json:
        """Its schema allows no null, so an empty list has empty ids."""
        body = super().listing(items, has_more)
        return body | {"first_id": body["first_id"] or "", "last_id": body["last_id"] or ""}

    def thread(self, thread: Thread) -> Json:
        return without(super().thread(thread), "tool_resources")

    def message(self, message: Message) -> Json:
        body = super().message(message)
        left_out = ("status", "incomplete_details", "incomplete_at", "completed_at", "attachments")
        return without(body, *left_out) | {"file_ids": message.file_ids[:10], "metadata": message.metadata}

    def block(self, block: Json) -> Json:
        """A web image is shown as its address, a refusal as its text."""
        if block["type"] == "image_url":
            return _text(block["image_url"]["url"])
        if block["type"] == "refusal":
            return _text(block["refusal"])
        if block["type"] == "image_file":
            return {"type": "image_file", "image_file": {"file_id": block["image_file"]["file_id"]}}
        return super().block(block)

    def annotation(self, annotation: Json) -> Json:
        return annotation

    def message_files(self, items: list[Json], has_more: bool) -> Json:
        """Its schema requires `items` beside `data` without saying what it is: the same list."""
        return self.listing(items, has_more) | {"items": items}

    def tools(self, tools: list[Json]) -> list[Json]:
        return [_first_tool(tool) for tool in tools]

    def run(self, run: Run) -> Json:
        """An incomplete run is a completed one, as the host showed it; `expires_at` stays, since it may not be null."""
        body = super().run(run)
        error = body["last_error"]
        if error is not None and error["code"] == "invalid_prompt":
            error = {**error, "code": "server_error"}
        body = without(
            body,
            "temperature",
            "top_p",
            "max_completion_tokens",
            "max_prompt_tokens",
            "truncation_strategy",
            "incomplete_details",
            "response_format",
            "tool_choice",
            "parallel_tool_calls",
            "metadata",
            "usage",
        )
        return body | {
            "status": "completed" if run.status == "incomplete" else run.status,
            "expires_at": int(run.created.stamp) + EXPIRES_IN,
            "last_error": error,
            "file_ids": run.options["file_ids"],
            "metadata": run.metadata,
            "usage": run.usage,
        }

    def step_details(self, step: Step) -> Json:
        if step.type != "tool_calls":
            return step.details
        return {"type": "tool_calls", "tool_calls": [_first_call(call) for call in step.details["tool_calls"]]}

    def step_delta(self, step: Step, calls: list[Json]) -> Json:
        return super().step_delta(step, [_first_call(call) for call in calls])

    def assistant(self, assistant: Assistant) -> Json:
        body = without(super().assistant(assistant), "temperature", "top_p", "response_format", "tool_resources")
        return body | {"file_ids": tool_files(assistant.fields["tool_resources"]), "metadata": body["metadata"]}


SHAPES: dict[int, Shape] = {1: FirstShape(), 2: Shape()}


def without(body: Json, *names: str) -> Json:
    return {name: value for name, value in body.items() if name not in names}


def tool_files(resources: Json) -> list[str]:
    """The files that a first-version assistant or run has: those of the code interpreter."""
    return list((resources.get("code_interpreter") or {}).get("file_ids") or [])


def _text(value: str) -> Json:
    return {"type": "text", "text": {"value": value, "annotations": []}}


def _required_action(run: Run) -> Json | None:
    if run.required_action is None:
        return None
    return {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": run.required_action}}


def _first_tool(tool: Json) -> Json:
    if tool["type"] == "file_search":
        return {"type": "retrieval"}
    if tool["type"] == "function":
        return {"type": "function", "function": without(tool["function"], "strict")}
    return tool


def _first_call(call: Json) -> Json:
    if call["type"] == "file_search":
        return without(call, "file_search", "type") | {"type": "retrieval", "retrieval": {}}
    return call
