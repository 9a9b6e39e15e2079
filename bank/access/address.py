"""Where a request comes from."""

import logging
import re
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

logger = logging.getLogger("bank.security")

UNKNOWN = "unknown"
FORWARDED_FOR = re.compile(r"(?:^|;)\s*for=([^;]*)", re.IGNORECASE)
"""The client in an entry of the header `Forwarded` (RFC 7239)."""


def client_address(request: HttpRequest) -> str:
    """Return the client's address, or "unknown".

    A header can be forged by whoever reaches this process, so only the one that `BANK_CLIENT_ADDRESS_HEADER` names
    is believed, and of its entries the last: the proxy in front has added that one, the others came from outside.
    Where that entry is no address ("unknown", a made-up name, nothing), the peer's counts, and the log says so once.
    """
    header = settings.BANK_CLIENT_ADDRESS_HEADER
    if header:
        entry = request.headers.get(header, "").rpartition(",")[2]
        client = FORWARDED_FOR.search(entry)
        if address := _parse(client[1] if client else entry):
            return str(address)
        _warn(header)
    peer = _parse(request.META.get("REMOTE_ADDR", ""))
    return str(peer) if peer else UNKNOWN


def network_of(address: str) -> str:
    """Return what counts as one place: an IPv4 address, or the /64 network that one IPv6 subscriber has.

    An unbracketed IPv6 address with a port ("2001:db8::1:443") is read as an address; it is in the same network.
    """
    parsed = _parse(address)
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address without its port, brackets, quotes and zone; an IPv4 address in an IPv6 one as IPv4."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    without_port, _, port = text.rpartition(":")
    for each in (text, without_port if port.isdecimal() else ""):
        try:
            address = ip_address(each.partition("%")[0])
        except ValueError:
            continue
        return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
    return None


@cache
def _warn(header: str) -> None:
    """Log once that clients cannot be told from each other."""
    logger.warning(
        "%s gave no address: requests without one count as one client. Check BANK_CLIENT_ADDRESS_HEADER and the proxy.",
        header,
    )
