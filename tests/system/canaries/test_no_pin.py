"""No PIN leaks: everything stored, logged, mailed, shown or put into a URL is the same with other PINs."""

from pathlib import Path

import pytest

from tests.support.databases import Urls
from tests.system.canaries.compare import difference, see_screens
from tests.system.canaries.leaks import LEAKS
from tests.system.canaries.scenes import FAULTS
from tests.system.canaries.world import as_it_is, other

FEW = (0, 42, 9998)


def test_two_banks_that_differ_in_their_pins_alone_do_not_differ_in_a_byte(template: Urls, tmp_path: Path) -> None:
    one, two = (see_screens(template, tmp_path / "world", of, FEW, FAULTS) for of in (as_it_is, other))
    assert difference(one, two) == ""
    everything = "\n".join(one)
    for text in ("INSERT INTO eventstore_event", "something went wrong", "wrong PIN", "mail: ", "page of default",
                 "INSERT INTO bank_pinverifier", "exactly four digits", "Traceback", "django_session",
                 "DEBUG = True", "withdrawal_blocked", "pin_changed", "cash_paid_out_of_till", "Till 1, closed",
                 "Till counted and closed"):  # fmt: skip
        assert text in everything, "it was looked at"


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_of_any_kind_is_found(name: str, template: Urls, tmp_path: Path) -> None:
    at = FAULTS[1:2] if "error reports" in name else ()  # only these need an error
    with LEAKS[name]():
        one, again, two = (
            see_screens(template, tmp_path / "world", of, FEW[1:2], at, inspects=False)
            for of in (as_it_is, as_it_is, other)
        )
    assert difference(one, again) == "", "the same world is the same"
    assert difference(one, two), "another one is not"
