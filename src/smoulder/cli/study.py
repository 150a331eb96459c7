"""`smoulder study`, `rerun` and `studies`: a study run whole, the same again, and the studies that are shipped."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from smoulder.cli.common import PREPARING, stop_on_errors, tell_report
from smoulder.cli.definitions import EVIDENCE
from smoulder.cli.options import AS_FOUND, Data, Reading, column_map, date_formats, require_there
from smoulder.cli.say import console, doing, give, give_table, give_wrapped, say
from smoulder.errors import UsageError, counted

if TYPE_CHECKING:
    from smoulder.protocol import Study
    from smoulder.studying.rerun import Recipe
    from smoulder.studying.result import StudyResult

KeyOrFile = "Key of a study (smoulder studies list), or a TOML file."
Folder = Annotated[Path, Parameter(name=["--output", "-o"], help="A new folder for the report and all files.")]
MadeOn = Annotated[str | None, Parameter(help="Day of making, such as 2025-03-31, for one line of the report; none if not given.")]

EXAMPLES = """Examples:
  smoulder studies list
  smoulder study graf-2021 my-data/ -o graf/
  smoulder study my-study.toml my-data/ -o mine/ --adam
  smoulder rerun graf/rerun.json -o again/

Exit code: 0 done, 1 faults in the data, 2 wrong use.
In Python: smoulder.run_study("graf-2021", cohort)"""

RERUN_EXAMPLES = """Examples:
  smoulder rerun graf/rerun.json -o again/

Run it where the data are found under the name that was given then; data and
results may also be moved together."""

STUDIES = """List the shipped studies, show one in words or as a file.

