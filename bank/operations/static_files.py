"""Static files, collected under names that contain a hash of their content."""

import hashlib
from importlib.metadata import version

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

MARK = "collected"
"""The file beside the collected ones with the digest of their sources."""


def collect() -> None:
    """Collect and compress static files, unless the existing ones were made from the same sources."""
    mark = settings.STATIC_ROOT / MARK
    sources = digest_of_sources()
    if mark.exists() and mark.read_text() == sources:
        return
    mark.unlink(missing_ok=True)  # a process killed half-way leaves no mark
    call_command("collectstatic", verbosity=0, interactive=False)
    mark.write_text(sources)


def digest_of_sources() -> str:
    """Return a digest that changes with any source file and with the way of collecting."""
    tools = [version(name) for name in ("django", "whitenoise")]
    how = (tools, settings.STORAGES["staticfiles"], settings.WHITENOISE_KEEP_ONLY_HASHED_FILES)
    digest = hashlib.sha256(repr(how).encode())
    for finder in get_finders():
        for path, storage in finder.list(None):
            with storage.open(path) as file:
                digest.update(f"{path} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()
