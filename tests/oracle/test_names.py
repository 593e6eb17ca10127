"""From what a person types to a backend."""

from importlib.metadata import EntryPoint

import pytest

from stn_ref.oracle import names
from stn_ref.oracle.adapters import ADAPTERS
from stn_ref.oracle.isolation.loading import load
from stn_ref.oracle.names import target_of


@pytest.fixture(autouse=True)
def offered(monkeypatch):
    """Another package offers a backend."""
    points = [EntryPoint("theirs", "their.module:Backend", names.GROUP)]
    monkeypatch.setattr(names, "entry_points", lambda group: points if group == names.GROUP else [])


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_adapter_has_a_target_in_this_package(name):
    module, _, kind = target_of(name).partition(":")
    assert module.startswith("stn_ref.oracle.adapters.")
    assert kind.isidentifier()


def test_a_target_loads():
    assert load(target_of("stn_ref")).name == "stn_ref"


@pytest.mark.parametrize("target", ["mine:Backend", "path/to/file.py:Backend", "package.module:Outer.Inner"])
def test_what_is_a_target_already_stays_as_it_is(target):
    assert target_of(target) == target


def test_other_packages_offer_backends():
    assert target_of("theirs") == "their.module:Backend"


def test_a_name_of_an_adapter_cannot_be_taken(monkeypatch):
    taken = [EntryPoint("scipy", "their.module:Backend", names.GROUP)]
    monkeypatch.setattr(names, "entry_points", lambda group: taken)
    assert target_of("scipy") == "stn_ref.oracle.adapters.scipy_ndimage:SciPy"


def test_an_unknown_name_is_answered_with_all_known_ones():
    with pytest.raises(ValueError, match="no backend is called 'pytroch'") as error:
        target_of("pytroch")
    for known in (*ADAPTERS, "theirs", "module:Class", "path/to/file.py:Class"):
        assert known in str(error.value)
