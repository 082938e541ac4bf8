"""Values beside telling names: strings, numbers and lists of both, at any depth of JSON, line by line too."""

import json

import pytest
from respool.cassettes.secrets.finder import canonical, clean
from respool.cassettes.secrets.policy import PLAIN, Policy
from respool.cassettes.secrets.pseudonyms import Pseudonyms

MADE = Pseudonyms(b"k" * 32)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"password": 12345678}, {"password": "REDACTED"}),
        ({"api_key": -12345678, "n": 1}, {"api_key": "REDACTED", "n": 1}),
        ({"api_keys": ["abc", "def"], "n": 12345}, {"api_keys": ["REDACTED", "REDACTED"], "n": 12345}),
        ({"passwords": [1234567, "x y z", 7654321]}, {"passwords": ["REDACTED", "REDACTED", "REDACTED"]}),
        ({"secrets": []}, {"secrets": []}),
        ({"secrets": [{"name": "a", "password": "b1"}]}, {"secrets": [{"name": "a", "password": "REDACTED"}]}),
        ({"access_tokens": ["one, two", 'three "3"']}, {"access_tokens": ["REDACTED", "REDACTED"]}),
    ],
)
@pytest.mark.parametrize("depth", range(4))
@pytest.mark.parametrize("indent", [None, 2])
def test_numbers_and_lists_go_and_json_stays_json(said, kept, depth, indent):
    text, wanted = json.dumps(said, indent=indent), json.dumps(kept, indent=indent)
    for _ in range(depth):
        text, wanted = json.dumps({"output": text}), json.dumps({"output": wanted})
    cleaned = clean(text.encode(), PLAIN)
    assert cleaned == wanted.encode()
    assert clean(cleaned, PLAIN) == cleaned
    put = clean(text.encode(), PLAIN, MADE)
    json.loads(put)
    assert clean(put, PLAIN, MADE) == put
    assert canonical(put, PLAIN) == canonical(text.encode(), PLAIN)


@pytest.mark.parametrize("value", ["$ecret-Word1", "%2Bab/cd", "<b>tag1", "*one-star1", "[x1", "{y2", "$a"])
def test_a_password_may_begin_as_a_placeholder_does(value):
    assert clean(json.dumps({"password": value}).encode(), PLAIN) == b'{"password": "REDACTED"}'


@pytest.mark.parametrize(
    "value",
    [
        "${SECRET}",
        "$SECRET",
        "$(cat key)",
        "%API_KEY%",
        "<your key>",
        "{key}",
        "{{ key }}",
        "[key]",
        "****1234",
        "xxxx",
    ],
)
def test_a_placeholder_stays(value):
    text = json.dumps({"password": value, "api_key": value}).encode()
    assert clean(text, PLAIN) == text


def test_json_line_by_line_is_read_like_any_other():
    lines = [
        json.dumps({"n": number, "password": f"hunter{number}", "pin_secret": 1000 + number}) for number in range(50)
    ]
    kept = clean("\n".join(lines).encode(), PLAIN).decode().splitlines()
    assert [json.loads(line) for line in kept] == [
        {"n": number, "password": "REDACTED", "pin_secret": "REDACTED"} for number in range(50)
    ]


def test_a_name_of_the_user_gives_any_number_away():
    assert clean(b'{"pin": 7, "x": [7]}', Policy.of(["name:pin"])) == b'{"pin": "REDACTED", "x": [7]}'
    assert clean(b'{"pins": [7, 8]}', Policy.of(["name:pins"])) == b'{"pins": ["REDACTED", "REDACTED"]}'


SET = "kX7qP2mZ9rT4wL6b"


