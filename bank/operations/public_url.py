"""The address that browsers use, from `BANK_PUBLIC_URL`."""

import re
from typing import NamedTuple

from django.core.exceptions import ImproperlyConfigured

HOST = r"[^\s/?#@:\[\]]+|\[[\da-fA-F:.]+\]"
SEGMENT = r"/[\w~-][\w.~-]*"
URL = re.compile(rf"(https://({HOST})(?::\d+)?)((?:{SEGMENT})*)/?", re.ASCII)


class PublicUrl(NamedTuple):
    """The parts of an address. The path is empty, or begins with a slash and ends with none."""

    origin: str
    host: str
    path: str


def parse(url: str) -> PublicUrl:
    """Return the parts of the address.

    Raises:
        ImproperlyConfigured: it is no https address of a host and a path.
    """
    parts = URL.fullmatch(url)
    if parts is None:
        raise ImproperlyConfigured(
            "BANK_PUBLIC_URL is the https address that browsers use, such as https://bank.example or, below a path, "
            f"https://bank.example/teller. It is {url!r}."
        )
    origin, host, path = parts.groups()
    return PublicUrl(origin.lower(), host.lower(), path)
