"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class OneLaneArgon2(Argon2PasswordHasher):
    """Argon2id with 46 MiB, one pass and one lane: the first of the settings in OWASP's password storage cheat sheet.

    The hash is worked out in the web process's threads, without Python's lock. With Django's own settings (100 MiB, two
    passes, eight lanes) each log-in takes all processors: on two of them, while four browsers logged in without pause,
    a page took 587 ms at the 99th percentile, and takes 100 ms with these.
    """

    memory_cost = 46 * 1024
    time_cost = 1
    parallelism = 1
