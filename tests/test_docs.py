"""The documentation: nothing that a user can name is left out, and pictures and outputs are those that the program gives now."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

import smoulder
from smoulder.rulebook import grids, keys

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


# -- the outputs of commands that pages show --------------------------------------------------

fill_commands = module("fill_commands")


@pytest.mark.slow
@pytest.mark.parametrize("page", fill_commands.PAGES)
def test_the_outputs_on_a_page_are_those_of_now(page: str) -> None:
    assert fill_commands.page_now(page) == (DOCS / page).read_text(encoding="utf-8"), "make it anew: make pages"


def test_no_page_shows_a_crash() -> None:
    pages = {path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md")}
    assert [page for page, text in pages.items() if "This is our fault" in text or "Traceback" in text] == []


def test_every_page_that_shows_a_command_is_filled() -> None:
    showing = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if "\n$ smoulder " in path.read_text(encoding="utf-8")}
    assert showing == set(fill_commands.PAGES)


NOSUCH = "```\n$ smoulder definitions show nosuch\nold\n```\n"
SAID = f"smoulder: There is no definition 'nosuch' among the {len(keys())} definitions and {len(grids())} grids there are."


def test_an_end_that_is_not_announced_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"\$ smoulder definitions show nosuch ends with 2 and not with 0, as the page announces"):
        fill_commands.filled(f"Text.\n\n{NOSUCH}", tmp_path)
    with pytest.raises(RuntimeError, match="ends with 2 and not with 1"):
        fill_commands.filled(f"<!-- exit 1 -->\n{NOSUCH}", tmp_path)
    with pytest.raises(RuntimeError, match="ends with 0 and not with 2"):
        fill_commands.filled("<!-- exit 2 -->\n```\n$ smoulder definitions list --grids\n```\n", tmp_path)


@pytest.mark.parametrize("remark", ["exit 2", "lines 1-1; exit 2", "exit 2; lines -1-"])
def test_an_end_that_is_announced_is_shown(tmp_path: Path, remark: str) -> None:
    text = f"<!-- {remark} -->\n{NOSUCH}"
    assert fill_commands.filled(text, tmp_path) == text.replace("old", SAID)


@pytest.mark.parametrize("remark", ["", "<!-- exit 70 -->\n"])
def test_a_crash_is_refused_even_where_it_is_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remark: str) -> None:
    monkeypatch.setattr(fill_commands, "output_of", lambda command, folder: (70, ["This is our fault: …"]))
    with pytest.raises(RuntimeError, match="ends with 70"):
        fill_commands.filled(f"{remark}{NOSUCH}", tmp_path)


def test_a_remark_that_says_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="is neither lines nor exit"):
        fill_commands.filled(f"<!-- exit 2; line 3 -->\n{NOSUCH}", tmp_path)


def test_the_lines_of_an_output_that_are_shown(tmp_path: Path) -> None:
    assert fill_commands.chosen(["a", "b", "c", "d", "e"], "1-2 -1-") == "a\nb\n...\ne"
    assert fill_commands.chosen(["a", "b", "c"], "1-2") == "a\nb\n..."
    assert fill_commands.chosen(["a", "b"], "") == "a\nb"
