"""An upstream that cannot prove who it is gets no byte of a request; the client gets a 502 that says why."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from respool.proxy.record import Recorder
from respool.proxy.server import serve
from respool.proxy.upstream import Origin, Upstream

SECRET = b"sk-planted-0123456789"


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def client_context(authority=None):
    context = ssl.create_default_context()
    if authority is not None:
        authority.configure_trust(context)
    return context


def certificate(authority, kind):
    now = datetime.now(UTC)
    if kind == "expired":
        return authority.issue_cert("localhost", not_before=now - timedelta(9), not_after=now - timedelta(1))
    if kind == "not yet valid":
        return authority.issue_cert("localhost", not_before=now + timedelta(1), not_after=now + timedelta(9))
    if kind == "wrong name":
        return authority.issue_cert("elsewhere.test")
    if kind == "wildcard of another name":
        return authority.issue_cert("*.localhost.test")
    if kind == "unknown authority":
        return trustme.CA().issue_cert("localhost")
    return authority.issue_cert("localhost")


class Heard:
    def __init__(self, port):
        self.port = port
        self.bytes = b""
        self.connections = 0


@asynccontextmanager
async def upstream(context):
    """A server that takes down every byte that comes through its TLS."""

    async def connected(reader, writer):
        heard.connections += 1
        while data := await reader.read(65536):
            heard.bytes += data
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            break
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    heard = Heard(server.sockets[0].getsockname()[1])
    try:
        yield heard
    finally:
        server.close()


async def called(proxies, url, tls):
    said = []
    recorder = Recorder(Upstream(Origin.parse(url), tls=tls), None, narrate=said.append)
    async with serve(recorder, name="live", narrate=said.append, drain=1) as port:
        got = await proxies.raw_call(
            port.port,
            b"POST /v1/threads?key=%b HTTP/1.1\r\nHost: localhost:%d\r\nAuthorization: Bearer %b\r\nConnection: close\r\n"
            b"Content-Length: 2\r\n\r\n{}" % (SECRET, port.port, SECRET),
        )
    return got, "".join(said)


def serving(cert):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    cert.configure_cert(context)
    return context


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("expired", b"certificate has expired"),
        ("not yet valid", b"not yet valid"),
        ("wrong name", b"mismatch"),
        ("wildcard of another name", b"mismatch"),
        ("unknown authority", b"unable to get local issuer"),
    ],
)
async def test_a_certificate_that_proves_nothing_gets_no_byte(proxies, authority, kind, why):
    async with upstream(serving(certificate(authority, kind))) as heard:
        got, said = await called(proxies, f"https://localhost:{heard.port}/v1", client_context(authority))
        await asyncio.sleep(0.05)
        assert heard.bytes == b""
    assert got.startswith(b"HTTP/1.1 502 ")
    assert b"could not prove who it is" in got
    assert why in got
    assert SECRET not in got
    assert SECRET.decode() not in said


async def test_a_certificate_that_signs_itself_gets_no_byte(proxies, authority, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    itself = trustme.CA()
    itself.private_key_pem.write_to_path(tmp_path / "key.pem")
    itself.cert_pem.write_to_path(tmp_path / "cert.pem")
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    async with upstream(context) as heard:
        got, _ = await called(proxies, f"https://localhost:{heard.port}/v1", client_context(authority))
        await asyncio.sleep(0.05)
        assert heard.bytes == b""
    assert got.startswith(b"HTTP/1.1 502 ")
    assert b"could not prove who it is: self-signed certificate" in got.replace(b"self signed", b"self-signed")


async def test_the_address_is_no_name_of_a_certificate_for_a_name(proxies, authority):
    async with upstream(serving(certificate(authority, "good"))) as heard:
        got, _ = await called(proxies, f"https://127.0.0.1:{heard.port}/v1", client_context(authority))
        assert heard.bytes == b""
    assert got.startswith(b"HTTP/1.1 502 ")
    assert b"could not prove who it is" in got


async def test_an_upstream_that_only_speaks_old_tls_gets_no_byte(proxies, authority):
    context = serving(certificate(authority, "good"))
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    client = client_context(authority)
    client.minimum_version = ssl.TLSVersion.TLSv1_3
    async with upstream(context) as heard:
        got, _ = await called(proxies, f"https://localhost:{heard.port}/v1", client)
        assert heard.bytes == b""
    assert got.startswith(b"HTTP/1.1 502 ")


async def test_an_upstream_that_speaks_no_tls_at_all_gets_no_request(proxies, authority):
    async with upstream(None) as heard:
        got, _ = await called(proxies, f"https://localhost:{heard.port}/v1", client_context(authority))
        assert SECRET not in heard.bytes
        assert b"POST" not in heard.bytes
    assert got.startswith(b"HTTP/1.1 502 ")


async def test_a_good_certificate_is_good(proxies, authority):
    """Else the tests above would hold for any reason."""
    async with upstream(serving(certificate(authority, "good"))) as heard:
        got, _ = await called(proxies, f"https://localhost:{heard.port}/v1", client_context(authority))
        assert heard.bytes.startswith(b"POST /v1/threads?key=")
    assert got.startswith(b"HTTP/1.1 200 ")


def test_the_upstream_is_always_asked_for_its_proof():
    context = Upstream(Origin.parse("https://localhost/v1"))._tls
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
