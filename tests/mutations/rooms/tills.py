"""Tills: shifts, their tellers, and the cash of payments."""

from collections.abc import Sequence

from ..mutation import Mutation

RULES, AT_ONCE, SCREENS = "tests/domain/test_till.py", "tests/application/test_tills.py", "tests/screens/test_tills.py"

MUTATIONS: Sequence[Mutation] = [
    Mutation(
        breaks="A payment of an earlier shift counts in the shift that is open now.",
        file="bank/domain/till.py",
        text="return self.is_open and shift == self.shift",
        instead="return self.is_open",
        tests=[
            f"{RULES}::test_a_payment_that_reaches_a_till_after_its_shift_is_recorded_and_changes_no_later_shift",
        ],
    ),
    Mutation(
        breaks="A form of an earlier shift changes the shift that is open now.",
        file="bank/domain/till.py",
        text="if not self.is_open or shift != self.shift:",
        instead="if not self.is_open:",
        tests=[f"{RULES}::test_a_task_of_a_shift_that_is_over_is_rejected"],
    ),
    Mutation(
        breaks="An open till is opened for another teller.",
        file="bank/domain/till.py",
        text="        if self.is_open:\n",
        instead="        if False:\n",
        tests=[f"{RULES}::test_a_till_is_one_tellers_at_a_time"],
    ),
    Mutation(
        breaks="A teller opens two tills.",
        file="bank/application/tills.py",
        text="if cursor.fetchone():",
        instead="if True:",
        tests=[f"{AT_ONCE}::test_a_teller_has_one_open_till_at_most"],
    ),
    Mutation(
        breaks="A closed till stays its teller's.",
        file="bank/application/till_handlers.py",
        text="        also=lambda: tills.release(command.till_id),\n",
        instead="",
        tests=[f"{AT_ONCE}::test_an_opened_till_is_its_tellers_until_it_is_closed"],
    ),
    Mutation(
        breaks="Cash goes through no till although the bank requires one.",
        file="bank/application/tills.py",
        text='if till is None and settings.TILLS == "required":',
        instead="if False:",
        tests=[f"{SCREENS}::test_with_required_tills_cash_needs_one"],
    ),
    Mutation(
        breaks="The cash of a payment is not recorded at the teller's till.",
        file="bank/screens/tasks.py",
        text="tills.cash_metadata(actor) if form.moves_cash else {}",
        instead="{}",
        tests=[f"{SCREENS}::test_a_day_at_a_till"],
    ),
    Mutation(
        breaks="The cash of a correction goes through no till.",
        file="bank/application/handlers.py",
        text="circumstances=tills.till_in(metadata)",
        instead="circumstances={}",
        tests=[f"{SCREENS}::test_a_correction_goes_through_the_till_of_the_payment"],
    ),
    Mutation(
        breaks="A teller uses the till of another.",
        file="bank/screens/tasks.py",
        text="if refusal:",
        instead="if False:",
        tests=[f"{SCREENS}::test_nobody_uses_the_till_of_another_teller"],
    ),
    Mutation(
        breaks="A payment that was recorded after the closing changes the expected cash on the pages.",
        file="projections/projectors/tills.py",
        text="change.late += event.amount",
        instead="change.expected += event.amount",
        tests=["tests/projections/test_tills.py::test_a_shift_has_its_figures"],
    ),
    Mutation(
        breaks="An event of a till with another shift in its metadata is no finding.",
        file="bank/domain/till_verification.py",
        text="if shift != its_shift:",
        instead="if False:",
        tests=["tests/domain/test_till_verification.py::test_another_decision_is_named"],
    ),
    Mutation(
        breaks="An open till without its row is no finding.",
        file="bank/operations/audit.py",
        text="for stream in sorted(missing.keys() - auditor.unchecked.keys()):",
        instead="for stream in ():",
        tests=[f"{AT_ONCE}::test_verification_compares_the_tellers_of_open_tills_with_the_events"],
    ),
]
