"""Dispatch of commands: `handle` carries out a command once, and retries if another writer was first.

Each command id counts once. The first try decides without a lock, on the account as this process knows it. If another
writer was first, the next try takes the stream lock. Commands with a PIN to compare always take it, so that no PIN is
compared before the last wrong one counts.
"""

import logging
import random
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.db import InterfaceError, OperationalError, connections

from eventstore import clock, errors, store
from eventstore.backends import backend_of
from eventstore.events import Envelope
from eventstore.signals import catch_up_wanted
from eventstore.stream_lock import stream_lock

from ..domain.aggregate import check_number
from ..domain.commands import Command
from ..domain.errors import REJECTIONS, CommandIdReused, CommandRejected, InvalidAccountId, InvalidTillId
from ..domain.events import BankEvent, Refusal, UnknownEvent, decode
from ..operations.installation import InstallationFault as InstallationFault
from . import account_cache, clock_limit, currency, pins
from .handlers import COMPARE_PIN, HANDLERS
from .repository import Saved

logger = logging.getLogger(__name__)

MAX_TRIES = 100
"""The largest number of tries of a command. A low limit loses commands under load (docs/performance.md)."""
MAX_PAUSE = 0.05
"""The longest random pause between two tries in seconds, after the database asked for a retry."""
PATIENCE = 5.0
"""The time in seconds for which a command is retried while the database does not answer."""


DERIVED = 5
"""The version of command ids that derive from an event: UUIDv5."""


class Busy(Exception):
    """The account or the database is busy. Nothing has changed, and the command may be sent again."""


class UnreadableAccount(Exception):
    """This version of the program cannot read an event of the account. Nothing has changed."""


class OutcomeUnknown(Exception):
    """The database was lost and did not return in time. The command was carried out or it was not.

    Sending it again under the same command id is safe, and returns its outcome.
    """


class Ack(NamedTuple):
    """The acknowledgement of an accepted command. A refused withdrawal is accepted too: its event is the refusal.

    `token` is the read-your-writes token: the log position that the read side must reach to show the events.
    """

    stream: str
    version: int
    position: int
    events: tuple[BankEvent, ...]
    repeated: bool
    command_id: UUID
    token: str

    @property
    def is_refusal(self) -> bool:
        return any(isinstance(event, Refusal) for event in self.events)


class Cause(NamedTuple):
    """The event that led to a command: the id of the first command of the chain, and the event's name."""

    correlation_id: UUID
    causation: str


def handle(
    command: Command,
    *,
    command_id: UUID | None = None,
    actor: str = "",
    cause: Cause | None = None,
    metadata: Mapping[str, Any] = {},
) -> Ack:
    """Carry out a command once.

    A known command id changes nothing, and has its first outcome again.

    Args:
        command_id: the id of the command; by default a new one.
        actor: the name of the user who sent it.
        cause: the event that led to the command, unless a user sent it.
        metadata: further entries for the metadata of the command's events.

    Raises:
        CommandIdReused: the id belongs to another command, or it is of version 5, as those of process managers, and no
            event led to the command. Nothing has changed.
        CommandRejected: the command is invalid; see the subclass. Nothing has changed.
        Busy: the account or the database is busy. Nothing has changed.
        UnreadableAccount: only a newer version of the program can read the account. Nothing has changed.
        InstallationFault: a key is missing, the currency is another one, or the clock is off. Nothing has changed, and
            no PIN attempt was counted.
        OutcomeUnknown: the database was lost. The command may be sent again under the same id.
    """
    fingerprint = pins.fingerprint(command)
    correlation_id, causation = cause or (None, "")
    command_id = command_id or uuid4()
    if cause is None and command_id.version == DERIVED:
        # These ids can be computed beforehand. A user who took one would stop a process manager.
        raise CommandIdReused("This form has an id that only the bank itself uses. Nothing was changed.")
    head = command_id, command.stored_name, actor, clock.now(), fingerprint
    envelope = Envelope(*head, correlation_id, causation, metadata)
    give_up_at = time.monotonic() + PATIENCE
    while True:
        try:
            backend_of().limit_waits()
            currency.settle()
            clock_limit.check()
            return _decide_until_saved(command, envelope)
        except (OperationalError, InterfaceError) as error:
            if errors.is_busy(error):
                raise Busy("The database is busy.") from error
            if not errors.is_lost(error):
                raise
            # The transaction may have committed. The command id shows it once the database is back.
            logger.warning("The database was lost in mid-command: %s", error)
            connections[store.WRITE_SIDE].close()
            if time.monotonic() > give_up_at:
                raise OutcomeUnknown("The database does not answer.") from error
            time.sleep(random.uniform(MAX_PAUSE, 4 * MAX_PAUSE))


