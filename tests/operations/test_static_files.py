"""Static files are collected only if their sources have changed."""

from pathlib import Path
from typing import Any

import pytest

from bank import settings as ours
from bank.operations import static_files


@pytest.fixture
def style(tmp_path: Path, settings: Any) -> Path:
    """The only source file, a style sheet. It is collected into the folder `static` beside it."""
    (tmp_path / "source").mkdir()
    file = tmp_path / "source" / "bank.css"
    file.write_text("body { color: black }")
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATICFILES_DIRS = [file.parent]
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = ours.STORAGES
    return file


def collected(style: Path) -> set[str]:
    """Return the contents of the collected style sheets."""
    return {file.read_text() for file in (style.parent.parent / "static").glob("bank.*.css")}


def test_collected_files_are_not_collected_again(style: Path) -> None:
    static_files.collect()
    [file] = (style.parent.parent / "static").glob("bank.*.css")
    file.write_text("nobody has made it anew")
    static_files.collect()
    assert collected(style) == {"nobody has made it anew"}


def test_a_file_that_has_changed_is_collected(style: Path) -> None:
    static_files.collect()
    style.write_text("body { color: white }")
    static_files.collect()
    assert "body { color: white }" in collected(style)


def test_a_file_that_is_new_is_collected(style: Path) -> None:
    static_files.collect()
    style.with_name("more.css").write_text(style.read_text())
    static_files.collect()
    assert list((style.parent.parent / "static").glob("more.*.css"))


def test_all_is_collected_anew_for_another_way_of_keeping_it(style: Path, settings: Any) -> None:
    static_files.collect()
    assert not (style.parent.parent / "static" / "bank.css").exists()
    settings.WHITENOISE_KEEP_ONLY_HASHED_FILES = False
    static_files.collect()
    assert (style.parent.parent / "static" / "bank.css").exists()


def test_a_start_that_is_killed_half_way_leaves_nothing_that_passes_for_whole(
    style: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    static_files.collect()
    before = style.read_text()
    style.write_text("body { color: white }")

    def killed(*arguments: Any, **options: Any) -> None:
        for file in (style.parent.parent / "static").glob("bank.*"):
            file.unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(static_files, "call_command", killed)
        with pytest.raises(KeyboardInterrupt):
            static_files.collect()
    style.write_text(before)
    static_files.collect()
    assert before in collected(style)
