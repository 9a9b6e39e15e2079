"""Where a request comes from."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"


def client_address(request: HttpRequest) -> str:
    """Return the client's address, or "unknown".

    A header can be forged by whoever reaches this process, so only the one that `BANK_CLIENT_ADDRESS_HEADER` names
    is believed, and of its entries the last: the proxy in front has added that one, the others came from outside.
    """
    header = settings.BANK_CLIENT_ADDRESS_HEADER
    said = request.headers.get(header, "").rpartition(",")[2] if header else ""
    address = _parse(said) or _parse(request.META.get("REMOTE_ADDR", ""))
    return str(address) if address else UNKNOWN


def network_of(address: str) -> str:
    """Return what counts as one place: an IPv4 address, or the /64 network that one IPv6 subscriber has."""
    parsed = _parse(address)
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
