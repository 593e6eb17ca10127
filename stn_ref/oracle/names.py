"""From the name that a person types to the class of a backend."""

from importlib.metadata import entry_points

from .adapters import ADAPTERS

GROUP = "stn_ref.oracle"  # entry points through which other packages offer backends


def target_of(name: str) -> str:
    """``"module:Class"`` of an adapter, or of a backend that another package offers, by its name.

    What holds a colon is returned as it is.

    Raises
    ------
    ValueError
        If nothing is known by this name.

    >>> target_of("scipy"), target_of("mine:Backend")
    ('stn_ref.oracle.adapters.scipy_ndimage:SciPy', 'mine:Backend')
    """
    if ":" in name:
        return name
    if name in ADAPTERS:
        return f"{__package__}.adapters.{ADAPTERS[name].target}"
    offered = {point.name: point.value for point in entry_points(group=GROUP)}
    if name in offered:
        return offered[name]
    known = ", ".join([*ADAPTERS, *offered])
    raise ValueError(
        f"no backend is called {name!r}; expected one of {known}, or module:Class, or path/to/file.py:Class"
    )
