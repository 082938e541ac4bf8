"""How a call came out, in a few words: how it ended, what an error says, what an answer holds.

What comes from the wire is not yet safe here; who shows it passes it through `text.safe`.
"""

from . import models
from .interaction import End, Interaction, Response
from .scopes import media_type
from .text import clip

ENDS = {
    End.CLIENT_CUT: "cut by the client",
    End.UPSTREAM_CUT: "cut by the upstream",
    End.UPSTREAM_FAILED: "no answer from the upstream",
    End.PROXY_CUT: "cut when the proxy was stopped",
}
"""What is said of each way to end but the good one."""

_DONE = {
    "released": "then released",
    "edited": "then sent on edited",
    "dropped": "then dropped",
    "let go": "and went on by itself",
}

_TELLING = ("id", "filename", "name", "model", "status")


def gist(response: Response) -> str:
    """An answer in a few words: the object's id and name, the length of a list, or size and type of what is no JSON."""
    value = models.read(response.body)
    if isinstance(value, dict):
        if isinstance(value.get("data"), list):
            return f"{len(value['data'])} items"
        words = [value[name] for name in _TELLING if isinstance(value.get(name), str)]
        words += ["deleted"] * (value.get("deleted") is True)
        if words:
            return " ".join(words)
    if not response.body.length:
        return "no body"
    return f"{response.body.length:,} bytes {media_type(response.headers).decode('latin-1')}".rstrip()


def error_text(response: Response | None) -> str:
    """What an error's body says; its size and type when that is no text."""
    if response is None:
        return ""
    value = models.read(response.body)
    if text := models.error_message(value):
        return text
    kind = media_type(response.headers)
    if value is None and response.body.length <= models.MAX_BODY and (kind.startswith(b"text/") or not kind):
        return clip(response.body.read(), 300)
    return gist(response) if response.body else ""


def cut_text(interaction: Interaction) -> str:
    """Who cut a call, and how far it had come."""
    response = interaction.response
    if response is None:
        return f"{ENDS[interaction.end]} before an answer"
    return f"{ENDS[interaction.end]} after {response.body.length:,} bytes"


def held_text(interaction: Interaction) -> str:
    """That a person held the call on its way, and what was done; empty for a call that nobody held."""
    told = interaction.extra.get("intercepted")
    if not isinstance(told, dict):
        return ""
    what, held = told.get("what"), told.get("held_us")
    seconds = f"{held / 1_000_000:.1f} s" if isinstance(held, int) and 0 <= held < 1 << 53 else "for a while"
    return f"held {seconds} on its way, {_DONE.get(what, 'and went on') if isinstance(what, str) else 'and went on'}"


def fault_text(interaction: Interaction) -> str:
    """By which faults of a replay the answer was struck, as the control API tells it; empty for none."""
    told = interaction.extra.get("fault")
    return f"met a fault: {told}" if isinstance(told, str) and told else ""
