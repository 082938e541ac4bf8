"""Who is let in to an inspector in a browser: a row of the table each."""

import pytest
from respool.inspector.gate import Gate

ADDRESS = "127.0.0.1:4000"
OWN = {"Host": ADDRESS, "Origin": f"http://{ADDRESS}"}


@pytest.fixture
def gate():
    return Gate(ADDRESS, "t0ken", "c00kie")


def status(gate, path="/", *, method="GET", headers=OWN, cookie="c00kie"):
    return gate.judge(method, path, headers, {} if cookie is None else {"respool-4000": cookie}).status


@pytest.mark.parametrize("path", ["/", "/ws", "/static/js/textual.js", "/download/x"])
def test_the_cookie_opens_every_path(gate, path):
    assert status(gate, path) == 200


@pytest.mark.parametrize("path", ["/", "/ws", "/static/js/textual.js", "/download/x", "/anything"])
@pytest.mark.parametrize("cookie", [None, "", "c00kiex", "t0ken", "é"])
def test_without_the_right_cookie_no_path_is_open(gate, path, cookie):
    assert status(gate, path, cookie=cookie) == 403


def test_the_link_works_once(gate):
    assert gate.link == "http://127.0.0.1:4000/open/t0ken"
    assert status(gate, "/open/t0ken", headers={"Host": ADDRESS}, cookie=None) == 303
    again = gate.judge("GET", "/open/t0ken", {"Host": ADDRESS}, {})
    assert again.status == 403
    assert "works once" in again.why


@pytest.mark.parametrize("path", ["/open/", "/open/t0ke", "/open/t0ken/", "/open/T0KEN", "/open/c00kie"])
def test_another_link_is_none_and_spends_nothing(gate, path):
    assert status(gate, path, cookie=None) == 403
    assert not gate.used


def test_a_look_ahead_does_not_spend_the_link(gate):
    assert status(gate, "/open/t0ken", method="HEAD", headers={"Host": ADDRESS}, cookie=None) == 405
    assert not gate.used


@pytest.mark.parametrize(
    "host", ["", "localhost:4000", "127.0.0.1", "127.0.0.1:4001", "evil.test", "127.0.0.1:4000.evil.test"]
)
@pytest.mark.parametrize("path", ["/", "/ws", "/open/t0ken"])
def test_another_host_is_refused_whatever_it_brings(gate, host, path):
    assert status(gate, path, headers={"Host": host}) == 421
    assert not gate.used


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "https://127.0.0.1:4000", "http://127.0.0.1:4001"])
@pytest.mark.parametrize("path", ["/", "/ws", "/open/t0ken"])
def test_a_page_of_another_origin_is_refused_whatever_it_brings(gate, origin, path):
    assert status(gate, path, headers={"Host": ADDRESS, "Origin": origin}) == 403
    assert not gate.used


def test_a_web_socket_without_an_origin_is_refused(gate):
    assert status(gate, "/ws", headers={"Host": ADDRESS}) == 403
    assert status(gate, "/", headers={"Host": ADDRESS}) == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_there_is_nothing_to_send(gate, method):
    assert status(gate, method=method) == 405


def test_each_server_has_tokens_of_its_own():
    one, other = Gate.at(ADDRESS), Gate.at(ADDRESS)
    assert len({one.token, one.cookie, other.token, other.cookie}) == 4
    assert min(map(len, (one.token, one.cookie))) >= 43
