"""Make the small bank of a version of the program, for any layout of its modules; see README.md."""

from contextlib import suppress
from importlib import import_module
from typing import Any
from uuid import UUID, uuid5

from django.contrib.auth.models import User
from django.core.management import call_command

for alias in ("default", "projections"):
    call_command("migrate", database=alias, verbosity=0)
commands: Any = import_module("bank.domain.commands")
errors: Any = import_module("bank.domain.errors")
try:
    handlers: Any = import_module("bank.application.dispatch")
except ImportError:
    handlers = import_module("bank.handlers")
sent = 0


def give(command: object) -> None:
    global sent
    sent += 1
    with suppress(errors.CommandRejected):
        handlers.handle(command, command_id=uuid5(UUID(int=0), str(sent)), actor="tina")


give(commands.CreateBankAccount(1, "Josh", 1234))
give(commands.CreateBankAccount(2, "Łukasz Ørsted", 42))
give(commands.CreateBankAccount(3, "Luke", 0))
for amount in range(1, 26):  # enough for a snapshot
    give(commands.DepositMoneyIntoBankAccount(1, amount * 100))
give(commands.WithdrawMoneyFromBankAccount(1, 12_345, 1234))
give(commands.WithdrawMoneyFromBankAccount(1, 10**9, 1234))
give(commands.WithdrawMoneyFromBankAccount(1, 5, 4321))
give(commands.DepositMoneyIntoBankAccount(2, 10**12))
for _ in range(4):  # the fourth is blocked
    give(commands.WithdrawMoneyFromBankAccount(2, 5, 4321))
give(commands.DepositMoneyIntoBankAccount(9, 5))
give(commands.CreateBankAccount(1, "Again", 1234))
if hasattr(commands, "ChangePin"):
    for account_id in (3, 1):
        for _ in range(3):
            give(commands.WithdrawMoneyFromBankAccount(account_id, 5, 4321))
    give(commands.ChangePin(3, 7777))
    give(commands.UnlockPin(1))
give(commands.DepositMoneyIntoBankAccount(3, 999))
User.objects.create_superuser("tina", password="correct horse battery")
