"""Password hashes: Argon2 with the real settings, and replacement of old hashes at the next log-in."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, identify_hasher, make_password
from django.contrib.auth.models import User
from django.test import Client

from bank import settings as real
from tests.support.helpers import PASSWORD, make_user
from tests.support.programs import PATIENCE, ROOT, environment


@pytest.fixture
def real_hashers(bank: object, settings: Any) -> None:
    settings.PASSWORD_HASHERS = real.PASSWORD_HASHERS


def test_the_bank_hashes_passwords_with_argon2id(tmp_path: Path) -> None:
    script = (
        "import django; django.setup()\n"
        "from django.contrib.auth.hashers import make_password\n"
        "print(make_password('a password'))\n"
    )
    variables = environment(tmp_path / "data", DJANGO_SETTINGS_MODULE="bank.settings")
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=PATIENCE
    )
    assert run.stdout.startswith("argon2$argon2id$v=19$m=47104,t=1,p=1$"), run.stderr


def test_a_hash_of_other_settings_is_replaced_too(real_hashers: None) -> None:
    user = make_user("tina", "Tellers")
    others = Argon2PasswordHasher()
    User.objects.filter(pk=user.pk).update(password=others.encode(PASSWORD, others.salt()))
    assert Client().post("/login/", {"username": "tina", "password": PASSWORD}).status_code == 302
    assert "m=47104,t=1,p=1" in User.objects.get().password


@pytest.mark.parametrize("old", ["pbkdf2_sha256", "scrypt"])
def test_an_old_hash_is_replaced_at_the_next_log_in(real_hashers: None, old: str) -> None:
    user = make_user("tina", "Tellers")
    User.objects.filter(pk=user.pk).update(password=make_password(PASSWORD, hasher=old))
    assert Client().post("/login/", {"username": "tina", "password": "wrong"}).status_code == 200
    assert identify_hasher(User.objects.get().password).algorithm == old
    assert Client().post("/login/", {"username": "tina", "password": PASSWORD}).status_code == 302
    assert identify_hasher(User.objects.get().password).algorithm == "argon2"
    assert Client().post("/login/", {"username": "tina", "password": PASSWORD}).status_code == 302


def test_a_long_password_is_a_good_one_and_counts_to_its_end(real_hashers: None) -> None:
    make_user("tina").set_password("x")
    user = User.objects.get()
    user.set_password("correct horse " * 20)
    user.save()
    client = Client()
    assert client.post("/login/", {"username": "tina", "password": "correct horse " * 20}).status_code == 302
    assert Client().post("/login/", {"username": "tina", "password": "correct horse " * 19}).status_code == 200
