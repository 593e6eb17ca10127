"""Settings for all tests: Hypothesis draws the same examples every time, and has no deadline.

``small_mnist`` is a folder of real digits. ``--plant NAME`` breaks the library, see ``planted.py``.
"""

import importlib.util
from pathlib import Path

import pytest
from hypothesis import settings

from stn_ref.data import load_bundled, save_idx

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


@pytest.fixture(scope="session")
def small_mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small folder of real digits in MNIST's format, so that whole commands run in seconds."""
    folder = tmp_path_factory.mktemp("mnist")
    for split, prefix, count in (("train", "train", 320), ("test", "t10k", 100)):
        digits = load_bundled(split)
        save_idx(folder / f"{prefix}-images-idx3-ubyte.gz", digits.images[:count])
        save_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", digits.labels[:count])
    return folder
