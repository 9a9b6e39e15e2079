"""The one way to change anything: a command goes in, an acknowledgement comes out.

A handler loads the account, calls the method of the task and saves what happened. Each command id counts once;
a writer who loses a race for an account waits for a turn there and decides again. Withdrawals always wait for their
turn, so that nobody looks at a PIN before the last refusal counts.
"""

import logging
import random
import time
from typing import NamedTuple
from uuid import UUID, uuid4

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections

from eventstore import clock, errors, store, stream_lock
from eventstore.backends import postgresql
from eventstore.events import Envelope
from eventstore.signals import events_appended

from ..domain.account import check_account_id, check_pin
from ..domain.commands import (
    COMMAND_NAMES,
    ChangePin,
    Command,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    UnlockPin,
    WithdrawMoneyFromBankAccount,
)
from ..domain.errors import REJECTIONS, CommandIdReused, CommandRejected, InvalidAccountId
from ..domain.events import BankEvent, InvalidPin, decode
from ..domain.verification import PIN_ATTEMPTS
from ..operations.key_files import InstallationFault as InstallationFault
from . import pins, repository
from .repository import Saved

logger = logging.getLogger(__name__)

MAX_TRIES = 100
"""How often a command that keeps losing the race for its account decides again. Three lost a quarter of them."""
MAX_PAUSE = 0.05
"""The longest random pause between two tries, in seconds, where the database asks for another try."""
CONTESTED = 1.0
"""Seconds for which commands queue from the start at an account for which somebody has just lost a race, on SQLite."""
PATIENCE = 5.0
"""Seconds for which a command is tried again while the database does not answer."""


class Busy(Exception):
    """The command could not be carried out now; nothing has changed, and it may be sent again."""


class OutcomeUnknown(Exception):
    """The database went away and did not come back in time: the command was carried out or was not.

    To send it again under the same command id is safe, and tells.
    """


class Ack(NamedTuple):
    """What became of an accepted command. A refused withdrawal is accepted too: its event says so.

    `token` says, to the read side alone, how far it has to have come to show this.
    """

    account_id: int
    version: int
    position: int
    events: tuple[BankEvent, ...]
    repeated: bool
    command_id: UUID
    token: str


def handle(command: Command, *, command_id: UUID | None = None, actor: str = "") -> Ack:
    """Carry out a command, once.

    A command id seen before changes nothing and has the first outcome again.

    Args:
        command_id: the id of the command; a new one when it is not given.
        actor: the user name of who gave it.

    Raises:
        CommandRejected: the kind says why; nothing has changed.
        Busy: too many others are at the same account, or the database is; nothing has changed.
        InstallationFault: a key that it needs is missing; nothing has changed, and no PIN attempt was counted.
        OutcomeUnknown: the database went away; sent again under the same id, the command still counts once.
    """
    envelope = Envelope(
        command_id or uuid4(), COMMAND_NAMES[type(command)], actor, clock.now(), pins.fingerprint(command)
    )
    give_up_at = time.monotonic() + PATIENCE
    while True:
        try:
            with postgresql.limited(store.WRITE_SIDE, stream_lock.LONGEST_TURN):
                return _handle(command, envelope)
        except (OperationalError, InterfaceError) as error:
            if errors.is_busy(error):
                raise Busy("The database is busy.") from error
            if not errors.is_lost(error):
                raise
            # It may have been carried out: the command id tells when the database is back.
            logger.warning("The database was lost in mid-command: %s", error)
            connections[store.WRITE_SIDE].close()
            if time.monotonic() > give_up_at:
                raise OutcomeUnknown("The database does not answer.") from error
            time.sleep(random.uniform(MAX_PAUSE, 4 * MAX_PAUSE))


def _handle(command: Command, envelope: Envelope) -> Ack:
    for attempt in range(MAX_TRIES):
        # A PIN is compared with nobody else at the account: see `PIN_ATTEMPTS`.
        queue = attempt > 0 or isinstance(command, WithdrawMoneyFromBankAccount)
        try:
            check_account_id(command.account_id)
            queue = queue or _is_contested(command.account_id)
            saved = _take_turn(command, envelope, stands_back=attempt > 0) if queue else _carry_out(command, envelope)
            return _ack(saved, envelope.id)
        except CommandRejected as rejection:
            if not queue and repository.forget(command.account_id):
                continue  # it was decided on what this process remembered: decide again on what is there
            return _reject(command, envelope, rejection)
        except store.CommandIdTaken:
            return _first_outcome(command, envelope)
        except store.WrongExpectedVersion:
            _expect_contest(command.account_id)
        except OperationalError as error:
            if not errors.asks_to_try_again(error):
                raise
            time.sleep(random.uniform(0, min(MAX_PAUSE, 0.001 * 2**attempt)))
    raise Busy(f"Account {command.account_id} is busy.")


_contested_until: dict[int, float] = {}


