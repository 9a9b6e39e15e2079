"""The open tills: which till each teller has now, in rows that are written together with the events of the tills."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connections

from eventstore.backends import WRITE_SIDE, backend_of

from ..domain.errors import TellerHasTill, TillRequired
from ..domain.till_events import TILL, TILL_SHIFT

_INSERT = """
    INSERT INTO bank_opentill (till_id, teller, shift) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING RETURNING till_id
"""
_DELETE = "DELETE FROM bank_opentill WHERE till_id = %s"
_OF_TELLER = "SELECT till_id, shift FROM bank_opentill WHERE teller = %s"
_ALL = "SELECT till_id, teller, shift FROM bank_opentill ORDER BY till_id"


class TellersTill(NamedTuple):
    """The open till of a teller."""

    till_id: int
    shift: int

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The entries for the metadata of a payment whose cash goes through this till."""
        return {TILL: self.till_id, TILL_SHIFT: self.shift}


def till_of(teller: str) -> TellersTill | None:
    """Return the open till of a teller, or None."""
    rows = backend_of().rows(_OF_TELLER, [teller])
    return TellersTill(*rows[0]) if rows else None


def is_missing(teller: str) -> bool:
    """Return whether the bank requires a till for cash, and the teller has none open."""
    return settings.TILLS == "required" and till_of(teller) is None


def cash_metadata(teller: str) -> Mapping[str, Any]:
    """Return the entries for the metadata of a payment in cash. Without a till there are none.

    Raises:
        TillRequired
    """
    till = till_of(teller)
    if till is None and settings.TILLS == "required":
        raise TillRequired("Open a till first: this bank takes and pays cash only through a till.")
    return till.metadata if till else {}


def till_in(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the entries of a payment's metadata that name the till of its cash. Without a till there are none."""
    return {key: metadata[key] for key in (TILL, TILL_SHIFT) if key in metadata}


def take(till_id: int, teller: str, shift: int) -> None:
    """Record within the caller's transaction that a teller has a till.

    Raises:
        TellerHasTill: the teller has another one.
    """
    with connections[WRITE_SIDE].cursor() as cursor:
        cursor.execute(_INSERT, [till_id, teller, shift])
        if cursor.fetchone():
            return
    other = till_of(teller)
    raise TellerHasTill(f"{teller} has till {other.till_id} open. Close it first." if other else "The till is taken.")


def release(till_id: int) -> None:
    """Record within the caller's transaction that no teller has this till."""
    with connections[WRITE_SIDE].cursor() as cursor:
        cursor.execute(_DELETE, [till_id])


def rows(using: str) -> Iterator[Sequence[Any]]:
    """Yield till, teller and shift of each row, unchecked."""
    return backend_of(using).chunked_rows(_ALL)
