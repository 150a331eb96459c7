"""Run the commands that the pages show, and write what they print below them: `python docs/fill_commands.py`.

A block that begins with "$ smoulder …" is a command; a block with a title is a file that the commands read. A comment before a
block says which lines of the output are shown, and with which exit code the command is meant to end where that is not 0:
`<!-- lines 1-6 -4- -->` shows the first six and the last four, `<!-- exit 1 -->` announces a fault in the data, and
`<!-- lines 1-6; exit 1 -->` does both. Any other end is an error and the page stays as it was; so is the end by a fault of the
program itself (70), which nothing announces.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PAGES = (
    "getting-started.md",
    "command-line.md",
    "other-outcomes.md",
    *(f"coming-from/{name}.md" for name in ("msprog", "msoutcomes", "bern", "setools")),
    "definitions/from-a-paper.md",
    "studies/writing-a-study.md",
)
BLOCK = re.compile(r"(?:<!-- ((?:lines|exit) [-0-9 ;a-z]+) -->\n)?^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
OUR_FAULT = 70
"""The exit code of a crash (docs/command-line.md)."""


def filled(text: str, folder: Path) -> str:
    """Return a page with the output of every command as it is now; commands run in `folder`.

    Raises RuntimeError where a command ends otherwise than the page announces.
    """

    def block(match: re.Match[str]) -> str:
        remark, head, body = match.groups()
        shown, expected = announced(remark or "")
        title = re.search(r'title="(.+?)"', head)
        if title:
            path = folder / title.group(1)
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(body, encoding="utf-8")
        if not body.startswith("$ smoulder "):
            return match.group(0)
        command = body.splitlines()[0]
        code, lines = output_of(command, folder)
        if code != expected or code == OUR_FAULT:
            printed = "\n".join(lines)
            raise RuntimeError(f"{command} ends with {code} and not with {expected}, as the page announces. It prints:\n{printed}")
        comment = f"<!-- {remark} -->\n" if remark else ""
        return f"{comment}```{head}\n{command}\n{chosen(lines, shown)}\n```"

    return BLOCK.sub(block, text)


def announced(remark: str) -> tuple[str, int]:
    """Return the lines that the comment before a block asks for ("" for all), and the exit code that it announces."""
    lines, code = "", 0
    for part in remark.split(";") if remark else ():
        word, _, what = part.strip().partition(" ")
        if word == "lines":
            lines = what
        elif word == "exit":
            code = int(what)
        else:
            raise RuntimeError(f"'{part}' in '<!-- {remark} -->' is neither lines nor exit.")
    return lines, code


def output_of(command: str, folder: Path) -> tuple[int, list[str]]:
    """Return the exit code of a command, and the lines that it prints on either stream."""
    arguments = shlex.split(command)[2:]
    run = subprocess.run(
        [sys.executable, "-m", "smoulder", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return run.returncode, [line.rstrip() for line in run.stdout.splitlines()]


def chosen(lines: list[str], shown: str) -> str:
    """Return the lines that are shown, with "..." where some are left out."""
    if not shown:
        return "\n".join(lines)
    keep: set[int] = set()
    for span in shown.split():
        if span.startswith("-"):
            keep |= set(range(max(0, len(lines) - int(span.strip("-"))), len(lines)))
        else:
            first, last = span.split("-")
            keep |= set(range(int(first) - 1, min(int(last), len(lines))))
    text: list[str] = []
    for number in sorted(keep):
        if number - 1 not in keep and number > 0:
            text.append("...")
        text.append(lines[number])
    return "\n".join([*text, *(["..."] if keep and max(keep) < len(lines) - 1 else [])])


def page_now(page: str) -> str:
    """Return a page of the documentation as it would be with the outputs of now; RuntimeError where a command ends unannounced."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            return filled((HERE / page).read_text(encoding="utf-8"), Path(scratch))
        except RuntimeError as error:
            raise RuntimeError(f"{page}: {error}") from error


if __name__ == "__main__":
    for page in PAGES:
        (HERE / page).write_text(page_now(page), encoding="utf-8")
