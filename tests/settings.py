"""The application's settings for tests: nothing of the developer's own data folder or environment."""

import os
import tempfile

os.environ.setdefault("BANK_DATA_DIR", tempfile.mkdtemp(prefix="bank-tests-"))
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
