"""What a run says and what it costs: pure functions over text."""

import json
import re

from .statements import Mark, Tokens
from .store import Json, Run, Step

MAX_INPUT = 4_000
"""Characters that `{input}` and each of `{outputs}` stand for at most."""
MAX_TEXT = 256_000
"""Characters of a message at most: the host's own limit."""

_PIECE = re.compile(r"\s*\S{1,16}|\s+")
_SLOT = re.compile(r"\{(input|outputs)\}")


def split(text: str) -> list[str]:
    """The pieces in which a text is streamed: about a word each. Joined, they are the text."""
    return _PIECE.findall(text)


def fill(text: str, question: str, outputs: list[str]) -> str:
    """Put the user's last message and the tools' outputs where a script asks for them."""
    values = {"input": question[:MAX_INPUT], "outputs": ", ".join(output[:MAX_INPUT] for output in outputs)}
    filled = ""
    end = 0
    for slot in _SLOT.finditer(text):
        filled += text[end : slot.start()] + values[slot[1]]
        end = slot.end()
        if len(filled) > MAX_TEXT:
            break
    return (filled + text[end:])[:MAX_TEXT]


def annotate(text: str, marks: tuple[Mark, ...]) -> list[Json]:
    """The annotations of a message, in the order of the text; each mark stands where its piece occurs first."""
    notes: list[Json] = []
    for mark in marks:
        start = text.find(mark.text)
        if start < 0:
            continue  # the text was cut short before it
        target = {"file_id": mark.file_id} | ({"quote": mark.quote} if mark.type == "file_citation" else {})
        end = start + len(mark.text)
        notes.append({"type": mark.type, "text": mark.text, mark.type: target, "start_index": start, "end_index": end})
    return sorted(notes, key=lambda note: (note["end_index"], note["start_index"]))


def step_usage(run: Run, step: Step, spoken: str, tokens: Tokens | None, planned: int) -> Json:
    """What one step used. The scripted `tokens` are shared among the `planned` steps, the last one taking the rest."""
    if tokens is None:
        asked = (run.question.text[:MAX_INPUT] if run.question else "") + " " + run.options["instructions"]
        said = spoken if step.type == "message_creation" else json.dumps(step.details)
        return usage(8 + len(asked.split()), max(1, len(split(said))))
    number = list(run.steps).index(step.id)
    if number + 1 < planned:
        return usage(tokens.prompt // planned, tokens.completion // planned)
    done = max(0, planned - 1)
    return usage(
        tokens.prompt - done * (tokens.prompt // max(1, planned)),
        tokens.completion - done * (tokens.completion // max(1, planned)),
    )


def run_usage(run: Run, tokens: Tokens | None) -> Json:
    if tokens is not None:
        return usage(tokens.prompt, tokens.completion)
    used = [step.usage for step in run.steps.values() if step.usage is not None]
    return usage(sum(item["prompt_tokens"] for item in used), sum(item["completion_tokens"] for item in used))


def usage(prompt: int, completion: int) -> Json:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
