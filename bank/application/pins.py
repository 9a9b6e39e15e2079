"""PINs: kept as keyed hashes, compared in constant time, never stored, never logged.

Four digits are 10,000 guesses, so a slow hash would protect nothing. What protects a PIN is that the key
(`PIN_KEYS`) lives outside the database, and that the account locks after a few wrong ones. Nothing but this module
writes verifiers.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connections

from eventstore import seals
from eventstore.backends import backend_of
from eventstore.bulk_reading import rows_of

from ..domain.commands import COMMANDS, Command
from ..models import PinVerifier
from ..operations.key_files import InstallationFault


class Verifier(NamedTuple):
    """What is kept of a PIN. `seal` covers the rest and the command that set it."""

    key_id: str
    salt: bytes
    digest: bytes
    seal: bytes

    def text(self, account_id: int, command_id: UUID) -> str:
        """Return what its seal goes over."""
        fields = [self.key_id, self.salt.hex(), self.digest.hex()]
        return json.dumps(["PIN verifier", account_id, command_id.hex, *fields])


def _keys() -> Mapping[str, bytes]:
    """Return the keys by their ids, the one that signs first."""
    return _ring(*settings.PIN_KEYS, *settings.SPACED_PIN_KEYS)


@cache
def _ring(*keys: str) -> Mapping[str, bytes]:
    return {hashlib.sha256(b"key id:" + key.encode()).hexdigest()[:8]: key.encode() for key in keys}


def _first_key() -> tuple[str, bytes]:
    return next(iter(_keys().items()))


def _digest(key: bytes, account_id: int, salt: bytes, pin: int) -> bytes:
    return hmac.digest(key, b"pin:%d:%b:%04d" % (account_id, salt, pin), "sha256")


def make_verifier(account_id: int, pin: int, command_id: UUID) -> Verifier:
    """Return a verifier under the first of `PIN_KEYS`, sealed with the command that sets it."""
    key_id, key = _first_key()
    salt = secrets.token_bytes(16)
    verifier = Verifier(key_id, salt, _digest(key, account_id, salt, pin), b"")
    return verifier._replace(seal=seals.seal(verifier.text(account_id, command_id)))


_INSERT = (
    f"INSERT INTO {PinVerifier._meta.db_table} (account_id, key_id, salt, digest, seal) VALUES (%s, %s, %s, %s, %s)"
)


def store_verifier(account_id: int, verifier: Verifier) -> None:
    """Write a new account's verifier, within the caller's transaction."""
    with connections["default"].cursor() as cursor:
        cursor.execute(_INSERT, [account_id, *verifier])


def replace_verifier(account_id: int, verifier: Verifier) -> None:
    """Put a verifier in the place of an account's old one, within the caller's transaction."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            f"""{_INSERT} ON CONFLICT (account_id) DO UPDATE
                SET key_id = excluded.key_id, salt = excluded.salt, digest = excluded.digest, seal = excluded.seal""",
            [account_id, *verifier],
        )


_SELECT = f"SELECT key_id, salt, digest FROM {PinVerifier._meta.db_table} WHERE account_id = %s"


def matches(account_id: int, pin: int) -> bool:
    """Return whether this is the account's PIN.

    Raises:
        InstallationFault: the key of the verifier is not among `PIN_KEYS`, or there is no verifier, so that no PIN is
            right or wrong.
    """
    rows = backend_of().rows(_SELECT, [account_id])
    if not rows:
        raise InstallationFault(f"Account {account_id} has no PIN verifier. See verify_events.")
    [(key_id, salt, digest)] = rows
    if (key := _keys().get(key_id)) is None:
        raise InstallationFault(
            f"PIN_KEYS lacks the key {key_id}, which made the PIN verifier of account {account_id}."
        )
    return hmac.compare_digest(_digest(key, account_id, bytes(salt), pin), bytes(digest))


def key_ids_in_use() -> set[str]:
    """Return the ids of the keys that verifiers were made with: one look at an index for each, not for each account."""
    found, last = set[str](), ""
    verifiers = PinVerifier.objects.using("default").order_by("key_id").values_list("key_id", flat=True)
    while (next_id := verifiers.filter(key_id__gt=last).first()) is not None:
        found.add(last := next_id)
    return found


def key_ids() -> set[str]:
    """Return the ids of `PIN_KEYS`."""
    return set(_keys())


def verifiers(using: str) -> Iterator[Sequence[Any]]:
    """Yield account id, key id, salt, digest and seal of each verifier, as the database holds them."""
    return rows_of(using, f"SELECT account_id, key_id, salt, digest, seal FROM {PinVerifier._meta.db_table}")


_SHOWN = {command: [field.name for field in fields(command) if field.repr] for command in COMMANDS}


def fingerprint(command: Command) -> bytes:
    """Return a keyed hash of a command's content, that tells one from another.

    The PIN is not in it. A receipt's address is the id of its command: who sends that again with PIN after PIN must not
    learn from the answer which one it came with.
    """
    return _fingerprint(_first_key()[1], command)


def is_fingerprint(fingerprint: bytes, command: Command) -> bool:
    """Tell whether the fingerprint is of a command with this content, whichever of `PIN_KEYS` made it."""
    return any(hmac.compare_digest(_fingerprint(key, command), fingerprint) for key in _keys().values())


def _fingerprint(key: bytes, command: Command) -> bytes:
    kind = type(command)
    content = [command.stored_name, *[_text_of(getattr(command, name)) for name in _SHOWN[kind]]]
    digest = _begun(key).copy()
    digest.update("\0".join(content).encode(errors="surrogatepass"))
    return digest.digest()


@cache
def _begun(key: bytes) -> hmac.HMAC:
    """Return the beginning of all fingerprints under a key; to copy it takes less time than to begin anew."""
    return hmac.new(key, b"command:", "sha256")


def _text_of(value: object) -> str:
    """Return what a field of a command says, nonsense included: Python prints no integer of any length but in hex."""
    return hex(value) if type(value) is int else repr(value)