def _is_contested(account_id: int) -> bool:
    return time.monotonic() < _contested_until.get(account_id, 0)


def _expect_contest(account_id: int) -> None:
    """Let the next commands of this process queue at an account, instead of overtaking those who do, on SQLite."""
    if postgresql.is_postgresql(store.WRITE_SIDE):
        return  # there those who queue have only so long to wait: see `turns.HEAD_START`
    if len(_contested_until) > 1000:
        _contested_until.clear()
    _contested_until[account_id] = time.monotonic() + CONTESTED


def _take_turn(command: Command, envelope: Envelope, *, stands_back: bool) -> Saved:
    with store.turn(repository.stream_of(command.account_id), stands_back=stands_back):
        return _carry_out(command, envelope)


def _carry_out(command: Command, envelope: Envelope) -> Saved:
    match command:
        case CreateBankAccount():
            return _create(command, envelope)
        case DepositMoneyIntoBankAccount():
            return _deposit(command, envelope)
        case WithdrawMoneyFromBankAccount():
            return _withdraw(command, envelope)
        case UnlockPin():
            return _unlock_pin(command, envelope)
        case ChangePin():
            return _change_pin(command, envelope)


def _create(command: CreateBankAccount, envelope: Envelope) -> Saved:
    loaded = repository.load(command.account_id)
    event = loaded.account.create(command.account_holder, command.pin)
    verifier = pins.make_verifier(command.account_id, command.pin, envelope.id)
    return repository.save(loaded, [event], envelope, also=lambda: pins.store_verifier(command.account_id, verifier))


def _deposit(command: DepositMoneyIntoBankAccount, envelope: Envelope) -> Saved:
    loaded = repository.load(command.account_id)
    event = loaded.account.deposit(command.amount)
    return repository.save(loaded, [event], envelope)


def _withdraw(command: WithdrawMoneyFromBankAccount, envelope: Envelope) -> Saved:
    check_pin(command.pin)
    if store.find_outcome(envelope.id) is not None:
        raise store.CommandIdTaken(str(envelope.id))  # it counts once, so its PIN is looked at once
    loaded = repository.load(command.account_id)
    attempts = settings.PIN_ATTEMPTS
    events = loaded.account.withdraw(
        command.amount,
        pin_matches=lambda: pins.matches(command.account_id, command.pin),
        pin_attempts=attempts,
    )
    # The setting decides on wrong PINs alone. Its number is recorded there, so that a verification can decide again.
    circumstances = {PIN_ATTEMPTS: attempts} if isinstance(events[0], InvalidPin) else {}
    return repository.save(loaded, events, envelope, circumstances=circumstances)


def _unlock_pin(command: UnlockPin, envelope: Envelope) -> Saved:
    loaded = repository.load(command.account_id)
    event = loaded.account.unlock_pin()
    return repository.save(loaded, [event], envelope)


def _change_pin(command: ChangePin, envelope: Envelope) -> Saved:
    loaded = repository.load(command.account_id)
    events = loaded.account.change_pin(command.pin)
    verifier = pins.make_verifier(command.account_id, command.pin, envelope.id)
    return repository.save(loaded, events, envelope, also=lambda: pins.replace_verifier(command.account_id, verifier))


def _reject(command: Command, envelope: Envelope, rejection: CommandRejected) -> Ack:
    """Put the rejection on record and raise it, unless this command had an outcome before."""
    stream = "" if isinstance(rejection, InvalidAccountId) else repository.stream_of(command.account_id)
    try:
        store.record_rejection(stream, envelope, reason=rejection.code, message=str(rejection))
    except store.CommandIdTaken:
        return _first_outcome(command, envelope)
    raise rejection


def _first_outcome(command: Command, envelope: Envelope) -> Ack:
    """Return, or raise again, what became of the command when it first came.

    Raises:
        CommandIdReused: it was another command that came under this id.
    """
    outcome = store.find_outcome(envelope.id)
    assert outcome is not None, "command records are never deleted"
    if not pins.is_fingerprint(outcome.fingerprint, command):
        raise CommandIdReused("This form was sent before with other entries, which stand. Nothing was changed now.")
    if not outcome.accepted:
        raise REJECTIONS[outcome.reason](outcome.message)
    assert outcome.version is not None
    first = outcome.version - outcome.event_count + 1
    recorded = list(store.read_stream(outcome.stream, first=first, last=outcome.version))
    events = [decode(each.type, each.schema_version, each.data) for each in recorded]
    # The process that appended them may have died before it could say so.
    events_appended.send(sender=handle, events=())
    return _ack(Saved(events, recorded[-1]), envelope.id, repeated=True)


def _ack(saved: Saved, command_id: UUID, *, repeated: bool = False) -> Ack:
    events, last = tuple(saved.events), saved.last
    return Ack(events[0].account_id, last.version, last.position, events, repeated, command_id, last.place.token)
