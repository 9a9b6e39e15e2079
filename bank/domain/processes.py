"""Process managers: from an event to the commands that follow from it.

The challenge's diagram calls them event routers. A process manager is a pure function without state: what a process has
to remember is in the events of its aggregates. `bank.application.process_managers` carries out the steps.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from .commands import Command
from .errors import CommandRejected
from .events import BankEvent


class Step(NamedTuple):
    """A command that follows from an event.

    Attributes:
        name: the name of the step within its process manager. It never changes: the command's id derives from it.
        command: the command to carry out, once.
        if_rejected: returns the next step if the command is rejected. None: a rejection is an error of the process
            manager, which stops at the event.
    """

    name: str
    command: Command
    if_rejected: "Callable[[CommandRejected], Step] | None" = None


class ProcessManager(NamedTuple):
    """A process manager.

    Attributes:
        name: the name of its subscription. It never changes: the commands' ids derive from it.
        types: the stored types of the events that it follows.
        steps: returns the steps that follow from an event and its metadata, in order. The same event always has the
            same steps.
    """

    name: str
    types: frozenset[str]
    steps: Callable[[BankEvent, Mapping[str, Any]], Sequence[Step]]


PROCESS_MANAGERS: dict[str, ProcessManager] = {}
"""Every process manager by its name."""
