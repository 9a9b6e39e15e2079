"""Password tries, the end of a session, the second factor, and health checks."""

from ..mutation import Mutation

MUTATIONS = [
    Mutation(
        breaks="A right password takes back the tries of others as well.",
        file="bank/access/throttle.py",
        text='update(tries=F("tries") - 1)',
        instead="update(tries=0)",
        tests=[
            "tests/access/test_throttle.py::test_a_right_password_clears_no_tries_of_others_at_the_same_address",
            "tests/access/test_throttle.py::test_a_right_password_takes_back_no_tries_of_strangers_elsewhere",
        ],
    ),
    Mutation(
        breaks="A password may be tried without end.",
        file="bank/access/throttle.py",
        text="        if wait > 0:\n",
        instead="        if False:\n",
        tests=["tests/access/test_throttle.py::test_after_the_free_tries_each_wait_is_twice_as_long"],
    ),
    Mutation(
        breaks="A device that is known for one user is known for every user.",
        file="bank/access/throttle.py",
        text='_key("device", device, username)',
        instead='_key("device", device)',
        tests=["tests/access/test_throttle.py::test_a_device_known_for_one_user_is_not_known_for_another"],
    ),
    Mutation(
        breaks="An idle session does not end.",
        file="bank/access/sessions.py",
        text="if idle >= settings.BANK_IDLE_MINUTES * 60:",
        instead="if False:",
        tests=["tests/access/test_sessions.py::test_a_session_ends_when_nothing_was_done_for_the_idle_time"],
    ),
    Mutation(
        breaks="A session in use does not end after a shift.",
        file="bank/access/sessions.py",
        text="if started >= settings.BANK_SHIFT_HOURS * 3600:",
        instead="if False:",
        tests=["tests/access/test_sessions.py::test_a_session_in_use_ends_after_a_shift"],
    ),
    Mutation(
        breaks="A page that polls keeps its session alive.",
        file="bank/access/sessions.py",
        text=" and POLL not in request.headers:",
        instead=":",
        tests=["tests/access/test_sessions.py::test_a_poll_keeps_no_session_alive"],
    ),
    Mutation(
        breaks="A password stays fresh for the whole session.",
        file="bank/access/sessions.py",
        text="return age_of(request.session.get(PASSWORD, 0)) < 60 * int(settings.BANK_FRESH_PASSWORD_MINUTES)",
        instead="return PASSWORD in request.session",
        tests=["tests/access/test_fresh_password.py::test_a_sensitive_task_asks_for_a_password_that_is_not_fresh"],
    ),
    Mutation(
        breaks="A role that has to have a second factor gets in without one.",
        file="bank/access/views.py",
        text="if device is None and not second_factor.is_required(user):",
        instead="if device is None:",
        tests=["tests/access/test_second_factor.py::test_a_role_without_one_sets_it_up_at_the_log_in"],
    ),
    Mutation(
        breaks="A new second factor leaves the user's other sessions open.",
        file="bank/access/views.py",
        text="        sessions.end_all(user, but=request.session.session_key)\n        request.session.cycle_key()\n",
        instead="        request.session.cycle_key()\n",
        tests=[
            "tests/access/test_second_factor_lifecycle.py::"
            "test_setting_one_up_gives_this_session_a_new_key_and_ends_the_others"
        ],
    ),
    Mutation(
        breaks="Pages are shown without a log-in.",
        file="bank/settings.py",
        text='    "bank.access.middleware.LogInRequiredMiddleware",\n',
        instead="",
        tests=["tests/screens/test_screens.py::test_everything_asks_for_a_log_in"],
    ),
    Mutation(
        breaks="A bank whose read side is ahead of its log reports that it is ready.",
        file="bank/operations/health.py",
        text="ready = not any(state.error or state.ahead for state in states)",
        instead="ready = not any(state.error for state in states)",
        tests=["tests/operations/test_health.py::test_readyz_reports_that_the_log_is_an_older_copy"],
    ),
]
