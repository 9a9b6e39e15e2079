"""The read side: exactly-once application, the signs of figures, and freshness."""

from ..mutation import Mutation

MUTATIONS = [
    Mutation(
        breaks="A projection that lags behind is left there where another one is ahead.",
        file="projections/engine.py",
        text="groups.setdefault(locked[projector.name].log_position, [])",
        instead="groups.setdefault(max(each.log_position for each in locked.values()), [])",
        tests=[
            "tests/projections/test_projections.py::test_a_projection_that_lags_behind_is_caught_up_though_another_one_is_ahead"
        ],
        database="postgresql",
    ),
    Mutation(
        breaks="A projection that lags behind skips to the events that were just appended.",
        file="projections/checkpoints.py",
        text="AND position = %s AND parked = 0",
        instead="AND %s >= 0 AND parked = 0",
        tests=[
            "tests/projections/test_projections.py::test_a_projection_that_lags_behind_is_caught_up_though_another_one_is_ahead"
        ],
    ),
    Mutation(
        breaks="Two that project at the same moment count an event twice.",
        file="projections/checkpoints.py",
        text="lock = backend_of(READ_SIDE).for_update",
        instead='lock = ""',
        tests=["tests/projections/test_projections.py::test_an_event_that_another_process_is_applying_counts_once"],
        database="postgresql",
    ),
    Mutation(
        breaks="A withdrawal raises the balance that is shown.",
        file="projections/projectors/accounts.py",
        text="change.balance -= event.amount\n                change.reset_wrong_pins()",
        instead="change.balance += event.amount\n                change.reset_wrong_pins()",
        tests=[
            "tests/projections/test_projections.py::test_events_reach_the_tables_before_the_command_is_acknowledged"
        ],
    ),
    Mutation(
        breaks="A later batch replaces the balance that is shown.",
        file="projections/projectors/accounts.py",
        text='"live.balance + excluded.balance"',
        instead='"excluded.balance"',
        tests=[
            "tests/projections/test_projections.py::test_events_reach_the_tables_before_the_command_is_acknowledged"
        ],
    ),
    Mutation(
        breaks="A lock that was lifted is shown as a lock.",
        file="projections/projectors/accounts.py",
        text="change.pin_locked = False",
        instead="change.pin_locked = True",
        tests=["tests/projections/test_pin_lock.py::test_an_account_shows_its_wrong_pins_in_a_row_and_its_lock"],
    ),
    Mutation(
        breaks="A withdrawal raises the running balance of a statement.",
        file="projections/projectors/statements.py",
        text="amount = -event.amount",
        instead="amount = event.amount",
        tests=[
            "tests/projections/test_queries.py::test_a_statement_lists_every_event_the_latest_first_with_the_running_balance"
        ],
    ),
    Mutation(
        breaks="A refused withdrawal is not listed with its amount.",
        file="projections/projectors/refusals.py",
        text="reason, event.amount_requested, balance, recorded",
        instead="reason, 0, balance, recorded",
        tests=[
            "tests/projections/test_queries.py::test_a_statement_lists_every_event_the_latest_first_with_the_running_balance"
        ],
    ),
    Mutation(
        breaks="Money paid out counts as money on deposit.",
        file="projections/projectors/totals.py",
        text="paid_in - paid_out - on_its_way",
        instead="paid_in + paid_out - on_its_way",
        tests=[
            "tests/projections/test_projections.py::test_events_reach_the_tables_before_the_command_is_acknowledged"
        ],
    ),
    Mutation(
        breaks="The bank's totals lose the earlier withdrawals.",
        file="projections/projectors/totals.py",
        text="**sums_added_up(sums)}",
        instead='**sums_added_up(sums), "paid_out": "excluded.paid_out"}',
        tests=[
            "tests/projections/test_projections.py::test_events_reach_the_tables_before_the_command_is_acknowledged"
        ],
    ),
    Mutation(
        breaks="A refused withdrawal is missing from the figures of its day.",
        file="projections/projectors/daily.py",
        text='row["refusals"] += 1',
        instead='row["refusals"] += 0',
        tests=["tests/projections/test_queries.py::test_days_are_those_of_the_banks_time_zone"],
    ),
    Mutation(
        breaks="The sum paid out on a day has the wrong sign.",
        file="projections/projectors/daily.py",
        text='row["paid_out"] += event.amount',
        instead='row["paid_out"] -= event.amount',
        tests=["tests/projections/test_queries.py::test_days_are_those_of_the_banks_time_zone"],
    ),
    Mutation(
        breaks="The freshness of the figures is that of the freshest projection.",
        file="projections/freshness.py",
        text="min(reached.get(name, START) for name in names)",
        instead="max(reached.get(name, START) for name in names)",
        tests=["tests/projections/test_freshness.py::test_the_slowest_projection_decides_how_fresh_the_figures_are"],
    ),
    Mutation(
        breaks="A page counts as current before it shows its reader's last command.",
        file="projections/freshness.py",
        text="reached = log_position >= wanted",
        instead="reached = True",
        tests=[
            "tests/projections/test_freshness.py::test_a_moment_behind_counts_as_current_except_for_the_reader_of_the_missing_event"
        ],
    ),
    Mutation(
        breaks="A reader whose token is beyond the end of the log waits for an event that never comes.",
        file="projections/freshness.py",
        text="wanted = min(LogPosition.of_token(token), last)",
        instead="wanted = LogPosition.of_token(token)",
        tests=[
            "tests/projections/test_freshness.py::test_a_token_beyond_the_end_of_the_log_is_waited_for_up_to_that_end"
        ],
    ),
    Mutation(
        breaks="Two replays run at the same time.",
        file="projections/workers/rebuild.py",
        text="if not is_mine:",
        instead="if False:",
        tests=["tests/projections/test_replay.py::test_a_second_replay_reports_that_one_is_running"],
    ),
    Mutation(
        breaks="A sum beyond 64 bits loses its carry.",
        file="projections/big_sums.py",
        text=" + ({low_sum} >> {BITS})",
        instead="",
        tests=["tests/projections/test_big_sums.py::test_the_sums_of_full_accounts_are_exact"],
    ),
    Mutation(
        breaks="A search needs the very letters of the name.",
        file="projections/name_search.py",
        text="return unicodedata.lookup(match[1]) if match else letter",
        instead="return letter",
        tests=["tests/projections/test_name_search.py::test_a_name_is_found_as_people_type_it"],
    ),
    Mutation(
        breaks="Names in an older search form are not found stale.",
        file="projections/freshness.py",
        text="at.built_with != PROJECTORS[name].built_with()",
        instead="False",
        tests=["tests/projections/test_stale.py::test_names_in_an_older_search_form_are_stale_until_a_replay"],
    ),
    Mutation(
        breaks="A replay does not swap the table that it has built in.",
        file="projections/workers/replay.py",
        text="        _take_place(editor, projector)\n",
        instead="        pass\n",
        tests=["tests/projections/test_replay.py::test_a_replay_repairs_damaged_tables"],
    ),
    Mutation(
        breaks="A check of the projections finds no row that is missing.",
        file="projections/workers/replay.py",
        text="for each in sorted({*here, *there},",
        instead="for each in sorted({*here},",
        tests=["tests/projections/test_replay.py::test_a_check_lists_the_differences_and_changes_nothing"],
    ),
    Mutation(
        breaks="The later events of a parked account are applied before the one that parks it.",
        file="projections/quarantine.py",
        text="is None or each.version < row.version",
        instead="is not row or each.version < row.version",
        tests=[
            "tests/projections/test_quarantine.py::test_later_events_of_a_parked_account_wait_and_are_applied_in_order"
        ],
    ),
    Mutation(
        breaks="An account is resumed beyond the checkpoint.",
        file="projections/workers/resume.py",
        text="each.log_position <= locked.log_position",
        instead="True",
        tests=["tests/projections/test_quarantine.py::test_an_account_is_resumed_up_to_the_checkpoint"],
    ),
    Mutation(
        breaks="A projection that fails everywhere parks one account after the other.",
        file="projections/quarantine.py",
        text="each.log_position <= before for each in since",
        instead="True for each in since",
        tests=["tests/projections/test_projections.py::test_a_failing_projection_parks_one_stream_and_no_second_one"],
    ),
    Mutation(
        breaks="A request projects the whole log where a projection is far behind.",
        file="projections/engine.py",
        text="if only_near and not _is_near(checkpoint, appended):",
        instead="if only_near and checkpoint is None:",
        tests=[
            "tests/projections/test_background.py::"
            "test_a_projection_that_is_wiped_is_left_alone_by_requests_and_finished_in_the_background"
        ],
    ),
    Mutation(
        breaks="A prepared transaction that holds the log back is not named.",
        file="eventstore/backends/postgresql.py",
        text="FROM pg_prepared_xacts",
        instead="FROM pg_prepared_xacts WHERE FALSE",
        tests=[
            "tests/eventstore/test_log_held_back.py::"
            "test_a_prepared_transaction_is_named_and_the_figures_continue_after_its_end"
        ],
        database="postgresql",
    ),
    Mutation(
        breaks="A period of a statement begins a line too late.",
        file="projections/statements.py",
        text="} < %s, TRUE)",
        instead="} <= %s, TRUE)",
        tests=["tests/projections/test_statements.py::test_a_part_has_the_entries_of_a_half_open_period"],
    ),
    Mutation(
        breaks="The balance after a period is that of today.",
        file="projections/statements.py",
        text="account_id, part.first, account_id, part.end, *span",
        instead="account_id, part.first, account_id, MAX_ID, *span",
        tests=[
            "tests/projections/test_statements.py::test_a_part_may_be_of_some_kinds_and_the_balances_are_those_of_the_period"
        ],
    ),
    Mutation(
        breaks="A reversed withdrawal counts as paid out on its day.",
        file="projections/projectors/daily.py",
        text='"paid_in" if isinstance(event, WithdrawalReversed) else "paid_out"',
        instead='"paid_out"',
        tests=["tests/application/test_corrections.py::test_a_correction_counts_on_its_day_and_in_all_figures"],
    ),
    Mutation(
        breaks="Closed accounts are in every list.",
        file="projections/account_search.py",
        text='"(closed_at IS NULL OR account_id = %s)"',
        instead='"(TRUE OR account_id = %s)"',
        tests=[
            "tests/screens/test_closing.py::test_lists_and_searches_show_open_accounts_unless_closed_ones_are_wanted_too"
        ],
    ),
    Mutation(
        breaks="Money on its way counts as money on deposit.",
        file="projections/projectors/totals.py",
        text="sums = paid_in - paid_out - on_its_way, paid_in",
        instead="sums = paid_in - paid_out, paid_in",
        tests=["tests/application/test_transfers.py::test_the_equation_holds_at_every_position_of_the_log"],
    ),
    Mutation(
        breaks="A transfer has arrived only if its sender's events were read first.",
        file="projections/projectors/transfers.py",
        text="COALESCE(live.sent_at, excluded.sent_at)",
        instead="live.sent_at",
        tests=["tests/application/test_transfers.py::test_a_parked_account_makes_no_difference_to_the_other_side"],
    ),
]
