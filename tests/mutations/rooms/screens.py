"""The screens: permissions of tasks, forms that count once, and the protection of a log-in."""

from ..mutation import Mutation

POLLS = "tests/screens/test_polls.py"
MUTATIONS = [
    *(
        Mutation(
            breaks=f"Whoever is logged in may {what}.",
            file="bank/screens/tasks.py",
            text=f"@{guard}\ndef {view}(",
            instead=f"def {view}(",
            tests=["tests/access/test_who_may_what.py::test_each_address_answers_only_the_roles_in_the_table"],
        )
        for what, guard, view in (
            ("open an account", "may_serve", "open_account"),
            ("take a deposit", "may_serve", "deposit"),
            ("pay out a withdrawal", "may_serve", "withdraw"),
            ("unlock an account", "may_supervise", "unlock"),
            ("give a new PIN", "may_supervise", "change_pin"),
        )
    ),
    Mutation(
        breaks="A supervisor's task needs no fresh password.",
        file="bank/screens/tasks.py",
        text="(sessions.fresh_password(view))",
        instead="(view)",
        tests=["tests/screens/test_pin_lock.py::test_a_supervisors_task_wants_a_fresh_password"],
    ),
    Mutation(
        breaks="Every logged-in user sees the accounts.",
        file="bank/screens/pages.py",
        text="require_GET(may_look(reads(answer)))",
        instead="require_GET(reads(answer))",
        tests=["tests/screens/test_screens.py::test_a_user_without_a_role_sees_no_page"],
    ),
    Mutation(
        breaks="A form that is sent twice counts twice.",
        file="bank/screens/tasks.py",
        text="command_id=form.get_command_id(), ",
        instead="",
        tests=["tests/screens/test_forms.py::test_a_form_sent_twice_has_one_effect_and_one_receipt"],
    ),
    Mutation(
        breaks="The actor of a command is not recorded.",
        file="bank/screens/tasks.py",
        text="actor=actor, metadata=metadata",
        instead="metadata=metadata",
        tests=[
            "tests/screens/test_pin_lock.py::test_the_statement_and_the_bank_show_who_unlocked_and_who_changed_the_pin"
        ],
    ),
    Mutation(
        breaks="A form that is shown again carries the id that was sent.",
        file="bank/screens/forms.py",
        text="return str(uuid4())\n\n    def reject",
        instead='return str(self.data.get("command_id") or uuid4())\n\n    def reject',
        tests=["tests/screens/test_forms.py::test_a_form_sent_again_with_other_entries_is_shown_again"],
    ),
    Mutation(
        breaks="A large amount counts as confirmed, whatever amount was confirmed.",
        file="bank/screens/tasks.py",
        text='if form.cleaned_data.get("confirmed") != str(amount):',
        instead='if not form.cleaned_data.get("confirmed"):',
        tests=["tests/screens/test_check.py::test_the_confirmation_of_another_amount_does_not_count"],
    ),
    Mutation(
        breaks="A form with two command ids is taken.",
        file="bank/screens/fields.py",
        text="return values[0] if len(values) == 1 else None",
        instead="return values[0] if values else None",
        tests=["tests/screens/test_forms.py::test_an_invalid_entry_is_refused_at_the_form"],
    ),
    Mutation(
        breaks="A form that is shown again shows the PIN that was typed.",
        file="bank/screens/fields.py",
        text="render_value=False",
        instead="render_value=True",
        tests=["tests/screens/test_forms.py::test_an_invalid_entry_is_refused_at_the_form"],
    ),
    Mutation(
        breaks="A new PIN is taken that was typed differently the second time.",
        file="bank/screens/supervisor_forms.py",
        text='if again != self.cleaned_data.get("pin", again):',
        instead="if False:",
        tests=[
            "tests/screens/test_pin_lock.py::test_a_rejected_supervisors_task_is_shown_at_the_form_which_repeats_no_pin"
        ],
    ),
    Mutation(
        breaks="Figures without a task count as current for the teller who has just done it.",
        file="bank/screens/tasks.py",
        text="    set_cookie(response, SEEN, ack.token)\n",
        instead="",
        tests=["tests/screens/test_screens.py::test_figures_without_the_readers_own_task_are_not_current"],
    ),
    Mutation(
        breaks="A form from another site is taken.",
        file="bank/settings.py",
        text='    "django.middleware.csrf.CsrfViewMiddleware",\n',
        instead="",
        tests=["tests/screens/test_page_parts.py::test_a_page_has_one_token_which_counts_and_the_next_page_another"],
    ),
    Mutation(
        breaks="An amount whose digits are grouped in no known way is taken.",
        file="bank/screens/money.py",
        text=" or whole not in known:",
        instead=":",
        tests=["tests/screens/test_money.py::test_a_text_that_is_no_amount_is_refused_clearly"],
    ),
    Mutation(
        breaks="A third digit after the decimal point is cut off.",
        file="bank/screens/money.py",
        text="if -int(amount.as_tuple().exponent) > symbols.digits:",
        instead="if -int(amount.as_tuple().exponent) > symbols.digits + 1:",
        tests=["tests/screens/test_money.py::test_a_text_that_is_no_amount_is_refused_clearly"],
    ),
    Mutation(
        breaks="An amount that a screen may show as another one is taken.",
        file="bank/screens/money.py",
        text="if any(_read(order, symbols) not in (None, amount) for order in _as_shown(number, text)):",
        instead="if False:",
        tests=["tests/screens/test_money.py::test_a_text_that_is_no_amount_is_refused_clearly"],
    ),
    Mutation(
        breaks="A name in the CSV file is run by a spreadsheet.",
        file="bank/screens/csv_files.py",
        text="yield text_cell(entry.actor)",
        instead="yield entry.actor",
        tests=["tests/screens/test_csv.py::test_the_file_has_each_line_in_order_with_plain_figures"],
    ),
    Mutation(
        breaks="Money that was paid out is a positive number in the CSV file.",
        file="bank/screens/csv_files.py",
        text="plain_decimal(entry.sign * entry.amount)",
        instead="plain_decimal(entry.amount)",
        tests=["tests/screens/test_csv.py::test_the_file_has_each_line_in_order_with_plain_figures"],
    ),
    Mutation(
        breaks="A teller may reverse a deposit.",
        file="bank/screens/tasks.py",
        text="@may_supervise\ndef reverse_entry",
        instead="@may_serve\ndef reverse_entry",
        tests=["tests/screens/test_corrections.py::test_nobody_but_a_supervisor_with_a_fresh_password_corrects"],
    ),
    Mutation(
        breaks="The first step of a transfer accepts an account that is not there.",
        file="bank/screens/transfers.py",
        text='return gettext("There is no account {}.").format(to_account_id)',
        instead='return ""',
        tests=["tests/screens/test_transfers.py::test_what_cannot_be_sent_is_said_at_the_first_step"],
    ),
    Mutation(
        breaks="The server's loop answers the open pages of a session that nobody has checked.",
        file="bank/screens/live.py",
        text="if not session or self.admitted.get(session[1], 0) < now:",
        instead="if not session:",
        tests=[f"{POLLS}::test_the_loop_answers_sessions_that_were_checked_until_something_changes"],
    ),
    Mutation(
        breaks="The server's loop answers the open pages of a session that has ended.",
        file="bank/screens/live.py",
        text="if key not in open_ones or self.admitted[key] < moment:",
        instead="if self.admitted[key] < moment:",
        tests=[f"{POLLS}::test_the_loop_forgets_a_session_that_has_ended"],
    ),
]
