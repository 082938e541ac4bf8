"""Dialling the upstream: its name is looked up once, what was found is checked, and only that is dialled.

A name may stand for something else the next time it is looked up. For TLS the name counts all the same: a certificate has
to be valid for it before a byte of a request is sent.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import TypeVar

from ..cassettes.errors import UpstreamError
from .listeners import is_own

DIAL_SECONDS = 10.0

P = TypeVar("P", bound=asyncio.BaseProtocol)


async def dial(protocol: Callable[[], P], host: str, port: int, *, tls: ssl.SSLContext | None, url: str) -> P:
    """A connection to `host`. `url` is what errors call it. Raises UpstreamError when it cannot be had."""
    try:
        async with asyncio.timeout(DIAL_SECONDS):
            return await _connect(protocol, host, port, tls, url)
    except TimeoutError:
        raise UpstreamError(f"{url} did not take a connection within {DIAL_SECONDS:.0f} s") from None
    except ssl.SSLCertVerificationError as error:
        raise UpstreamError(f"{url} could not prove who it is: {error.verify_message}") from None
    except ssl.SSLError as error:
        raise UpstreamError(f"{url} did not agree on TLS: {error.reason}", "http or https?") from None
    except UnicodeError:  # what the name would be in DNS is too long, or empty
        raise UpstreamError(f"{url} cannot be reached: its host is no name", "is the URL right?") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise UpstreamError(f"{url} cannot be reached: {reason}", "is it running, and is the URL right?") from None


async def _connect(protocol: Callable[[], P], host: str, port: int, tls: ssl.SSLContext | None, url: str) -> P:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(address[0] for *_, address in found))
    if any(is_own(str(address), port) for address in addresses):
        raise UpstreamError(f"{url} is this respool itself", "give the URL of the upstream behind it")
    failed = OSError("its name stands for no address")
    for address in addresses:
        try:
            _, made = await loop.create_connection(
                protocol, str(address), port, ssl=tls, server_hostname=host if tls else None
            )
        except ssl.SSLError:
            raise
        except OSError as error:
            failed = error
        else:
            return made
    raise failed
