"""The rule table: the shapes that credentials of known makers have, each with an example and a counter-example.

The documentation's table and the tests are made from it. A rule is looked for by its `markers`, plain text that every secret of
its kind holds; its pattern is then tried at that place alone. Every repetition is bounded and no two that touch can share a
character's worth of choices, so that the time grows with the length of a text whatever it is. Nothing here reads or writes.
"""

import re
from dataclasses import dataclass

TABLE_VERSION = 1
"""Stands in the notes of a cassette: the keys in its index were made of requests that these rules had gone through."""

APART = rb"(?:(?<![A-Za-z0-9_-])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4}))"
"""A token begins here: behind no other token's character, or behind an escape of JSON or of a percent-encoded text."""
SLASH = rb"(?:\\{0,7}/|%2[Ff])"
B64 = rb"(?:[A-Za-z0-9+]|\\{0,7}/|%2[FfBb]|\\{1,7}u00(?:2[BbFf]))"
PAD = rb"(?:=|%3[Dd]|\\{1,7}u003[Dd]){0,2}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret.

    `kind` names it in a pseudonym. `markers` are plain text; the pattern begins `back` bytes before one. Its group 1 is the
    secret, or all of it where it has no group. `mixed`: it counts only with a digit and a letter in it.
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
) -> Rule:
    return Rule(name, what, where, kind, markers, re.compile(pattern), example, counter, back, mixed)


_X = b"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z"
"""What the examples are made of: no secret of anybody."""
_A = _X + _X[:17]

