"""The password hasher, and a password validator against words of banking."""

import re

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

WORDS = ("account", "admin", "auditor", "bank", "cash", "deposit", "login", "money", "password", "supervisor", "teller")
"""Words that an attacker of a bank tries first."""
REST = 6
"""The smallest number of letters that a password has besides these words."""


class OneLaneArgon2(Argon2PasswordHasher):
    """Argon2id with 46 MiB, one pass and one lane: the first setting of OWASP's password storage cheat sheet.

    A hash runs in a thread of the web process. With Django's own settings each log-in takes all processors, and pages
    wait (docs/performance.md).
    """

    memory_cost = 46 * 1024
    time_cost = 1
    parallelism = 1


class NoWordsOfTheTrade:
    """Validator against passwords that consist of little more than these words, digits and signs."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError if too few other letters are left."""
        rest = re.sub("|".join(WORDS), "", password.lower())
        if any(word in password.lower() for word in WORDS) and sum(map(str.isalpha, rest)) < REST:
            raise ValidationError(gettext("This password is made of words that anybody would try at a bank."))

    def get_help_text(self) -> str:
        return gettext("Your password can't be made of words that anybody would try at a bank.")
