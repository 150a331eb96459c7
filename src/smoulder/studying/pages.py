"""The pages of the documentation about studies, made from the study files so that they cannot drift from them.

`python -m smoulder.studying.pages docs/studies` writes them, with figures and tables of every study run on made-up people.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from smoulder.demo import SEED, made_up
from smoulder.figures.drawing import Drawing
from smoulder.protocol import Study, studies
from smoulder.protocol.aims import AnyAim, DisabilityAim
from smoulder.protocol.entry import ColumnCriterion, NoActivityCriterion, TreatmentCriterion
from smoulder.reading import read
from smoulder.simulation import TRIAL, simulate
from smoulder.studying.charts import Drawn, study_charts
from smoulder.studying.formatting import ShownTable, sentence
from smoulder.studying.methods import main_sentences
from smoulder.studying.needs import needs
from smoulder.studying.report import shown_outcomes
from smoulder.studying.result import StudyResult
from smoulder.studying.run import run_study
from smoulder.tables import COLUMNS, Cohort
from smoulder.terms import MEASURES

EVIDENCE = {"seen": "read in the source", "assumed": "assumed", "": "not marked"}
"""What `Study.evidence` says, in the words of the pages."""

N_TRIAL = 300
"""People of the made-up trial, on which studies of trial arms are run."""

EXAMPLES = {
    "flow": ("graf-2021", "flow"),
    "curves": ("graf-2021", "curves-free-of-cpira"),
    "stack": ("prosperini-2021", "stack-incidence"),
    "forest": ("graf-2021", "forest-factors"),
    "spread": ("kappos-2020", "spread-arm-edss"),
    "strip": ("natalizumab-stop", "strip-mueller-2023"),
    "timeline": ("graf-2021", "timeline-graf-2021"),
}
"""Kind of figure -> study and figure that figures.md shows."""

_MADE = "<!-- Made from the study file by `make pages`; edit the TOML file there, not this page. -->"
_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\(images/(?P<name>[^)]+)\.svg\)")


@dataclass(frozen=True, eq=False, kw_only=True)
class Shown:
    """A study on made-up people, as its page shows it."""

    result: StudyResult
    drawn: tuple[Drawn, ...]

    def figures(self) -> tuple[Drawn, ...]:
        """Return the first figure with curves or areas and the first forest plot, those that could be drawn."""
        could = [one for one in self.drawn if one.drawing is not None]
        chosen = [next((one for one in could if one.kind in kinds), None) for kinds in (("curves", "stack"), ("forest",))]
        return tuple(one for one in chosen if one is not None)


@cache
def shown(key: str) -> Shown:
    """Return a shipped study on made-up people: those of the demonstration, or a made-up trial where the study asks for arms."""
    study = next(one for one in studies() if one.key == key)
    result = run_study(study, _cohort(trial="patients.arm" in needs(study)))
    return Shown(result=result, drawn=study_charts(result))


@cache
def _cohort(*, trial: bool) -> Cohort:
    return read((simulate(TRIAL, N_TRIAL, SEED) if trial else made_up()).tables)


def pages() -> dict[str, str]:
    """Return the text of every page by its file name: one a shipped study, and the index."""
    return {f"{study.key}.md": page(study) for study in studies()} | {"index.md": index(studies())}


def pictures() -> dict[str, Drawing]:
    """Return every figure that the pages show, by its file name."""
    found = {}
    for study in studies():
        one = shown(study.key)
        wanted = {part.name for part in one.figures()} | {name for key, name in EXAMPLES.values() if key == study.key}
        found |= {f"{study.key}-{part.name}.svg": part.drawing for part in one.drawn if part.name in wanted and part.drawing is not None}
    return found


def with_words(text: str, drawn: Mapping[str, Drawing]) -> str:
    """Return a page whose pictures have the words that stand for them, made from their numbers.

    >>> from smoulder.figures.drawing import Drawing
    >>> with_words("![?](images/a.svg)", {"a.svg": Drawing(svg="", alt="Two people.", title="", subtitle="")})
    '![Two people.](images/a.svg)'
    """

    def words(match: re.Match[str]) -> str:
        one = drawn.get(f"{match['name']}.svg")
        return match[0] if one is None else picture(match["name"], one)

    return _IMAGE.sub(words, text)


def write(folder: Path) -> None:
    """Write every page and picture into a folder, give pages written by hand their words for pictures, and remove old pictures."""
    drawn = pictures()
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    for path in sorted(folder.glob("*.md")):
        path.write_text(with_words(path.read_text(encoding="utf-8"), drawn), encoding="utf-8", newline="\n")
    images = folder / "images"
    images.mkdir(exist_ok=True)
    for path in images.glob("*.svg"):
        if path.name not in drawn:
            path.unlink()
    for name, one in drawn.items():
        (images / name).write_text(one.svg, encoding="utf-8", newline="\n")


# -- one study ------------------------------------------------------------------------------


def page(study: Study) -> str:
    """Return the page of a study, as Markdown."""
    one = shown(study.key)
    # The heading stands first: only there does mkdocs take it for the title of the page, which the navigation shows.
    parts = [
        f"# {study.title}\n\n{_MADE}",
        f"Key: `{study.key}`",
        f"**{study.question}**",
        f"## How to run it\n\n{_how(study)}",
        f"## What your tables must have\n\n{_needed(study)}",
        f"## Who enters\n\n{_entering(study)}",
        f"## From when to when\n\n{study.time_zero.prose()}\n\n{study.ending.prose()}",
        *([f"## Known of each person at time zero\n\n{_bullets(sentence(part.prose()) for part in study.known)}"] if study.known else []),
        f"## Outcomes\n\n{_outcomes(study)}",
        *([f"## Held against\n\n{_references(study)}"] if study.reference else []),
        f"## Analyses, in this order\n\n{_analyses(study)}",
        f"## What it cannot answer\n\n{_bullets(study.limits)}",
        f"## On made-up people\n\n{_on_made_up(one)}",
        f"## Read or assumed\n\n{_evidence(study)}",
        f"## Source\n\n{_source(study)}",
    ]
    return "\n\n".join(parts) + "\n"


def _how(study: Study) -> str:
    return (
        f"```\nsmoulder study {study.key} my-data/ -o {study.key}/\n```\n\n"
        f'In Python `run_study("{study.key}", cohort)`, then `write_study(result, folder)`. What the folder holds: '
        f"[The report](report.md). To change something, take a copy with `smoulder studies show {study.key} --toml` and "
        "[edit it](writing-a-study.md)."
    )


def _needed(study: Study) -> str:
    without = indispensable(study)
    kept = {f"patients.{part.column}" for part in study.enter if isinstance(part, ColumnCriterion)}
    rows = []
    for name in needs(study):
        if name in without:
            so = "nothing is run"
        elif name in kept:
            so = "everybody is kept, and the report says so"
        elif name.startswith("visits."):
            so = "the definitions go on with their other measures, and the report says so"
        else:
            so = "a part is not known, and the report says so"
        rows.append((f"`{name}`", _meaning(name), so))
    return _table(("table or column", "what it is", "without it"), rows)


def _meaning(name: str) -> str:
    """Return what a table, or a column of one, is."""
    table, _, column = name.partition(".")
    if not column:
        return {"relapses": "when relapses began", "treatments": "what was taken from when to when", "mri": "scans"}[table]
    if table == "visits":
        whole = f"{MEASURES[column].name} at visits" if column in MEASURES else f"{column} at visits"
        return f"{whole}; the two hands in columns of their own will do" if column == "nhpt" else whole
    return next((known.meaning for known in COLUMNS[table] if known.name == column), f"a column '{column}' of your own")


def indispensable(study: Study) -> frozenset[str]:
    """Return which of the needs of a study are such that without them nothing can be run."""
    rule, ending = study.time_zero, study.ending
    days = {"time zero": "patients.time_zero", "onset": "patients.onset_date", "diagnosis": "patients.diagnosis_date"}
    found: set[str] = set()
    for key in (*study.definition_keys(), *study.history_keys()):
        measures = study.definition_of(key).measures
        if len(measures) == 1 or study.if_missing_measure == "refused":
            found |= {f"visits.{one.measure}" for one in measures}
    found |= {days[rule.at]} if rule.at in days else set()
    in_treatments = rule.at.startswith("treatment") or ending.looks_at_treatments()
    if in_treatments or any(part.what == "time to first treatment" for part in study.known):
        found.add("treatments")
    for part in study.enter:
        if isinstance(part, TreatmentCriterion):
            found.add("treatments")
        elif isinstance(part, NoActivityCriterion):
            found.add("relapses")
        elif isinstance(part, ColumnCriterion) and not part.at_time_zero and part.if_missing_column == "refused":
            found.add(f"patients.{part.column}")
    return frozenset(found)


def _entering(study: Study) -> str:
    if not study.enter:
        return "Everybody with a time zero, a starting visit and a visit after both."
    later = any(part.after_zero() for part in study.enter)
    steps = "\n".join(f"{n}. {sentence(part.prose())}" for n, part in enumerate(study.enter, start=1))
    when = " Criteria that speak of time zero are applied after it was found." if later else ""
    return (
        f"People who, in this order:\n\n{steps}\n\nThen everybody needs a time zero, a starting visit near it, and a visit after "
        f"both.{when} Somebody of whom a criterion is not known does not enter and is counted as not known."
    )


def _outcomes(study: Study) -> str:
    return _table(("key", "outcome", "definition"), [(f"`{aim.key}`", sentence(aim.prose()), _linked(aim)) for aim in study.outcome])


def _linked(aim: AnyAim) -> str:
    """Return a link to where the definition of an outcome is told."""
    if isinstance(aim, DisabilityAim):
        return f"[`{aim.definition}`](../definitions/{aim.definition}.md)"
    return {
        "milestone": "[milestones](../other-outcomes.md#milestones)",
        "secondary progression": "[secondary progression](../secondary-progression.md)",
    }.get(aim.kind, "")


def _references(study: Study) -> str:
    parts = []
    for one in study.reference:
        course = (
            f"a constant hazard of {one.yearly_hazard:g} a person-year"
            if one.yearly_hazard is not None
            else ", ".join(f"{100 * share:g} % by year {year:g}" for year, share in zip(one.years, one.share, strict=True))
        )
        parts.append(f"{one.title}: {course}. Population: {one.population}. Counted from {one.time_zero}. Source: {one.source}")
    return _bullets(sentence(text) for text in parts)


def _analyses(study: Study) -> str:
    drawn: dict[str, list[str]] = {}
    for part in study.figure:
        drawn.setdefault(part.of, []).append(part.kind)
    rows = [
        (part.title, f"[{part.kind}](statistics.md#{part.kind.replace(' ', '-')})", ", ".join(drawn.get(part.key, ())))
        for part in study.analysis
    ]
    others = [part.kind for part in study.figure if part.of not in {one.key for one in study.analysis}]
    more = f"\n\nDrawn beside them: {', '.join(dict.fromkeys(others))}. [Figures](figures.md) tells how each is read." if others else ""
    return _table(("question", "kind of analysis", "drawn as"), rows) + more


def _on_made_up(one: Shown) -> str:
    study = one.result.study
    trial = "patients.arm" in needs(study)
    people = (
        f"a made-up trial of {N_TRIAL} people in two arms"
        if trial
        else f"the {one.result.followed.flow[0].remaining} people of `smoulder demo`"
    )
    # What the reader must know of a figure stands in the drawing itself.
    figures = "\n\n".join(picture(f"{study.key}-{part.name}", part.drawing) for part in one.figures() if part.drawing is not None)
    return (
        f'!!! warning "Nobody here is real"\n    These numbers and figures come from {people}. They show what the study gives, and say '
        "nothing about any person or drug.\n\n"
        f"{_bullets(main_sentences(one.result))}\n\n{shown_table(shown_outcomes(one.result))}\n\n{figures}"
    )


def picture(name: str, drawing: Drawing) -> str:
    """Return a picture below the page as Markdown, with the words that stand for it."""
    words = " ".join(drawing.alt.split()).replace("[", "(").replace("]", ")")
    return f"![{words}](images/{name}.svg)"


def _evidence(study: Study) -> str:
    marks = {path: study.evidence(path) for path in study.settings()}
    seen = sum(mark == "seen" for mark in marks.values())
    rows = [(f"`{path}`", EVIDENCE[mark]) for path, mark in marks.items()]
    return f"Of {len(marks)} parts of the design, {seen} were read in the source.\n\n{_table(('part', 'how it is known'), rows)}"


def _source(study: Study) -> str:
    source = study.source
    link = f" [doi:{source.doi}](https://doi.org/{source.doi})" if source.doi else ""
    return f"{sentence(source.citation) or 'None given.'}{link}"


# -- the index ------------------------------------------------------------------------------

_INDEX = """# Studies

