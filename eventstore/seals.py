"""Seals: keyed hashes over recorded rows. Access to the database without the keys is not enough to forge one.

The keys (`SEAL_KEYS`) live outside the database. The first one seals; all of them verify. They differ from the keys of
PINs, so an external auditor can verify a log without keys that would reveal PINs.
"""

import hashlib
import hmac
from collections.abc import Sequence
from functools import cache

from django.conf import settings

KEY_ID = 4
"""The number of bytes of the key id at the beginning of a seal."""
SIZE = KEY_ID + 32
"""The number of bytes of a seal: the key id and an HMAC-SHA256."""


class BadSeal(Exception):
    """A seal that does not fit its content. The message says whether the key or the content is at fault."""


class Ring:
    """The seal keys of a bank."""

    def __init__(self, keys: Sequence[str]) -> None:
        # Copying an HMAC with its key is faster than a new HMAC.
        self._keys = {
            hashlib.sha256(b"seal key id:" + key.encode()).digest()[:KEY_ID]: hmac.new(key.encode(), digestmod="sha256")
            for key in keys
        }
        self._first = next(iter(self._keys.items()))

    @property
    def key_ids(self) -> set[str]:
        """The ids of the keys, in hex."""
        return {key_id.hex() for key_id in self._keys}

    def seal(self, content: str) -> bytes:
        """Return the seal of a text under the first key."""
        key_id, key = self._first
        return key_id + _digest(key, content)

    def check(self, mark: bytes, content: str) -> None:
        """Check that a seal belongs to a text.

        Raises:
            BadSeal
        """
        key = self._keys.get(mark[:KEY_ID])
        if key is None:
            raise BadSeal(f"its key {mark[:KEY_ID].hex()} is not among SEAL_KEYS")
        if not hmac.compare_digest(_digest(key, content), mark[KEY_ID:]):
            raise BadSeal("its seal does not fit")


def ring() -> Ring:
    """Return the keys of `SEAL_KEYS`."""
    return _ring(*settings.SEAL_KEYS, *settings.SPACED_SEAL_KEYS)


def seal(content: str) -> bytes:
    """Return the seal of a text under the first of `SEAL_KEYS`."""
    return ring().seal(content)


def check(mark: bytes, content: str) -> None:
    """Check that a seal belongs to a text.

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
