"""The recipe docs/evolve-an-event.md gives a second version of an event, and a step left out is named."""

import re
from pathlib import Path

from tests.system.recipes.recipe import Copy, steps_of

OLD_LOG = "tests/application/test_old_log.py"


def carried_out(folder: Path, *left_out: str) -> Copy:
    """Return a copy of the project after the steps of the recipe, but for the files that are left out."""
    copy = Copy(folder)
    for step in steps_of("evolve-an-event.md"):
        if step.path not in left_out:
            copy.apply(step)
    return copy


def test_the_recipe_gives_a_second_version_that_is_read_beside_old_logs_of_all_types(tmp_path: Path) -> None:
    copy = carried_out(tmp_path)
    code, output = copy.test("tests/system/recipes/evolving.py", OLD_LOG)
    assert code == 0, output
    code, output = copy.mypy()
    assert code == 0, output


def test_an_upcaster_a_decision_and_a_rule_that_are_forgotten_are_named(tmp_path: Path) -> None:
    copy = carried_out(tmp_path, "bank/domain/upcasters.py", "bank/domain/account.py", "bank/domain/verification.py")
    _, output = copy.mypy()
    assert re.search(r'^bank/domain/account.py.*"wrong_pins" in call to "PinUnlocked"', output, re.M), output
    _, output = copy.test(f"{OLD_LOG}::test_accounts_load")
    assert "pin_unlocked of schema version 1: no 'wrong_pins'" in output, output
    for step in steps_of("evolve-an-event.md"):
        if step.path in ("bank/domain/upcasters.py", "bank/domain/account.py"):
            copy.apply(step)
    _, output = copy.test(f"{OLD_LOG}::test_verification_finds_nothing")
    assert "the rules record pin_unlocked" in output
