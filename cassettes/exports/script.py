"""A Python script that holds the conversation of a cassette, and a pytest test that holds it against that cassette.

The script needs the openai package and is told by the environment whom to call. The test fails when a state or a text is
not the one recorded.
"""

import re
from collections.abc import Iterator
from itertools import chain

from ..editing import Progress
from ..text import safe
from .calls import PASSING, UNSETTLED, Call, calls_of
from .literals import quoted
from .program import Program, Statement
from .selection import Lost, Source

_SETTLED = f'''
def settled(client, run_id, thread_id):
    """Poll until the run has ended or waits for the client: by its state, not by a count."""
    deadline, failures = time.monotonic() + 600, 0
    while True:
        try:
            run = client.beta.threads.runs.retrieve(run_id, thread_id=thread_id)
            failures = 0
            if run.status not in {UNSETTLED!r}:
                return run
        except (openai.APIConnectionError, openai.APIStatusError) as error:
            failures += 1
            if failures > 5 or not passing(error):
                raise
        if time.monotonic() > deadline:
            raise TimeoutError(f"{{run_id}} has not settled")
        time.sleep(float(os.environ.get("POLL_SECONDS", "1")))


def passing(error):
    """Whether the same call may go well the next time."""
    if isinstance(error, openai.APIConnectionError):
        return True
    may = error.status_code in {PASSING[1:]!r} or error.status_code >= 500
    return may and error.response.headers.get("x-should-retry") != "false"
'''
_LAST_RUN = '''
def last_run(events):
    """The run as the last event of a stream that tells of it says."""
    return [event.data for event in events if event.data.object == "thread.run"][-1]
'''
_IDS = '''
def ids(events, kind):
    """The ids of the objects of a kind that a stream tells of, each once."""
    return list(dict.fromkeys(event.data.id for event in events if event.data.object == kind))
'''
_TEXTS = '''
def texts(page):
    """What the messages of a page say."""
    return [part.text.value for message in page.data for part in message.content if part.type == "text"]
'''
_REFUSED = '''
def refused(status, call):
    """Make a call that was answered with an error."""
    try:
        call()
    except openai.APIStatusError as error:
        assert error.status_code == status, error
    else:
        raise AssertionError(f"no error, and {status} is expected")
'''
_INTERRUPTED = '''
def interrupted(call):
    """Make a call whose answer broke off."""
    try:
        call()
    except Exception as error:
        print("broke off:", type(error).__name__)
'''
_PARTS = (("settled(", _SETTLED), ("last_run(", _LAST_RUN), ("ids(", _IDS), ("texts(", _TEXTS), ("refused(", _REFUSED),
          ("interrupted(", _INTERRUPTED))  # fmt: skip


def export_python(
    source: Source, *, thread: str | None = None, lost: Lost | None = None, progress: Progress | None = None
) -> Iterator[str]:
    calls = calls_of(source, thread, Lost() if lost is None else lost, progress)
    statements = list(Program().statements(calls))
    yield f'"""The conversation of the respool cassette {_name(source)}.\n\n'
    yield "OPENAI_BASE_URL and OPENAI_API_KEY say whom it calls: `respool replay`, or the API itself.\n"
    yield '"""\n'
    yield from _imports(statements, ["openai", "os", "time"], shows=True)
    yield "\n\ndef main():\n"
    yield "    # No retries: those of the recording are calls of their own.\n"
    yield f"    client = openai.OpenAI({', '.join(['max_retries=0', *_version(calls)])})\n"
    for statement in statements:
        yield from _lines(statement)
        if statement.shows:
            yield f"    {statement.shows}\n"
    yield '\n\nif __name__ == "__main__":\n    main()\n'


def export_pytest(
    source: Source, *, thread: str | None = None, lost: Lost | None = None, progress: Progress | None = None
) -> Iterator[str]:
    calls = calls_of(source, thread, Lost() if lost is None else lost, progress)
    statements = list(Program().statements(calls))
    name = _name(source)
    partly = thread is not None or any(statement.skipped_write for statement in statements)
    yield f'"""The conversation of the respool cassette {name}, to be kept in `cassettes/{name}.cassette` beside this file."""\n'
    yield from _imports(statements, ["openai", "os", "pytest", "time"], shows=False)
    yield f'\n\n@pytest.mark.cassette("{name}"{", unplayed=" + repr("allow") if partly else ""})\n'
    yield f"def test_{re.sub('[^0-9A-Za-z]+', '_', name).strip('_').lower() or 'conversation'}(respool):\n"
    yield '    key = os.environ.get("OPENAI_API_KEY", "unused")\n'
    words = ["base_url=respool.base_url", "api_key=key", "max_retries=0", *_version(calls)]
    yield f"    client = openai.OpenAI({', '.join(words)})\n"
    for statement in statements:
        yield from _lines(statement)
        for check in statement.checks:
            yield f"    {check}\n"


def _version(calls: list[Call]) -> list[str]:
    """The argument by which the client asks for the version of the API that all calls have in their query."""
    version = calls[0].version if calls else ""
    return [f"default_query={{'api-version': {quoted(version)}}}"] if version else []


def _name(source: Source) -> str:
    """The cassette's name, as a marker takes it."""
    name = source.path.name.removesuffix(".partial").removesuffix(".cassette")
    return re.sub(r"[^0-9A-Za-z._-]+", "-", safe(name)).strip(".-")[:100] or "conversation"


def _imports(statements: list[Statement], modules: list[str], *, shows: bool) -> Iterator[str]:
    """The modules and the functions that the statements use."""
    used = [
        part
        for statement in statements
        for part in (statement.code, *([statement.shows] if shows else statement.checks))
    ]
    parts = [text for name, text in _PARTS if any(name in part for part in used)]
    needed = {"openai", "pytest", "os"} if not shows else {"openai"}
    if _SETTLED in parts:
        needed |= {"os", "time"}
    standard = [f"import {module}\n" for module in modules if module in needed and module in {"os", "time"}]
    other = [f"import {module}\n" for module in modules if module in needed and module not in {"os", "time"}]
    yield "\n"
    yield from chain(standard, ["\n"] if standard else [], other)
    for text in parts:
        yield "\n" + text


def _lines(statement: Statement) -> Iterator[str]:
    if statement.comment:
        yield f"    # {safe(statement.comment)}\n"
    if statement.code:
        yield f"    {statement.code}\n"
