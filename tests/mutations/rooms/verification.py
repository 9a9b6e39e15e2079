"""Detection of changes of the record, and verified backups."""

from ..mutation import Mutation

MUTATIONS = [
    Mutation(
        breaks="An event whose hash does not fit is no finding.",
        file="eventstore/verification/stream_checker.py",
        text="if digest != event.hash:",
        instead="if False:",
        tests=["tests/eventstore/test_verify.py::test_each_finding_names_its_fault"],
    ),
    Mutation(
        breaks="A command record that was changed is no finding.",
        file="eventstore/verification/reader.py",
        text="            ring.check(self.seal, text)\n",
        instead="            text += ring.seal(text).hex()\n",
        tests=["tests/eventstore/test_verify.py::test_each_finding_names_its_fault"],
    ),
    Mutation(
        breaks="An event without a command record is no finding.",
        file="eventstore/verification/stream_checker.py",
        text="            if stream.open:\n",
        instead="            if False:\n",
        tests=["tests/eventstore/test_verify.py::test_each_finding_names_its_fault"],
    ),
    Mutation(
        breaks="Events that were cut off at the end of the log are not missed.",
        file="eventstore/verification/verify.py",
        text="if given is not None and given != self.position:",
        instead="if False:",
        tests=["tests/eventstore/test_verify.py::test_the_end_of_the_log_is_missed_without_a_head"],
    ),
    Mutation(
        breaks="A log that was rewritten with stolen keys extends an earlier signed head.",
        file="eventstore/verification/signed_heads.py",
        text="if self._hash.hexdigest() != head.digest:",
        instead="if False:",
        tests=[
            "tests/eventstore/test_signed_heads.py::test_a_log_truncated_or_rewritten_after_a_head_is_found_even_with_stolen_keys"
        ],
    ),
    Mutation(
        breaks="A head that was not signed with the bank's keys is accepted.",
        file="eventstore/verification/signed_heads.py",
        text="        seals.check(signature, signed)\n",
        instead="        seals.seal(signed)\n",
        tests=["tests/eventstore/test_signed_heads.py::test_the_head_of_another_bank_is_refused"],
    ),
    Mutation(
        breaks="An event that the rules of an account forbid is no finding.",
        file="bank/domain/verification.py",
        text="if not _is_same(event, decided[at]):",
        instead="if False:",
        tests=["tests/domain/test_verification.py::test_a_decision_against_the_rules_is_named"],
    ),
    Mutation(
        breaks="A wrong PIN that should have locked the account and did not is no finding.",
        file="bank/domain/verification.py",
        text="if at + 1 < len(decided):",
        instead="if False:",
        tests=[
            "tests/eventstore/test_decisions_verified.py::test_a_missing_lock_is_a_finding_for_any_number_of_attempts"
        ],
    ),
    Mutation(
        breaks="A PIN verifier of another account is no finding.",
        file="bank/operations/audit.py",
        text="seals.check(verifier.seal, verifier.text(",
        instead="seals.seal(verifier.text(",
        tests=["tests/eventstore/test_verify.py::test_each_finding_names_its_fault"],
    ),
    Mutation(
        breaks="A figure on the read side that the events do not add up to is no finding.",
        file="projections/verification/figures.py",
        text="if live.get(key) != rows.get(key)]",
        instead="if key not in live and key not in rows]",
        tests=["tests/eventstore/test_verify.py::test_figures_that_do_not_fit_are_named"],
    ),
    Mutation(
        breaks="A record that does not fit together becomes a backup.",
        file="bank/operations/backup.py",
        text="    if report.findings:\n",
        instead="    if False:\n",
        tests=["tests/operations/test_backup.py::test_a_record_that_does_not_fit_together_is_no_backup"],
    ),
    Mutation(
        breaks="Other users of the machine can read a backup.",
        file="bank/operations/backup.py",
        text="file.touch(mode=0o600)\n    target",
        instead="file.touch(mode=0o644)\n    target",
        tests=["tests/operations/test_backup.py::test_a_backup_is_one_private_file_and_its_head"],
    ),
    Mutation(
        breaks="Money that is received and returned too is no finding.",
        file="bank/operations/transfer_auditor.py",
        text="UNDER_WAY = [SENT], [RECEIVED, SENT]",
        instead="UNDER_WAY = [SENT], [RECEIVED, SENT], [RECEIVED, RETURNED, SENT]",
        tests=["tests/operations/test_transfer_auditor.py::test_events_that_do_not_belong_together_are_a_finding"],
    ),
    Mutation(
        breaks="Money that is received and is not what was sent is no finding.",
        file="bank/operations/transfer_auditor.py",
        text="return len(money) == 1 and sender",
        instead="return sender",
        tests=["tests/operations/test_transfer_auditor.py::test_events_that_do_not_belong_together_are_a_finding"],
    ),
    Mutation(
        breaks="A correction of what was never recorded is no finding.",
        file="bank/operations/reversals.py",
        text="if recorded != [reversal.reversed]:",
        instead="if False:",
        tests=["tests/eventstore/test_corrections_verified.py::test_a_correction_of_something_else_is_found"],
    ),
]
