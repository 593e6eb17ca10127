"""What must be the same for a run to go on from its checkpoint, bit for bit."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..nn import Optimiser

__all__ = ["digest", "name_of", "of_optimiser"]


def name_of(f: Any) -> str:
    """What a function is called, or what a schedule is: enough to tell it from another one.

    >>> from stn_ref.nn import constant
    >>> name_of(len), name_of(constant())
    ('len', 'Constant()')
    """
    return str(getattr(f, "__qualname__", f))


def of_optimiser(optimiser: Optimiser, rate: float) -> dict[str, Any]:
    """The settings of an optimiser as JSON gives them back; ``rate`` is the one at the saved step."""
    return {
        "optimiser": {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(optimiser).items()
            if name not in ("steps", "state") and isinstance(value, (bool, int, float, str, tuple))
        },
        "schedule": name_of(optimiser.schedule),
        "multipliers": optimiser.multipliers,
        "learning rate at the saved step": rate,
    }


def digest(images: Any, labels: NDArray[Any]) -> str:
    """The SHA-256 of a training set."""
    images = np.ascontiguousarray(images)
    found = hashlib.sha256(f"{images.dtype.str} {images.shape}".encode())
    found.update(images.data)
    found.update(labels.astype("<i8").tobytes())
    return found.hexdigest()