<!-- Made from the study files by `make pages`; edit src/smoulder/studying/pages.py, not this page. -->

A study is one text file: who enters, when time zero is, what ends the observation, what is counted, what is computed and what is drawn.
It runs on any tables that have the columns it needs, and gives one report:

```
smoulder studies list
smoulder studies show graf-2021
smoulder study graf-2021 my-data/ -o graf/
smoulder rerun graf/rerun.json -o again/
```

The report says who was left out at each step and why, states every number with what it is out of, and has a methods paragraph, the limits
of the design, the reporting items and everything needed to repeat it: [The report](report.md). How each number is made and what it is
tested against: [Statistics](statistics.md). How each figure is read: [Figures](figures.md). To ask your own question, copy one and change
it: [Writing a study](writing-a-study.md).

Full texts of the papers were mostly not available to us. What of a design was read in its source and what is *assumed* stands on each page,
and in every report.
"""

_TRY = f"""## Try one without data

The 200 people of the demonstration are made up, and everybody gets the same ones:

```
smoulder demo -o demo/
smoulder study graf-2021 demo/tables -o graf/
```

For a trial with two arms, as *kappos-2020* asks for, in Python:

```python
from smoulder import read, run_study, write_study
from smoulder.simulation import TRIAL, simulate

result = run_study("kappos-2020", read(simulate(TRIAL, {N_TRIAL}, seed={SEED}).tables))
write_study(result, "kappos")
```

