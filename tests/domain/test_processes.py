"""Process managers as stories, and the rules that hold for all of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from bank.domain.commands import DepositMoneyIntoBankAccount, UnlockPin
from bank.domain.errors import NoSuchAccount
from bank.domain.events import EVENT_TYPES, BankEvent, MoneyDepositedIntoBankAccount, PinUnlocked
from bank.domain.processes import PROCESS_MANAGERS, ProcessManager, Step

from .process_story import given


def tithe_steps(event: BankEvent, metadata: Mapping[str, Any]) -> Sequence[Step]:
    """Deposit a tenth of each deposit into account 2, or unlock account 1 if there is no account 2."""
    assert isinstance(event, MoneyDepositedIntoBankAccount)
    if metadata.get("exempt"):
        return []
    give = DepositMoneyIntoBankAccount(2, event.amount // 10)
    return [Step("give", give, if_rejected=lambda rejection: Step("give up", UnlockPin(1)))]


TITHE = ProcessManager("tithe", frozenset({"money_deposited_into_bank_account"}), tithe_steps)


def test_a_process_manager_answers_an_event_with_steps() -> None:
    given(TITHE).when(MoneyDepositedIntoBankAccount(1, 50)).then(("give", DepositMoneyIntoBankAccount(2, 5)))
    given(TITHE).when(MoneyDepositedIntoBankAccount(1, 50), exempt=True).then()
    given(TITHE).when(PinUnlocked(1)).then()


def test_a_process_manager_answers_a_rejection_with_another_step() -> None:
    followed = given(TITHE).when(MoneyDepositedIntoBankAccount(1, 50))
    followed.when_rejected("give", NoSuchAccount("There is no account 2.")).then(("give up", UnlockPin(1)))


def test_each_process_manager_has_its_own_name_and_follows_events_of_the_bank() -> None:
    for name, manager in PROCESS_MANAGERS.items():
        assert manager.name == name
        assert manager.types
        assert manager.types <= EVENT_TYPES.keys()
