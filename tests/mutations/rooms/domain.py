"""The rules of an account."""

from ..mutation import Mutation

MUTATIONS = [
    Mutation(
        breaks="A withdrawal may exceed the balance.",
        file="bank/domain/account.py",
        text="if amount > self.balance:",
        instead="if amount > self.balance + 1:",
        tests=["tests/domain/test_account.py::test_more_than_the_balance_is_refused_on_record"],
    ),
    Mutation(
        breaks="The last cent of a balance cannot be paid out.",
        file="bank/domain/account.py",
        text="if amount > self.balance:",
        instead="if amount >= self.balance:",
        tests=["tests/domain/test_account.py::test_the_last_unit_can_be_paid_out"],
    ),
    Mutation(
        breaks="A balance may exceed the range of a 64-bit column.",
        file="bank/domain/account.py",
        text="for sent in self.on_its_way.values()) + amount > MAX_BALANCE:",
        instead="for sent in self.on_its_way.values()) > MAX_BALANCE:",
        tests=[
            "tests/domain/test_account.py::test_an_account_can_be_filled_to_the_last_unit_that_64_bits_hold_and_no_further"
        ],
    ),
    Mutation(
        breaks="An amount of 0 may be moved.",
        file="bank/domain/values.py",
        text="type(amount) is not int or amount < 1",
        instead="type(amount) is not int or amount < 0",
        tests=["tests/domain/test_account.py::test_an_invalid_amount_is_rejected"],
    ),
    Mutation(
        breaks="One command may move more than the limit.",
        file="bank/domain/values.py",
        text="if amount > MAX_AMOUNT:",
        instead="if amount > MAX_AMOUNT + 1:",
        tests=["tests/domain/test_account.py::test_more_than_can_be_moved_at_once_is_rejected"],
    ),
    Mutation(
        breaks="An account may be opened twice.",
        file="bank/domain/account.py",
        text="if self.exists:",
        instead="if False:",
        tests=["tests/domain/test_account.py::test_an_account_that_exists_is_not_opened_again"],
    ),
    Mutation(
        breaks="The account locks one wrong PIN too late.",
        file="bank/domain/account.py",
        text="if wrong_pins >= pin_attempts",
        instead="if wrong_pins > pin_attempts",
        tests=["tests/domain/test_pin_lock.py::test_the_third_wrong_pin_in_a_row_locks_beside_its_refusal"],
    ),
    Mutation(
        breaks="A right PIN does not set the count of wrong PINs to 0.",
        file="bank/domain/account.py",
        text="balance=self.balance - event.amount, wrong_pins=0)",
        instead="balance=self.balance - event.amount)",
        tests=["tests/domain/test_pin_lock.py::test_a_right_pin_sets_the_count_back"],
    ),
    Mutation(
        breaks="A right PIN that asks for too much does not set the count of wrong PINs to 0.",
        file="bank/domain/account.py",
        text="AccountOverdrawn() | PinChanged():\n                return replace(self, wrong_pins=0)",
        instead="AccountOverdrawn() | PinChanged():\n                return self",
        tests=["tests/domain/test_pin_lock.py::test_a_right_pin_sets_the_count_back"],
    ),
    Mutation(
        breaks="A locked account pays out to the right PIN.",
        file="bank/domain/account.py",
        text="if self.pin_locked:\n            return [WithdrawalBlocked",
        instead="if self.pin_locked and not pin_matches():\n            return [WithdrawalBlocked",
        tests=["tests/domain/test_pin_lock.py::test_a_locked_account_refuses_on_record_without_a_look_at_the_pin"],
    ),
    Mutation(
        breaks="A new PIN leaves the account locked.",
        file="bank/domain/account.py",
        text="[changed, PinUnlocked(self.account_id)] if self.pin_locked",
        instead="[changed] if self.pin_locked",
        tests=["tests/domain/test_pin_lock.py::test_a_new_pin_unlocks_the_account_and_records_it"],
    ),
    Mutation(
        breaks="Money that comes in may take the room of money that may come back.",
        file="bank/domain/account.py",
        text="if self.balance + sum(sent.amount for sent in self.on_its_way.values()) + amount > MAX_BALANCE:",
        instead="if self.balance + amount > MAX_BALANCE:",
        tests=["tests/domain/test_transfers.py::test_what_comes_in_leaves_room_for_what_may_come_back"],
    ),
    Mutation(
        breaks="A transfer may end twice.",
        file="bank/domain/account.py",
        text="return replace(self, balance=self.balance + amount, on_its_way=left)",
        instead="return replace(self, balance=self.balance + amount)",
        tests=["tests/domain/test_transfers.py::test_a_transfer_ends_once"],
    ),
    Mutation(
        breaks="An account may send money to itself.",
        file="bank/domain/account.py",
        text="if to_account_id == self.account_id:",
        instead="if False:",
        tests=["tests/domain/test_transfers.py::test_a_transfer_to_the_account_itself_is_rejected"],
    ),
    Mutation(
        breaks="A transfer that goes back gives another reason.",
        file="bank/domain/processes.py",
        text="ReturnMoneyTransfer(event.account_id, event.transfer_id, rejection.code)",
        instead='ReturnMoneyTransfer(event.account_id, event.transfer_id, "no_such_account")',
        tests=["tests/domain/test_transfers.py::test_money_that_the_other_account_rejects_goes_back_and_says_why"],
    ),
]
