"""The pages of the documentation about definitions, made from the catalogue so that they cannot drift from it.

`python -m smoulder.rulebook.pages docs/definitions` writes them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from smoulder.rulebook.catalogue import CatalogueEntry, WorkedPatient, entry, keys
from smoulder.rulebook.model import AnchoredVisit, Confirmation, Definition
from smoulder.rulebook.traps import traps
from smoulder.terms import MEASURES, Measure

EVIDENCE = {"seen": "read in the source", "code": "from a program", "assumed": "assumed"}
"""The marks of `Source`, in the words of the pages."""

_MADE = "<!-- Made from the catalogue by `python -m smoulder.rulebook.pages docs/definitions`; edit the TOML file there, not this page. -->"


def pages() -> dict[str, str]:
    """Return the text of every page by its file name: one a catalogue entry, and the index."""
    found = {f"{key}.md": page(entry(key)) for key in keys()}
    return found | {"index.md": index([entry(key) for key in keys()])}


def write(folder: Path) -> None:
    """Write every page into a folder."""
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def page(entry: CatalogueEntry) -> str:
    """Return the page of a catalogue entry, as Markdown."""
    definition, told = entry.definition, entry.page
    # The heading stands first: only there does mkdocs take it for the title of the page, which the navigation shows.
    parts = [
        f"# {definition.title}\n\n{_MADE}",
        f"Key: `{definition.key}`",
        f"## What counts\n\n{told.counts}",
        f"## Why it exists\n\n{told.why}",
        f"## How papers differ\n\n{told.differs}",
        "## A patient who has it, a patient who just misses it\n\n"
        + "\n\n".join(patient_text(patient, picture(definition, number)) for number, patient in enumerate(entry.patients, start=1)),
        *sections(definition, told.traps),
    ]
    return "\n\n".join(parts) + "\n"


def sections(definition: Definition, more_traps: str = "") -> Iterator[str]:
    """Yield what can be told about any definition, as Markdown: parameters, known traps, methods paragraph, source."""
    yield f"## Parameters\n\n{evidence_text(definition)}\n\n{parameters(definition)}"
    known = [more_traps] if more_traps else []
    found = "\n".join(f"- {trap}" for trap in [*known, *traps(definition)])
    yield f"## Known traps\n\n{found or 'None known.'}"
    yield f"## Methods paragraph\n\n> {definition.prose()}"
    source = definition.source
    link = f" [doi:{source.doi}](https://doi.org/{source.doi})" if source.doi else ""
    yield f"## Source\n\n{source.citation or 'None given.'}{link}"


# -- a worked patient -----------------------------------------------------------------------


DRAWN = 2
"""Patients of an entry that docs/draw_patients.py draws."""


def picture(definition: Definition, number: int) -> str:
    """Return the name of the picture of an entry's patient, below the page; "" for one that is not drawn."""
    return f"images/{definition.key}-{number}.svg" if number <= DRAWN else ""


def patient_text(patient: WorkedPatient, drawn: str = "") -> str:
    """Return a worked patient as Markdown: the picture, the visits, the verdict and the reason."""
    notes: dict[int, list[str]] = {day: ["relapse begins"] for day in patient.relapses}
    for day in patient.unscheduled:
        notes.setdefault(day, []).append("not a scheduled visit")
    for day, counts in patient.scans.items():
        notes.setdefault(int(day), []).append(f"MRI: {_scan_text(counts)}")
    for zero, name in ((patient.time_zero, "time zero"), (patient.diagnosis, "diagnosis")):
        if zero is not None:
            notes.setdefault(zero, []).append(name)
    for event in patient.events:
        notes.setdefault(event.onset, []).append(f"{event.kind} begins")
        if event.confirmed is not None:
            notes.setdefault(event.confirmed, []).append("confirmed")
    specs = [MEASURES[key] for key in patient.visits]
    rows = {row["date"]: row for row in patient.visit_rows()}
    lines = [_row(["day", *(spec.name for spec in specs), ""]), _row(["---:"] * (len(specs) + 1) + ["---"])]
    for day in sorted({*rows, *notes}):
        scores = [_score(spec, rows.get(day, {}).get(spec.key)) for spec in specs]
        lines.append(_row([str(day), *scores, ", ".join(dict.fromkeys(notes.get(day, [])))]))
    title = patient.title[0].upper() + patient.title[1:]
    verdict = "; ".join(_verdict(event) for event in patient.events) or "no event"
    table = "\n".join(lines)
    shown = f"![Timeline of this patient: {verdict}]({drawn})\n\n" if drawn else ""
    return f"### {title}\n\n{shown}{table}\n\n**Verdict: {verdict}.** {patient.because}"


