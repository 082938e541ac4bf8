"""The rule table: the shapes that credentials of known makers have, each with an example and a counter-example.

The documentation's table and the tests are made from it. A rule is looked for by its `markers`, plain text that every secret of
its kind holds; its pattern is then tried at that place alone. No secret is too long to go whole: each is a run of one class of
characters that gives nothing back, and what ends it stands before any place where the next one can begin. So no character is
looked at more often than there are runs in a pattern, and the time grows with the length of a text whatever it is.
"""

import re
from dataclasses import dataclass

TABLE_VERSION = 2
"""Stands in the notes of a cassette: the keys in its index were made of requests that these rules had gone through. Version 1
took all secrets for one word in matching, and looked neither at numbers and lists beside telling names nor at base64 in lines."""

APART = rb"(?:(?<![A-Za-z0-9_-])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4}))"
"""A token begins here: behind no other token's character, or behind an escape of JSON or of a percent-encoded text."""
SLASH = rb"(?:\\{0,7}/|%2[Ff])"
B64 = rb"(?:[A-Za-z0-9+]++|\\{0,7}/|%2[FfBb]|\\{1,7}u00(?:2[BbFf]))++"
B64_SIGN = rb"(?:[A-Za-z0-9+]|\\{0,7}/|%2[FfBb]|\\{1,7}u00(?:2[BbFf]))"
PAD = rb"(?:=|%3[Dd]|\\{1,7}u003[Dd]){0,2}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret.

    `kind` names it in a pseudonym. `markers` are plain text; the pattern begins `back` bytes before one. Its group 1 is the
    secret, or all of it where it has no group. `mixed`: it counts only with a digit and a letter in it. `word`: a marker is the
    beginning of a word of WORD characters at least, and is looked for there alone.
    """

    name: str
    what: str
    where: str
    kind: str
    markers: tuple[bytes, ...]
    pattern: re.Pattern[bytes]
    example: bytes
    counter: bytes
    back: int = 0
    mixed: bool = False
    word: bool = False


def _rule(
    name: str,
    kind: str,
    what: str,
    markers: tuple[bytes, ...],
    pattern: bytes,
    example: bytes,
    counter: bytes,
    *,
    where: str = "anywhere",
    back: int = 0,
    mixed: bool = False,
    word: bool = False,
) -> Rule:
    begin = APART if word else b""
    return Rule(name, what, where, kind, markers, re.compile(begin + pattern), example, counter, back, mixed, word)


_X = b"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z"
"""What the examples are made of: no secret of anybody."""
_A = _X + _X[:17]

RULES: tuple[Rule, ...] = (
    _rule(
        "anthropic-key", "anthropic", "Anthropic's API and admin keys", (b"sk-ant-",),
        rb"sk-ant-[a-z0-9]{2,12}-[A-Za-z0-9_-]{20,}+", b"sk-ant-api03-" + _A, b"sk-ant-api03-short", word=True,
    ),
    _rule(
        "openai-key", "openai", "OpenAI's keys: `sk-`, `sk-proj-`, `sk-svcacct-`, `sk-admin-`, with and without infix",
        (b"sk-",), rb"sk-[A-Za-z0-9_-]{20,}+", b"sk-proj-" + _A, b"sk-learn-is-a-name-of-a-package", mixed=True, word=True,
    ),
    _rule(
        "openai-session", "openai", "OpenAI's session keys and short-lived client keys", (b"sess-", b"ek_"),
        rb"(?:sess-|ek_)[A-Za-z0-9]{24,}+", b"sess-" + _A[:40], b"sess-2026-11-25", mixed=True, word=True,
    ),
    _rule(
        "azure-key", "azure", "Azure's keys of 84 characters", (b"JQQJ9",),
        APART + rb"[A-Za-z0-9]{52}JQQJ9[A-Za-z0-9]{27}(?![A-Za-z0-9])",
        (_X + _X)[:52] + b"JQQJ99" + _X[:26], b"JQQJ99" + _X[:26], back=52,
    ),
    _rule(
        "azure-sas", "azure", "the signature of a shared access signature (`sig=`)", (b"sig=", b"sig%3D", b"sig%3d"),
        APART + rb"sig(?:=|%3[Dd])(?=" + B64_SIGN + rb"{40})(" + B64 + PAD + rb")",
        b"sv=2024-11-04&sig=" + _X + b"%2B" + _X[:11] + b"%3D", b"sig=none", where="URLs in any text",
    ),
    _rule(
        "azure-connection-string", "azure", "`AccountKey` and `SharedAccessKey` of a connection string",
        (b"AccountKey=", b"AccessKey=", b"AccountKey%3", b"AccessKey%3"),
        rb"(?:AccountKey|(?<=Shared)AccessKey)(?:=|%3[Dd])(?=" + B64_SIGN + rb"{20})(" + B64 + PAD + rb")",
        b"AccountName=x;AccountKey=" + _A + b"==;", b"AccountKey=<key>;",
    ),
    _rule(
        "aws-access-key", "aws", "AWS's access key ids", (b"AKIA", b"ASIA"),
        rb"(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])", b"AKIAQ7RSTUVWXYZ23456"[:20], b"AKIAlowercase0000000", word=True,
    ),
    _rule(
        "gcp-key", "gcp", "Google's API keys", (b"AIza",),
        rb"AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])", b"AIza" + _A[:35], b"AIza" + _A[:20], word=True,
    ),
    _rule(
        "gcp-oauth", "gcp", "Google's access tokens", (b"ya29.",),
        APART + rb"ya29\.[A-Za-z0-9_.-]{20,}+", b"ya29." + _A, b"ya29.token",
    ),
    _rule(
        "gcp-client", "gcp", "Google's client secrets", (b"GOCSPX-",),
        rb"GOCSPX-[A-Za-z0-9_-]{20,}+", b"GOCSPX-" + _X[:28], b"GOCSPX-secret", word=True,
    ),
    _rule(
        "github-token", "github", "GitHub's tokens: `ghp_`, `gho_`, `ghu_`, `ghs_`, `ghr_`",
        (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"), rb"gh[pousr]_[A-Za-z0-9_]{36,}+", b"ghp_" + _A[:36], b"ghp_token",
        word=True,
    ),
    _rule(
        "github-pat", "github", "GitHub's fine-grained tokens", (b"github_pat_",),
        rb"github_pat_[A-Za-z0-9_]{22,}+", b"github_pat_" + _A[:22] + b"_" + _A, b"github_pat_of_mine", word=True,
    ),
    _rule(
        "gitlab-token", "gitlab", "GitLab's tokens: personal, deploy, runner, trigger",
        (b"glpat-", b"gldt-", b"glrt-", b"glptt-"), rb"gl(?:pat|dt|rt|ptt)-[A-Za-z0-9_.-]{20,}+",
        b"glpat-" + _X[:20], b"glpat-short", word=True,
    ),
    _rule(
        "slack-token", "slack", "Slack's tokens", (b"xox", b"xapp-"),
        rb"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{15,}+", b"xoxb-123456789012-" + _X[:24], b"xoxb-token", mixed=True, word=True,
    ),
    _rule(
        "slack-webhook", "slack", "Slack's incoming webhooks", (b"hooks.slack.com",),
        rb"hooks\.slack\.com" + SLASH + rb"(?:services|workflows|triggers)" + SLASH + rb"((?:[A-Za-z0-9_]|" + SLASH
        + rb"){20,}+)",
        b"https://hooks.slack.com/services/T00000000/B00000000/" + _X[:24], b"https://hooks.slack.com/services/",
    ),
    _rule(
        "stripe-key", "stripe", "Stripe's secret and restricted keys",
        (b"sk_live_", b"sk_test_", b"rk_live_", b"rk_test_"), rb"[sr]k_(?:live|test)_[A-Za-z0-9]{16,}+",
        b"sk_live_" + _X[:24], b"sk_live_key", word=True,
    ),
    _rule(
        "webhook-secret", "stripe", "secrets of webhooks, as Stripe and others sign them", (b"whsec_",),
        APART + rb"whsec_[A-Za-z0-9+/=]{24,}+", b"whsec_" + _X[:30] + b"+/", b"whsec_key",
    ),
    _rule(
        "huggingface-token", "huggingface", "Hugging Face's tokens", (b"hf_",),
        rb"hf_[A-Za-z0-9]{30,}+", b"hf_" + (_A)[:34], b"hf_hub_download", word=True,
    ),
    _rule(
        "npm-token", "npm", "npm's tokens", (b"npm_",),
        rb"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])", b"npm_" + _A[:36], b"npm_config_registry", word=True,
    ),
    _rule(
        "pypi-token", "pypi", "PyPI's upload tokens", (b"pypi-",),
        rb"pypi-[A-Za-z0-9_-]{50,}+", b"pypi-AgEIcHlwaS5vcmc" + _A, b"pypi-publish", word=True,
    ),
    _rule(
        "jwt", "jwt", "JSON Web Tokens", (b"eyJ",),
        rb"eyJ[A-Za-z0-9_-]{17,}+\.eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+",
        b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0." + _A[:43], b"eyJhbGciOiJIUzI1NiJ9", word=True,
    ),
    _rule(
        "private-key", "pem", "private keys in PEM, those of service accounts among them", (b"-----BEGIN",),
        rb"-----BEGIN[A-Z0-9 +%]{0,60}PRIVATE(?: |\+|%20)KEY[A-Z0-9 +%]{0,20}-----(?:[^\"-]++|-(?!----))*+"
        rb"(?:-----END[A-Z0-9 +%]{0,80}-----)?",
        b"-----BEGIN RSA PRIVATE KEY-----\\n" + _A + b"\\n-----END RSA PRIVATE KEY-----\\n", b"-----BEGIN CERTIFICATE-----",
    ),
    _rule(
        "url-password", "url", "the password of an URL's user", (b"://", b"%3A%2F%2F", b"%3a%2f%2f"),
        rb"://[^\s/?#\"'<>\\@:]*+:([^\s/?#\"'<>\\@]++)@"
        rb"|%3[Aa]%2[Ff]%2[Ff](?:[^%&\s\"]++|%(?!3[Aa]|40|2[Ff]))*+%3[Aa]((?:[^%&\s\"]++|%(?!40|2[Ff]|3[Ff]|23))++)%40",
        b"postgres://app:" + _X[:12] + b"@db/main",
        b"http://host:8080/a@b",
        where="URLs in any text",
    ),
    _rule(
        "bearer", "bearer", "what follows `Bearer`", (b"earer ", b"earer%20", b"earer+"),
        rb"earer(?: |\+|%20)++([A-Za-z0-9._~/-][A-Za-z0-9._~+/-]{11,}+={0,2})", b"Authorization: Bearer " + _A,
        b"the bearer of this-letter", mixed=True,
    ),
)  # fmt: skip

WORD = 20
"""Characters of the shortest word that a rule with `word` looks at."""
AT_A_WORD = {
    marker: [rule for rule in RULES if rule.word and any(marker.startswith(each) for each in rule.markers)]
    for marker in sorted(
        {marker for rule in RULES if rule.word for marker in rule.markers}, key=lambda marker: -len(marker)
    )
}
"""The rules whose secrets may begin with a marker, the longest marker first."""
_GUARDS = (b"%", b"=", b"earer")
"""What several markers have in common: where it does not stand, they do not."""


def _guard(marker: bytes) -> bytes:
    return next((guard for guard in _GUARDS if guard in marker), marker)


_ELSEWHERE = [(marker, rule) for rule in RULES if not rule.word for marker in rule.markers]
ANYWHERE = [
    (guard, [(marker, rule) for marker, rule in _ELSEWHERE if _guard(marker) == guard])
    for guard in dict.fromkeys(_guard(marker) for marker, _ in _ELSEWHERE)
]
"""The markers of all other rules, below what guards them."""
BEGINS = re.compile(
    rb"(?:(?<=\\)(?:[nrtbf]|u[0-9A-Fa-f]{4})|(?<=%)[0-9A-Fa-f]{2})?(" + b"|".join(map(re.escape, AT_A_WORD)) + rb")"
)
"""The beginning of a word with a marker, behind the escape that may stand before it."""
FIRST = frozenset(marker[0] for marker in AT_A_WORD)
ESCAPES = frozenset(b"\\%")


def table_as_markdown() -> str:
    """The table for the documentation."""
    rows = ["| rule | what it finds | where |", "|---|---|---|"]
    rows += [f"| `{rule.name}` | {rule.what} | {rule.where} |" for rule in RULES]
    return "\n".join(rows) + "\n"
