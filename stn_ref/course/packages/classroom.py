"""For GitHub Classroom: the handout as a template repository, with a workflow that gives points for tasks.

It knows the public tests alone, a task's points are given for all of them together, and students may change
it: it is for them to see how far they are. The grades are what ``stn-ref course grade --all`` says of their
repositories.
"""

import json

from ..handout import handout
from ..tasks import TASKS, Task

__all__ = ["files"]

WORKFLOW = ".github/workflows/classroom.yml"


def files(term: str) -> dict[str, bytes]:
    """The files of the template repository."""
    return handout(term) | {WORKFLOW: _workflow().encode()}


def _workflow() -> str:
    names = [_name(task) for task in TASKS.values()]
    return HEAD + "".join(_step(task) for task in TASKS.values()) + REPORT + _report(names)


def _name(task: Task) -> str:
    return f"task-{task.number}"


def _step(task: Task) -> str:
    title = json.dumps(f"Task {task.number}: {task.title}")  # what JSON quotes, YAML reads
    return STEP.format(title=title, name=_name(task), task=task.number, worth=task.worth)


def _report(names: list[str]) -> str:
    results = "".join(
        f'          {name.upper()}_RESULTS: "${{{{steps.{name}.outputs.result}}}}"\n' for name in names
    )
    return f"        env:\n{results}        with:\n          runners: {','.join(names)}\n"


HEAD = """name: Autograding Tests
"on": [push, workflow_dispatch, repository_dispatch]
permissions:
  checks: write
  actions: read
  contents: read
jobs:
  run-autograding-tests:
    runs-on: ubuntu-latest
    if: github.actor != 'github-classroom[bot]'
    steps:
      - name: Checkout code
        uses: actions/checkout@v4
      - name: Python
        uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - name: NumPy and SciPy
        run: python -m pip install numpy scipy
"""

STEP = """      - name: {title}
        id: {name}
        uses: classroom-resources/autograding-command-grader@v1
        with:
          test-name: {title}
          command: python public_tests.py {task}
          timeout: 5
          max-score: {worth}
"""

REPORT = """      - name: Autograding Reporter
        uses: classroom-resources/autograding-grading-reporter@v1
"""
