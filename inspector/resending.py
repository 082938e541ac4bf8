"""A chosen call sent again, as it is or edited, through the proxy that is looked at; the answer beside the recorded one.

Part of the app, apart for its size. The call goes to the data port like any other, so it is recorded or replayed there, and comes
back as a new row; what is shown of its answer here is redacted too.
"""

import os
import time
from dataclasses import replace
from urllib.parse import urlsplit

from ..cassettes.errors import RespoolError, UpstreamError, UsageError
from ..cassettes.interaction import Body, End, Interaction, Request, Response
from ..cassettes.summary import Row as IndexRow
from ..cassettes.text import clip
from .actions import Actions
from .desk import ASKED, Job
from .document import Document
from .editor import edited
from .outline import Row
from .tabs import Tab

ANSWER_SECONDS = 120.0
MOST_ANSWER = 4 << 20


class Resending(Actions):
    """A part of `app.Inspector`, which has what is named here."""

    through = ""
    """The URL of the proxy's data port; empty for none."""

    def action_resend(self) -> None:
        self._begin_resend(edit=False)

    def action_resend_edited(self) -> None:
        self._begin_resend(edit=True)

    def way_of(self, call: Interaction) -> str:
        """The URL to which a call is sent again. Raises UsageError where there is no proxy."""
        if not self.through:
            raise UsageError(
                "there is no proxy to send it through", "attach to one, or `respool inspect FILE --through URL`"
            )
        return self.through

    def _begin_resend(self, *, edit: bool) -> None:
        row = self._list.row
        if row is None or row.arrival is None:
            self._window.say("choose a call first: r sends it again")
            return
        self.desk.ask(
            "resend",
            Job(ASKED, lambda: self._asked_again(row), lambda call: self._resend(call, edit=edit), self.complain),
        )

    def _asked_again(self, row: Row) -> Interaction:
        """In the thread that reads."""
        found = next((each for each in self._recording.rows_of_scope(row.scope) if _is(each, row)), None)
        if found is None:
            raise UsageError("this call is not there any more")
        call = self._recording.interaction(found)
        if call.request.body.length > 0:
            # Read now: the body may be in the cassette, which is for this thread.
            call = replace(call, request=replace(call.request, body=Body.of(call.request.body.read())))
        return call

    def _resend(self, call: Interaction, *, edit: bool) -> None:
        from .requests import as_text, of_text, ready, refuse_placeholders

        try:
            way = self.way_of(call)
            request = ready(call, os.environ)
            if edit:
                request = of_text(edited(self, "request.http", as_text(request))[0], request)
            refuse_placeholders(request)
        except RespoolError as error:
            self.complain(error)
            return
        self.note_down(f"sending {clip(request.method, 20)} {clip(request.target, 100)} again …", aloud=True)
        self.run_worker(
            lambda: self._send(call, request, way), name="resend", thread=True, exit_on_error=True, group="resend"
        )

    def _send(self, call: Interaction, request: Request, way: str) -> None:
        """In a thread of its own: an answer may take its time."""
        from ..cassettes.redaction import redact
        from .differ import by_text
        from .requests import comparable, left_out

        try:
            answered = send(way, request)
        except RespoolError as error:
            self.call_from_thread(self.complain, error)
            return
        names = f"call {call.arrival:,} as it was recorded", "the same, sent again"
        document = by_text(comparable(call), comparable(redact(answered)), names)
        missing = left_out(call, os.environ)
        self.call_from_thread(self._answered_again, document, answered, missing)

    def _answered_again(self, document: Document, answered: Interaction, missing: list[str]) -> None:
        self.compared = document
        status = answered.response.status if answered.response is not None else 0
        why = f", and {missing[0]} is not set" if status in {401, 403} and missing else ""
        self.note_down(f"answered {status}{why}; [6] Diff has what differs from the recorded call", aloud=True)
        self._window.action_panel(Tab.DIFF)


def _is(each: IndexRow, row: Row) -> bool:
    return each.summary.arrival == row.arrival


def send(way: str, request: Request) -> Interaction:
    """Make a call at a data port and read its whole answer, 4 MiB at most. Raises UsageError and UpstreamError."""
    import http.client

    parts = urlsplit(way)
    try:
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        host, port = None, 0
    if parts.scheme not in {"http", "https"} or not host:
        raise UsageError(f"{clip(way, 100)} is no URL of a proxy", "give http://HOST:PORT")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(host, port, timeout=ANSWER_SECONDS)
    started, began = time.time_ns() // 1000, time.perf_counter()
    body = request.body.read()
    try:
        connection.putrequest(request.method, request.target.decode("ascii"), skip_accept_encoding=True)
        for name, value in request.headers:
            connection.putheader(name.decode("latin-1"), value)
        connection.putheader("Connection", "close")
        if body or request.method not in {"GET", "HEAD", "DELETE"}:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        data = answer.read(MOST_ANSWER)
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise UpstreamError(f"the proxy at {clip(way, 100)} did not answer: {why}") from None
    finally:
        connection.close()
    headers = tuple(
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in answer.getheaders()
    )
    response = Response(answer.status, answer.reason.encode("latin-1", "replace"), headers, Body.of(data))
    took = int((time.perf_counter() - began) * 1e6)
    return Interaction(0, started, request, response, End.COMPLETE, took)
