"""PIN verifiers: keyed hashes, compared in constant time. PINs themselves are never stored and never logged.

A PIN has 10,000 possible values, so a slow hash would protect nothing. The key (`PIN_KEYS`), which lives outside the
database, and the lock after a few wrong PINs protect it. Only this module writes verifiers.
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

from ..domain.commands import COMMANDS, Command
from ..models import PinVerifier
from ..operations.installation import InstallationFault


class Verifier(NamedTuple):
    """The verifier of a PIN. `seal` covers the other fields and the command that set the PIN."""

    key_id: str
    salt: bytes
    digest: bytes
    seal: bytes

    def text(self, account_id: int, command_id: UUID) -> str:
        """Return the text that the seal covers."""
        fields = [self.key_id, self.salt.hex(), self.digest.hex()]
        return json.dumps(["PIN verifier", account_id, command_id.hex, *fields])


def _keys() -> Mapping[str, bytes]:
    """Return the keys by their ids. The first one signs."""
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
    """Insert a new account's verifier, within the caller's transaction."""
    with connections["default"].cursor() as cursor:
        cursor.execute(_INSERT, [account_id, *verifier])


def replace_verifier(account_id: int, verifier: Verifier) -> None:
    """Replace an account's verifier, within the caller's transaction."""
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
        InstallationFault: the key of the verifier is not in `PIN_KEYS`, or the account has no verifier.
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
    """Return the ids of the keys of all verifiers, with one index look-up for each key."""
    found, last = set[str](), ""
    verifiers = PinVerifier.objects.using("default").order_by("key_id").values_list("key_id", flat=True)
    while (next_id := verifiers.filter(key_id__gt=last).first()) is not None:
        found.add(last := next_id)
    return found


def key_ids() -> set[str]:
    """Return the ids of `PIN_KEYS`."""
    return set(_keys())


def verifiers(using: str) -> Iterator[Sequence[Any]]:
    """Yield account id, key id, salt, digest and seal of each verifier, unchecked."""
    return backend_of(using).chunked_rows(
        f"SELECT account_id, key_id, salt, digest, seal FROM {PinVerifier._meta.db_table}"
    )


_SHOWN = {command: [field.name for field in fields(command) if field.repr] for command in COMMANDS}


def fingerprint(command: Command) -> bytes:
    """Return a keyed hash of a command's content, to compare repeated commands.

    It does not cover the PIN. The address of a receipt reveals the command id, and the answers to tries with that id
    must not reveal the PIN.
    """
    return _fingerprint(_first_key()[1], command)


def is_fingerprint(fingerprint: bytes, command: Command) -> bool:
    """Return whether a fingerprint belongs to a command with this content, under any of `PIN_KEYS`."""
    return any(hmac.compare_digest(_fingerprint(key, command), fingerprint) for key in _keys().values())


def _fingerprint(key: bytes, command: Command) -> bytes:
    kind = type(command)
    content = [command.stored_name, *[_text_of(getattr(command, name)) for name in _SHOWN[kind]]]
    digest = _begun(key).copy()
    digest.update("\0".join(content).encode(errors="surrogatepass"))
    return digest.digest()


@cache
def _begun(key: bytes) -> hmac.HMAC:
    """Return the HMAC of the common beginning of all fingerprints under a key. Copying it is faster than a new one."""
    return hmac.new(key, b"command:", "sha256")


def _text_of(value: object) -> str:
    """Return a field of a command as text, of any type. Large integers are in hex: Python limits decimal ones."""
    return hex(value) if type(value) is int else repr(value)
