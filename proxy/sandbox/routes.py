"""Which handler answers which call: the operations of the threads API by name, and what stands beside them."""

import re
from typing import NamedTuple

from ...cassettes.operations import OPERATIONS
from . import assistants, files, runs, threads
from .calls import Handler
from .errors import unknown_url, wrong_method

HANDLERS: dict[str, Handler] = {
    "createThread": threads.create_thread,
    "getThread": threads.get_thread,
    "modifyThread": threads.modify_thread,
    "deleteThread": threads.delete_thread,
    "listMessages": threads.list_messages,
    "createMessage": threads.create_message,
    "getMessage": threads.get_message,
    "modifyMessage": threads.modify_message,
    "deleteMessage": threads.delete_message,
    "listMessageFiles": threads.list_message_files,
    "getMessageFile": threads.get_message_file,
    "createThreadAndRun": runs.create_thread_and_run,
    "listRuns": runs.list_runs,
    "createRun": runs.create_run,
    "getRun": runs.get_run,
    "modifyRun": runs.modify_run,
    "submitToolOuputsToRun": runs.submit_tool_outputs,
    "cancelRun": runs.cancel_run,
    "listRunSteps": runs.list_run_steps,
    "getRunStep": runs.get_run_step,
}

BESIDE: tuple[tuple[str, str, str, Handler], ...] = (
    ("listAssistants", "GET", "/assistants", assistants.list_assistants),
    ("createAssistant", "POST", "/assistants", assistants.create_assistant),
    ("getAssistant", "GET", "/assistants/{assistant_id}", assistants.get_assistant),
    ("modifyAssistant", "POST", "/assistants/{assistant_id}", assistants.modify_assistant),
    ("deleteAssistant", "DELETE", "/assistants/{assistant_id}", assistants.delete_assistant),
    ("listFiles", "GET", "/files", files.list_files),
    ("createFile", "POST", "/files", files.create_file),
    ("getFile", "GET", "/files/{file_id}", files.get_file),
    ("downloadFile", "GET", "/files/{file_id}/content", files.get_file_content),
    ("deleteFile", "DELETE", "/files/{file_id}", files.delete_file),
    ("listModels", "GET", "/models", assistants.list_models),
    ("getModel", "GET", "/models/{model}", assistants.get_model),
)


class Route(NamedTuple):
    name: str
    method: str
    pattern: re.Pattern[str]
    handler: Handler


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template)))


ROUTES: tuple[Route, ...] = (
    *(Route(row.name, row.method, _pattern(row.template), HANDLERS[row.name]) for row in OPERATIONS),
    *(Route(name, method, _pattern(template), handler) for name, method, template, handler in BESIDE),
)


def find_route(method: str, path: str, full_path: str) -> tuple[Route, dict[str, str]]:
    """The route for a method and a path below its base prefix, and the ids in the path.

    Raises the 405 for a path that other methods have, and the 404 for any other; both name `full_path`.
    """
    allowed: list[str] = []
    for route in ROUTES:
        found = route.pattern.fullmatch(path)
        if found is None or found.groupdict().get("thread_id") == "runs":
            continue  # `/threads/runs` is no thread
        if route.method == method:
            return route, found.groupdict()
        allowed.append(route.method)
    if allowed:
        raise wrong_method(method, full_path, allowed)
    raise unknown_url(method, full_path)
