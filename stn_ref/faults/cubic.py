"""Faults in the bicubic kernel."""

from typing import Any

from numpy.typing import NDArray

from .plain import Plain
from .registry import fault

Array = NDArray[Any]


@fault(
    "cubic-a",
    "Keys' kernel has a parameter a. Here it is -0.5, as in his article, and not -0.75.",
    convention="jax",
)
class CubicA(Plain):
    a = -0.5


@fault(
    "cubic-tap-derivative",
    "The weights of the two taps on the right depend on 1 - t and 2 - t, which shrink as t grows. That -1 "
    "is missing in their derivative.",
)
class CubicTapDerivative(Plain):
    def cubic(self, t: Array, order: int) -> list[Array]:
        before = [self.keys_far(1 + t, order), self.keys_near(t, order)]
        after = [self.keys_near(1 - t, order), self.keys_far(2 - t, order)]
        return before + after
