"""What is exactly right, and whether a backend is: see :func:`check` and :class:`Backend`."""

from .backend import Backend, Unsupported
from .checker import check
from .isolation.asking import BackendNotLoaded
from .report import Report
from .truth.exact import exact_bilinear
from .verdicts import Verdict

__all__ = [
    "Backend",
    "BackendNotLoaded",
    "Report",
    "Unsupported",
    "Verdict",
    "check",
    "exact_bilinear",
]
