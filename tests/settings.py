"""The application's settings for tests: nothing of the developer's own data folder or environment."""

import atexit
import os
import shutil
import tempfile

if "BANK_DATA_DIR" not in os.environ:
    os.environ["BANK_DATA_DIR"] = tempfile.mkdtemp(prefix="bank-tests-")
    atexit.register(shutil.rmtree, os.environ["BANK_DATA_DIR"], ignore_errors=True)
os.environ.setdefault("SECRET_KEY", "a key for tests only")
os.environ.setdefault("PIN_KEYS", "a PIN key for tests only")
os.environ.setdefault("SEAL_KEYS", "a seal key for tests only")

from bank.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