def _decide_until_saved(command: Command, envelope: Envelope) -> Ack:
    for attempt in range(MAX_TRIES):
        locks = attempt > 0 or isinstance(command, COMPARE_PIN)
        try:
            check_number(command)
            return _ack(_carry_out(command, envelope, locks=locks, stand_back=attempt > 0), envelope)
        except CommandRejected as rejection:
            stream = "" if isinstance(rejection, InvalidAccountId | InvalidTillId) else command.stream
            if not locks and account_cache.forget(stream):
                continue  # it decided on the cached account, so decide on the recorded one
            return _reject(stream, command, envelope, rejection)
        except store.CommandIdTaken:
            return _first_outcome(command, envelope)
        except store.WrongExpectedVersion:
            pass
        except UnknownEvent as error:
            logger.error("%s cannot be read: %s", command.stream, error)
            raise UnreadableAccount(f"{command.stream} cannot be read.") from error
        except OperationalError as error:
            if not errors.asks_to_try_again(error):
                raise
            time.sleep(random.uniform(0, min(MAX_PAUSE, 0.001 * 2**attempt)))
    raise Busy(f"{command.stream} is busy.")


def _carry_out(command: Command, envelope: Envelope, *, locks: bool, stand_back: bool) -> Saved:
    """Pass a command to its handler, with or without the stream lock."""
    handler = HANDLERS[type(command)]
    if not locks:
        return handler(command, envelope, None)
    with stream_lock(command.stream, stand_back=stand_back) as lock:
        return handler(command, envelope, lock)


def _reject(stream: str, command: Command, envelope: Envelope, rejection: CommandRejected) -> Ack:
    """Record a rejection and raise it, unless this command already has an outcome."""
    try:
        store.record_rejection(stream, envelope, reason=rejection.code, message=str(rejection))
    except store.CommandIdTaken:
        return _first_outcome(command, envelope)
    raise rejection


def _first_outcome(command: Command, envelope: Envelope) -> Ack:
    """Return the first acknowledgement of a repeated command, or raise its first rejection again.

    A command that an event led to is known by its id alone. Its content may differ from the first: another version of
    the program may have sent that, or under a key of `PIN_KEYS` that is no longer there.

    Raises:
        CommandIdReused: the id belongs to a command with other content.
    """
    outcome = store.find_outcome(envelope.id)
    assert outcome is not None, "command records are never deleted"
    if not envelope.causation and not pins.is_fingerprint(outcome.fingerprint, command):
        raise CommandIdReused("This form was sent before with other entries, which stand. Nothing was changed now.")
    if not outcome.accepted:
        raise REJECTIONS[outcome.reason](outcome.message)
    assert outcome.version is not None
    first = outcome.version - outcome.event_count + 1
    recorded = list(store.read_stream(outcome.stream, first=first, last=outcome.version))
    try:
        events = [decode(each.type, each.schema_version, each.data) for each in recorded]
    except UnknownEvent:  # a newer version carried it out; its receipt shows what this one can read
        events = []
    catch_up_wanted.send(sender=handle)
    return _ack(Saved(events, recorded[-1]), envelope, repeated=True)


def _ack(saved: Saved, envelope: Envelope, *, repeated: bool = False) -> Ack:
    events, last = tuple(saved.events), saved.last
    place = last.version, last.position
    return Ack(last.stream, *place, events, repeated, envelope.id, last.log_position.token)
