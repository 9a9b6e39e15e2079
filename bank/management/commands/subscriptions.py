"""`manage.py subscriptions`: shows how far process managers have come, and sets one back."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bank.domain.processes import PROCESS_MANAGERS
from eventstore import subscriptions
from eventstore.subscription_states import COUNTED, State, states

WARNING = """\
{name} will read the log again after position {position}. It is at position {reached} now.
No command that is on record is carried out again. A command that is missing, because the version that read the event
did not know that it follows, will be carried out.
"""
MAX_POSITION = 2**63 - 1


class Command(BaseCommand):
    help = "List the subscriptions of process managers, or set one back so that it reads a part of the log again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--set-back",
            nargs="+",
            metavar=("NAME", "POSITION"),
            help="read the log again after this position; by default from the beginning",
        )
        parser.add_argument("--yes", action="store_true", help="do not ask before setting back")

    def handle(self, *args: Any, set_back: list[str] | None, yes: bool, **options: Any) -> None:
        if set_back:
            self._set_back(*_wanted(set_back), ask=not yes)
        else:
            self._list()

    def _list(self) -> None:
        self.stdout.write(f"{'NAME':20} {'POSITION':>12} {'BEHIND':>8}  STATE")
        for each in states(PROCESS_MANAGERS):
            behind = f"{each.behind}{'+' if each.behind >= COUNTED else ''}"
            self.stdout.write(f"{each.name:20} {each.position:>12} {behind:>8}  {_state(each)}")

    def _set_back(self, name: str, position: int, *, ask: bool) -> None:
        [state] = states([name])
        if position >= state.position:
            raise CommandError(f"{name} is at position {state.position}. It can only be set back.")
        if ask:
            self.stdout.write(WARNING.format(name=name, position=position, reached=state.position))
            if not _agrees():
                raise CommandError("Nothing was changed.")
        if subscriptions.set_back(name, position) is None:
            raise CommandError(f"{name} has not come as far as position {position}. Nothing was changed.")
        self.stdout.write(f"{name} is set back to position {position}.")


def _agrees() -> bool:
    try:
        return input('Type "yes" to set it back: ') == "yes"
    except EOFError:
        raise CommandError("Nobody answers. In a script, use --yes. Nothing was changed.") from None


def _wanted(arguments: list[str]) -> tuple[str, int]:
    """Return the name and the position of the arguments.

    Raises:
        CommandError
    """
    name, *rest = arguments
    if name not in PROCESS_MANAGERS:
        known = ", ".join(PROCESS_MANAGERS) or "none"
        raise CommandError(f"There is no subscription {name}; there are {known}.")
    if len(rest) > 1:
        raise CommandError("--set-back takes a name and at most one position.")
    text = rest[0] if rest else "0"
    if not (text.isascii() and text.isdecimal() and int(text[:20]) <= MAX_POSITION):
        raise CommandError(f"A position is a whole number from 0 to {MAX_POSITION}, not {text!r}.")
    return name, int(text)


def _state(state: State) -> str:
    """Return the state in words, with the number of events that only a newer version can answer."""
    count = f"{state.parked}{'+' if state.parked >= COUNTED else ''}"
    return f"{_standing(state)}; {count} parked for a newer version" if state.parked else _standing(state)


def _standing(state: State) -> str:
    if state.error:
        return f"stopped at event {state.failed_position}: {state.error}"
    if state.worker:
        return f"in work by {state.worker}"
    return "behind" if state.behind else "up to date"
