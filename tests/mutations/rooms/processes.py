"""Process managers and subscriptions: each step has its effect once, and none is lost; causation is on record."""

from ..mutation import Mutation

RUNNING = "tests/application/test_process_managers.py"
FOLLOWED = "tests/application/test_subscriptions_followed.py"
VERIFIED = "tests/eventstore/test_causation_verified.py"

MUTATIONS = [
    Mutation(
        breaks="A step that is carried out again is another command.",
        file="bank/application/process_managers.py",
        text='return uuid5(NAMESPACE, f"{event.name} {manager} {step}")',
        instead='return __import__("uuid").uuid4()',
        tests=[f"{RUNNING}::test_a_step_carried_out_again_changes_nothing"],
    ),
    Mutation(
        breaks="A teller may take the id of a step beforehand, which stops the process manager.",
        file="bank/application/dispatch.py",
        text="if cause is None and command_id.version == DERIVED:",
        instead="if False:",
        tests=[f"{RUNNING}::test_nobody_can_take_the_id_of_a_step_beforehand"],
    ),
    Mutation(
        breaks="A step that was carried out under an earlier PIN key stops the process manager.",
        file="bank/application/dispatch.py",
        text="if not envelope.causation and not pins",
        instead="if not pins",
        tests=[f"{RUNNING}::test_a_step_is_not_carried_out_again_under_other_keys_or_with_other_content"],
    ),
    Mutation(
        breaks="A subscription forgets an event that only a newer version knows.",
        file="bank/application/process_managers.py",
        text="return event.type not in EVENT_TYPES",
        instead="return False",
        tests=[f"{RUNNING}::test_an_event_of_a_newer_version_is_parked_until_a_version_that_knows_it_runs"],
    ),
    Mutation(
        breaks="A subscription passes over an event at which its process manager raises.",
        file="eventstore/subscriptions.py",
        text="        held.stop(event, error)\n        return Standing.STOPPED\n",
        instead="        pass\n",
        tests=[f"{RUNNING}::test_a_process_manager_that_raises_stops_at_the_event_and_goes_on_when_mended"],
    ),
    Mutation(
        breaks="A busy bank counts as an error of a process manager.",
        file="eventstore/subscriptions.py",
        text="if isinstance(error, Later) or outage_behind(error):",
        instead="if outage_behind(error):",
        tests=[f"{RUNNING}::test_a_busy_bank_is_no_error_of_the_process_manager"],
    ),
    Mutation(
        breaks="A process takes over a subscription that another one works on.",
        file="eventstore/subscriptions.py",
        text="WHERE name = %s AND NOT {is_leased()} RETURNING",
        instead="WHERE name = %s RETURNING",
        tests=[f"{FOLLOWED}::test_a_leased_subscription_is_left_alone_until_the_lease_ends"],
    ),
    Mutation(
        breaks="A process whose lease was taken over moves the checkpoint.",
        file="eventstore/subscriptions.py",
        text='return _update(changes, "name = %s AND worker = %s",',
        instead='return _update(changes, "name = %s AND worker <> %s",',
        tests=[f"{FOLLOWED}::test_a_process_whose_lease_was_taken_over_moves_nothing"],
    ),
    Mutation(
        breaks="An idle bank is written to every second.",
        file="eventstore/subscription_worker.py",
        text="if row.log_position >= end or now <",
        instead="if now <",
        tests=[f"{FOLLOWED}::test_an_idle_bank_is_not_written_to"],
    ),
    Mutation(
        breaks="A bank that moves to SQLite loses a pending step.",
        file="bank/management/commands/copy_bank.py",
        text="min(row.position, first - 1)",
        instead="row.position",
        tests=["tests/system/servers/test_move.py::test_a_pending_step_is_carried_out_after_the_move"],
        database="postgresql",
    ),
    Mutation(
        breaks="A process manager that has failed leaves the bank ready.",
        file="bank/operations/health.py",
        text="ready = ready and not any(state.error and not _awaits_newer(state) for state in followed)",
        instead="pass",
        tests=["tests/operations/test_subscriptions.py::test_a_bank_with_a_stopped_subscription_is_not_ready"],
    ),
    Mutation(
        breaks="The seal of a command record does not cover the event that led to the command.",
        file="eventstore/chain.py",
        text='caused = f", {_text(causation)}" if causation else ""',
        instead='caused = ""',
        tests=[f"{VERIFIED}::test_the_seal_covers_the_cause"],
    ),
    Mutation(
        breaks="A command record that names another cause than its events is no finding.",
        file="eventstore/verification/reader.py",
        text='if event.metadata.get("causation_id", "") != self.causation:',
        instead="if False:",
        tests=[f"{VERIFIED}::test_a_cause_that_does_not_fit_is_named_even_where_the_keys_were_stolen"],
    ),
    Mutation(
        breaks="A command of another chain than the event that led to it is no finding.",
        file="eventstore/verification/causes.py",
        text="each.correlation != _correlation(event[1])",
        instead="False",
        tests=[f"{VERIFIED}::test_a_cause_that_does_not_fit_is_named_even_where_the_keys_were_stolen"],
    ),
]
