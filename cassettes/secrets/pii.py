"""Personal data, where it is asked for: mail addresses, phone numbers, IBANs and cards that check out, public IP addresses.

Numbers with a checksum count only when it is right. The time grows with the length of the text.
"""

import ipaddress
import re

from .telling import Span

_MAIL = re.compile(rb"[A-Za-z0-9._%+-]{1,64}+@(?=[A-Za-z0-9])[A-Za-z0-9-]{1,63}+(?:\.[A-Za-z0-9-]{1,63}){1,6}")
_MAIL_NAME = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-"
_PHONE = re.compile(rb"\+[1-9](?:[ ()./-]{0,2}[0-9]){7,14}(?![0-9])")
_IBAN = re.compile(rb"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}(?![A-Za-z0-9])")
_CARD = re.compile(rb"(?<![A-Za-z0-9_.-])[3-6](?:[ -]?[0-9]){12,18}(?![A-Za-z0-9_.])")
_IP = re.compile(rb"(?<![A-Za-z0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![A-Za-z0-9.]|\.[0-9])")


def personal(data: bytes) -> list[Span]:
    """Where personal data stands."""
    found: list[Span] = []
    place = data.find(b"@")
    while place >= 0:
        before = data[max(place - 64, 0) : place]
        start = place - len(before) + len(before.rstrip(_MAIL_NAME))
        match = _MAIL.match(data, start) if start < place else None
        if match is not None and match.end() > place:
            found.append(Span(start, match.end(), "email", "email"))
        place = data.find(b"@", match.end() if match is not None and match.end() > place else place + 1)
    if b"+" in data:
        found += [Span(*match.span(), "phone", "phone") for match in _PHONE.finditer(data)]
    found += [Span(*match.span(), "iban", "iban") for match in _IBAN.finditer(data) if _iban(match[0])]
    found += [Span(*match.span(), "card", "card") for match in _CARD.finditer(data) if _luhn(match[0])]
    found += [Span(*match.span(), "ip", "ip") for match in _IP.finditer(data) if _public(match[0])]
    return found


def _iban(text: bytes) -> bool:
    """ISO 13616: letters count as 10 to 35, the first four characters stand last, and 97 leaves 1."""
    plain = text.replace(b" ", b"").decode("ascii")
    return 15 <= len(plain) <= 34 and int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1


def _luhn(text: bytes) -> bool:
    """ISO/IEC 7812: every second digit from the right doubled, and ten divides the sum."""
    digits = [int(chr(sign)) for sign in text if 48 <= sign <= 57]
    if not 13 <= len(digits) <= 19:
        return False
    doubled = [digit * 2 - 9 * (digit > 4) if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0 and len(set(digits)) > 1


def _public(text: bytes) -> bool:
    try:
        return ipaddress.IPv4Address(text.decode("ascii")).is_global
    except ValueError:
        return False
