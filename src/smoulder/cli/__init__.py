"""The command line: the words of the Python functions, and one place where errors become exit codes.

0 done, 1 faults in the data, 2 wrong use, 70 a fault of ours, 130 stopped by the user.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from smoulder._version import __version__
from smoulder.errors import DataError, SmoulderError, SourceError

if TYPE_CHECKING:
    from cyclopts import App

DONE, DATA_FAULT, WRONG_USE, OUR_FAULT, STOPPED = 0, 1, 2, 70, 130

ABOUT = """Find disability worsening in multiple sclerosis, tell RAW from PIRA, say why.

DATA is a folder of tables (visits, relapses, treatments, patients, mri), one
workbook with those sheets, or the file of visits. Only visits are obligatory.
Nothing leaves this machine."""

EXAMPLES = """Start here:
  smoulder demo                             the whole way on made-up people
  smoulder check my-data/                   your tables, and their faults
  smoulder definitions list                 the published definitions
  smoulder events my-data/ -d mueller-2025  one row an event
  smoulder explain my-data/ -d mueller-2025 -p P017     why, visit by visit
  smoulder study graf-2021 my-data/ -o graf/            a study, and its report

Results go to stdout, everything else to stderr.
For research only; not a medical device."""


def app() -> App:
    """Return the commands. They import what is heavy only when they run."""
    from cyclopts import App, Parameter

    from smoulder.cli import check, demo, events, explain, study
    from smoulder.cli.definitions import definitions_app
    from smoulder.cli.outcomes import add_outcomes

    root = App(
        name="smoulder",
        help=ABOUT,
        help_epilogue=EXAMPLES,
        help_format="plaintext",
        version=__version__,
        default_parameter=Parameter(negative=""),
        suppress_keyboard_interrupt=False,
    )
    root.command(demo.demo, sort_key=1, help_epilogue=demo.EXAMPLES)
    root.command(check.check, sort_key=2, help_epilogue=check.EXAMPLES)
    root.command(events.events, sort_key=3, help_epilogue=events.EXAMPLES)
    root.command(explain.explain, sort_key=4, help_epilogue=explain.EXAMPLES)
    add_outcomes(root, sort_key=5)
    root.command(definitions_app())
    root.command(study.study, sort_key=4.1, help_epilogue=study.EXAMPLES)
    root.command(study.rerun, sort_key=4.2, help_epilogue=study.RERUN_EXAMPLES)
    root.command(study.studies_app())
    return root


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; whatever goes wrong is said in a sentence on stderr."""
    from smoulder.cli.say import fall_silent

    try:
        return _run(arguments)
    except BrokenPipeError:
        # The reader (such as `head`) has seen enough; nothing more can be written, and that is no fault.
        fall_silent()
        return DONE
    except OSError as error:
        with contextlib.suppress(OSError):
            print(f"smoulder: The result cannot be written: {error.strerror or error}.", file=sys.stderr, flush=True)
        fall_silent()
        return WRONG_USE


def _run(arguments: Sequence[str]) -> int:
    """Run one command; raises OSError where stdout or stderr cannot be written to."""
    from cyclopts import CycloptsError

    from smoulder.cli.common import hints
    from smoulder.cli.say import say

    try:
        code = app()(arguments, result_action="return_value", exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except CycloptsError as error:
        command = " ".join(("smoulder", *(error.command_chain or ())))
        say(f"{command}: {error}\n'{command} --help' shows how it is used.")
        if "--definition" in str(error):
            say("'smoulder definitions list' shows the keys of the definitions.")
        return WRONG_USE
    except SmoulderError as error:
        said = str(error)
        say("\n".join([f"smoulder: {said}", *(hint for hint in hints(said) if hint not in said)]))
        return DATA_FAULT if isinstance(error, DataError | SourceError) else WRONG_USE
    except KeyboardInterrupt:
        say("Stopped.")
        return STOPPED
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            raise end.__context__ from None  # by itself `rich` ends the program with 1
        raise
    except BaseException as error:  # no traceback, ever; a panic in polars is no Exception
        if isinstance(error, OSError) and error.filename is None:
            raise  # stdout or stderr; a file has a name
        return _our_fault(error)
    return code if isinstance(code, int) else DONE


def _our_fault(error: BaseException) -> int:
    from smoulder.cli.say import say

    if os.environ.get("SMOULDER_DEBUG") == "1":
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    say(
        f"This is our fault: Smoulder {__version__} met something it does not know ({type(error).__name__}: {error}).\n"
        "Your tables were not changed. Please report it; SMOULDER_DEBUG=1 before the command shows where it happened."
    )
    return OUR_FAULT


def main() -> None:
    """Run the command that was typed, and leave with its exit code."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed, as by `>&-`
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - it is kept to the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a sign shows '?'
    sys.exit(run(sys.argv[1:]))
