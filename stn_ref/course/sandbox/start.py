"""The script of a child process: confine it, load NumPy, then answer for a submission.

It is run by its path, from a copy in which the folders are named as in ``stn_ref`` but ``stn_ref`` itself is
not there; its settings are JSON in the only argument.
"""

import importlib
import json
import os
import sys
from typing import Any

OWN = os.path.abspath(__file__)
PROGRAM = OWN
for _ in range(4):  # the script, two folders and the package
    PROGRAM = os.path.dirname(PROGRAM)
HERE = ".".join(os.path.dirname(OWN)[len(PROGRAM) + 1 :].split(os.sep))


def main(settings: dict[str, Any]) -> None:
    sys.path.append(PROGRAM)
    confinement = importlib.import_module(f"{HERE}.confinement")
    limits = settings["limits"]
    try:
        missing = confinement.confine(
            confinement.Room(*settings["room"]), limits["total"], limits["memory"], settings["without"]
        )
    except confinement.NotConfined as reason:
        sys.exit(str(reason))
    sys.path.insert(len(sys.path) - 1, settings["packages"])
    serving = importlib.import_module(f"{HERE}.serving")
    sys.path.remove(PROGRAM)
    sys.path.append(settings["submission"])  # last, so that a file of it never stands for a library
    sys.argv[:] = [""]
    serving.serve(settings["inbox"], settings["outbox"], settings["submission"], limits, missing)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
