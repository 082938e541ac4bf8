"""What `--verbose` says: one line for each call, when it has ended, and one for each that was not let in.

Method, path and query, status, time, what became of it, session. All of it is redacted and cut to a length; making it visible is
left to the door that it goes through.
"""

from collections.abc import Callable

from ..cassettes.interaction import Headers, Request
from ..cassettes.redaction import redact_request, redact_target, scrub_text, secrets_of
from ..cassettes.secrets.cleaning import DEFAULT, Cleaning
from ..cassettes.summary import CUT
from ..cassettes.text import clip
from .answer import Answer
from .control.calls import Kept

_WORDS = {
    "exact": "hit",
    "held": "hit, its last state held",
    "ahead": "hit, ahead of its place",
    "fault": "injected",
}
"""What became of a call, where the control API's word for it says too little."""
LONGEST_TARGET = 300
LONGEST_SESSION = 100


class Narration:
    """Tells `narrate` of calls. `cleaning` is that of the recording: what its rules take out is not told either."""

    def __init__(self, narrate: Callable[[str], None], cleaning: Cleaning = DEFAULT) -> None:
        self._narrate = narrate
        self._cleaning = cleaning

    def ended(self, kept: Kept) -> None:
        """A call has ended; what is kept of it is redacted."""
        summary = kept.summary
        what = _WORDS.get(kept.how, kept.how) + (", cut short" if summary.flags & CUT else "")
        # A cassette may be older than a rule.
        target = self._cleaning.value(redact_target(kept.target))
        status = str(summary.status or "no answer")
        self._say(
            kept.method, target, f"{status} in {kept.duration_us / 1000:.0f} ms", what, self._session(kept.session)
        )

    def answered(
        self, method: str, target: bytes, headers: Headers, answer: Answer, what: str, session: str | None = None
    ) -> None:
        """A call was answered before it came to a recording: refused, or asked of respool itself."""
        asked = Request(method, target, headers)
        if session is not None:
            session = self._session(session, secrets_of(asked))
        asked = redact_request(asked, cleaning=self._cleaning)
        self._say(asked.method, asked.target, answer.data[9:12].decode("latin-1"), what, session)

    def _session(self, name: str, secrets: tuple[bytes, ...] = ()) -> str:
        return scrub_text(name, secrets, self._cleaning)

    def unreadable(self) -> None:
        """A request could not be parsed: nothing of it is known for sure, and nothing is told."""
        self._narrate("respool: 400 to a request that could not be parsed")

    def _say(self, method: str, target: bytes, status: str, what: str, session: str | None) -> None:
        shown = clip(target.decode("utf-8", "backslashreplace"), LONGEST_TARGET)
        where = "" if session is None else f", session {clip(session, LONGEST_SESSION)}"
        self._narrate(f"respool: {clip(method, 40)} {shown}: {status}, {what}{where}")
