"""What a backend is asked, and why."""

from .affine_cases import AffineCase
from .cases import Case
from .tps_cases import TpsCase

AnyCase = Case | AffineCase | TpsCase

__all__ = ["AffineCase", "AnyCase", "Case", "TpsCase"]
