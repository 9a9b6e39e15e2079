"""Stories of a process manager: `given` one, `when` an event is recorded, `then` these steps follow. No database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bank.domain.commands import Command
from bank.domain.errors import CommandRejected
from bank.domain.events import BankEvent
from bank.domain.processes import ProcessManager, Step

type Named = tuple[str, Command]
"""A step as a story names it: its name and its command."""


@dataclass(frozen=True)
class Followed:
    """The steps that follow from an event."""

    steps: Sequence[Step]

    def then(self, *expected: Named) -> None:
        """Assert that exactly these steps follow."""
        assert [step[:2] for step in self.steps] == list(expected)

    def when_rejected(self, name: str, rejection: CommandRejected) -> "Followed":
        """Return the answer of the process to the rejection of a step's command."""
        [step] = [each for each in self.steps if each.name == name]
        assert step.if_rejected, f"a rejection of {name} is an error"
        return Followed([step.if_rejected(rejection)])


@dataclass(frozen=True)
class Given:
    manager: ProcessManager

    def when(self, event: BankEvent, **metadata: Any) -> Followed:
        """Return the steps that follow from an event. An event of no interest has none."""
        if event.stored_type not in self.manager.types:
            return Followed([])
        steps = self.manager.steps(event, metadata)
        assert len({step.name for step in steps}) == len(steps), "each step of an event has a name of its own"
        return Followed(steps)


def given(manager: ProcessManager) -> Given:
    return Given(manager)