RULES: tuple[Rule, ...] = (
    _rule(
        "anthropic-key", "anthropic", "Anthropic's API and admin keys", (b"sk-ant-",),
        APART + rb"sk-ant-[a-z0-9]{2,12}-[A-Za-z0-9_-]{20,200}", b"sk-ant-api03-" + _A, b"sk-ant-api03-short",
    ),
    _rule(
        "openai-key", "openai", "OpenAI's keys: `sk-`, `sk-proj-`, `sk-svcacct-`, `sk-admin-`, with and without infix",
        (b"sk-",), APART + rb"sk-[A-Za-z0-9_-]{20,220}", b"sk-proj-" + _A, b"sk-learn-is-a-name-of-a-package", mixed=True,
    ),
    _rule(
        "openai-session", "openai", "OpenAI's session keys and short-lived client keys", (b"sess-", b"ek_"),
        APART + rb"(?:sess-|ek_)[A-Za-z0-9]{24,100}", b"sess-" + _A[:40], b"sess-2026-11-25", mixed=True,
    ),
    _rule(
        "azure-key", "azure", "Azure's keys of 84 characters", (b"JQQJ9",),
        APART + rb"[A-Za-z0-9]{52}JQQJ9[A-Za-z0-9]{27}(?![A-Za-z0-9])",
        (_X + _X)[:52] + b"JQQJ99" + _X[:26], b"JQQJ99" + _X[:26], back=52,
    ),
    _rule(
        "azure-sas", "azure", "the signature of a shared access signature (`sig=`)", (b"sig=", b"sig%3D", b"sig%3d"),
        APART + rb"sig(?:=|%3[Dd])(" + B64 + rb"{40,90}" + PAD + rb")",
        b"sv=2024-11-04&sig=" + _X + b"%2B" + _X[:11] + b"%3D", b"sig=none", where="URLs in any text",
    ),
    _rule(
        "azure-connection-string", "azure", "`AccountKey` and `SharedAccessKey` of a connection string",
        (b"AccountKey", b"SharedAccessKey"), rb"(?:AccountKey|SharedAccessKey)(?:=|%3[Dd])(" + B64 + rb"{20,120}" + PAD + rb")",
        b"AccountName=x;AccountKey=" + _A + b"==;", b"AccountKey=<key>;",
    ),
    _rule(
        "aws-access-key", "aws", "AWS's access key ids", (b"AKIA", b"ASIA"),
        APART + rb"(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])", b"AKIAQ7RSTUVWXYZ23456"[:20], b"AKIAlowercase0000000",
    ),
    _rule(
        "gcp-key", "gcp", "Google's API keys", (b"AIza",),
        APART + rb"AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])", b"AIza" + _A[:35], b"AIza" + _A[:20],
    ),
    _rule(
        "gcp-oauth", "gcp", "Google's access tokens and client secrets", (b"ya29.", b"GOCSPX-"),
        APART + rb"(?:ya29\.[A-Za-z0-9_.-]{20,2048}|GOCSPX-[A-Za-z0-9_-]{20,60})", b"GOCSPX-" + _X[:28], b"GOCSPX-secret",
    ),
    _rule(
        "github-token", "github", "GitHub's tokens: `ghp_`, `gho_`, `ghu_`, `ghs_`, `ghr_`",
        (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"), APART + rb"gh[pousr]_[A-Za-z0-9_]{36,255}", b"ghp_" + _A[:36],
        b"ghp_token",
    ),
    _rule(
        "github-pat", "github", "GitHub's fine-grained tokens", (b"github_pat_",),
        APART + rb"github_pat_[A-Za-z0-9_]{22,255}", b"github_pat_" + _A[:22] + b"_" + _A, b"github_pat_of_mine",
    ),
    _rule(
        "gitlab-token", "gitlab", "GitLab's tokens: personal, deploy, runner, trigger",
        (b"glpat-", b"gldt-", b"glrt-", b"glptt-"), APART + rb"gl(?:pat|dt|rt|ptt)-[A-Za-z0-9_.-]{20,300}",
        b"glpat-" + _X[:20], b"glpat-short",
    ),
    _rule(
        "slack-token", "slack", "Slack's tokens", (b"xox", b"xapp-"),
        APART + rb"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{15,250}", b"xoxb-123456789012-" + _X[:24], b"xoxb-token", mixed=True,
    ),
    _rule(
        "slack-webhook", "slack", "Slack's incoming webhooks", (b"hooks.slack.com",),
        rb"hooks\.slack\.com" + SLASH + rb"(?:services|workflows|triggers)" + SLASH + rb"((?:[A-Za-z0-9_]|" + SLASH
        + rb"){20,120})",
        b"https://hooks.slack.com/services/T00000000/B00000000/" + _X[:24], b"https://hooks.slack.com/services/",
    ),
    _rule(
        "stripe-key", "stripe", "Stripe's secret and restricted keys, and webhook secrets",
        (b"sk_live_", b"sk_test_", b"rk_live_", b"rk_test_", b"whsec_"),
        APART + rb"(?:[sr]k_(?:live|test)_[A-Za-z0-9]{16,250}|whsec_[A-Za-z0-9+/=]{24,100})", b"sk_live_" + _X[:24],
        b"sk_live_key",
    ),
    _rule(
        "huggingface-token", "huggingface", "Hugging Face's tokens", (b"hf_",),
        APART + rb"hf_[A-Za-z0-9]{30,60}(?![A-Za-z0-9])", b"hf_" + (_A)[:34], b"hf_hub_download",
    ),
    _rule(
        "npm-token", "npm", "npm's tokens", (b"npm_",),
        APART + rb"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])", b"npm_" + _A[:36], b"npm_config_registry",
    ),
    _rule(
        "pypi-token", "pypi", "PyPI's upload tokens", (b"pypi-",),
        APART + rb"pypi-[A-Za-z0-9_-]{50,300}", b"pypi-AgEIcHlwaS5vcmc" + _A, b"pypi-publish",
    ),
    _rule(
        "jwt", "jwt", "JSON Web Tokens", (b"eyJ",),
        APART + rb"eyJ[A-Za-z0-9_-]{8,4096}\.eyJ[A-Za-z0-9_-]{8,8192}\.[A-Za-z0-9_-]{8,2048}",
        b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0." + _A[:43], b"eyJhbGciOiJIUzI1NiJ9",
    ),
    _rule(
        "private-key", "pem", "private keys in PEM, those of service accounts among them", (b"-----BEGIN",),
        rb"-----BEGIN[A-Z0-9 +%]{0,60}PRIVATE(?: |\+|%20)KEY[A-Z0-9 +%]{0,20}-----(?:[^\"-]|-(?!----)){0,16384}"
        rb"(?:-----END[A-Z0-9 +%]{0,80}-----)?",
        b"-----BEGIN RSA PRIVATE KEY-----\\n" + _A + b"\\n-----END RSA PRIVATE KEY-----\\n", b"-----BEGIN CERTIFICATE-----",
    ),
    _rule(
        "url-password", "url", "the password of an URL's user", (b"://", b"%3A%2F%2F", b"%3a%2f%2f"),
        rb"://[^\s/?#\"'<>\\@:]{0,256}:([^\s/?#\"'<>\\@]{1,256})@"
        rb"|%3[Aa]%2[Ff]%2[Ff][^%&\s\"]{0,96}%3[Aa]((?:[^%&\s\"]|%(?!40)[0-9A-Fa-f]{2}){1,96})%40",
        b"postgres://app:" + _X[:12] + b"@db/main",
        b"http://host:8080/a@b",
        where="URLs in any text",
    ),
    _rule(
        "bearer", "bearer", "what follows `Bearer`", (b"earer ", b"earer%20", b"earer+"),
        rb"earer(?: |\+|%20)+([A-Za-z0-9._~+/-]{12,1024}={0,2})", b"Authorization: Bearer " + _A, b"the bearer of this-letter",
        mixed=True,
    ),
)  # fmt: skip

GATE = re.compile(
    rb"[-_=](?=[A-Za-z0-9%+/\\_-]{9})(?:(?<=sk-)|(?<=[sr]k_)|(?<=ek_)|(?<=gh[pousr]_)|(?<=hf_)|(?<=npm_)|(?<=sess-)"
    rb"|(?<=xox[abeoprs]-)|(?<=xapp-)|(?<=gl[dr]t-)|(?<=glptt-)|(?<=glpat-)|(?<=pypi-)|(?<=sig=)|(?<=Key=)"
    rb"|(?<=_pat_)|(?<=whsec_)|(?<=CSPX-))|A(?:KIA|SIA|Iza)|J(?:(?<=eyJ)|QQJ9)"
)
"""The first test: found wherever a rule's marker stands with enough behind it, in one pass. What it misses has no marker but one
of `PLAIN_MARKERS`."""
PLAIN_MARKERS = (
    b"://",
    b"-----BEGIN",
    b"earer",
    b"ya29.",
    b"hooks.slack.com",
    b"%2F%2F",
    b"%2f%2f",
    b"sig%3",
    b"Key%3",
)


def table_as_markdown() -> str:
    """The table for the documentation."""
    rows = ["| rule | what it finds | where |", "|---|---|---|"]
    rows += [f"| `{rule.name}` | {rule.what} | {rule.where} |" for rule in RULES]
    return "\n".join(rows) + "\n"
