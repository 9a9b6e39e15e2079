"""The kinds of a till's movements: the stored name of each, and its label."""

from typing import NamedTuple

from django.utils.translation import gettext

from bank.domain import till_events
from bank.domain.till_events import TillEvent


class TillKind(NamedTuple):
    """A kind of movement: its stored name and its label."""

    name: str
    words: str


TILL_KIND_OF: dict[type[TillEvent], TillKind] = {
    till_events.TillOpened: TillKind("opened", "Till opened"),
    till_events.CashPaidIntoTill: TillKind("paid_in", "Paid in"),
    till_events.CashPaidOutOfTill: TillKind("paid_out", "Paid out"),
    till_events.CashBroughtFromVault: TillKind("from_vault", "Brought from the vault"),
    till_events.CashTakenToVault: TillKind("to_vault", "Taken to the vault"),
    till_events.TillClosed: TillKind("closed", "Till counted and closed"),
    till_events.CashPaidIntoClosedTill: TillKind("late_in", "Paid in, recorded after the closing"),
    till_events.CashPaidOutOfClosedTill: TillKind("late_out", "Paid out, recorded after the closing"),
}
"""The kind of each event."""

_WORDS = {kind.name: kind.words for kind in TILL_KIND_OF.values()}


def words_of(name: str) -> str:
    """Return the label of a kind. A kind of a newer version of the program has its name as its label."""
    return gettext(_WORDS[name]) if name in _WORDS else name
