"""The kinds of a till's movements: the stored name of each, and its label."""

from typing import NamedTuple

from bank.domain.till_events import (
    CashBroughtFromVault,
    CashPaidIntoClosedTill,
    CashPaidIntoTill,
    CashPaidOutOfClosedTill,
    CashPaidOutOfTill,
    CashTakenToVault,
    TillClosed,
    TillEvent,
    TillOpened,
)


class TillKind(NamedTuple):
    """A kind of movement: its stored name and its label."""

    name: str
    words: str


TILL_KIND_OF: dict[type[TillEvent], TillKind] = {
    TillOpened: TillKind("opened", "Till opened"),
    CashPaidIntoTill: TillKind("paid_in", "Paid in"),
    CashPaidOutOfTill: TillKind("paid_out", "Paid out"),
    CashBroughtFromVault: TillKind("from_vault", "Brought from the vault"),
    CashTakenToVault: TillKind("to_vault", "Taken to the vault"),
    TillClosed: TillKind("closed", "Till counted and closed"),
    CashPaidIntoClosedTill: TillKind("late_in", "Paid in, recorded after the closing"),
    CashPaidOutOfClosedTill: TillKind("late_out", "Paid out, recorded after the closing"),
}
"""The kind of each event."""

_WORDS = {kind.name: kind.words for kind in TILL_KIND_OF.values()}


def words_of(name: str) -> str:
    """Return the label of a kind. A kind of a newer version of the program has its name as its label."""
    return _WORDS.get(name, name)