A study says who enters, when time zero is, what ends the observation, what is
counted and what is computed and drawn. Each is one text file: to change
something, copy it (show KEY --toml) and give the file instead of the key."""

LIST_EXAMPLES = """Examples:
  smoulder studies list"""

SHOW_EXAMPLES = """Examples:
  smoulder studies show graf-2021
  smoulder studies show graf-2021 --toml > mine.toml"""


def studies_app() -> App:
    """Return the two commands under their common name."""
    app = App(name="studies", help=STUDIES, sort_key=4.3)
    app.command(list_, name="list", help_epilogue=LIST_EXAMPLES)
    app.command(show, help_epilogue=SHOW_EXAMPLES)
    return app


def study(
    study: Annotated[str, Parameter(name="STUDY", help=KeyOrFile)],
    data: Data,
    /,
    *,
    output: Folder,
    adam: Annotated[bool, Parameter(negative="", help="Write time-to-event data for trial statisticians (ADTTE) as well.")] = False,
    figures_as: Annotated[
        list[Literal["png", "pdf"]] | None, Parameter(negative="", help="Write every figure like this as well as SVG. May be given again.")
    ] = None,
    made_on: MadeOn = None,
    reading: Reading = AS_FOUND,
) -> None:
    """Run a study: the report, every table and figure, and what repeats it.

    The folder gets report.html, which is one page and fetches nothing; tables
    and figures; the study, its definitions and the methods; and rerun.json,
    with which 'smoulder rerun' gives the same files again.
    """
    from smoulder.outputs import require_new
    from smoulder.protocol import study as study_of

    require_new(output)
    _require_day(made_on)
    for path in (Path(data), *reading.tables().values()):
        require_there(path)
    chosen = study_of(study)
    with doing(f"Reading and checking {data}"):
        recipe = _recipe(data, reading).hashed()
        cohort = recipe.read(chosen.definitions())
    stop_on_errors(cohort, data)
    tell_report(cohort, data)
    with _steps() as told:
        from smoulder.studying.run import run_study
        from smoulder.studying.write import write_study

        result = run_study(chosen, cohort, told)
        extra = recipe.used(cohort)
        asked: dict[str, Any] = {"adam": adam, "figures_as": figures_as or (), "recipe": recipe}
        names = write_study(result, output, **asked, made_on=made_on, extra=extra, progress=told)
    _give_result(result, output, names)


def rerun(
    rerun_json: Annotated[Path, Parameter(name="RERUN_JSON", help="The rerun.json of a study's folder.")],
    /,
    *,
    output: Folder,
    made_on: MadeOn = None,
) -> None:
    """Run a study again, from its rerun.json: the same bytes.

    The tables are read again as they were then. If a file has changed, is new
    or is missing, nothing is run.
    """
    from smoulder.studying.rerun import difference_sentence
    from smoulder.studying.rerun import rerun as run_again

    _require_day(made_on)
    with _steps() as told:
        found = run_again(rerun_json, output, made_on=made_on, progress=told)
    for note in found.notes:
        say(f"Note: {note}")
    _give_result(found.result, output, found.names)
    say(difference_sentence(found))


def _require_day(made_on: str | None) -> None:
    """Raise UsageError where the day of making is none."""
    if made_on is None:
        return
    try:
        datetime.date.fromisoformat(made_on)
    except ValueError as error:
        raise UsageError(f"--made-on takes a day such as 2025-03-31; found '{made_on}'.") from error


def _recipe(data: str, reading: Reading) -> Recipe:
    from smoulder.studying.rerun import Recipe

    return Recipe(
        data=data,
        tables={name: str(path) for name, path in reading.tables().items()},
        columns=column_map(reading.column or ()),
        date_format=date_formats(reading.date_format or ()),
        same_day=reading.same_day,
        nobody_relapsed=reading.nobody_relapsed,
        keep_going=reading.keep_going,
    )


@contextmanager
def _steps() -> Iterator[Callable[[str], None]]:
    """Show each step while it lasts, on a terminal; elsewhere a line a step."""
    from smoulder.engine import is_prepared

    if not is_prepared():
        say(f"{PREPARING} …")
    if sys.stderr.isatty():
        with console("stderr").status("Starting …") as status:
            yield lambda step: status.update(f"{step} …")
        return
    yield lambda step: say(f"{step} …")


def _give_result(result: StudyResult, output: Path, names: Sequence[str]) -> None:
    """Give the main sentences, and say where the report is."""
    from smoulder.studying.methods import main_sentences

    for text in main_sentences(result):
        give_wrapped(text)
    undone = [f"{one.analysis.title}: {one.why_not}" for one in result.findings if one.why_not]
    for text in undone:
        say(f"Could not be done: {text}")
    for text in (one for one in result.warnings if one not in result.unlike_published):
        say(f"Note: {text}")
    say(f"Wrote {counted(len(names), 'file')} to {output}; the report is {output / 'report.html'}")


def list_(*, format: Annotated[Literal["text", "json"], Parameter(help="How to print it.")] = "text") -> None:
    """List the shipped studies: key, title, question, and the tables and columns each asks for."""
    from smoulder.protocol import studies
    from smoulder.studying.needs import needs

    found = [{"key": one.key, "title": one.title, "question": one.question, "needs": list(needs(one))} for one in studies()]
    if format == "json":
        give(json.dumps(found, indent=1, ensure_ascii=False))
        return
    for row in found:
        give(f"{row['key']}: {row['title']}")
        give_wrapped(str(row["question"]), indent="  ")
        give_wrapped(f"needs {', '.join(row['needs'])}", indent="  ")
        give("")
    say(f"{counted(len(found), 'study', 'studies')}. One in full: smoulder studies show KEY")


def show(
    study: Annotated[str, Parameter(name="STUDY", help=KeyOrFile)],
    /,
    *,
    toml: Annotated[bool, Parameter(negative="", help="As a file, to copy and change.")] = False,
) -> None:
    """Show one study in words, with what of it its source was seen to state."""
    from smoulder.protocol import study as study_of

    chosen = study_of(study)
    if toml:
        give(chosen.toml())
    else:
        _give_study(chosen)
        if not study.endswith(".toml"):
            say(f"\nTo change it: smoulder studies show {study} --toml > mine.toml")


def _give_study(chosen: Study) -> None:
    from smoulder.studying.needs import needs

    give(f"{chosen.title} [{chosen.key}]")
    sections = (
        ("Question", [chosen.question]),
        ("Design", [chosen.prose()]),
        ("Analyses", [f"- {part.title} ({part.kind})" for part in chosen.analysis]),
        ("Limits", [f"- {text}" for text in chosen.limits]),
        ("Asks for", [", ".join(needs(chosen))]),
        ("Definitions", [", ".join(dict.fromkeys((*chosen.definition_keys(), *chosen.history_keys())))]),
    )
    for title, paragraphs in sections:
        if paragraphs:
            give(f"\n{title}")
            for text in paragraphs:
                give_wrapped(" ".join(text.split()), indent="  ")
    give("\nHow it is known")
    give_table(("part", "how it is known"), [(part, EVIDENCE[chosen.evidence(part)]) for part in chosen.settings()])
    source = chosen.source
    if source.citation:
        give("")
        give_wrapped(f"Source: {source.citation}{f' doi:{source.doi}' if source.doi else ''}")
