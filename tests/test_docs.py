"""The documentation: nothing that a user can name is left out, and pictures and outputs are those that the program gives now."""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest
from test_layers import HOMES, NOUNS, OUTLETS, VERBS

import smoulder
from smoulder.demo import made_up
from smoulder.errors import SmoulderError
from smoulder.protocol import Study, studies, study
from smoulder.rulebook import grids, keys
from smoulder.simulation import TRIAL, simulate
from smoulder.studying import pages
from smoulder.studying.needs import needs

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
        ("command-line.md", "smoulder studies show", "'smoulder studies show' is in no page about the command line"),
        ("command-line.md", "--made-on", "the option '--made-on' of 'smoulder study' is in no page about the command line"),
        (
            "studies/writing-a-study.md",
            "`joined_days`",
            "the setting 'joined_days' of a study is not in studies/writing-a-study.md",
        ),
        (
            "studies/writing-a-study.md",
            '`"rebound"`',
            "the analysis 'rebound' of a study is not in studies/writing-a-study.md",
        ),
        ("studies/statistics.md", "`fine_gray`", "the estimator fine_gray is not in studies/statistics.md"),
        ("studies/report.md", "`EVNTDESC`", "the variable EVNTDESC of ADTTE is not in studies/report.md"),
        ("studies/report.md", "| 5 | ", "CNSR 5 (treatment stopped) is not in studies/report.md"),
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


def test_a_study_without_a_page_is_found(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    shutil.copytree(DOCS, docs)
    (docs / "studies" / "tur-2023.md").unlink()
    assert undocumented.undocumented(docs) == ["the study tur-2023 has no page; make pages writes it"]


def test_the_pictures_are_those_that_are_drawn_now() -> None:
    drawn = module("draw_patients").drawings()
    kept = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "definitions" / "images").glob("*.svg")}
    assert drawn.keys() == kept.keys()
    assert [name for name in drawn if drawn[name] != kept[name]] == [], "make them anew: make pages"
    assert len(drawn) == 2 * len(smoulder.definitions())


# -- studies ----------------------------------------------------------------------------------


def test_the_pages_of_studies_are_those_of_now() -> None:
    made = pages.pages()
    assert made.keys() == {*(f"{one.key}.md" for one in studies()), "index.md"}
    assert [name for name, text in made.items() if text_of(name) != text] == [], "make them anew: make pages"


def test_the_pictures_of_studies_are_those_of_now() -> None:
    drawn = {name: one.svg for name, one in pages.pictures().items()}
    kept = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "studies" / "images").glob("*.svg")}
    assert drawn.keys() == kept.keys()
    # Words and numbers alone: another release of the drawing library may round a line otherwise, and the picture is still right.
    assert [name for name in drawn if words_of(drawn[name]) != words_of(kept[name])] == [], "make them anew: make pages"


def test_every_kind_of_figure_is_shown_with_its_words() -> None:
    text, drawn = text_of("figures.md"), pages.pictures()
    assert pages.with_words(text, drawn) == text, "make it anew: make pages"
    shown = re.findall(r"\]\(images/(.+?)\)", text)
    assert sorted(shown) == sorted(f"{key}-{name}.svg" for key, name in pages.EXAMPLES.values())
    assert "![?]" not in text


def text_of(name: str) -> str:
    return (DOCS / "studies" / name).read_text(encoding="utf-8")


def words_of(svg: str) -> list[str]:
    return [words for words in re.findall(r">([^<>]+)<", svg) if words.strip()]


def without(tables: Mapping[str, pl.DataFrame], need: str) -> dict[str, pl.DataFrame]:
    """Return tables without one that a study asks for, or without a column of one."""
    name, _, column = need.partition(".")
    if not column:
        return {key: table for key, table in tables.items() if key != name}
    hands = [one for one in tables[name].columns if one == column or (column == "nhpt" and one.startswith("nhpt"))]
    return {**tables, name: tables[name].drop(hands)}


@pytest.mark.slow
@pytest.mark.parametrize("key", [one.key for one in studies()])
def test_what_a_page_calls_indispensable_is_that(key: str) -> None:
    chosen = study(key)
    tables = (simulate(TRIAL, 60, 1) if "patients.arm" in needs(chosen) else made_up()).tables
    asked = [need for need in needs(chosen) if need.partition(".")[0] in tables]
    stopped = {need for need in asked if not runs(chosen, without(tables, need))}
    assert stopped == pages.indispensable(chosen) & set(asked)


def runs(chosen: Study, tables: Mapping[str, pl.DataFrame]) -> bool:
    try:
        smoulder.run_study(chosen, smoulder.read(dict(tables)))
    except SmoulderError:
        return False
    return True


# -- the house --------------------------------------------------------------------------------


def test_the_architecture_tells_every_room_and_every_home() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")]
    rooms = {name.strip("`/ "): row[1] for row in rows if len(row) == 4 for name in row[0].split(",")}
    kinds = {name: kind for names, kind in ((NOUNS, "noun"), (VERBS, "verb"), (OUTLETS, "outlet")) for name in names}
    assert {name: rooms.get(name) for name in kinds} == kinds
    homes = {library.strip().replace("-", "_"): row[1] for row in rows if len(row) == 3 for library in row[0].split(",")}
    told = {library: {room.strip("`/ ") for room in re.split(", | and ", where)} - {"nowhere"} for library, where in homes.items()}
    # Parts of numba and pydantic live where they do.
    assert {name: told.get(name) for name in HOMES if name not in ("llvmlite", "pydantic_core")} == {
        name: set(where) for name, where in HOMES.items() if name not in ("llvmlite", "pydantic_core")
    }


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
