"""What may stand between a telling name and its value: what says that a value follows, in JSON, forms, programs, notes and prose.

Every piece gives nothing back, or is no longer than some letters, so that a text is read once. A pattern is tried behind the stem
of a name; its groups tell which way it was said (`member`, `pair`, `assigned`, `spoken`, `part`). The value begins at its end.
"""

import re

SPACE = rb"(?:[ \t\r\n]|\\{1,7}[nrt]){0,12}+"
_VALUE = rb"(?:[A-Za-z0-9+/_.~!@#$^*-]|%(?!3[DdAa])){"
_QUOTE = rb"\\{0,7}+[\"']"
_SCHEME = rb"(?:(?:Bearer|Basic|Token) {1,8}+)?+"
_SEPARATED = (
    rb"(?P<assigned>[\"']?[ \t]{0,4}+(?:=>|[:=]|%3[DdAa])[ \t]{0,4}+\\{0,3}+[\"']?" + _SCHEME + rb")(?=" + _VALUE
)
_BREAK = rb"(?:[ \t]|\r?\n|\\{1,7}[nr]){1,16}+"
_SIGN = rb":=|=>?|:|-(?:> ?|(?= ))|\xe2\x86\x92|\xe2\x80[\x93\x94]|\xef\xbc\x9a|\\{1,7}u(?:2192|201[34]|[Ff]{2}1[Aa])"
"""Equals, colons (a full-width one, too), arrows and dashes."""
_OF_A_BOOK = rb"\xe2\x80[\x98\x9a\x9c\x9e]|\xc2\xab|\\{1,7}u(?:201[8AaCcEe]|00[Aa][Bb])"
_BLOCK = rb"[ \t]{1,2}+[|>][+-]?" + _BREAK
_VERB = rb"(?:(?:for|of) [^ \t\r\n\"\\]{1,40}+ )?+(?:is|IS|are|was|ist|lautet|es|est|to):?(?= )"
_ATTRIBUTES = (
    rb"(?:[ \t](?![Vv]alue=|content=)[A-Za-z:-]{1,20}=" + _QUOTE + rb"[^\"'<>\r\n\\]{0,64}" + _QUOTE + rb"){0,3}+"
)  # fmt: skip
_TAG = _ATTRIBUTES + rb"(?:>|\\{1,7}u003[Ee])(?:<!\[CDATA\[)?+|</key>\s{0,8}+<string>"
_SPOKEN = (
    rb"(?P<spoken>(?:(?P<tag>" + _TAG + rb")|(?:" + _QUOTE + rb"|[*_`]{1,3}+)?\]?[ \t]{0,4}+(?:" + _SIGN + rb")(?:" + _BLOCK
    + rb")?+|" + _QUOTE + rb"[ \t]{0,4}+,(?=[ \t]{0,4}+" + _QUOTE + rb")|[ \t]{1,4}+(?:" + _VERB + rb"|\||(?=[^ \t=:]))"
    rb"|(?:" + _QUOTE + rb")?" + _ATTRIBUTES
    + _BREAK + rb"(?:[Vv]alue|content)(?:" + _QUOTE + rb")?[ \t]{0,4}+[:=]|\((?=" + _QUOTE
    + rb"))[*_]{0,3}+[ \t]{0,4}+(?:\\{0,7}+[\"'`]|" + _OF_A_BOOK + rb")?" + _SCHEME + rb")(?=" + _VALUE
)  # fmt: skip
"""What else says that a value follows, since version 3: `["KEY"] = "..."`, `:=`, `"key", "..."`, `the key is ...`, a table's bar,
a space, `name: KEY` and `value: ...` on two lines, `<key>`, arrows and dashes; the value in the marks of Markdown or in the
quotes of a book, in a block of YAML, in the brackets of a call."""


_PASSED_OVER = (
    rb"(?! (?!(?:for|of|are|was|est?|to) )[a-hj-z][a-z]{0,4}+[ ,.;?!]"
    rb"|\": ?(?:null|true|false|\{(?!\s{0,8}+\"[Vv]alue\")))"
)  # fmt: skip
"""A short word of prose, or no value: what most names in ordinary traffic are followed by, told quickly."""


def _after(word: bytes, assigned: bytes) -> "re.Pattern[bytes]":
    """What may stand behind a stem: the rest of the name, and what says that a value follows.

    `word`: the value of a member or pair; `assigned`: the least length of one in running text.
    """
    return re.compile(
        rb"[A-Za-z0-9_.-]{0,64}+(?P<name>)(?:" + _PASSED_OVER
        + rb"(?:(?P<member>(?P<quote>\\{0,63}+[\"'])" + SPACE + rb"(?:(?P<apart>,)" + SPACE
        + rb"\\{0,63}+[\"'][Vv]alue\\{0,63}+[\"']" + SPACE + rb")?+:" + SPACE
        + rb"(?P<inner>\{" + SPACE + rb"\\{0,63}+[\"'][Vv]alue\\{0,63}+[\"']" + SPACE + rb":" + SPACE + rb")?+"
        + rb"(?:(?P<open>\\{0,63}+[\"'])" + word + rb"|(?=[0-9\[-])))"
        rb"|(?P<pair>=)(?=[^&\s\"'<>\\])" + word + rb"|" + _SEPARATED + assigned + rb"})"
        rb"|" + _SPOKEN + assigned + rb"})"
        rb"|(?P<part>\"?(?:\r?\n[^\r\n]{0,200}){0,4}\r?\n\r?\n)(?=[^\r\n])))?+"
    )  # fmt: skip


FOLLOWED = _after(b"", b"6")
FOLLOWED_BY_LESS = _after(b"", b"4")
FOLLOWED_BY_A_WORD = _after(rb"(?=[A-Za-z0-9+/_.~%\\-]{12})", b"12")
FOLLOWED_BY_A_PAIR = _after(b"", b"1")
ASSIGNED = {least: re.compile(_SEPARATED + b"%d})" % least) for least in (4, 6)}
