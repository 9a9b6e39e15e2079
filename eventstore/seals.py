"""Seals: keyed hashes over what is recorded. Who has the database and not the keys can make none that fits.

The keys (`SEAL_KEYS`) live outside the database. The first one seals, all of them count as the bank's. They are not
the keys of the PINs, so that whoever verifies a log elsewhere needs none with which PINs could be found out.
"""

import hashlib
import hmac
from collections.abc import Sequence
from functools import cache

from django.conf import settings

KEY_ID = 4
"""The bytes at the beginning of a seal that tell which key made it."""
SIZE = KEY_ID + 32
"""The bytes of a seal: the key's id and an HMAC-SHA256."""


class BadSeal(Exception):
    """A seal that the bank's keys did not put on this content; the message says which of the two is the trouble."""


class Ring:
    """The keys of a bank."""

    def __init__(self, keys: Sequence[str]) -> None:
        # A copy of an HMAC that has its key already takes less time than a new one.
        self._keys = {
            hashlib.sha256(b"seal key id:" + key.encode()).digest()[:KEY_ID]: hmac.new(key.encode(), digestmod="sha256")
            for key in keys
        }
        self._first = next(iter(self._keys.items()))

    @property
    def key_ids(self) -> set[str]:
        """The ids of the keys, in hexadecimal digits."""
        return {key_id.hex() for key_id in self._keys}

    def seal(self, content: str) -> bytes:
        """Return the seal of a text under the first key."""
        key_id, key = self._first
        return key_id + _digest(key, content)

    def check(self, mark: bytes, content: str) -> None:
        """Compare a seal with the text that it is on.

        Raises:
            BadSeal
        """
        key = self._keys.get(mark[:KEY_ID])
        if key is None:
            raise BadSeal(f"its key {mark[:KEY_ID].hex()} is not among SEAL_KEYS")
        if not hmac.compare_digest(_digest(key, content), mark[KEY_ID:]):
            raise BadSeal("its seal does not fit")


def ring() -> Ring:
    """Return the keys in `SEAL_KEYS`."""
    return _ring(*settings.SEAL_KEYS, *settings.SPACED_SEAL_KEYS)


def seal(content: str) -> bytes:
    """Return the seal of a text under the first of `SEAL_KEYS`."""
    return ring().seal(content)


def check(mark: bytes, content: str) -> None:
    """Compare a seal with the text that it is on.

    Raises:
        BadSeal
    """
    ring().check(mark, content)


@cache
def _ring(*keys: str) -> Ring:
    return Ring(keys)


def _digest(key: hmac.HMAC, content: str) -> bytes:
    digest = key.copy()
    digest.update(content.encode(errors="surrogatepass"))
    return digest.digest()
