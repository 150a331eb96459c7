"""Run the commands that the pages show, and write what they print below them: `python docs/fill_commands.py`.

A block that begins with "$ smoulder …" is a command; a block with a title is a file that the commands read. A comment before a
block says which lines of the output are shown: `<!-- lines 1-6 -4- -->` shows the first six and the last four.
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
)
BLOCK = re.compile(r"(?:<!-- lines ([-0-9 ]+) -->\n)?^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)


def filled(text: str, folder: Path) -> str:
    """Return a page with the output of every command as it is now; commands run in `folder`."""

    def block(match: re.Match[str]) -> str:
        shown, head, body = match.groups()
        title = re.search(r'title="(.+?)"', head)
        if title:
            path = folder / title.group(1)
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(body, encoding="utf-8")
        if not body.startswith("$ smoulder "):
            return match.group(0)
        command = body.splitlines()[0]
        comment = f"<!-- lines {shown} -->\n" if shown else ""
        return f"{comment}```{head}\n{command}\n{chosen(output_of(command, folder), shown)}\n```"

    return BLOCK.sub(block, text)


def output_of(command: str, folder: Path) -> list[str]:
    """Return the lines that a command prints, on either stream."""
    arguments = shlex.split(command)[2:]
    run = subprocess.run(
        [sys.executable, "-m", "smoulder", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return [line.rstrip() for line in run.stdout.splitlines()]


def chosen(lines: list[str], shown: str | None) -> str:
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


if __name__ == "__main__":
    for page in PAGES:
        path = HERE / page
        with tempfile.TemporaryDirectory() as scratch:
            path.write_text(filled(path.read_text(encoding="utf-8"), Path(scratch)), encoding="utf-8")
