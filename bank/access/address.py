"""The client's address of a request."""

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

    Any client can forge a header, so only the header named by `BANK_CLIENT_ADDRESS_HEADER` is trusted, and only its
    last entry: the trusted proxy appends that one. If the entry is not an address, the peer's address counts, and one
    warning is logged.
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
    """Return the network that counts as one place: an IPv4 address, or the /64 network of an IPv6 subscriber.

    An unbracketed IPv6 address with a port ("2001:db8::1:443") is parsed as an address; it is in the same network.
    """
    parsed = _parse(address)
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address without port, brackets, quotes and zone. An IPv4-mapped IPv6 address becomes IPv4."""
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
    """Log once that clients cannot be distinguished."""
    logger.warning(
        "%s gave no address: requests without one count as one client. Check BANK_CLIENT_ADDRESS_HEADER and the proxy.",
        header,
    )