def _scan_text(counts: Mapping[str, int]) -> str:
    """Return what a scan shows, in words."""
    names = {"new_t2": "new T2", "enlarging_t2": "enlarging T2", "gd": "gadolinium-enhancing"}
    found = [f"{n} {names[name]}" for name, n in counts.items() if n]
    return ", ".join(found) or "no new lesion"


def _score(measure: Measure, score: float | None) -> str:
    if score is None:
        return ""
    return measure.text(measure.units(score)) if measure.grid else f"{score:.2f}"


def _verdict(event: Any) -> str:
    label = f"{event.label}: " if event.label else ""
    confirmed = f", confirmed on day {event.confirmed}" if event.confirmed is not None else ""
    confirmed += {"no activity": ", without MRI activity", "activity": ", with MRI activity", "unknown": ", MRI unknown"}.get(
        event.mri or "", ""
    )
    return f"{label}{event.kind} of the {MEASURES[event.measure].name} on day {event.onset}{confirmed}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


# -- the settings ---------------------------------------------------------------------------


def evidence_text(definition: Definition) -> str:
    """Return in a sentence how many settings rest on which evidence."""
    source, n = definition.source, len(definition.settings())
    unmarked = n - len(source.seen) - len(source.code) - len(source.assumed)
    more = f", {unmarked} not marked" if unmarked else ""
    return (
        f"Of {n} settings, {len(source.seen)} were read in the source, {len(source.code)} taken from a program, "
        f"{len(source.assumed)} assumed{more}."
    )


def parameters(definition: Definition) -> str:
    """Return every setting with its value and its evidence, as a Markdown table."""
    source = definition.source
    marks = {path: EVIDENCE[mark] for mark in EVIDENCE for path in getattr(source, mark)}
    lines = [_row(["setting", "value", "evidence"]), _row(["---"] * 3)]
    lines += [_row([f"`{path}`", value_text(definition, path), marks.get(path, "")]) for path in definition.settings()]
    return "\n".join(lines)


def value_text(definition: Definition, path: str) -> str:
    """Return the value of a setting in words."""
    part, _, name = path.partition(".")
    rule = next((rule for rule in definition.measures if rule.measure == part), None)
    if rule is not None:
        threshold = rule.worsening if name == "worsening" else rule.improvement
        return "as worsening, the other way" if threshold is None else threshold.prose(rule.spec()).removeprefix("of ")
    value = definition.settings()[path]
    if path == "measures":
        return ", ".join(rule.spec().name for rule in definition.measures)
    if path == "confirmation.windows":
        return "; ".join(window.prose() for window in definition.confirmation.windows)
    if path == "relapses.raw" and definition.relapses is not None and definition.relapses.raw is not None:
        return f"a relapse {definition.relapses.raw.prose()}"
    if path == "relapses":
        return "events are not labelled"
    if path == "baseline.crossed_days" and value is None:
        return f"the RAW window: {definition.crossed_days} days" if "relapse" in definition.baseline.moves_after else "none"
    return _plain_text(value)


def _plain_text(value: Any) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(_plain_text(item) for item in value)
    return value if isinstance(value, str) else json.dumps(value)


