"""What is exactly right, and whether a backend is: see :func:`check` and :class:`Backend`."""

from .backend import Backend, Unsupported
from .truth.exact import exact_bilinear

__all__ = ["Backend", "Unsupported", "exact_bilinear"]
