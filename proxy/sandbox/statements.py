"""The statements of the script language, as frozen values. `script` reads them from text, `performance` acts on them."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Wait:
    """`queued 50ms`, `in_progress 1s`: the run stays in that status for so long."""

    status: Literal["queued", "in_progress"]
    seconds: float


@dataclass(frozen=True, slots=True)
class Call:
    """One function call. `arguments` is JSON text, as the API carries it."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class CallTools:
    """`call a({}) & b({})`: the run requires the outputs of these functions, and waits for them."""

    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class RunCode:
    """`code "print(1)" -> "1"`: a step of the code interpreter."""

    source: str
    logs: str | None


@dataclass(frozen=True, slots=True)
class Search:
    """`search "file-abc" "manual.pdf"`: a step of the file search that found one file, or none."""

    file_id: str | None = None
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """An annotation: `text` is the piece of the message that it stands on."""

    type: Literal["file_citation", "file_path"]
    text: str
    file_id: str
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Say:
    """`say "..."`: a message of the assistant. `{input}` and `{outputs}` in it are filled in."""

    text: str
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Pace:
    """`pace 5ms`: the time between two pieces of a message, from here on."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Tokens:
    """`tokens 120 35`: what the run used, prompt and completion."""

    prompt: int
    completion: int


@dataclass(frozen=True, slots=True)
class Ending:
    """How the run ends. With `after`, it strikes that long after this point, in the middle of whatever follows."""

    kind: str
    code: str = ""
    message: str = ""
    after: float | None = None


@dataclass(frozen=True, slots=True)
class HttpFault:
    """`http 429 retry-after 1 times 2 on createRun`: so many calls of that operation are refused first."""

    status: int
    retry_after: str | None = None
    times: int = 1
    operation: str = ""


Statement = Wait | CallTools | RunCode | Search | Say | Pace | Tokens | Ending | HttpFault


@dataclass(frozen=True, slots=True)
class Script:
    statements: tuple[Statement, ...]
    source: str = ""

    @property
    def faults(self) -> tuple[HttpFault, ...]:
        return tuple(statement for statement in self.statements if isinstance(statement, HttpFault))
