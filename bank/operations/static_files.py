"""Static files, collected under names that say what is in them."""

import hashlib
from importlib.metadata import version

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

MARK = "collected"
"""The file beside those collected that says what they were made of."""


def collect() -> None:
    """Collect and compress static files, unless what there is was made of the very same."""
    mark = settings.STATIC_ROOT / MARK
    sources = digest_of_sources()
    if mark.exists() and mark.read_text() == sources:
        return
    mark.unlink(missing_ok=True)  # whoever is killed half-way leaves none
    call_command("collectstatic", verbosity=0, interactive=False)
    mark.write_text(sources)


def digest_of_sources() -> str:
    """Return what changes with any file to be collected, and with what is done to them."""
    tools = [version(name) for name in ("django", "whitenoise")]
    how = (tools, settings.STORAGES["staticfiles"], settings.WHITENOISE_KEEP_ONLY_HASHED_FILES)
    digest = hashlib.sha256(repr(how).encode())
    for finder in get_finders():
        for path, storage in finder.list(None):
            with storage.open(path) as file:
                digest.update(f"{path} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()
