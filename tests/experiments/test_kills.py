"""A sweep that is killed at random moments, fifty times over, loses nothing and comes to the same bits."""

import json
import os
import subprocess
import sys
from pathlib import Path

from .tiny import tiny_sweep, without_times

ROOT = Path(__file__).parents[2]
KILLS = 50

# The sweep is forked from a process that has imported what it needs. A checkpoint is saved after every batch,
# so that many of the kills fall into the writing of one.
SERVER = """
import json, os, random, signal, sys, time
from pathlib import Path
from stn_ref.experiments import classification
from stn_ref.experiments.store import Store
from stn_ref.training import load_latest
from tests.experiments.tiny import TINY, checkpoints, tiny_sweep

folder, kills = sys.argv[1], int(sys.argv[2])
classification.SAVE_EVERY = 0.0
chance = random.Random(0)
tally = {"unfinished": 0, "checkpoints": 0, "results": 0}
for kill in range(kills):
    child = os.fork()
    if not child:
        tiny_sweep(folder).run()
        os._exit(0)
    time.sleep(chance.uniform(0.0, 0.12))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    tally["unfinished"] += os.WIFSIGNALED(status)
    whole = {path.name.replace(".prev", "") for path in checkpoints(folder)}
    for name in whole:
        path = next(Path(folder).rglob("unfinished")) / name
        load_latest(path)
        tally["checkpoints"] += 1
    for path in Path(folder).rglob("*.json"):
        json.loads(path.read_text())
        tally["results"] += 1
print(json.dumps(tally))
"""


def test_fifty_kills(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", SERVER, tmp_path / "killed", str(KILLS)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    tally = json.loads(ended.stdout)
    assert tally["unfinished"] > KILLS / 2  # else hardly anything was tried
    assert tally["checkpoints"] > KILLS / 4
    killed, whole = (tiny_sweep(tmp_path / name, "processes", 2).run() for name in ("killed", "whole"))
    assert [without_times(row) for row in killed] == [without_times(row) for row in whole]
