"""A recording of one thread in memory, spelled in a line: `thread; run queued; poll completed; say 400`."""

import json
from dataclasses import replace

from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.operations import find_operation, split_target
from respool.cassettes.scopes import scope_hash
from respool.cassettes.summary import WRITE, Row, Summary

THREAD = "/threads/thread_1"
CALLS = {
    "thread": ("POST", "/threads", "thread"),
    "say": ("POST", f"{THREAD}/messages", "thread.message"),
    "messages": ("GET", f"{THREAD}/messages", "list"),
    "run": ("POST", f"{THREAD}/runs", "thread.run"),
    "poll": ("GET", f"{THREAD}/runs/run_1", "thread.run"),
    "steps": ("GET", f"{THREAD}/runs/run_1/steps", "list"),
    "submit": ("POST", f"{THREAD}/runs/run_1/submit_tool_outputs", "thread.run"),
    "cancel": ("POST", f"{THREAD}/runs/run_1/cancel", "thread.run"),
}
IDS = {"thread": "thread_1", "thread.message": "msg_1", "thread.run": "run_1"}
AFTER = {"submit": "queued", "cancel": "cancelling"}


class Calls:
    """What `agenda` needs of a cassette."""

    def __init__(self, text):
        self._interactions = {}
        self._rows = []
        for arrival, words in enumerate(filter(None, (call.strip() for call in text.split(";")))):
            word, _, said = words.partition(" ")
            method, target, kind = CALLS[word]
            status = int(said) if said.isdigit() else 200
            value = {"object": kind, "id": IDS.get(kind), "data": []}
            if kind == "thread.run":
                value["status"] = AFTER.get(word, said)
            headers = ((b"content-type", b"application/json"),)
            response = Response(
                status, headers=headers, body=Body.of(json.dumps(value if status < 400 else {}).encode())
            )
            request = Request(method, target.encode())
            operation, _ = find_operation(method, split_target(request.target)[1])
            writes = WRITE if method == "POST" else 0
            key = list(CALLS).index(word)
            self._interactions[arrival] = Interaction(
                arrival, 0, request, response if status else None, scope="thread_1"
            )
            summary = Summary(key, scope_hash("thread_1"), 0, arrival, 0, 0, status, operation.number, writes, 0)
            self._rows.append(Row(summary, arrival))

    def rows(self):
        return self._rows

    def interaction(self, row):
        return self._interactions[row.summary.arrival]

    def end(self, arrival, end: End):
        self._interactions[arrival] = replace(self._interactions[arrival], end=end)

    def answer(self, row, value):
        kept = self.interaction(row)
        response = replace(kept.response, body=Body.of(json.dumps(value).encode()))
        self._interactions[row.summary.arrival] = replace(kept, response=response)
