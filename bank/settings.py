"""The settings of the application. The environment overrides those that differ between installations.

`docs/operations.md` lists the variables with their meaning and defaults.
"""

from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from eventstore.private_files import make_folder

from .operations import catalogs, public_url
from .operations.environment import WEB_THREADS as WEB_THREADS
from .operations.environment import amount_in, database, entries, env, place
from .operations.key_files import read_key, read_keys, spaced_keys

BASE_DIR = Path(__file__).resolve().parent.parent

# Databases

DATA_DIR = Path(env.str("BANK_DATA_DIR", default="") or BASE_DIR / "var").resolve()
with suppress(OSError):  # commands that need the folder report the error; a bank on PostgreSQL may not need it
    make_folder(DATA_DIR)

DATABASES = {
    # The write side. FULL: an acknowledged deposit survives a power failure.
    "default": database(env.str("DATABASE_URL", default="") or f"sqlite:///{DATA_DIR}/bank.sqlite3", "FULL"),
    # The read side. It can be rebuilt, so it need not sync. But replicas get only what is synced.
    "projections": database(
        env.str("PROJECTIONS_DATABASE_URL", default="") or f"sqlite:///{DATA_DIR}/projections.sqlite3",
        "FULL" if entries("PROJECTIONS_REPLICA_URLS") else "NORMAL",
    ),
}
if place(DATABASES["default"]) == place(DATABASES["projections"]):
    raise ImproperlyConfigured(
        "DATABASE_URL and PROJECTIONS_DATABASE_URL name the same database. The read side needs one of its own, "
        "or a schema of its own: ?options=-c search_path=projections"
    )
