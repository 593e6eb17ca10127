"""A backend by its name, ``"module:Class"`` or ``"path/to/file.py:Class"``.

Like :mod:`..backend` this file runs on Python 3.9 with NumPy alone.
"""

import importlib
import importlib.util
import os
import sys
from functools import reduce
from types import ModuleType
from typing import Any

from ..backend import Backend

FORMS = "'module:Class' or 'path/to/file.py:Class'"
FILE_MODULE = "backend_from_a_file"  # not its own name, which may be that of another module


class NotLoaded(Exception):
    """A name does not lead to a backend; the message says why and what would."""


def load(target: str) -> Backend:
    """Import what ``target`` names, and make a backend by calling it without arguments.

    Raises
    ------
    NotLoaded
        If the name leads nowhere, or to something else.
    Exception
        Whatever the module or the class raises.

    >>> load("stn_ref.oracle.backend:Backend").modes
    ('bilinear',)
    >>> load("stn_ref.oracle.backend")
    Traceback (most recent call last):
    ...
    stn_ref.oracle.isolation.loading.NotLoaded: a backend is named as 'module:Class' ...
    """
    place, _, name = target.rpartition(":")
    if not place or not name:
        raise NotLoaded(f"a backend is named as {FORMS}, not {target!r}")
    module = _from_file(place) if place.endswith(".py") else _from_name(place)
    try:
        found: Any = reduce(getattr, name.split("."), module)
    except AttributeError:
        present = ", ".join(n for n, v in vars(module).items() if _is_a_backend_class(v)) or "no backend"
        raise NotLoaded(f"{place} has no {name}; it has {present}") from None
    backend = found()
    if not isinstance(backend, Backend):
        raise NotLoaded(
            f"{target} gave an object of type {type(backend).__name__}, expected a subclass of "
            "stn_ref.oracle.Backend"
        )
    return backend


def hint(error: BaseException) -> str:
    """What to do about an error on the way to a backend; "" where there is nothing to say."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        missing = error.name.partition(".")[0]
        return f"Install what provides {missing}, for instance: {sys.executable} -m pip install {missing}"
    return ""


def _is_a_backend_class(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, Backend) and found is not Backend


def _from_name(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise NotLoaded(
            f"{sys.executable} finds no module {error.name}, neither here, in {os.getcwd()}, nor among "
            f"what is installed; a backend is named as {FORMS}"
        ) from None


def _from_file(path: str) -> ModuleType:
    if not os.path.isfile(path):
        raise NotLoaded(f"there is no file {os.path.abspath(path)}")
    spec = importlib.util.spec_from_file_location(FILE_MODULE, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))  # as if the file were run
    sys.modules[FILE_MODULE] = module
    spec.loader.exec_module(module)
    return module
