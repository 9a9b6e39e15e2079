"""The names projection: the parts of holders' names, which searches use."""

from collections.abc import Iterable, Sequence
from typing import Any, assert_never

from bank.domain.events import AccountEvent, BankAccountCreated, MoneyMoved, Note, Refusal, StatusChange
from bank.domain.streams import OfAccount
from eventstore.events import RecordedEvent

from ..models import NamePart
from ..name_search import FORM, name_keys
from .base import Adapt, Changes, Projector


class Names(Projector):
    """One row for each part of a holder's name."""

    name = "names"
    folds = OfAccount
    model = NamePart
    columns = ("key", "account_id")

    @classmethod
    def built_with(cls) -> str:
        return FORM

    def fold(self, changes: Changes, event: AccountEvent, recorded: RecordedEvent) -> None:
        match event:
            case BankAccountCreated():
                changes |= dict.fromkeys(name_keys(event.account_holder, event.account_id), event.account_id)
            case MoneyMoved() | Refusal() | StatusChange() | Note():
                pass
            case _:
                assert_never(event)

    def rows(self, changes: Changes, adapt: Adapt) -> Iterable[Sequence[Any]]:
        return changes.items()
