"""Whether a field looks as if it changes from run to run, so that to leave it out of a key is sensible advice.

The rule, which is a guess on purpose and errs on the side of "no":

- never a field that says what is asked (`MEANT`, or anything below one), nor a page's cursor, nor an id of the API: there
  the recording answers another question;
- `limit` and `api-version` of a query: they say how, not what;
- else each value that is there has to look so: a date or a time, a UUID, a long hexadecimal or random-looking word, or
  any one word where the field's name says trace, request, nonce and the like (`WORDS`).
"""

import re
from collections.abc import Iterable

from .vocabulary import ANY_PREFIX

_MEANT_WORDS = """
    assistant_id attachments content file_id file_ids instructions additional_instructions model output response_format
    role stream text tool_call_id tool_choice tool_outputs tool_resources tools after before order purpose
"""
MEANT = frozenset(_MEANT_WORDS.split())
"""Names of the API that say what is asked."""
HOW = frozenset({("limit",), ("api-version",)})
_WORDS = """
    attempt build commit correlation date guid idempotency nonce now random request run seed span time timestamp trace
    traceparent ts uuid
"""
WORDS = frozenset(_WORDS.split())
"""Words in the name of a field whose value is another each time."""
LONGEST = 200
"""Characters of a value that may look so. A longer one is a text."""

_API_ID = re.compile(ANY_PREFIX.decode("ascii") + r"[_-][A-Za-z0-9]+")
_LOOKS = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]{5,}(?:Z|[+-][0-9:]{4,6})?)?"  # a date, a time of it
    r"|1[0-9]{9}(?:[0-9]{3}){0,3}(?:\.[0-9]+)?"  # seconds, or finer, since 1970
    r"|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"  # W3C Trace Context
    r"|(?=.*[0-9].*[0-9])(?=.*[a-zA-Z])[A-Za-z]{0,12}[-_.]?[A-Za-z0-9]{12,128}(?:\.[a-z]{1,8})?"
)
_WORD = re.compile(r"[^\s]{1,80}")
_SPLIT = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")


def is_volatile(names: tuple[str, ...], values: Iterable[str]) -> bool:
    """Whether a field, under these names from the outermost in, looks so in all of its values (at least one)."""
    shown = list(values)
    if not names or not shown or not MEANT.isdisjoint(names):
        return False
    if names in HOW:
        return True
    told = not WORDS.isdisjoint(word.lower() for word in _SPLIT.split(names[-1][:LONGEST]))
    return all(
        len(value) <= LONGEST
        and not _API_ID.fullmatch(value)
        and bool(_LOOKS.fullmatch(value) or (told and _WORD.fullmatch(value)))
        for value in shown
    )