# Replicas of the read side, which its server maintains. Pages read them, with a short wait: the primary has the same
# data.
REPLICAS = {
    f"replica_{number}": {**database(url, patience=0.5), "TEST": {"MIRROR": "projections"}}
    for number, url in enumerate(entries("PROJECTIONS_REPLICA_URLS"), 1)
}
DATABASES |= REPLICAS
PROJECTIONS_REPLICAS = list(REPLICAS)
DATABASE_ROUTERS = ["projections.routers.ProjectionsRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

PROJECTION_MODE = env.str("PROJECTION_MODE", default="inline")
if PROJECTION_MODE not in ("inline", "worker"):
    raise ImproperlyConfigured(f"PROJECTION_MODE is 'inline' or 'worker', not {PROJECTION_MODE!r}.")
PROJECTION_WAIT = env.float("PROJECTION_WAIT", default=1.0)
"""The longest time that a page waits for the events that its reader knows of, in seconds."""

EVENTSTORE_STATES_OF = "bank.application.repository.states_of"
"""The function by which the event inspector rebuilds the states of a stream."""
EVENTSTORE_DISPLAY = "bank.screens.inspector.BankDisplay"
"""The class by which the event inspector shows payloads and states: amounts as money."""
EVENTSTORE_CATEGORIES = ["bank_account", "till"]
"""The categories of streams in which the event inspector looks for a number."""

# Keys

ALLOW_SHORT_OLD_KEYS = env.bool("ALLOW_SHORT_OLD_KEYS", default=False)
"""Whether keys of under 16 bytes still verify, behind the first one, in a bank that has used them."""
SECRET_KEY = read_key("SECRET_KEY", DATA_DIR / "secret_key")
PIN_KEYS = read_keys("PIN_KEYS", DATA_DIR / "pin_key", short_old_keys=ALLOW_SHORT_OLD_KEYS)
"""The keys of PIN verifiers and command fingerprints: the first one signs, all verify."""
SEAL_KEYS = read_keys("SEAL_KEYS", DATA_DIR / "seal_key", short_old_keys=ALLOW_SHORT_OLD_KEYS)
"""The keys of the record's seals: the first one seals, all verify."""
SPACED_PIN_KEYS, SPACED_SEAL_KEYS = spaced_keys("PIN_KEYS"), spaced_keys("SEAL_KEYS")
"""The same keys with the spaces around them, which an earlier version counted. They verify and never sign."""

BANK_CLOCK_LIMIT = env.float("BANK_CLOCK_LIMIT", default=60)
"""The largest accepted difference between this process's clock and the shared clock for a command, in seconds."""
if BANK_CLOCK_LIMIT <= 0:
    raise ImproperlyConfigured(f"BANK_CLOCK_LIMIT is a number of seconds above 0, not {BANK_CLOCK_LIMIT}.")
PIN_ATTEMPTS = env.int("PIN_ATTEMPTS", default=3)
"""The number of wrong PINs in a row that locks withdrawals from an account."""
if PIN_ATTEMPTS < 1:
    raise ImproperlyConfigured(f"PIN_ATTEMPTS is a whole number from 1 on, not {PIN_ATTEMPTS}.")
CONFIRM_ABOVE = amount_in("CONFIRM_ABOVE")
"""The amount in the currency's units above which a teller confirms a task on a page of its own.

0 means never, and None the default of the currency.
"""
TILLS = env.str("TILLS", default="optional")
if TILLS not in ("optional", "required"):
    raise ImproperlyConfigured(f"TILLS is 'optional' or 'required', not {TILLS!r}.")

# The application

DEBUG = env.bool("DEBUG", default=False)
ROOT_URLCONF = "bank.urls"
WSGI_APPLICATION = "bank.wsgi.application"
INSTALLED_APPS = [
    "projections",  # before the bank: events are projected before process managers append further ones
    "bank",
    "eventstore",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "bank.access.apps.BankAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "bank.access.middleware.HeadersMiddleware",
    "bank.screens.middleware.FirstPageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # against BREACH: tokens are masked anew, cookies are Lax, it pads answers
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "bank.access.middleware.BodyLimitMiddleware",
    "bank.screens.middleware.PatienceMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "bank.screens.middleware.NoNulMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "bank.screens.middleware.HtmxLoginMiddleware",
    "bank.screens.middleware.WrongMethodMiddleware",
    "bank.screens.middleware.HealthMiddleware",
    "bank.screens.middleware.CurrencyMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "bank.access.middleware.SessionMiddleware",
    "bank.access.middleware.LogInRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates", BASE_DIR / "static"],  # a first page carries its style sheets
        "APP_DIRS": True,
        "OPTIONS": {
            "libraries": {"i18n": "bank.templatetags.quick_i18n"},
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "bank.access.csrf.token",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
SILENCED_SYSTEM_CHECKS = ["templates.W003"]  # quick_i18n takes the place of Django's i18n on purpose
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "desk"
LOGOUT_REDIRECT_URL = "login"

# Access: see bank/access

AUTHENTICATION_BACKENDS = ["bank.access.backends.PasswordBackend"]
PASSWORD_HASHERS = [
    "bank.access.passwords.OneLaneArgon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
"""The first one hashes. The others still verify, and a hash of theirs is replaced at the next log-in."""
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "bank.access.passwords.NoWordsOfTheTrade"},
]
BANK_CLIENT_ADDRESS_HEADER = env.str("BANK_CLIENT_ADDRESS_HEADER", default="")
"""The header in which the reverse proxy sends the client's address. Without a name, no header is trusted."""
BANK_IDLE_MINUTES = env.int("BANK_IDLE_MINUTES", default=15)
BANK_SHIFT_HOURS = env.int("BANK_SHIFT_HOURS", default=10)
BANK_FRESH_PASSWORD_MINUTES = env.int("BANK_FRESH_PASSWORD_MINUTES", default=5)
if min(BANK_IDLE_MINUTES, BANK_SHIFT_HOURS, BANK_FRESH_PASSWORD_MINUTES) < 1:
    raise ImproperlyConfigured("BANK_IDLE_MINUTES, BANK_SHIFT_HOURS and BANK_FRESH_PASSWORD_MINUTES are 1 or more.")
SESSION_ENGINE = "bank.access.session_store"
SESSION_COOKIE_AGE = BANK_SHIFT_HOURS * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
BANK_TOTP_ROLES = entries("BANK_TOTP_ROLES")
"""The groups, and "superuser", that require a second factor."""
OTP_TOTP_ISSUER = "Bank teller"
OTP_TOTP_SYNC = False  # the server's clock alone counts

# Static files

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # the originals are not requested, and each start would compress them again

# Language, money and time

BANK_NAME = env.str("BANK_NAME", default="") or "Bank teller"
"""The name of the bank on statements and receipts on paper."""
BANK_ADDRESS = [line.strip() for line in env.str("BANK_ADDRESS", default="").split(";") if line.strip()]
"""The lines of the bank's address on statements and receipts on paper."""
BANK_CURRENCY = env.str("BANK_CURRENCY", default="USD")
"""The ISO 4217 code of the bank's one currency."""
BANK_LOCALE = env.str("BANK_LOCALE", default="en_US")
"""The CLDR locale in which amounts and times are displayed and read, for users of the bank's own language."""
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LANGUAGE_CODE = next((code for code, _ in LANGUAGES if code == BANK_LOCALE.partition("_")[0]), "en")
"""The bank's own language: that of `BANK_LOCALE`, if the screens have it."""
LANGUAGE_LOCALES = {"en": "en_GB", "de": "de_DE"}
"""The CLDR locale of each language for users who chose another one than the bank's own."""
LOCALE_PATHS = catalogs.compile_catalogs(DATA_DIR / "locale")
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
"""The time zone of the bank. Its days begin at midnight here, on screens and in the daily totals."""

# Security

BANK_PUBLIC_URL = env.str("BANK_PUBLIC_URL", default="")
ALLOWED_HOSTS = entries("ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
if BANK_PUBLIC_URL:
    public = public_url.parse(BANK_PUBLIC_URL)
    ALLOWED_HOSTS = [*ALLOWED_HOSTS, public.host]
    CSRF_TRUSTED_ORIGINS = [public.origin]
    FORCE_SCRIPT_NAME = public.path or None
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"(^|/)(healthz|readyz)$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
BANK_COOKIE_PREFIX = "__Host-" if BANK_PUBLIC_URL else ""
"""With this prefix, no other host of the domain can set the bank's cookies. Browsers require HTTPS for it."""
SESSION_COOKIE_NAME = f"{BANK_COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{BANK_COOKIE_PREFIX}csrftoken"
CSRF_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_NAME = f"{BANK_COOKIE_PREFIX}language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = bool(BANK_PUBLIC_URL)
CSRF_COOKIE_AGE = None  # until the browser closes, like the session's
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
"""The largest request body in bytes. The largest form, a role's permissions in the admin, has about 4,000."""
DATA_UPLOAD_MAX_NUMBER_FIELDS = 300
DATA_UPLOAD_MAX_NUMBER_FILES = 0
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF, CSP.NONCE],  # the nonce of a first page, which carries its style sheets
    "img-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}

DEFAULT_EXCEPTION_REPORTER = "bank.operations.error_reports.DiscreetReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "bank.operations.error_reports.DiscreetFilter"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{", "datefmt": "%Y-%m-%dT%H:%M:%S%z"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "django.template": {"level": "INFO"},  # at DEBUG it logs every page's context
        "waitress": {"level": "WARNING"},  # clients that disconnect are normal
        "waitress.queue": {"level": "ERROR"},  # so are requests that wait for a thread
    },
    "root": {"handlers": ["console"], "level": "INFO"},
}
