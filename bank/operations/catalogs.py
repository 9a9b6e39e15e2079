"""Compilation of the translations: gettext reads `.mo` files, and the project keeps `.po` files.

Settings import this module, so it must not import Django.
"""

import os
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "locale"
"""The folder of the catalogs. Django looks here because it is the folder `locale` of an application."""


def compile_catalogs(other: Path) -> list[Path]:
    """Compile each catalog that has changed. Return `other` if the catalogs are there, because `FOLDER` is read-only.

    If neither folder can be written, the texts stay English.
    """
    for folder in (FOLDER, other):
        try:
            for source in FOLDER.glob("*/LC_MESSAGES/*.po"):
                target = folder / source.relative_to(FOLDER).with_suffix(".mo")
                if not is_current(target, source):
                    compile_catalog(source, target)
        except OSError:
            continue
        return [] if folder == FOLDER else [other]
    return []


def is_current(target: Path, source: Path) -> bool:
    """Return whether a compiled catalog has the time of its source. An image of a container keeps whole seconds."""
    return target.exists() and int(target.stat().st_mtime) == int(source.stat().st_mtime)


def compile_catalog(source: Path, target: Path) -> None:
    """Write a compiled catalog with the time of its source. A process that starts meanwhile reads a complete file.

    Raises:
        OSError
    """
    from babel.messages.mofile import write_mo  # babel takes long to import, and most processes need no catalog
    from babel.messages.pofile import read_po

    changed = source.stat().st_mtime_ns
    with source.open("rb") as text:
        catalog = read_po(text, locale=source.parent.parent.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as compiled:
        write_mo(compiled, catalog)
    written = Path(compiled.name)
    written.chmod(0o644)  # the user who installs the bank need not be the one who runs it
    os.utime(written, ns=(changed, changed))
    written.replace(target)


if __name__ == "__main__":
    compile_catalogs(FOLDER)
