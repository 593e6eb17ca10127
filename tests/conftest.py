"""Settings for all tests: Hypothesis draws the same examples every time, and has no deadline.

``--plant NAME`` breaks the library on purpose, see ``planted.py``.
"""

import importlib.util
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("same_every_time", derandomize=True, deadline=None, database=None)
settings.load_profile("same_every_time")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--plant", metavar="NAME", help="run with a mistake planted into the code")


def pytest_configure(config: pytest.Config) -> None:
    name = config.getoption("--plant")
    if name:
        spec = importlib.util.spec_from_file_location("planted", Path(__file__).with_name("planted.py"))
        assert spec is not None
        assert spec.loader is not None
        planted = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(planted)
        planted.PLANTS[name]()
