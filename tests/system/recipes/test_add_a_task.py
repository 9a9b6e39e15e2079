"""The recipe docs/add-a-task.md gives the task that it promises, and for each step left out a check names the place."""

import re
from pathlib import Path

from tests.system.recipes.recipe import ROOT, Copy, Step, steps_of

STEPS = {step.path: step for step in steps_of("add-a-task.md")}
STORED = (
    "tests/domain/test_events.py",
    '    (PinChanged(1), "pin_changed", {"accountId": 1}),\n',
    '    (events.BankAccountFrozen(1), "bank_account_frozen", {"accountId": 1}),\n',
)
HANDLER_TEST = "tests/application/test_handlers.py::test_every_command_has_a_handler"
ROLES_TEST = "tests/access/test_who_may_what.py::test_every_address_has_a_row_and_every_row_an_address"
STATE_TEST = "tests/domain/test_state_version.py"


def carried_out(folder: Path, *left_out: str) -> Copy:
    """Return a copy of the project after the steps of the recipe, but for the files that are left out."""
    copy = Copy(folder)
    for path, step in STEPS.items():
        if path not in left_out:
            copy.apply(step)
    copy.replace(STORED[0], STORED[1], STORED[1] + STORED[2])
    return copy


def test_the_recipe_gives_a_task_that_passes_the_checks(tmp_path: Path) -> None:
    copy = carried_out(tmp_path)
    _, output = copy.test(STATE_TEST)
    [digest] = set(re.findall(r"add to DIGESTS: (\d+: \w+)", output)) or [output]
    copy.replace(STATE_TEST, "DIGESTS = {", f'DIGESTS = {{{digest[:3]}"{digest[3:]}", ')

    own = ("tests/domain/test_freezing.py", "tests/system/recipes/freezing.py")
    code, output = copy.test(*own, STORED[0], "tests/projections/test_kinds.py", HANDLER_TEST, ROLES_TEST)
    assert code == 0, output
    code, output = copy.mypy()
    assert code == 0, output
    code, output = copy.lint_imports()
    assert code == 0, output
    code, output = copy.run("manage.py", "makemigrations", "--check", "--dry-run")
    assert code == 0, output


def test_mypy_names_each_decision_that_is_forgotten(tmp_path: Path) -> None:
    decisions = ("bank/domain/verification.py", "bank/domain/account_state.py")
    copy = carried_out(tmp_path, *decisions, "bank/domain/account.py")
    of_no_group = "class BankAccountFrozen(OfAccount):"
    copy.replace("bank/domain/events.py", "class BankAccountFrozen(StatusChange):", of_no_group)
    _, output = copy.mypy()
    for path in decisions:
        assert re.search(rf'^{path}.*"assert_never" has incompatible type "BankAccountFrozen"', output, re.M), output
    assert re.search(r'^bank/application/handlers.py.*"BankAccount" has no attribute "freeze"', output, re.M), output
    for name in ("accounts", "statements", "refusals", "totals", "daily", "names", "transfers"):
        assert re.search(rf"^projections/projectors/{name}.py.*BankAccountFrozen", output, re.M), output
    assert re.search(r"^projections/verification/sums.py.*BankAccountFrozen", output, re.M), output


def test_an_event_without_a_kind_or_a_kind_without_words_stops_the_start(tmp_path: Path) -> None:
    copy = carried_out(tmp_path, "projections/kinds.py")
    code, output = copy.run("manage.py", "check")
    assert code != 0
    assert "projections/kinds.py has no kind for BankAccountFrozen" in output
    [*places, (before, after)] = STEPS["projections/kinds.py"].places
    wordless = after.replace('"Account frozen", "Withdrawals from this account are rejected."', "")
    copy.apply(Step("projections/kinds.py", [*places, (before, wordless)]))
    code, output = copy.run("manage.py", "check")
    assert code != 0
    assert "missing 2 required positional arguments: 'words' and 'explanation'" in output


def test_a_forgotten_handler_role_stored_form_or_state_version_is_named(tmp_path: Path) -> None:
    copy = carried_out(tmp_path, "docs/trust.md")
    copy.replace("bank/application/handlers.py", "    FreezeBankAccount: freeze_bank_account,\n", "")
    copy.replace(STORED[0], STORED[2], "")
    [(before, after)] = [place for place in STEPS["bank/domain/account_state.py"].places if "STATE_VERSION" in place[0]]
    copy.replace("bank/domain/account_state.py", after, before)
    code, output = copy.test(HANDLER_TEST, ROLES_TEST, STATE_TEST, STORED[0])
    assert code == 1
    for message in (
        "bank/application/handlers.py: HANDLERS",
        "add a row to the table in docs/trust.md",
        "raise STATE_VERSION in bank/domain/account_state.py",
        "bank_account_frozen",
    ):
        assert message in output


def test_a_class_without_a_stored_name_and_one_outside_of_its_union_are_named(tmp_path: Path) -> None:
    copy = carried_out(tmp_path)
    copy.replace("bank/domain/commands.py", '    stored_name: ClassVar = "freeze_bank_account"\n', "")
    copy.replace("bank/domain/events.py", "    | BankAccountFrozen\n", "")
    _, output = copy.mypy()
    assert re.search(
        r'^bank/application/dispatch.py.*"FreezeBankAccount".* has no attribute "stored_name"', output, re.M
    )
    assert re.search(r'incompatible type "\S*BankAccountFrozen', output), output
    copy.replace("bank/domain/events.py", '    stored_type: ClassVar = "bank_account_frozen"\n', "")
    copy.replace("bank/domain/events.py", "    | PinChanged\n", "    | PinChanged\n    | BankAccountFrozen\n")
    code, output = copy.run("manage.py", "check")
    assert code != 0
    assert "type object 'BankAccountFrozen' has no attribute 'stored_type'" in output


def test_the_recipe_names_each_file_that_it_changes() -> None:
    assert len(STEPS) == len(steps_of("add-a-task.md"))
    assert all((ROOT / path).exists() for path in STEPS if not path.startswith("tests/"))