@pytest.mark.parametrize(
    "text",
    [
        "password: hunter2!x",
        "first: 1\npassword: letmein\nlast: 2",
        "DB_PASS=opensesame",
        "DB_PASS: opensesame7",
        "export API_KEY=abc123def",
        f"my API key is {SET} ok",
        f"API key: {SET}",
        f"the password is: {SET}",
        f"os.environ['OPENAI_API_KEY'] = '{SET}'",
        f'headers["api-key"] = "{SET}"',
        f'password := "{SET}"',
        f"('password', '{SET}')",
        f"| password | {SET} |",
        f"ALTER USER a WITH PASSWORD '{SET}'",
        f"machine h login me password {SET}",
        f"- name: DB_PASSWORD\n  value: {SET}",
        f'{{"name": "Authorization", "value": "{SET}"}}',
        '{"name": "DB_PASSWORD", "value": "correct horse"}',
        f'<add key="ApiKey" value="{SET}" />',
        "<password>open sesame</password>",
        f"tool --token {SET} x",
        "tool --password hunter2x",
        '{"auths": {"https://r.example": {"auth": "bWU6YUIzZEU1Z0g3aks5"}}}',
        '{"key1": "0123456789abcdef0fedcba987654321"}',
        '{"smtp": {"user": "me", "pass": "open sesame"}}',
        '{"Kennwort": "open sesame"}',
        '{"contraseña": "open sesame"}',
        '{"mot_de_passe": "open sesame"}',
        '{"пароль": "open sesame"}',
        '{"密码": "open sesame"}',
        '{"パスワード": "open sesame"}',
        "Passwort: geheim12",
        f"senha: {SET}",
    ],
)
def test_each_way_to_put_a_value_beside_a_name_is_known(text):
    """And was not to the second table, whose cassettes are matched by it."""
    for said in (text, json.dumps({"content": text}), json.dumps({"content": text}, ensure_ascii=False)):
        kept = clean(said.encode(), PLAIN)
        for value in (SET, "hunter2", "letmein", "sesame", "abc123", "bWU6", "0123456789abcdef", "geheim"):
            assert value.encode() not in kept
        assert canonical(said.encode(), Policy.of(version=2)) == said.encode()
        assert clean(clean(said.encode(), PLAIN, MADE), PLAIN, MADE) == clean(said.encode(), PLAIN, MADE)


@pytest.mark.parametrize(
    "text",
    [
        "The password: please reset it now. Password: required",
        "def f(password: str, api_key: Optional[str] = None, secret=None): secret = get_secret('x')",
        "if password == other_password: token = token_from_env",
        '<label for="password">Enter your password here</label>',
        "The --password option is required; use --token TOKEN, --api-key YOUR_API_KEY or --password=$PASSWORD",
        "The session is 3 hours long and the key is on the table; the token is invalid; API key: see the docs",
        "| password | string | yes |\n| api_key | str | required |",
        "name: secret-reader\nvalue: yes please",
        '{"name": "session", "value": "morning"}',
        "pass: 12 tests, passed: 31, compass: northwest99, bypass=1234567",
        '{"pass": true, "auth": {"type": "oauth2"}, "auth": "none", "key1": "value1", "keyboard": "querty12345678"}',
        "docker run -u 1000:1000 node:18; sort -u file1.txt:3",
        "Senha incorreta. Contraseña: obligatoria. пароль: неверный. Kennwort vergessen?",
        "password_hash_algorithm: bcrypt-sha256-v2, token_endpoint: https://a.example/oauth2/token",
        "https://user@example.com/x, git@github.com:org/repo.git, https://medium.example/@someuser1234567890abc/post",
    ],
)
def test_prose_code_and_tables_about_secrets_stay(text):
    for said in (text, json.dumps({"content": text}), json.dumps({"content": text}, ensure_ascii=False)):
        assert clean(said.encode(), PLAIN) == said.encode()


@pytest.mark.parametrize("name", [b'name="password"', b"name=password"])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_the_part_of_a_form_may_be_named_without_quotes_and_end_its_lines_anyhow(name, end):
    part = b"--B\r\nContent-Disposition: form-data; " + name + b"\r\nX-A: b\r\n\r\nopen sesame\r\n--B--\r\n"
    assert b"sesame" not in clean(part.replace(b"\r\n", end), PLAIN)


def test_a_quoted_word_at_the_end_of_a_paragraph_is_no_part():
    text = b'They call it the "password"\n\nNext day all was well.'
    assert clean(text, PLAIN) == text


def test_a_cassette_of_the_first_table_is_matched_by_it():
    first = Policy.of(version=1)
    text = b'{"password": 12345678, "api_keys": ["abc"], "client_secret": "x1"}'
    assert canonical(text, first) == b'{"password": 12345678, "api_keys": ["abc"], "client_secret": "REDACTED"}'


@pytest.mark.parametrize("begun", ['"password": ', '"password" : ', '"api_keys": [', '"api_keys": ["one of them", '])
def test_a_name_at_the_end_of_a_piece_takes_nothing_of_what_follows_the_piece(begun):
    piece = json.dumps({"delta": {"value": begun}})
    data = f"data: {piece}\n\nevent: x\ndata: {piece}\n\n".encode()
    for line in clean(data, PLAIN).decode().splitlines():
        if line.startswith("data:"):
            assert json.loads(line[5:])["delta"]["value"].startswith(begun[:12])


@pytest.mark.parametrize("said", ["{'password': \"open sesame now\"}", "{\"password\": 'open sesame now'}"])
def test_the_quotes_of_a_name_and_of_its_value_may_differ(said):
    for text in (said, json.dumps({"said": said})):
        assert b"sesame" not in clean(text.encode(), PLAIN)
