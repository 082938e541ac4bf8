"""A password is found however it is said to be one, and prose, code and schemas in which none is given stay."""

import json

import pytest
from respool.cassettes.secrets.finder import clean
from respool.cassettes.secrets.policy import PLAIN, Policy

PASSWORD = "hunter2-Xq"
KEY = "q8Zr2Lk9Vx3Tn7Wm4Pb"
SAID = [
    "**Password:** hunter2-Xq",
    "- **Password**: `hunter2-Xq`",
    "Password: `hunter2-Xq`",
    "password -> hunter2-Xq",
    "password → hunter2-Xq",
    "Password — hunter2-Xq",
    "API-Key - q8Zr2Lk9Vx3Tn7Wm4Pb",
    "密码：hunter2-Xq",
    "password: “hunter2-Xq”",
    "Passwort: „hunter2-Xq“",
    "Das Passwort lautet hunter2-Xq",
    "La contraseña es hunter2-Xq",
    "Le mot de passe est hunter2-Xq",
    "Passord: hunter2-Xq",
    "The temporary password for bob is hunter2-Xq",
    "I changed my password to hunter2-Xq",
    'use the password "hunter2-Xq" to log in',
    "CREATE USER bob WITH PASSWORD 'hunter2-Xq';",
    "SET PASSWORD FOR 'bob' = PASSWORD('hunter2-Xq');",
    "ENV DB_PASSWORD hunter2-Xq",
    "password: |\n  hunter2-Xq\nuser: bob",
    "private_token: >-\n  q8Zr2Lk9Vx3Tn7Wm4Pb\n",
    '<wsse:Password Type="x">hunter2-Xq</wsse:Password>',
    "<password><![CDATA[hunter2-Xq]]></password>",
    "<key>password</key><string>hunter2-Xq</string>",
    '<input name="password" type="hidden" value="hunter2-Xq">',
    '<meta name="csrf-token" content="q8Zr2Lk9Vx3Tn7Wm4Pb">',
    'get(url, auth=("bob", "hunter2-Xq"))',
    "Set-Cookie: sid=q8Zr2Lk9Vx3Tn7Wm4Pb; Path=/",
    "Cookie: theme=dark; sid=s%3Aq8Zr2Lk9Vx3Tn7Wm4Pb",
    'Set-Cookie: sid="q8Zr2Lk9Vx3Tn7Wm4Pb"; Path=/',
    "Cookie: prefs=a,b; sid=q8Zr2Lk9Vx3Tn7Wm4Pb",
    "Cookie: flag; sid=q8Zr2Lk9Vx3Tn7Wm4Pb",
    "Set-Cookie: q8Zr2Lk9Vx3Tn7Wm4Pb",
    '{"cookie": "q8Zr2Lk9Vx3Tn7Wm4Pb"}',
    "postgres://bob:p@ss-hunter2-Xq@db/x",
]


@pytest.mark.parametrize("said", SAID)
def test_it_goes_as_it_stands_and_in_strings_of_json(said):
    for text in (
        said.encode(),
        json.dumps({"content": said}).encode(),
        json.dumps(json.dumps([said], ensure_ascii=False)).encode(),
    ):
        kept = clean(text, PLAIN)
        assert PASSWORD.encode() not in kept, kept
        assert KEY.encode() not in kept, kept
    assert clean(said.encode(), PLAIN).count(b"REDACTED") == 1


def test_marks_around_a_value_stay():
    assert clean(b"Password: `hunter2-Xq`, and", PLAIN) == b"Password: `REDACTED`, and"
    assert clean(b"<password><![CDATA[hunter2-Xq]]></password>", PLAIN) == b"<password><![CDATA[REDACTED]]></password>"
    assert clean(b"Cookie: theme=dark; sid=q8Zr2Lk9Vx3T; x=1", PLAIN) == b"Cookie: theme=dark; sid=REDACTED; x=1"


def test_a_value_that_is_a_member_of_the_named_one_goes():
    text = json.dumps({"adminPassword": {"value": "open sesame"}, "size": {"value": "open sesame"}})
    assert json.loads(clean(text.encode(), PLAIN)) == {
        "adminPassword": {"value": "REDACTED"},
        "size": {"value": "open sesame"},
    }


def test_requests_of_older_cassettes_are_read_as_they_were():
    before = Policy.of(version=2)
    for said in (
        "Password: `hunter2-Xq`",
        '{"password": {"value": "hunter2-Xq"}}',
        "Set-Cookie: sid=q8Zr2Lk9Vx3Tn7Wm4Pb",
    ):
        assert clean(said.encode(), before) == said.encode()


@pytest.mark.parametrize(
    "text",
    [
        "the password for the account is required",
        "a token is for one user",
        "set the password to something long",
        "**Password:** (required)",
        "Password: `string`",
        "password - the user's password",
        "token — what a model reads",
        "api_key -> str",
        "the API key of each user is stored",
        "**max_tokens**: 4096",
        '{"password": {"type": "string", "minLength": 8}}',
        '{"token": {"value": 3}}',
        "def login(user, password): ...",
        "get_password('user')",
        "token->next",
        "cookie: a small file",
        "Cookies: we use them",
        "Set-Cookie: theme=dark; Path=/",
        '<input type="password" name="p">',
        "<token>value</token>",
        "https://example.org:8080/a@b",
        "http://localhost:8080/x?mail=me@example.org",
        '{"cookie": "chocolate"}',
        "https://a.example:443, or me@example.org",
        "a key for gpt-4o-mini is needed",
        "tokens to 4k context",
        "thread_abc123DEF456ghi789JKL012",
        '{"id": "msg_abc123DEF456ghi789JKL012", "object": "thread.message"}',
        "the key to success",
        'auth=("user", "<your password>")',
        'auth=("user", "${API_KEY}")',
        'auth=("user", "password")',
        'auth=("user", "your-secret")',
    ],
)
def test_what_gives_no_value_stays(text):
    assert clean(text.encode(), PLAIN) == text.encode()
