"""For Gradescope: a zip with the two scripts that it looks for, and the library beside them.

``setup.sh`` runs once, when the machine is made, and fetches Python, NumPy and SciPy. ``run_autograder`` runs
for each submission, and leaves results whatever happens to the grading.
"""

import io
import json
import shlex
import zipfile
from pathlib import Path

__all__ = ["files"]

LIBRARY = Path(__file__).parents[2]
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say: the same bytes whenever it is made
MADE_ON_UNIX = 3  # else the permissions are not read
PROGRAM, TEXT = 0o100755, 0o100644


def files(term: str) -> dict[str, bytes]:
    """The zip, under the name that Gradescope's page asks for."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "setup.sh", SETUP.encode(), PROGRAM)
        _add(archive, "run_autograder", _run_autograder(term).encode(), PROGRAM)
        for path in sorted(LIBRARY.rglob("*.py")):  # the digits that come along are not needed
            _add(archive, path.relative_to(LIBRARY.parent).as_posix(), path.read_bytes(), TEXT)
    return {"autograder.zip": content.getvalue()}


def _add(archive: zipfile.ZipFile, name: str, content: bytes, mode: int) -> None:
    entry = zipfile.ZipInfo(name, FIRST_DAY)
    entry.create_system = MADE_ON_UNIX
    entry.external_attr = mode << 16
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED)


def _run_autograder(term: str) -> str:
    failed = {
        "score": 0,
        "output": "The grading itself failed, which says nothing about your submission. Tell your teachers: "
        "they see the reason in the autograder's output.",
        "output_format": "text",
        "stdout_visibility": "hidden",
    }
    return RUN.format(term=shlex.quote(term), failed=json.dumps(failed, indent=1))


SETUP = """#!/usr/bin/env bash
# Once, when Gradescope makes the machine: Python with NumPy and SciPy. stn_ref lies beside this script.
set -euo pipefail
apt-get update
apt-get install --yes --no-install-recommends python3 python3-venv
python3 -m venv /opt/stn_ref
/opt/stn_ref/bin/python3 -m pip install 'numpy>=1.23.5' 'scipy>=1.9.3'
chmod -R go-rwx /autograder/source  # submissions run as another user, who must not read the solutions
"""

RUN = """#!/usr/bin/env bash
# For each submission. AUTOGRADER names another folder than Gradescope's, to try this elsewhere.
set -u
autograder="${{AUTOGRADER:-/autograder}}"
results="$autograder/results/results.json"
export PATH="/opt/stn_ref/bin:$PATH"
rm -f "$results"
if ! cd "$autograder/source" || ! python3 -m stn_ref course grade "$autograder/submission" \\
    --variant {term} --format gradescope --out "$results"; then
  cat > "$results" <<'END'
{failed}
END
fi
"""
