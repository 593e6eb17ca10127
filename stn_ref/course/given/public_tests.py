"""The tests that you can see. They need NumPy alone, and pytest if you like.

    python public_tests.py            all tasks
    python public_tests.py 5          task 5
    python -m pytest public_tests.py -k task5

What is called, with what, and what is right lies in ``public_tests.npz``. The grading asks the same questions
with other numbers too. `stn-ref course check .` says more about a mistake than this file.
"""

import functools
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


@functools.cache
def every_test() -> list[dict[str, Any]]:
    """All tests, a dictionary each, with their arrays."""
    with np.load(HERE / "public_tests.npz", allow_pickle=False) as archive:
        found: list[dict[str, Any]] = json.loads(str(archive["tests"]))
        for test in found:
            test["arguments"] = [archive[name] for name in test["arguments"]]
            test["right"] = [archive[name] for name in test["right"]]
    return found


def check(test: dict[str, Any]) -> None:
    """Run a test; raises AssertionError with what is wrong."""
    module = importlib.import_module(test["file"])
    settings = {name: tuple(v) if isinstance(v, list) else v for name, v in test["settings"].items()}
    arguments = [array.copy() for array in test["arguments"]]
    got = getattr(module, test["function"])(*arguments, **settings)
    got = got if isinstance(got, tuple) else (got,)
    assert len(got) == len(test["right"]), f"returned {len(got)} arrays, expected {len(test['right'])}"
    for k, (found, right) in enumerate(zip(got, test["right"])):
        found, part = np.asarray(found), f" (part {k + 1})" if len(got) > 1 else ""
        assert found.shape == right.shape, f"shape {found.shape}, expected {right.shape}{part}"
        assert found.dtype == right.dtype, f"numbers are {found.dtype}, expected {right.dtype}{part}"
        if not test["shape_only"]:
            wrong = ~np.isclose(found, right, rtol=1e-9, atol=1e-9 * max(np.abs(right).max(initial=0), 1))
            if wrong.any():
                place = tuple(int(i) for i in np.argwhere(wrong)[0])
                raise AssertionError(
                    f"{int(wrong.sum())} of {wrong.size} numbers are wrong, the first at {place}: "
                    f"{found[place]:.6g}, expected {right[place]:.6g}{part}"
                )
    for before, after in zip(test["arguments"], arguments):
        assert np.array_equal(before, after, equal_nan=True), "an argument was written to"


def name(test: dict[str, Any]) -> str:
    """Such as "task5-splat-meeting-2"."""
    return f"task{test['task']}-{test['function']}-{test['aspect']}-{test['number']}".replace(" ", "-")


def show(task: int) -> bool:
    """Print how the tests of a task end; True if all are passed."""
    passed: list[bool] = []
    missing: set[str] = set()
    for test in every_test():
        if test["task"] == task:
            try:
                check(test)
                passed.append(True)
            except NotImplementedError:
                passed.append(False)
                missing.add(test["function"])
            except Exception as error:
                passed.append(False)
                what = error if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
                print(f"  {test['function']}, {test['aspect']} ({test['says']}): {what}")
    for function in sorted(missing):
        print(f"  {function}: not implemented yet")
    print(f"task {task}: {sum(passed)} of {len(passed)} tests passed")
    return all(passed)


def pytest_generate_tests(metafunc: Any) -> None:
    metafunc.parametrize("test", every_test(), ids=[name(test) for test in every_test()])


def test_public(test: dict[str, Any]) -> None:
    check(test)


if __name__ == "__main__":
    chosen = [int(word) for word in sys.argv[1:]] or sorted({test["task"] for test in every_test()})
    passed = [show(task) for task in chosen]
    sys.exit(0 if all(passed) else 1)
