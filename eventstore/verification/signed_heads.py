"""Signed heads: short signed statements of the whole log up to a log position, to be stored elsewhere.

The digest covers every event up to that log position, in the order of positions: its log position, its hash and the
seal of its command. It therefore covers the head of each stream. It also covers the commands rejected by then, and the
epochs. An attacker who has both the database and its keys can rewrite the log so that it verifies, but not so that it
still extends a signed head stored out of reach.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from .. import seals
from ..errors import UNREADABLE
from ..events import LogPosition

NO_LIMIT = 2**64


class NotAHead(Exception):
    """A text that is not a signed head of this bank. The message gives the reason."""


class Head(NamedTuple):
    """The state of the log up to a log position.

    `rejected_up_to` is the order key of the last rejected command: a transaction id on PostgreSQL, a row id on SQLite.
    The head covers rejected commands in that order. Verification compares as many of them as the head covers, because a
    copy or a restored dump keeps their order but not necessarily their keys.
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
    def log_position(self) -> LogPosition:
        return LogPosition(self.transaction_id, self.position)


def sign(head: Head) -> str:
    """Return the text of a signed head: JSON with the bank's seal over all of it."""
    return json.dumps({**head._asdict(), "signature": seals.seal(_text(head)).hex()}, indent=1) + "\n"


def read(text: str) -> Head:
    """Return the head in a text.

    Raises:
        NotAHead: the text is not a signed head, was changed, or belongs to another bank.
    """
    try:
        values = json.loads(text)
        signature = bytes.fromhex(values.pop("signature"))
        head = Head(**values)
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
    """The running digest of the log up to a log position, and of a limited number of rejected commands."""

    def __init__(self, up_to: LogPosition, rejected_up_to: int, most_rejected: int = NO_LIMIT) -> None:
        self.up_to = up_to
        self.rejected_up_to = rejected_up_to
        self.most_rejected = most_rejected
        self.events = self.streams = self.rejected = self.epochs = 0
        self._hash = hashlib.sha256()

    @classmethod
    def for_head(cls, head: Head) -> Self:
        """Return an empty digest with the limits of a head."""
        return cls(head.log_position, NO_LIMIT, head.rejected)

    def add(self, transaction_id: int, position: int, version: int, digest: bytes, seal: bytes) -> None:
        """Add an event. `seal` is the seal of its command if the event is the last of that command."""
        if (transaction_id, position) <= self.up_to:
            self._hash.update(b"%d %d %b%b" % (transaction_id, position, digest, seal))
            self.events += 1
            self.streams += version == 1

    def add_rejected(self, log_position: int, *values: Any) -> None:
        """Add the record of a rejected command. The records must come in order."""
        if log_position <= self.rejected_up_to and self.rejected < self.most_rejected:
            self.rejected += 1
            self._hash.update(json.dumps(values).encode())

    def add_epochs(self, epochs: Sequence[Sequence[Any]]) -> None:
        """Add all epochs."""
        self.epochs = len(epochs)
        self._hash.update(json.dumps(epochs).encode())

    def head(self) -> Head:
        """Return the head of everything added, made now."""
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        counts = (self.events, self.streams, *self.up_to, self.rejected, self.rejected_up_to, self.epochs)
        return Head(*counts, self._hash.hexdigest(), made_at)

    def misfit(self, head: Head) -> str | None:
        """Return the difference between a head and this digest, or None."""
        for name in ("events", "rejected"):
            here, there = getattr(self, name), getattr(head, name)
            if here != there:
                return f"of its {there} {name} there {'is' if here == 1 else 'are'} {here} now"
        if self._hash.hexdigest() != head.digest:
            return "what had been recorded by then has been changed since"
        return None
