"""Strict reading of the record's rows: each value must have the type and the form that the store writes.

SQLite stores any value in any column, and constraints can be dropped, so a row may contain anything. Hashes and seals
cover the stored text of a row if it is in the form that the store writes.
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from json.encoder import encode_basestring
from typing import Any, NamedTuple
from uuid import UUID

from .. import seals
from ..chain import GENESIS, canonical, moment_text, record_text, row_hash
from ..events import SnapshotOf
from .findings import shown

_parsed = json.JSONDecoder().raw_decode
_is_id = re.compile("[0-9a-f]{32}").fullmatch
_is_moment = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.(?!000000)\d{6})?", re.ASCII).fullmatch


def binary(value: Any) -> bytes:
    """Return the value of a binary column.

    Raises:
        TypeError: it is not binary. `bytes` would turn an integer into that many zeros, possibly gigabytes.
    """
    if type(value) is bytes:
        return value
    if isinstance(value, memoryview):
        return bytes(value)
    raise TypeError(f"{shown(value)} is not binary")


class ReadEvent(NamedTuple):
    """An event as verification reads it: a `RecordedEvent` with its command id in hex."""

    position: int
    stream: str
    version: int
    type: str
    schema_version: int
    data: dict[str, Any]
    metadata: dict[str, Any]
    command_id: str
    recorded_at: datetime
    transaction_id: int
    hash: bytes


class Command(NamedTuple):
    """A command record, with its id in hex and its time as text.

    `outcome` holds the outcome, reason, message, stream, version and event count. `facts` holds the values that the
    metadata of its events must contain.
    """

    id: str
    name: str
    actor: str
    received_at: str
    fingerprint: bytes
    outcome: tuple[Any, ...]
    position: int | None
    transaction_id: int
    seal: bytes
    causation: str
    facts: dict[str, Any]

    def misfit(self, event: ReadEvent, count: int, ring: seals.Ring) -> str | None:
        """Return the fault of the record of an accepted command, or None.

        Args:
            event: the last event of the command, at the record's position.
            count: the number of events of the command.
            ring: the bank's keys.
        """
        if self.id != event.command_id:
            return f"the command record at its position is of another command, {UUID(self.id)}"
        if not self.facts.items() <= event.metadata.items():
            return "it names another actor or command than its command record does"
        if event.metadata.get("causation_id", "") != self.causation:
            return "it names another cause than its command record does"
        if self.outcome != ("accepted", "", "", event.stream, event.version, count):
            return "its command record tells of other events"
        if self.transaction_id != event.transaction_id:
            return "its command record is of another transaction"
        return self._broken_seal(event.hash, ring)

    def misfit_of_rejection(self, ring: seals.Ring) -> str | None:
        """Return the fault of the record of a command without events, or None."""
        outcome, _, _, _, version, event_count = self.outcome
        if (outcome, version, event_count) != ("rejected", None, 0):
            return "it tells of events, but not where they are"
        return self._broken_seal(GENESIS, ring)

    def _broken_seal(self, last_hash: bytes, ring: seals.Ring) -> str | None:
        head = self.id, self.name, self.actor, self.received_at, self.fingerprint
        text = record_text(*head, self.outcome, last_hash, self.causation)
        try:
            ring.check(self.seal, text)
        except seals.BadSeal as error:
            return f"its command record was changed: {error}"
        return None


_FACTS = '{"actor":%s,"correlation_id":"%s"}'
_FACTS_AS_JSONB = '{"actor": %s, "correlation_id": "%s"}'


class Reader:
    """Reads the rows of one kind of database; `stores_text` is its backend's.

    Each method raises one of `errors.UNREADABLE` for a row that the store cannot have written.
    """

    def __init__(self, *, stores_text: bool) -> None:
        self.stores_text = stores_text
        self._facts = _FACTS if stores_text else _FACTS_AS_JSONB

    def event(self, row: Sequence[Any], previous: bytes, facts: dict[str, Any] | None) -> tuple[ReadEvent, bytes]:
        """Return the event of a row of `Log.events`, and the hash that it should have.

        Args:
            previous: the hash of the previous event of the stream.
            facts: the expected metadata. Metadata with this text need not be parsed.
        """
        position, stream, version, type_, schema, data, metadata, command_id, moment, transaction_id, digest = row
        if not (type(position) is type(version) is type(schema) is type(transaction_id) is int):
            raise TypeError("its position, version, schema version or transaction id is not an integer")
        data, data_text = self._payload(data)
        metadata, metadata_text = self._metadata(metadata, facts)
        id_, moment = self._id(command_id), self._moment(moment)
        right = row_hash(previous, stream, version, type_, schema, data_text, metadata_text, id_, moment)
        event = ReadEvent(
            position, stream, version, type_, schema, data, metadata, id_, datetime.fromisoformat(moment),
            transaction_id, binary(digest),
        )  # fmt: skip
        return event, right

    def command(self, row: Sequence[Any]) -> Command:
        """Return the command record of a row of `Log.accepted` or `Log.rejected`."""
        id_, name, actor, moment, fingerprint, *outcome, position, transaction_id, causation, seal = row
        if type(transaction_id) is not int or not (position is None or type(position) is int):
            raise TypeError("its position or transaction id is not an integer")
        if type(causation) is not str:
            raise TypeError("its causation is not text")
        id_, moment = self._id(id_), self._moment(moment)
        facts = {"actor": actor}
        if not causation:  # otherwise the correlation is the causing event's; see `causes`
            facts["correlation_id"] = f"{id_[:8]}-{id_[8:12]}-{id_[12:16]}-{id_[16:20]}-{id_[20:]}"
        head = id_, name, actor, moment, binary(fingerprint), tuple(outcome)
        return Command(*head, position, transaction_id, binary(seal), causation, facts)

    def snapshot(self, row: Sequence[Any]) -> SnapshotOf:
        """Return the snapshot of a row of `Log.snapshots`, with its state as canonical JSON."""
        stream, version, state, digest, seal = row
        if type(stream) is not str or type(version) is not int:
            raise TypeError("its stream is not text, or its version not an integer")
        value, _ = self._payload(state)
        if type(value) is not dict:
            raise TypeError("its state is not an object")
        return SnapshotOf(version, canonical(value), binary(digest), binary(seal))

    def _id(self, value: Any) -> str:
        if not self.stores_text:
            return value.hex  # type: ignore[no-any-return]
        if not _is_id(value):
            raise ValueError(f"{shown(value)} is not an id in hex")
        return value  # type: ignore[no-any-return]

    def _moment(self, value: Any) -> str:
        """Return a time as `chain.moment_text` does."""
        if value is None:  # `Log` returns NULL for a value that is not a time, or not one of Python's
            raise ValueError("its time is not one")
        if not self.stores_text:
            return moment_text(value)
        if not _is_moment(value):
            raise ValueError(f"{shown(value)} is not a time in the form YYYY-MM-DD HH:MM:SS.ffffff")
        text = f"{value[:10]}T{value[11:]}+00:00" if len(value) == 26 else f"{value[:10]}T{value[11:]}.000000+00:00"
        datetime.fromisoformat(text)
        return text

    def _payload(self, text: str) -> tuple[dict[str, Any], str]:
        """Return the value of a JSON text, and its canonical text."""
        value, end = _parsed(text)
        if end != len(text):
            raise ValueError(f"there is more than JSON in {shown(text)}")
        return value, text if self.stores_text else canonical(value)

    def _metadata(self, text: str, facts: dict[str, Any] | None) -> tuple[dict[str, Any], str]:
        if facts and "correlation_id" in facts:
            values = encode_basestring(facts["actor"]), facts["correlation_id"]
            if text == self._facts % values:
                return facts, _FACTS % values
        return self._payload(text)
