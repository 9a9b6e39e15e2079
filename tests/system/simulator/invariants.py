"""The invariants, checked after every commit on a separate connection.

The write side is read row by row and compared with the model. Each event must be the model's decision on the account
just before it. Each rejection must be the model's decision on the account at some moment while the command was in
flight. The read side is compared with the fold of the log up to its checkpoint.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from bank.application import pins
from bank.domain.commands import Command, OpenTill
from bank.domain.streams import OfTill
from eventstore.chain import GENESIS, event_hash
from eventstore.events import RecordedEvent
from tests.system.simulator import model, tills
from tests.system.simulator.tables import TABLES, Fold, fold

EVENT = "position, stream, version, type, schema_version, data, metadata, command_id, recorded_at, transaction_id, hash"
RECORD = (
    "rowid, id, name, actor, received_at, outcome, reason, message, stream, version, position, event_count, fingerprint"
)


class Violation(AssertionError):
    """An invariant does not hold."""


def hold(condition: object, what: str, *facts: object) -> None:
    """Raise Violation unless the condition holds."""
    if not condition:
        raise Violation(" ".join([what, *(repr(fact) for fact in facts)]))


class Submission:
    """A command under its id, with its sender and the length of the log when it was sent.

    `till` holds the entries of the metadata that name the till of its cash.
    """

    def __init__(self, command: Command, actor: str, moment: datetime, begun: int) -> None:
        self.command, self.actor, self.moment, self.begun = command, actor, moment, begun
        self.till: Mapping[str, Any] = {}


LAST = 2**63


class Book:
    """All submissions, the log, and the model's state."""

    def __init__(self, folder: Path, files: dict[str, str], attempts: int, poison: tuple[str, int] = ("", 0)) -> None:
        self.poison = poison
        self.attempts = attempts
        self.database = {
            alias: sqlite3.connect(folder / name, isolation_level=None, check_same_thread=False)
            for alias, name in files.items()
        }
        self.submitted: dict[UUID, list[Submission]] = {}
        self.caused: dict[UUID, tuple[UUID, str]] = {}
        self.log: list[RecordedEvent] = []
        self.histories: dict[int, list[tuple[int, model.Account]]] = {}
        self.till_histories: dict[int, list[tuple[int, tills.Till]]] = {}
        self.hashes: dict[str, bytes] = {}
        self.times: dict[str, datetime] = {}
        self.records: dict[UUID, dict[str, Any]] = {}
        self.last_record = 0
        self.folds = [{name: frozenset(Fold().rows(name)) for name in TABLES}]
        self._fold = Fold()

    def close(self) -> None:
        for connection in self.database.values():
            connection.close()

    def submit(self, command_id: UUID, command: Command, actor: str, moment: datetime) -> Submission:
        """Record that a command is being sent."""
        submission = Submission(command, actor, moment, len(self.log))
        self.submitted.setdefault(command_id, []).append(submission)
        return submission

    def committed(self, alias: str) -> None:
        """Check the state after a commit."""
        if alias == "default":
            self.read_log()
        else:
            self.check_tables()

    # The write side

    def read_log(self) -> None:
        """Read the new events and command records, and check the result of each command."""
        before = len(self.log)
        select = f"SELECT {EVENT} FROM eventstore_event WHERE position > ? ORDER BY position"
        by_command: dict[UUID, list[RecordedEvent]] = {}
        for row in self.database["default"].execute(select, [before]).fetchall():
            event = _recorded(row)
            self._check_chain(event)
            by_command.setdefault(event.command_id, []).append(event)
        select = f"SELECT {RECORD} FROM eventstore_commandrecord WHERE rowid > ? ORDER BY rowid"
        for row in self.database["default"].execute(select, [self.last_record]).fetchall():
            record = dict(zip(RECORD.split(", "), row, strict=True))
            self.last_record = record["rowid"]
            command_id = UUID(record["id"])
            hold(command_id not in self.records, "a command id has one record", command_id)
            self.records[command_id] = record
            self._check_command(record, self._sent_as(command_id, record), by_command.pop(command_id, []))
        hold(not by_command, "each event has the record of its command beside it", by_command)
        self._check_accounts()

    def _check_chain(self, event: RecordedEvent) -> None:
        hold(event.position == len(self.log) + 1, "positions have no gap", event)
        self.log.append(event)
        version = 1 + sum(1 for other in self.log[:-1] if other.stream == event.stream)
        hold(event.version == version, "versions have no gap", event)
        columns = (event.stream, event.version, event.type, event.schema_version)
        data, metadata = _text(event.data), _text(event.metadata)
        previous = self.hashes.get(event.stream, GENESIS)
        digest = event_hash(previous, *columns, data, metadata, event.command_id, event.recorded_at)
        hold(digest == event.hash, "the chain is whole", event)
        self.hashes[event.stream] = event.hash
        self._fold.add(event)
        self.folds.append({name: frozenset(self._fold.rows(name)) for name in TABLES})

    def _sent_as(self, command_id: UUID, record: dict[str, Any]) -> Submission:
        """Return the submission of a record. The fingerprint distinguishes several under one id."""
        fitting = [
            each
            for each in self.submitted.get(command_id, [])
            if each.actor == record["actor"] and pins.is_fingerprint(record["fingerprint"], each.command)
        ]
        hold(fitting, "what is on record was submitted", record)
        return fitting[0]

    def _links(self, command_id: UUID) -> dict[str, str]:
        """Return the metadata that links a command's events to what led to it."""
        if command_id not in self.caused:
            return {"correlation_id": str(command_id)}
        correlation_id, causation = self.caused[command_id]
        causes = {f"{event.stream}@{event.version}" for event in self.log}
        hold(causation in causes, "what led to a command is in the log", causation)
        return {"correlation_id": str(correlation_id), "causation_id": causation}

    def _check_command(self, record: dict[str, Any], sent: Submission, events: Sequence[RecordedEvent]) -> None:
        if isinstance(sent.command, OfTill):
            self._check_till_command(record, sent, events)
            return
        account_id, command_id = sent.command.account_id, UUID(record["id"])
        history = self.histories.setdefault(account_id, [(0, model.Account())])
        if record["outcome"] == "rejected":
            hold(not events, "a rejection has no event", events)
            begun = max(i for i, (length, _) in enumerate(history) if length <= sent.begun)
            possible = [
                model.decide(account, sent.command, str(command_id), self.attempts) for _, account in history[begun:]
            ]
            hold(record["reason"] in possible, "the model rejects it too, for this reason", record, possible)
            return
        account = history[-1][1]
        happened = [(event.type, event.data) for event in events]
        decided = model.decide(account, sent.command, str(command_id), self.attempts)
        hold(decided == happened, "the model decides what was recorded", decided, happened, account, sent.command)
        last = events[-1]
        outcome = (record["stream"], record["version"], record["position"], record["event_count"])
        hold(outcome == (last.stream, last.version, last.position, len(events)), "a record says what happened", record)
        attempts = {"pin_attempts": self.attempts} if events[0].type == "invalid_pin" else {}
        for event in events:
            hold(event.stream == f"bank_account-{account_id}", "an event is in its account's stream", event)
            facts = {"actor": sent.actor, **self._links(command_id)}
            currency = {"currency": "USD 2"} if event.type == "bank_account_created" else {}
            tills_then = self._tills_of(event)
            wanted = [facts | attempts | currency | dict(till) for till in tills_then]
            hold(event.metadata in wanted, "an event says who and why", event, wanted)
            self._check_time(event)
        account = model.after(account, sent.command, str(last.command_id), happened)
        hold(account.balance >= 0, "no balance is below zero", account)
        history.append((last.position, account))

    def _tills_of(self, event: RecordedEvent) -> list[Mapping[str, Any]]:
        """Return the tills that an account's event may name: those of its senders, or that of what it reverses."""
        if "reversedCommandId" not in event.data:
            return [each.till for each in self.submitted[event.command_id]]
        reversed_id = UUID(event.data["reversedCommandId"])
        paid = next(each for each in self.log if each.command_id == reversed_id)
        return [{key: paid.metadata[key] for key in ("till", "till_shift") if key in paid.metadata}]

    def _check_time(self, event: RecordedEvent) -> None:
        before = self.times.get(event.stream, datetime.min.replace(tzinfo=UTC))
        moments = {max(each.moment, before) for each in self.submitted[event.command_id]}
        hold(event.recorded_at in moments, "an event has the sender's time, or that of the one before", event)
        self.times[event.stream] = event.recorded_at

    def _check_till_command(self, record: dict[str, Any], sent: Submission, events: Sequence[RecordedEvent]) -> None:
        command: Any = sent.command
        history = self.till_histories.setdefault(command.till_id, [(0, tills.Till())])
        if record["outcome"] == "rejected":
            hold(not events, "a rejection has no event", events)
            begun = max(i for i, (length, _) in enumerate(history) if length <= sent.begun)
            others = (False, True) if isinstance(command, OpenTill) else (False,)
            possible = [tills.decide(till, command, has_other=other) for _, till in history[begun:] for other in others]
            hold(record["reason"] in possible, "the model rejects it too, for this reason", record, possible)
            return
        till = history[-1][1]
        [event] = events
        has_other = isinstance(command, OpenTill) and self.till_of(command.teller) is not None
        decided = tills.decide(till, command, has_other=has_other)
        hold(decided == (event.type, event.data), "the model decides what was recorded", decided, event, till)
        facts = {"actor": sent.actor, **self._links(event.command_id), **tills.metadata_of(till, command)}
        hold((event.stream, event.metadata) == (command.stream, facts), "an event says who and why", event, facts)
        self._check_time(event)
        till = tills.after(till, event.type, event.data)
        history.append((event.position, till))
        if till.teller:
            cash = tills.cash_by_the_log(self.log[: event.position], command.till_id, till.shift)
            hold(till.cash == cash, "the expected cash is the opening cash, and what came in less what went out", till)

    def till_of(self, teller: str) -> tuple[int, tills.Till] | None:
        """Return the number and the model of the till that a teller has open, or None."""
        states = ((till_id, history[-1][1]) for till_id, history in self.till_histories.items())
        return next(((till_id, till) for till_id, till in states if till.teller == teller), None)

    def _check_accounts(self) -> None:
        opened = {number for number, history in self.histories.items() if history[-1][1].holder}
        verifiers = self.database["default"].execute("SELECT account_id FROM bank_pinverifier").fetchall()
        hold({number for (number,) in verifiers} == opened, "each account has a PIN and no other has", opened)
        rows = self.database["default"].execute("SELECT till_id, teller, shift FROM bank_opentill").fetchall()
        states = ((till_id, history[-1][1]) for till_id, history in self.till_histories.items())
        open_tills = {(till_id, till.teller, till.shift) for till_id, till in states if till.teller}
        hold(set(rows) == open_tills, "each open till has a row and no other has", rows, open_tills)

    def account(self, account_id: int) -> model.Account:
        """Return the model's current account."""
        return self.histories.get(account_id, [(0, model.Account())])[-1][1]

    # The read side

    def reached(self) -> dict[str, int]:
        """Return the checkpoint of each projection."""
        rows = self.database["projections"].execute("SELECT name, position FROM projections_checkpoint").fetchall()
        return {name: rows.get(name, 0) for rows in [dict(rows)] for name in TABLES}

    def check_tables(self) -> None:
        """Compare each table with the log up to its checkpoint, and the figures with each other."""
        self.read_log()  # a projection reads only committed events
        reached = self.reached()
        for name, (kind, columns) in TABLES.items():
            select = f"SELECT {', '.join(columns)} FROM {kind._meta.db_table}"
            rows = self.database["projections"].execute(select).fetchall()
            hold(len(rows) == len(set(rows)), "no row is there twice", name)
            hold(reached[name] < len(self.folds), "no checkpoint is ahead of the log", name, reached)
            parked = self._parked(name)
            wanted = self.folds[reached[name]][name]
            if parked:
                seen = self.log[: reached[name]]
                wanted = frozenset(
                    fold(each for each in seen if each.version < parked.get(each.stream, LAST)).rows(name)
                )
            hold(set(rows) == wanted, "a table is the log up to its checkpoint", name, reached, wanted ^ set(rows))
        for name, position in reached.items():
            tables = self.folds[position]
            balances = sum(row[3] for row in tables["accounts"])
            for _, _, balance, paid_in, paid_out, on_its_way in tables["totals"]:
                hold(balance == balances, "the money on deposit is that of all accounts", name, position)
                hold(paid_in - paid_out == balances + on_its_way, "in less out is here or on its way", name, position)

    def _parked(self, name: str) -> dict[str, int]:
        """Return the parked streams of a projection, each with its first version that is not in the table."""
        select = "SELECT stream, version FROM projections_parkedstream WHERE projection = ?"
        parked = dict(self.database["projections"].execute(select, [name]).fetchall())
        select = "SELECT parked FROM projections_checkpoint WHERE name = ?"
        counted = self.database["projections"].execute(select, [name]).fetchall()
        hold(counted in ([(len(parked),)], []), "a checkpoint counts its parked streams", name, counted, parked)
        projection, position = self.poison
        poisoned = {(each.stream, each.version) for each in self.log[position - 1 : position]}
        hold(not parked or (name == projection and set(parked.items()) == poisoned), "nothing else is parked", parked)
        return parked


def _recorded(row: Sequence[Any]) -> RecordedEvent:
    position, stream, version, kind, schema, data, metadata, command_id, recorded_at, transaction_id, digest = row
    moment = datetime.fromisoformat(recorded_at).replace(tzinfo=UTC)
    return RecordedEvent(
        position, stream, version, kind, schema, json.loads(data), json.loads(metadata), UUID(command_id), moment,
        transaction_id, bytes(digest),
    )  # fmt: skip


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
