"""Heads: a signed statement, short enough to be kept elsewhere, of all that was recorded up to a place in the log.

Its digest runs over every event up to there, in the order of positions: its place, its hash and the seal of its
command. The head of each stream is among them. It runs on over the commands that were rejected by then, and over the
epochs. Whoever has the database and its keys as well can rewrite the log so that it looks sound, but not so that it
still fits a head which they cannot reach.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from .. import seals
from ..events import Place
from .findings import UNREADABLE

NO_LIMIT = 2**64


class NotAHead(Exception):
    """A text that is not a head of this bank's; the message says why."""


class Head(NamedTuple):
    """What a log said up to a place.

    `rejected_up_to` is how far the records of rejected commands go: a transaction id on PostgreSQL, a row id on SQLite.
    The head covers them in that order, and is verified against as many as it covers, because a copy or a restored dump
    keeps their order, while row ids and the server's next transaction ids may be others there.
    """

    events: int
    streams: int
    transaction_id: int
    position: int
    rejected: int
    rejected_up_to: int
    epochs: int
    digest: str
    made_at: str

    @property
    def place(self) -> Place:
        return Place(self.transaction_id, self.position)


def sign(head: Head) -> str:
    """Return a head as the text that is kept: JSON, with the seal of the bank over all of it."""
    return json.dumps({**head._asdict(), "signature": seals.seal(_text(head)).hex()}, indent=1) + "\n"


def read(text: str) -> Head:
    """Return the head that a text states.

    Raises:
        NotAHead: it is not one, was changed, or is another bank's.
    """
    try:
        said = json.loads(text)
        signature = bytes.fromhex(said.pop("signature"))
        head = Head(**said)
        signed = _text(head)
    except UNREADABLE as error:
        raise NotAHead("This is not a whole, signed head as export_head prints it.") from error
    try:
        seals.check(signature, signed)
    except seals.BadSeal as error:
        raise NotAHead(f"This head is not this bank's, or was changed: {error}.") from error
    return head


def _text(head: Head) -> str:
    return json.dumps(["head", *head])


class Digest:
    """The running digest of what was recorded up to a place, and of at most so many rejected commands."""

    def __init__(self, up_to: Place, rejected_up_to: int, most_rejected: int = NO_LIMIT) -> None:
        self.up_to = up_to
        self.rejected_up_to = rejected_up_to
        self.most_rejected = most_rejected
        self.events = self.streams = self.rejected = self.epochs = 0
        self._hash = hashlib.sha256()

    @classmethod
    def for_head(cls, head: Head) -> Self:
        """Return an empty digest that takes in what a head covers."""
        return cls(head.place, NO_LIMIT, head.rejected)

    def add(self, transaction_id: int, position: int, version: int, digest: bytes, seal: bytes) -> None:
        """Take in an event, with the seal of its command if it is the last one of it."""
        if (transaction_id, position) <= self.up_to:
            self._hash.update(b"%d %d %b%b" % (transaction_id, position, digest, seal))
            self.events += 1
            self.streams += version == 1

    def add_rejected(self, place: int, *said: Any) -> None:
        """Take in the record of a rejected command, in their order."""
        if place <= self.rejected_up_to and self.rejected < self.most_rejected:
            self.rejected += 1
            self._hash.update(json.dumps(said).encode())

    def add_epochs(self, epochs: Sequence[Sequence[Any]]) -> None:
        """Take in all epochs."""
        self.epochs = len(epochs)
        self._hash.update(json.dumps(epochs).encode())

    def head(self) -> Head:
        """Return the statement of what was taken in, as of now."""
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        counts = (self.events, self.streams, *self.up_to, self.rejected, self.rejected_up_to, self.epochs)
        return Head(*counts, self._hash.hexdigest(), made_at)

    def misfit(self, head: Head) -> str | None:
        """Return in what a head says otherwise than what was taken in."""
        for name in ("events", "rejected"):
            here, there = getattr(self, name), getattr(head, name)
            if here != there:
                return f"of its {there} {name} there {'is' if here == 1 else 'are'} {here} now"
        if self._hash.hexdigest() != head.digest:
            return "what had been recorded by then has been changed since"
        return None
