"""Names of sessions, as they stand in a target, that try to lead out of a folder or to something that is no cassette.

`outside`, `link`, `linked`, `fifo` and the like stand for what a test puts there.
"""

_WRITTEN = [
    "..", ".", "../outside", "..%2foutside", "..%2Foutside", "%2e%2e%2foutside", "%2E%2E/outside", "a%2f..%2f..%2foutside",
    "a/../../outside", "a%2f..", "a%2f.", "a%2f", "%2f", "%2foutside", "%2Fetc%2Fpasswd", "/etc/passwd", "%00", "good%00",
    "good%00.cassette", "good%2500", "a%5c..%5coutside", "a\\..\\outside", "..\\outside", "~", "~gw", "~root", "~%2foutside",
    "-x", "-rf", "--help", "_x", ".hidden", "a%2f.hidden", "suite%2f.hidden", "good%2f%2fgood", "good%2f", "%2e%2e", "%2e",
    "%252e%252e%252foutside", "..%252foutside", "good.cassette", "good.cassette%2f..%2f..%2foutside", "link", "link~gw0",
    "linked%2foutside", "linked/outside", "linked%2Fcassettes%2Fgood", "linked/cassettes/good", "absolute%2foutside",
    "fifo", "fifo~1", "socket", "folder", "folder~x", "dangling", "loop", "loop%2floop%2fgood", "up%2foutside", "text",
    "empty", "good~a%2fb", "good~..%2f..%2foutside", "a" * 200, "a" * 5000, "suite%2f" + "b" * 190, "%2f".join("a" * 40),
    "g\u00f6\u00f6d", "%C3%B6", "%ff", "good%0d%0aX-Evil:1", "good%20", "good%3fx", "good*", "g?od", "good%7e", "%67ood",
    "CON", "NUL", "good;x", "good:stream", "$HOME", "`id`", "{good,outside}", "good.partial", "\u2024\u2024/outside",
    "\uff0e\uff0e%2foutside", "%c0%ae%c0%ae%2foutside", "linked%2flinked%2foutside",
]  # fmt: skip

_UP = [
    "..",
    "%2e%2e",
    "%2E.",
    ".%2e",
    "..%00",
    "...",
    "....",
    "..;",
    "%c0%ae%c0%ae",
    "%252e%252e",
    "%uff0e%uff0e",
    "\u2025",
    "..~",
    "~..",
]
_BETWEEN = ["/", "%2f", "%2F", "\\", "%5c", "%252f", "%c0%af", "\u2215", "//"]
_TRAVERSALS = [
    f"{before}{up}{between}outside" for up in _UP for between in _BETWEEN for before in ("", f"suite{between}")
]

HOSTILE = list(dict.fromkeys([*_WRITTEN, *_TRAVERSALS]))
