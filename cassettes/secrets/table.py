"""The rule table: the shapes that credentials of known makers have, each with an example and a counter-example.

The documentation's table and the tests are made from it. A rule is looked for by its `markers`, plain text that every secret of
its kind holds; its pattern is then tried at that place alone. No secret is too long to go whole: each is a run of one class of
characters that gives nothing back, and what ends it stands before any place where the next one can begin. So no character is
looked at more often than there are runs in a pattern, and the time grows with the length of a text whatever it is.
"""

import re

from ..vocabulary import ANY_PREFIX
from .makers import MAKERS
from .rule import APART, B64, B64_PLAIN, B64_SIGN, PAD, SLASH, A, Rule, X
from .rule import rule as _rule

TABLE_VERSION = 3
"""Stands in the notes of a cassette: the keys in its index were made of requests that these rules had gone through. Version 1
took all secrets for one word in matching, and looked neither at numbers and lists beside telling names nor at base64 in lines.
Version 2 knew fewer makers, fewer ways to put a value beside a name, and no text whose letters are spelled as escapes."""

RULES: tuple[Rule, ...] = (
    _rule(
        "anthropic-key", "anthropic", "Anthropic's API and admin keys", (b"sk-ant-",),
        rb"sk-ant-[a-z0-9]{2,12}-[A-Za-z0-9_-]{20,}+", b"sk-ant-api03-" + A, b"sk-ant-api03-short", word=True,
    ),
    _rule(
        "openai-key", "openai", "OpenAI's keys: `sk-`, `sk-proj-`, `sk-svcacct-`, `sk-admin-`, with and without infix",
        (b"sk-",), rb"sk-[A-Za-z0-9_-]{20,}+", b"sk-proj-" + A, b"sk-learn-is-a-name-of-a-package", mixed=True, word=True,
    ),
    _rule(
        "openai-session", "openai", "OpenAI's session keys and short-lived client keys", (b"sess-", b"ek_"),
        rb"(?:sess-|ek_)[A-Za-z0-9_]{24,}+", b"sess-" + A[:40], b"sess-2026-11-25", mixed=True, word=True,
    ),
    _rule(
        "azure-key", "azure", "Azure's keys of 84 characters", (b"JQQJ9",),
        APART + rb"[A-Za-z0-9]{52}JQQJ9[A-Za-z0-9]{27}(?![A-Za-z0-9])",
        (X + X)[:52] + b"JQQJ99" + X[:26], b"JQQJ99" + X[:26], back=52, run=True,
    ),
    _rule(
        "azure-sas", "azure", "the signature of a shared access signature (`sig=`)", (b"sig=", b"sig%3D", b"sig%3d"),
        APART + rb"sig(?:=|%3[Dd])(?=" + B64_SIGN + rb"{40})(" + B64 + PAD + rb")",
        b"sv=2024-11-04&sig=" + X + b"%2B" + X[:11] + b"%3D", b"sig=none", where="URLs in any text",
    ),
    _rule(
        "azure-connection-string", "azure", "`AccountKey` and `SharedAccessKey` of a connection string",
        (b"AccountKey=", b"AccessKey=", b"AccountKey%3", b"AccessKey%3"),
        rb"(?:AccountKey|(?<=Shared)AccessKey)(?:=|%3[Dd])(?=" + B64_SIGN + rb"{20})(" + B64 + PAD + rb")",
        b"AccountName=x;AccountKey=" + A + b"==;", b"AccountKey=<key>;",
    ),
    _rule(
        "aws-access-key", "aws", "AWS's access key ids", (b"AKIA", b"ASIA"),
        rb"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])", b"AKIAQ7RSTUVWXYZ23456"[:20], b"AKIAlowercase0000000", word=True,
    ),
    _rule(
        "gcp-key", "gcp", "Google's API keys", (b"AIza",),
        rb"AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])", b"AIza" + A[:35], b"AIza" + A[:20], word=True,
    ),
    _rule(
        "gcp-oauth", "gcp", "Google's access tokens", (b"ya29.",),
        APART + rb"ya29\.[A-Za-z0-9_.-]{20,}+", b"ya29." + A, b"ya29.token",
    ),
    _rule(
        "gcp-client", "gcp", "Google's client secrets", (b"GOCSPX-",),
        rb"GOCSPX-[A-Za-z0-9_-]{20,}+", b"GOCSPX-" + X[:28], b"GOCSPX-secret", word=True,
    ),
    _rule(
        "github-token", "github", "GitHub's tokens: `ghp_`, `gho_`, `ghu_`, `ghs_`, `ghr_`",
        (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"), rb"gh[pousr]_[A-Za-z0-9_]{36,}+", b"ghp_" + A[:36], b"ghp_token",
        word=True,
    ),
    _rule(
        "github-pat", "github", "GitHub's fine-grained tokens", (b"github_pat_",),
        rb"github_pat_[A-Za-z0-9_]{22,}+", b"github_pat_" + A[:22] + b"_" + A, b"github_pat_of_mine", word=True,
    ),
    _rule(
        "gitlab-token", "gitlab", "GitLab's tokens: personal, deploy, runner, trigger",
        (b"glpat-", b"gldt-", b"glrt-", b"glptt-"), rb"gl(?:pat|dt|rt|ptt)-[A-Za-z0-9_.-]{20,}+",
        b"glpat-" + X[:20], b"glpat-short", word=True,
    ),
    _rule(
        "slack-token", "slack", "Slack's tokens", (b"xox", b"xapp-"),
        rb"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{15,}+", b"xoxb-123456789012-" + X[:24], b"xoxb-token", mixed=True, word=True,
    ),
    _rule(
        "slack-webhook", "slack", "Slack's incoming webhooks", (b"hooks.slack.com", b"hooks.slack-gov.com"),
        rb"hooks\.slack(?:-gov)?\.com" + SLASH + rb"(?:services|workflows|triggers)" + SLASH + rb"((?:[A-Za-z0-9_]|" + SLASH
        + rb"){20,}+)",
        b"https://hooks.slack.com/services/T00000000/B00000000/" + X[:24], b"https://hooks.slack.com/services/",
    ),
    _rule(
        "stripe-key", "stripe", "Stripe's secret and restricted keys",
        (b"sk_live_", b"sk_test_", b"sk_prod_", b"sk_org_", b"rk_live_", b"rk_test_", b"rk_prod_"),
        rb"[sr]k_(?:org_)?(?:live|test|prod)_[A-Za-z0-9]{12,}+",
        b"sk_live_" + X[:24], b"sk_live_key", word=True,
    ),
    _rule(
        "webhook-secret", "stripe", "secrets of webhooks, as Stripe and others sign them", (b"whsec_",),
        APART + rb"whsec_[A-Za-z0-9+/=]{24,}+", b"whsec_" + X[:30] + b"+/", b"whsec_key",
    ),
    _rule(
        "huggingface-token", "huggingface", "Hugging Face's tokens", (b"hf_",),
        rb"hf_[A-Za-z0-9]{30,}+", b"hf_" + (A)[:34], b"hf_hub_download", word=True,
    ),
    _rule(
        "npm-token", "npm", "npm's tokens", (b"npm_",),
        rb"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])", b"npm_" + A[:36], b"npm_config_registry", word=True,
    ),
    _rule(
        "pypi-token", "pypi", "PyPI's upload tokens", (b"pypi-",),
        rb"pypi-[A-Za-z0-9_-]{50,}+", b"pypi-AgEIcHlwaS5vcmc" + A, b"pypi-publish", word=True,
    ),
    _rule(
        "jwt", "jwt", "JSON Web Tokens", (b"eyJ",),
        rb"eyJ[A-Za-z0-9_-]{17,}+\.eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+",
        b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0." + A[:43], b"eyJhbGciOiJIUzI1NiJ9", word=True,
    ),
    _rule(
        "private-key", "pem", "private keys in PEM, those of service accounts among them", (b"-----BEGIN",),
        rb"-----BEGIN[A-Z0-9 +%]{0,60}PRIVATE(?: |\+|%20)KEY[A-Z0-9 +%]{0,20}-----"
        rb"(?:(?:[A-Za-z0-9+/=\s\\\"',:;.()<>@_\[\]]++|-(?!----))*+-----END[A-Z0-9 +%]{0,80}-----"
        rb"|(?:[^\"-]++|-(?!----))*+(?:-----END[A-Z0-9 +%]{0,80}-----)?)",
        b"-----BEGIN RSA PRIVATE KEY-----\\n" + A + b"\\n-----END RSA PRIVATE KEY-----\\n", b"-----BEGIN CERTIFICATE-----",
    ),
    _rule(
        "url-password", "url", "the password of an URL's user", (b"://", b"%3A%2F%2F", b"%3a%2f%2f"),
        rb"://[^\s/?#\"'<>\\@:]*+:([^\s/?#\"'<>\\]{1,128}|[^\s/?#\"'<>\\@]++)@"
        rb"|%3[Aa]%2[Ff]%2[Ff](?:[^%&\s\"]++|%(?!3[Aa]|40|2[Ff]))*+%3[Aa]((?:[^%&\s\"]++|%(?!40|2[Ff]|3[Ff]|23))++)%40",
        b"postgres://app:" + X[:12] + b"@db/main",
        b"http://host:8080/a@b",
        where="URLs in any text",
    ),
    _rule(
        "bearer", "bearer", "what follows `Bearer`", (b"earer ", b"earer%20", b"earer+"),
        rb"earer(?: |\+|%20)++([A-Za-z0-9._~/-][A-Za-z0-9._~+/-]{11,}+={0,2})", b"Authorization: Bearer " + A,
        b"the bearer of this-letter", mixed=True,
    ),
    _rule(
        "basic-pair", "password", "the password of a pair that a program signs in with: `auth=(...)`",
        (b"auth=(", b"auth = (", b"auth=HTTPBasicAuth("),
        rb"auth ?= ?(?:HTTPBasicAuth)?\(\\{0,7}[\"'][^\"'\\]{0,64}+\\{0,7}[\"'], {0,2}+\\{0,7}[\"']"
        rb"(?![<$%{*]|(?:your|my|the)?[-_ ]?(?:passw(?:or)?d|pass|secret|token|key)[\"'\\])([^\"'\\\r\n]{4,}+)",
        b'get(url, auth=("me", "' + X[:12] + b'"))', b'auth=("me", "")', since=3,
    ),
    _rule(
        "private-key-file", "pem", "private keys of PuTTY and of SSH2", (b"Private-Lines:", b"---- BEGIN SSH2"),
        rb"Private-Lines: {0,4}[0-9]{1,4}(?:(?:\r?\n|(?:\\{1,7}r)?\\{1,7}n)[A-Za-z0-9+/]++={0,2}(?![A-Za-z:-]))++"
        rb"|---- BEGIN SSH2 [A-Z ]{0,40}PRIVATE KEY ----(?:[A-Za-z0-9+/=\s\\:,.@\"]++|-(?!---))*+",
        b"Private-Lines: 2\n" + A + b"\n" + X + b"=\n", b"Private-Lines: none", since=3,
    ),
    _rule(
        "jose", "jwt", "encrypted and other tokens that begin as a JSON Web Token does", (b"eyJ",),
        rb"eyJ[A-Za-z0-9_-]{17,}+\.[A-Za-z0-9_-]*+\.[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+)?+",
        b"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0.." + X[:16] + b"." + A + b"." + X[:22], b"eyJhbGciOiJkaXIiLCJlbmM.json",
        word=True, since=3,
    ),
    _rule(
        "azure-signed-key", "azure", "Azure's keys with a maker's mark: storage, buses, search, functions, registries",
        (b"APIM", b"ACDb", b"+ABa", b"+AMC", b"+ASt"),
        APART + B64_PLAIN + rb"{76}(?:APIM|ACDb|\+(?:ABa|AMC|ASt))" + B64_PLAIN + rb"{6}(?:==)?",
        A + A[:28] + b"+ASt" + X[:6] + b"==", b"APIM is a product", back=76, since=3, run=True,
    ),
    _rule(
        "azure-bus-key", "azure", "Azure's keys of 44 characters with a maker's mark",
        (b"AIoT", b"+ASb", b"+AEh", b"+ARm", b"AzCa"),
        APART + B64_PLAIN + rb"{33}(?:AIoT|\+A(?:Sb|Eh|Rm)|AzCa)" + B64_PLAIN + rb"{6}=?",
        A[:33] + b"+ASb" + X[:6] + b"=", b"AIoT is a product", back=33, since=3, run=True,
    ),
    _rule(
        "azure-search-key", "azure", "keys of Azure's search and container registries", (b"AzSe", b"+ACR"),
        APART + B64_PLAIN + rb"{42}(?:AzSe|\+ACR)[A-D][A-Za-z0-9]{5}", A[:42] + b"AzSeC" + X[:5], b"AzSearch",
        back=42, since=3, run=True,
    ),
    _rule(
        "azure-function-key", "azure", "keys of Azure's functions", (b"AzFu",),
        APART + rb"[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{6}(?:==)?", A[:44] + b"AzFu" + X[:6] + b"==", b"AzFunction",
        back=44, since=3, run=True,
    ),
    _rule(
        "azure-devops-token", "azure", "Azure DevOps' tokens", (b"AZDO",),
        APART + rb"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}", A + A[:28] + b"AZDO" + X[:4], b"AZDO", back=76, since=3, run=True,
    ),
    _rule(
        "azure-client-secret", "azure", "client secrets of Microsoft's directory", (b"Q~",),
        APART + rb"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,}+", b"aB38Q~" + A[:34], b"aB38Q~short",
        back=4, since=3,
    ),
    _rule(
        "aws-bedrock-key", "aws", "AWS's keys for Bedrock", (b"ABSK", b"bedrock-api-key-"),
        rb"(?:ABSK|bedrock-api-key-)[A-Za-z0-9+/]{40,}+={0,2}", b"ABSK" + A, b"ABSKeleton", word=True, since=3,
    ),
    _rule(
        "gcp-refresh", "gcp", "Google's refresh tokens", (b"1//0", b"1\\/\\/0"),
        APART + rb"1" + SLASH + SLASH + rb"0[A-Za-z0-9_-]{40,}+", b"1//0" + A, b"https://1//0", since=3, run=True,
    ),
    _rule(
        "gcp-bound-key", "gcp", "Google's API keys of the newer form", (b"AQ.Ab",),
        APART + rb"AQ\.Ab[A-Za-z0-9_-]{33,}+", b"AQ.Ab8" + A, b"AQ.About", since=3, run=True,
    ),
    _rule(
        "gitlab-other", "gitlab", "GitLab's other tokens: jobs, feeds, mail, agents, applications, flags, workspaces",
        tuple(b"gl%b-" % each for each in (b"cbt", b"ft", b"imt", b"agent", b"oas", b"soat", b"ffct", b"rtr", b"wt")),
        rb"gl(?:cbt|ft|imt|agent|oas|soat|ffct|rtr|wt)-[A-Za-z0-9_.-]{20,}+", b"glcbt-64_" + X[:20], b"glcbt-short",
        word=True, since=3,
    ),
    _rule(
        "slack-session", "slack", "tokens of Slack's own clients and of workflows", (b"xoxc-", b"xoxd-", b"xwfp-"),
        rb"(?:xox[cd]|xwfp)-[A-Za-z0-9%+/=_-]{15,}+", b"xoxd-" + X + b"%2B" + X, b"xoxd-cookie", mixed=True, word=True,
        since=3,
    ),
    _rule(
        "huggingface-org", "huggingface", "Hugging Face's tokens of organisations", (b"api_org_",),
        rb"api_org_[A-Za-z0-9]{30,}+", b"api_org_" + A[:34], b"api_org_settings", word=True, since=3,
    ),
    _rule(
        "aws-session-token", "aws", "AWS's session tokens", (b"IQoJb3JpZ2lu", b"FwoGZXIvYXdz"),
        rb"(?:IQoJb3JpZ2lu|FwoGZXIvYXdz)[A-Za-z0-9+/%]{80,}+={0,2}", b"IQoJb3JpZ2luX2Vj" + A + A, b"IQoJb3JpZ2luX2Vj",
        word=True, since=3,
    ),
    _rule(
        "path-token", "url", "what stands in a path behind `token`, `secret`, `password` or `api-key`, drawn by lot",
        (b"token/", b"secret/", b"password/", b"apikey/", b"api-key/", b"api_key/"),
        rb"[a-z_-]{5,8}/((?!" + ANY_PREFIX + rb"[_-])(?:[0-9a-f]{32,}+(?![A-Za-z0-9_-])"
        rb"|(?=[A-Za-z_-]{0,64}+[0-9])(?=[a-z0-9_-]{0,64}+[A-Z])(?=[A-Z0-9_-]{0,64}+[a-z])[A-Za-z0-9_-]{26,}+))",
        b"https://h.example/v1/token/" + X, b"https://h.example/v1/token/of-the-users-of-2026-by-name",
        where="URLs in any text", since=3, run=True,
    ),
    _rule(
        "url-token", "url", "a token that is the user of an URL", (b"://",),
        rb"://([A-Za-z0-9_.~%-]{16,}+)@", b"https://" + X + b"@git.example/a", b"ssh://git@git.example/a",
        where="URLs in any text", mixed=True, since=3,
    ),
    _rule(
        "curl-user", "url", "the password that curl is given", (b"-u ", b"--user "),
        rb"(?:-u|--user) {1,4}+[\"'\\]{0,4}[A-Za-z0-9_.@+-]{0,64}+:([^\s\"'\\:]{6,}+)", b"curl -u me:" + X[:12],
        b"docker run -u 1000:1000",
        mixed=True, since=3,
    ),
    *MAKERS,
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
SINCE = {rule.name: rule.since for rule in RULES}
_GUARDS = (b"%", b"=", b"earer", b"+A", b"Az", b"webhooks", b"hooks.slack", b"----", b"//", b"hv", b"~", b"-u")
"""What several markers have in common: where it does not stand, they do not."""


def _guard(marker: bytes) -> bytes:
    return next((guard for guard in _GUARDS if guard in marker), marker)


def _guarded(rules: list[Rule]) -> list[tuple[bytes, list[tuple[bytes, Rule]]]]:
    pairs = [(marker, rule) for rule in rules for marker in rule.markers]
    guards = dict.fromkeys(_guard(marker) for marker, _ in pairs)
    return [(guard, [pair for pair in pairs if _guard(pair[0]) == guard]) for guard in guards]


RUN = 33
"""Letters in a row that every secret of a rule with `run` has."""
ANYWHERE = _guarded([rule for rule in RULES if not (rule.word or rule.run)])
"""The markers of the other rules, below what guards them."""
IN_RUNS = _guarded([rule for rule in RULES if rule.run])
"""Those of rules with `run`."""
BEGINS = re.compile(
    rb"(?:(?<=\\)(?:[nrtbf]|u[0-9A-Fa-f]{4})|(?<=%)[0-9A-Fa-f]{2})?[_-]{0,4}("
    + b"|".join(map(re.escape, AT_A_WORD))
    + rb")"
)
"""The beginning of a word with a marker, behind the escape and the underlines that may stand before it."""
FIRST = frozenset(b"_-") | frozenset(marker[0] for marker in AT_A_WORD)
ESCAPES = frozenset(b"\\%")


def table_as_markdown() -> str:
    """The table for the documentation."""
    rows = ["| rule | what it finds | where |", "|---|---|---|"]
    rows += [f"| `{rule.name}` | {rule.what} | {rule.where} |" for rule in RULES]
    return "\n".join(rows) + "\n"
