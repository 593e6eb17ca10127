"""The script of a worker in a fresh interpreter, in which ``stn_ref`` need not be installed.

It is run by its path, with its settings as JSON in the only argument. If ``stn_ref`` and what it needs can be
imported, that is what a backend gets. Else ``stn_ref`` and ``stn_ref.oracle`` are empty but for
:class:`Backend` and :class:`Unsupported`; modules inside them can be imported as long as they need no more.

Like :mod:`..backend` this file runs on Python 3.9 with NumPy alone.
"""

import importlib
import importlib.util
import json
import os
import sys
from types import ModuleType
from typing import Any

HERE = os.path.dirname(os.path.realpath(__file__))
ORACLE = os.path.dirname(HERE)
PACKAGE = os.path.dirname(ORACLE)


def main(settings: dict[str, Any]) -> None:
    """Provide the package, then serve the backend that ``settings`` name."""
    own = [] if settings["whole_path"] else sys.path
    # This folder, which is there because the script is in it, is no place to import from.
    sys.path[:] = settings["path"] + [folder for folder in own if os.path.realpath(folder) != HERE]
    try:
        provide_package()
    except Exception as error:
        provide_stand_ins(error)
    serving = importlib.import_module("stn_ref.oracle.isolation.serving")
    loading = importlib.import_module("stn_ref.oracle.isolation.loading")
    serving.serve(
        lambda: loading.load(settings["target"]),
        serving.Ends(*settings["ends"]),
        serving.Limits(*settings["limits"]),
    )


def provide_package() -> None:
    """Import the package that this file is part of, wherever another one may be installed."""
    spec = importlib.util.spec_from_file_location(
        "stn_ref", os.path.join(PACKAGE, "__init__.py"), submodule_search_locations=[PACKAGE]
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules["stn_ref"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    importlib.import_module("stn_ref.oracle")


def provide_stand_ins(reason: Exception) -> None:
    """Replace the packages, which failed with ``reason``, by ones that run nothing when imported."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "stn_ref"]:
        del sys.modules[name]
    root = _stand_in("stn_ref", PACKAGE, reason)
    oracle = _stand_in("stn_ref.oracle", ORACLE, reason)
    setattr(root, "oracle", oracle)  # noqa: B010
    backend = importlib.import_module("stn_ref.oracle.backend")
    for name in ("Backend", "Unsupported"):
        setattr(oracle, name, getattr(backend, name))


def _stand_in(name: str, folder: str, reason: Exception) -> ModuleType:
    module = ModuleType(name)
    module.__path__ = [folder]

    def missing(attribute: str) -> Any:
        raise AttributeError(
            f"{name} has no {attribute} here, since it cannot be imported ({type(reason).__name__}: {reason})"
        )

    setattr(module, "__getattr__", missing)  # noqa: B010
    sys.modules[name] = module
    return module


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
    os._exit(0)  # whatever threads the backend has left
