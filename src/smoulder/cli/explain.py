"""`smoulder explain`: one patient, visit by visit, in words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from smoulder.cli.common import met_in_tables, read_sound, tell_traps, tell_written
from smoulder.cli.options import AS_FOUND, Data, Key, Output, Reading
from smoulder.cli.say import doing, give

if TYPE_CHECKING:
    from smoulder.events import Explanation
    from smoulder.outputs import Document, Files

EXAMPLES = """Examples:
  smoulder explain my-data/ -d mueller-2025 -p P017
  smoulder explain my-data/ -d mueller-2025 -p P017 --plot p017.svg
  smoulder explain my-data/ -d mueller-2025 -p P017 -o p017.txt

Exit code: 0 done, 1 faults in the data, 2 wrong use.
In Python: smoulder.explain(cohort, "P017", "mueller-2025")"""

PLOT_ENDINGS = (".svg", ".png", ".html")


def explain(
    data: Data,
    /,
    *,
    definition: Key,
    patient: Annotated[str, Parameter(name=["--patient", "-p"], help="Id of the patient, as the tables write it.")],
    plot: Annotated[Path | None, Parameter(help="Draw the timeline into FILE: .svg, .html, .png or .pdf.")] = None,
    format: Annotated[Literal["text", "csv", "json"], Parameter(help="How to print it.")] = "text",
    output: Annotated[Output, Parameter(help="Write it to FILE: .txt in words; .csv, .parquet, .xlsx or .json step by step.")] = None,
    reading: Reading = AS_FOUND,
) -> None:
    """Say why one patient has these events: visit by visit, in words.

    Each visit says what it was compared with, the change found, the change
    needed, and the rule that decided. The explanation comes from the readable
    engine, which is the specification; the fast one is tested to agree with it.
    """
    from smoulder.engine import explain as explain_patient
    from smoulder.figures import plot_patient
    from smoulder.outputs import TABLE_ENDINGS, Files, check_target, write_figure
    from smoulder.rulebook import definition as definition_of

    chosen = definition_of(definition)
    inputs = reading.inputs(data)
    for target, endings in ((output, (".txt", *TABLE_ENDINGS)), (plot, PLOT_ENDINGS)):
        if target is not None:
            check_target(target, inputs, endings)
    cohort = read_sound(data, reading, (chosen,))
    told = explain_patient(cohort, patient, chosen)
    met = met_in_tables((chosen,), cohort)
    tell_traps((chosen,), met)
    extra = reading.used(data, cohort) | {"on_these_tables": met}
    with doing("Writing"), Files(inputs) as files:
        if output is not None:
            _write(told, extra, output, files)
        if plot is not None:
            write_figure(plot_patient(told), plot, files)
    if output is None or format != "text":
        _give(told, extra, format)
    tell_written(output, plot)


def explanation_document(told: Explanation, extra: Mapping[str, Any]) -> Document:
    """Return an explanation as it is written: one row a step. `extra` goes into the provenance."""
    from smoulder.outputs import Document, about, definition_frame, provenance_frame

    return Document(
        name="steps",
        table=told.frame(),
        beside={"definition": definition_frame((told.definition,)), "provenance": provenance_frame(about(told.provenance, extra))},
        facts={"patient": told.patient, "definition": told.definition.key, "text": told.text()},
        provenance=told.provenance,
        extra=extra,
    )


def _write(told: Explanation, extra: Mapping[str, Any], path: Path, files: Files) -> None:
    from smoulder.outputs import write, write_text

    if path.suffix.lower() == ".txt":
        write_text(told.text(), path, files)
    else:
        write(explanation_document(told, extra), path, files)


def _give(told: Explanation, extra: Mapping[str, Any], format: str) -> None:
    if format == "text":
        give(told.text())
    elif format == "csv":
        give(told.frame().write_csv())
    else:
        give(explanation_document(told, extra).json())