# -- the index ------------------------------------------------------------------------------

_INDEX = f"""# The catalogue

{_MADE}

Published definitions of disability worsening, each as one file that runs: what it says is what the program does. Use one by its key,

```
smoulder events my-data/ -d kappos-2020
smoulder definitions show kappos-2020
smoulder definitions diff mueller-2023 mueller-2025
```

or start from one to [write your own](writing-a-definition.md).

Every setting of an entry carries its evidence: *read in the source*, *taken from a program* that implements it, or *assumed*. Full
texts could not be read for this catalogue, mostly abstracts, registry records and the source code of other programs; so much is
assumed, and each page says what. Two hand-worked patients, or more, stand on each page: one who has the event and one who misses it by
a day, half a point or a hundredth of a second. They are the entry's tests.
"""

_CHOOSING = """## Which one?

- *The same as a paper:* the entry of that paper; read its *How papers differ* before comparing numbers.
- *A trial endpoint, whatever the cause:* `cdw-12w` or `cdw-24w`; with walking and hands, `edss-plus`.
- *RAW and PIRA with walking and hands:* `kappos-2020`; of the EDSS alone, `kappos-2020-edss`.
- *PIRA in a registry:* `mueller-2025` is the standardised proposal, `mueller-2023` and `portaccio-2025` confirm sooner.
- *As few false PIRA as possible:* `mueller-2023-specific`.

Numbers found under two of them are not comparable: on the same people, one definition finds several times as many PIRA as another.
"""


def index(entries: Sequence[CatalogueEntry]) -> str:
    """Return the page that lists the catalogue."""
    heads = ["key", "what it finds", "measures", "confirmed after", "reference moves after", "read / program / assumed"]
    lines = [_row(heads), _row(["---"] * len(heads))]
    for definition in (item.definition for item in entries):
        source = definition.source
        lines.append(
            _row(
                [
                    f"[`{definition.key}`]({definition.key}.md)",
                    definition.title,
                    value_text(definition, "measures"),
                    confirmed_text(definition),
                    moves_text(definition),
                    f"{len(source.seen)} / {len(source.code)} / {len(source.assumed)}",
                ]
            )
        )
    return "\n".join([_INDEX, *lines, "", _CHOOSING])


def confirmed_text(definition: Definition) -> str:
    """Return after how long, or where, a change is confirmed, in a few words."""
    confirm = definition.confirmation
    if not confirm.windows:
        return "not confirmed"
    as_well = f"; must hold at {_at_text(confirm.as_well)} too" if confirm.as_well is not None else ""
    if confirm.at is not None:
        windows = "" if confirm.window_follows_from(definition.onset) else f", {_windows_text(confirm)} after onset"
        return f"at {_at_text(confirm.at)}{windows}{as_well}"
    return f"{_windows_text(confirm)}{as_well}"


def moves_text(definition: Definition) -> str:
    """Return what moves the reference, in a few words."""
    base, carried = definition.baseline, definition.carried
    if carried is not None:
        falls = {"no": "never falls", "at once": "falls at once", "if confirmed": "falls when confirmed"}[carried.falls]
        rises = "; rises after relapses" if carried.after_relapse != "stays" else ""
        return f"carried from visit to visit: worsening; {falls}{rises}"
    if base.start == "previous visit":
        return "every visit is compared with the one before"
    return ", ".join(base.moves_after) or "nothing: fixed"


def _windows_text(confirm: Confirmation) -> str:
    return ", ".join(_window_text(window.name) for window in confirm.windows)


def _window_text(name: str) -> str:
    noun = {"d": "days", "w": "weeks", "m": "months", "y": "years"}.get(name[-1], "")
    return f"{name[:-1]} {noun}" if noun and name[:-1].isdigit() else name


def _at_text(visit: AnchoredVisit) -> str:
    return f"the visit nearest to day {visit.day}"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
