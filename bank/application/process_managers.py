"""The process managers at work: each follows the log as a subscription, and its steps are carried out as commands.

The id of a step's command derives from the event, the process manager and the step. So a step that is carried out
again, after a crash or because a subscription was set back, changes nothing.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from uuid import UUID, uuid5

from django.conf import settings

from eventstore import subscriptions
from eventstore.bell import Bell
from eventstore.events import RecordedEvent
from eventstore.signals import events_appended
from eventstore.subscription_worker import SubscriptionWorker
from eventstore.subscriptions import Later, NeedsNewerVersion, Standing, Subscriber

from ..domain.errors import CommandRejected
from ..domain.events import EVENT_TYPES, UnknownEvent, decode
from ..domain.processes import PROCESS_MANAGERS, ProcessManager, Step
from .dispatch import Busy, Cause, InstallationFault, OutcomeUnknown, UnreadableAccount, handle

logger = logging.getLogger(__name__)

NAMESPACE = UUID("8ad2ba6c-3a5e-4ff1-a72c-0c3d2c2f3f4e")
"""The namespace of the ids of steps' commands. It never changes."""
AT_MOST = 20
"""The number of events that a request answers. It leaves further ones to the background: some are of other requests."""


class _Thread(threading.local):
    """The state of a thread: whether it answers an event, and whether its answer led to more work."""

    is_answering = False
    has_more = False


_thread = _Thread()
_background: SubscriptionWorker | None = None


def connect() -> None:
    """Connect the receiver, once, when the application is ready."""
    events_appended.connect(carry_on, dispatch_uid="process managers")


def subscribers() -> Sequence[Subscriber]:
    """Return a subscriber for each process manager."""
    return [
        Subscriber(
            manager.name,
            skipped=sorted(EVENT_TYPES.keys() - manager.types),
            concerns=partial(_concerns, manager),
            answer=partial(_answer, manager),
        )
        for manager in PROCESS_MANAGERS.values()
    ]


def carry_on(sender: object, events: Sequence[RecordedEvent], **kwargs: object) -> None:
    """Carry out what follows from appended events before the web process answers, unless workers do.

    The events are committed, so no error here may fail the command. A step of a process sends the signal again: the
    loop that carries the step out then goes on with its events.
    """
    if settings.PROJECTION_MODE != "inline":
        return
    if not any(_concerns(manager, event) for event in events for manager in PROCESS_MANAGERS.values()):
        return
    if _thread.is_answering:
        _thread.has_more = True
        return
    is_done = False
    try:
        is_done = _follow_all(events[-1])
    except Exception:
        logger.exception("The process managers could not go on; the background tries again")
    if _background and not is_done:
        _background.bell.ring()


def _follow_all(last: RecordedEvent) -> bool:
    """Bring all subscriptions forward, up to a limit. Return whether they have answered all events up to one."""
    budget = iter(range(AT_MOST))

    def go_on() -> bool:
        return next(budget, None) is not None

    _thread.has_more = True
    while _thread.has_more:
        _thread.has_more = False
        followed = [subscriptions.follow(each, go_on=go_on) for each in subscribers()]
    # On PostgreSQL, an open transaction may hold an event back.
    return all(standing is Standing.UP_TO_DATE and reached >= last.log_position for standing, reached in followed)


@contextmanager
def paused() -> Iterator[None]:
    """Leave what follows from the events of this thread to a worker, the background, or a later request."""
    _thread.is_answering = True
    try:
        yield
    finally:
        _thread.is_answering = False


def start_in_background() -> None:
    """Start the thread that carries out what no request does. It ends with the process, at any statement."""
    global _background
    _background = SubscriptionWorker(subscribers, Bell(subscriptions.SELDOM, listens=False))
    threading.Thread(target=_background.run, name="process managers", daemon=True).start()


def command_id_of(event: RecordedEvent, manager: str, step: str) -> UUID:
    """Return the id of a step's command."""
    return uuid5(NAMESPACE, f"{event.name} {manager} {step}")


def _concerns(manager: ProcessManager, event: RecordedEvent) -> bool:
    """Return whether something follows from an event. True if that cannot be known: `_answer` then raises."""
    if event.type not in manager.types:
        return event.type not in EVENT_TYPES
    try:
        return bool(_steps(manager, event))
    except Exception:
        return True


def _steps(manager: ProcessManager, event: RecordedEvent) -> Sequence[Step]:
    if manager.only_with and manager.only_with not in event.metadata:
        return []
    return manager.steps(decode(event.type, event.schema_version, event.data), event.metadata)


def _answer(manager: ProcessManager, event: RecordedEvent) -> None:
    """Carry out the steps that follow from an event.

    Raises:
        Later: the bank is busy or unavailable, or this process is set up wrongly.
        NeedsNewerVersion: this version of the program does not know the event, or cannot read an account or a till.
        Exception: the process manager is at fault.
    """
    _thread.is_answering = True
    try:
        for step in _steps(manager, event):
            _carry_out(manager, event, step)
    except (Busy, OutcomeUnknown, InstallationFault) as error:
        raise Later(str(error)) from error
    except (UnknownEvent, UnreadableAccount) as error:
        raise NeedsNewerVersion(str(error)) from error
    finally:
        _thread.is_answering = False


def _carry_out(manager: ProcessManager, event: RecordedEvent, step: Step) -> None:
    """Carry out a step, and the process's answer if its command is rejected."""
    command_id = command_id_of(event, manager.name, step.name)
    cause = Cause(UUID(event.metadata["correlation_id"]), event.name)
    try:
        handle(step.command, command_id=command_id, actor=event.actor, cause=cause)
    except CommandRejected as rejection:
        if step.if_rejected is None:
            raise
        _carry_out(manager, event, step.if_rejected(rejection))
