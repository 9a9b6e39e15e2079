"""Commands: once-only handling, PINs, the repository."""

from ..mutation import Mutation

MUTATIONS = [
    Mutation(
        breaks="A command id with other content has the first outcome.",
        file="bank/application/dispatch.py",
        text="if not envelope.causation and not pins.is_fingerprint(outcome.fingerprint, command):",
        instead="if False:",
        tests=[
            "tests/application/test_handlers.py::test_an_id_with_other_content_is_refused_and_the_first_outcome_stands"
        ],
    ),
    Mutation(
        breaks="A rejected command that is sent again is rejected for another reason.",
        file="bank/application/dispatch.py",
        text="raise REJECTIONS[outcome.reason](outcome.message)",
        instead="raise InvalidAccountId(outcome.message)",
        tests=["tests/application/test_handlers.py::test_a_rejection_is_on_record_records_no_event_and_is_repeated"],
    ),
    Mutation(
        breaks="A rejection is not on record.",
        file="bank/application/dispatch.py",
        text="store.record_rejection(stream, envelope, reason=rejection.code, message=str(rejection))",
        instead="pass",
        tests=["tests/application/test_handlers.py::test_a_rejection_is_on_record_records_no_event_and_is_repeated"],
    ),
    Mutation(
        breaks="A withdrawal that is sent again has its PIN compared again.",
        file="bank/application/handlers.py",
        text="if store.find_outcome(envelope.id) is not None:",
        instead="if False:",
        tests=["tests/application/test_pin_lock.py::test_the_id_of_an_earlier_command_is_no_way_to_try_pins"],
    ),
    Mutation(
        breaks="Simultaneous guesses of a PIN get more attempts than guesses one by one.",
        file="bank/application/dispatch.py",
        text="locks = attempt > 0 or isinstance(command, COMPARE_PIN)",
        instead="locks = attempt > 0",
        tests=[
            "tests/application/test_pin_lock.py::test_a_pin_is_compared_only_while_nobody_else_can_write_at_the_account"
        ],
    ),
    Mutation(
        breaks="A command that loses one race for its account is given up.",
        file="bank/application/dispatch.py",
        text="MAX_TRIES = 100",
        instead="MAX_TRIES = 1",
        tests=["tests/application/test_busy.py::test_a_writer_who_loses_a_race_decides_again_on_the_latest_state"],
    ),
    Mutation(
        breaks="A new account's PIN verifier is written outside of the transaction of its event.",
        file="bank/application/handlers.py",
        text="return repository.save(loaded, [event], envelope, lock, circumstances=circumstances, also=also)",
        instead="saved = repository.save(loaded, [event], envelope, lock, circumstances=circumstances)\n"
        "    also()\n"
        "    return saved",
        tests=["tests/application/test_handlers.py::test_a_pin_verifier_that_cannot_be_stored_undoes_the_events"],
    ),
    Mutation(
        breaks="A process works with another currency than the recorded one.",
        file="bank/application/currency.py",
        text="    if recorded.code != wanted.code:\n",
        instead="    if recorded.code != wanted.code and False:\n",
        tests=["tests/operations/test_currency.py::test_a_command_in_another_currency_is_refused"],
    ),
    Mutation(
        breaks="A process whose clock is off carries out commands.",
        file="bank/application/clock_limit.py",
        text="    if abs(ahead) > settings.BANK_CLOCK_LIMIT:",
        instead="    if abs(ahead) > settings.BANK_CLOCK_LIMIT and False:",
        tests=["tests/application/test_clocks.py::test_a_process_whose_clock_is_slow_carries_out_nothing"],
    ),
    Mutation(
        breaks="Time goes back within a stream where a process's clock is slow.",
        file="eventstore/store.py",
        text="            moment = max(moment, previous_at)",
        instead="            pass",
        tests=["tests/application/test_clocks.py::test_the_time_of_a_stream_never_goes_back"],
    ),
    Mutation(
        breaks="An account without a PIN verifier accepts any PIN.",
        file="bank/application/pins.py",
        text='raise InstallationFault(f"Account {account_id} has no PIN verifier. See verify_events.")',
        instead="return True",
        tests=["tests/application/test_pins.py::test_an_account_without_a_verifier_has_no_right_pin"],
    ),
    Mutation(
        breaks="A PIN verifier holds for another account with the same row.",
        file="bank/application/pins.py",
        text="(account_id, salt, pin)",
        instead="(0, salt, pin)",
        tests=[
            "tests/application/test_pins.py::test_a_verifier_that_is_copied_to_another_account_does_not_match_there"
        ],
    ),
    Mutation(
        breaks="A PIN verifier does not depend on its salt.",
        file="bank/application/pins.py",
        text="(account_id, salt, pin)",
        instead='(account_id, b"", pin)',
        tests=["tests/application/test_pins.py::test_a_verifier_does_not_match_with_another_salt"],
    ),
    Mutation(
        breaks="A PIN verifier does not depend on the key outside of the database.",
        file="bank/application/pins.py",
        text="hmac.digest(key, ",
        instead='hmac.digest(b"", ',
        tests=["tests/application/test_pins.py::test_the_database_without_the_key_does_not_reveal_a_pin"],
    ),
    Mutation(
        breaks="Every PIN verifier has the same salt.",
        file="bank/application/pins.py",
        text="secrets.token_bytes(16)",
        instead="bytes(16)",
        tests=["tests/application/test_pins.py::test_each_verifier_has_a_salt_of_its_own"],
    ),
    Mutation(
        breaks="The fingerprint of a command reveals its PIN.",
        file="bank/application/pins.py",
        text=" if field.repr]",
        instead="]",
        tests=[
            "tests/application/test_pins.py::test_commands_that_differ_in_their_pins_alone_have_the_same_fingerprint"
        ],
    ),
    Mutation(
        breaks="An account is in the account cache before its events are committed.",
        file="bank/application/repository.py",
        text="after_commit(lock, lambda: account_cache.put(stream, saved))",
        instead="account_cache.put(stream, saved)",
        tests=["tests/application/test_account_cache.py::test_an_account_is_cached_after_its_events_are_committed"],
    ),
    Mutation(
        breaks="A PIN is compared at an account from the account cache.",
        file="bank/application/repository.py",
        text="if cached and lock is None:",
        instead="if cached:",
        tests=[
            "tests/application/test_account_cache.py::test_a_pin_lock_of_another_process_is_loaded_before_a_pin_is_compared"
        ],
    ),
    Mutation(
        breaks="Another history of the same length passes for the account in the account cache.",
        file="bank/application/repository.py",
        text="if cached and first.hash == cached.hash:",
        instead="if cached and first.version == cached.version:",
        tests=["tests/application/test_account_cache.py::test_another_history_of_the_same_length_has_another_hash"],
    ),
    Mutation(
        breaks="A snapshot of another version of the program is used.",
        file="bank/domain/account_state.py",
        text='state.get("state_version") != STATE_VERSION',
        instead='"state_version" not in state',
        tests=[
            "tests/application/test_pin_lock.py::test_a_snapshot_of_another_state_version_is_not_used_and_is_no_finding"
        ],
    ),
    Mutation(
        breaks="A supervisor may reverse a deposit into another account.",
        file="bank/application/repository.py",
        text=" or outcome.stream != stream_of(account_id)",
        instead="",
        tests=[
            "tests/application/test_corrections.py::test_nothing_but_a_deposit_or_withdrawal_of_the_account_can_be_reversed"
        ],
    ),
    Mutation(
        breaks="Simultaneous closings get more attempts at the PIN than those one by one.",
        file="bank/application/handlers.py",
        text="TransferMoneyBetweenBankAccounts, CloseBankAccount)\n",
        instead="TransferMoneyBetweenBankAccounts)\n",
        tests=[
            "tests/application/test_closing.py::test_simultaneous_guesses_get_no_more_attempts_than_guesses_one_by_one"
        ],
    ),
]
