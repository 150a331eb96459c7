"""`python -m tests.oracle msprog DIR`: print the agreement table; exit code 1 while anything is unexplained."""

from __future__ import annotations

import sys
from pathlib import Path


def main(words: list[str]) -> int:
    """Run one comparison; return the exit code."""
    if len(words) < 2 or words[0] not in ("msprog", "cross", "counterexamples"):
        print("usage: python -m tests.oracle msprog|counterexamples|cross DIR [CONFIG-PREFIX]", file=sys.stderr)
        return 2
    folder = Path(words[1])
    if words[0] == "msprog":
        from tests.oracle.agreement import table
        from tests.oracle.msprog import compare_folder

        agreements = list(compare_folder(folder, words[2] if len(words) > 2 else ""))
        print(table(agreements))
        return 1 if any(agreement.unexplained for agreement in agreements) else 0
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