The numbers on the pages of the studies come from these two cohorts.

## What decides an answer

- **The definition.** Each outcome names its definition by key. Another one gives another answer on the same people; to see how far it
  moves, copy the study and change the key.
- **Time zero.** What is known of people may only be known up to that day. The shipped designs that compare an exposure after onset
  (*early-treatment*, *tur-2023*) use a [landmark](../glossary.md#landmark), so that nobody is counted as free of the event while waiting
  for the exposure.
- **What ends the observation.** Each person is told with the reason why no more is known, and the report counts the reasons.
- **Death.** Where the table of patients has `death_date`, death competes with the outcome in cumulative incidence; without it nobody is
  known to have died.
"""


def index(found: Sequence[Study]) -> str:
    """Return the page that lists the studies."""
    rows = []
    for study in found:
        without = indispensable(study)
        named = ", ".join(f"**{name}**" if name in without else name for name in needs(study))
        rows.append((f"[`{study.key}`]({study.key}.md)", study.question, named, _seen(study)))
    heads = ("key", "the question", "what it needs", "read / assumed")
    below = (
        "Without what stands in **bold** nothing is run; without the rest a part is not known, and the report says so. Of several measures "
        "of a composite one is always needed."
    )
    return "\n\n".join([_INDEX.strip(), _table(heads, rows), below, _TRY.strip()]) + "\n"


def _seen(study: Study) -> str:
    marks = [study.evidence(path) for path in study.settings()]
    return f"{marks.count('seen')} / {marks.count('assumed')}"


# -- Markdown -------------------------------------------------------------------------------


def shown_table(table: ShownTable) -> str:
    """Return a table for people as Markdown: numbers to the right, its notes below."""
    marks = ["---:" if name in table.right else "---" for name in table.head]
    lines = [_row(table.head), _row(marks), *(_row(row) for row in table.rows)]
    return "\n\n".join(["\n".join(lines), *table.notes])


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join([_row(heads), _row(["---"] * len(heads)), *(_row(row) for row in rows)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _bullets(texts: Iterator[str] | Sequence[str]) -> str:
    return "\n".join(f"- {' '.join(text.split())}" for text in texts)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
