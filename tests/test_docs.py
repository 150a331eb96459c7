"""The documentation: nothing that a user can name is left out, and the pictures are those that the program draws."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

import smoulder

DOCS = Path(__file__).parents[1] / "docs"


def module(name: str) -> ModuleType:
    """Return a script of the documentation as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


undocumented = module("undocumented")


def test_nothing_is_undocumented() -> None:
    assert undocumented.undocumented() == []


def test_a_public_name_without_words_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def mute(cohort: object) -> None:
        pass

    monkeypatch.setattr(smoulder, "mute", mute, raising=False)
    monkeypatch.setattr(smoulder, "__all__", [*smoulder.__all__, "mute"])
    assert undocumented.undocumented() == [
        "smoulder.mute has no docstring",
        "the docstring of smoulder.mute does not tell of 'cohort'",
    ]


@pytest.mark.parametrize(
    ("page", "word", "sentence"),
    [
        ("command-line.md", "smoulder explain", "'smoulder explain' is in no page about the command line"),
        (
            "definitions/writing-a-definition.md",
            "leading_system",
            "the setting 'leading_system' is not in definitions/writing-a-definition.md",
        ),
        ("definitions/grids.md", "mueller-2025-grid", "the grid mueller-2025-grid is not in definitions/grids.md"),
    ],
)
def test_what_a_page_no_longer_tells_is_found(tmp_path: Path, page: str, word: str, sentence: str) -> None:
    docs = tmp_path / "docs"
    shutil.copytree(DOCS, docs)
    text = (docs / page).read_text(encoding="utf-8")
    (docs / page).write_text(text.replace(word, ""), encoding="utf-8")
    assert sentence in undocumented.undocumented(docs)


def test_a_definition_without_a_page_is_found(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    shutil.copytree(DOCS, docs)
    (docs / "definitions" / "tur-2023.md").unlink()
    assert undocumented.undocumented(docs) == ["the definition tur-2023 has no page; make pages writes it"]


def test_the_pictures_are_those_that_are_drawn_now() -> None:
    drawn = module("draw_patients").drawings()
    kept = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "definitions" / "images").glob("*.svg")}
    assert drawn.keys() == kept.keys()
    assert [name for name in drawn if drawn[name] != kept[name]] == [], "make them anew: make pages"
    assert len(drawn) == 2 * len(smoulder.definitions())
