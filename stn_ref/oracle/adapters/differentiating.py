"""What is common to backends that differentiate: each method of the oracle from four of their own."""

from collections.abc import Callable, Sequence
from typing import Any

from ..backend import Array, Backend, Cotangents, Unsupported

Names = Sequence[str]
Tensors = Sequence[Any]
Named = dict[str, Any]
Function = Callable[[Named], Tensors]


class Differentiating(Backend):
    """A subclass turns arrays into its tensors and back, samples, and pulls cotangents back."""

    def tensor(self, array: Array) -> Any:
        """The backend's own kind of array."""
        raise NotImplementedError

    def array(self, tensor: Any) -> Any:
        """A NumPy array again."""
        raise NotImplementedError

    def sampled(self, U: Any, grid: Any, *, mode: str, padding_mode: str, align_corners: bool) -> Any:
        """V, from tensors to a tensor."""
        raise NotImplementedError

    def gridded(self, theta: Any, size: "tuple[int, ...]", align_corners: bool) -> Any:
        """The affine grid, from a tensor to a tensor."""
        raise Unsupported("no affine_grid")

    def pulled(self, f: Function, at: Named, needs: Names, bars: Tensors, again: bool = False) -> Named:
        """The cotangents of those tensors in ``at`` that are in ``needs``, None for one that it has not.

        ``bars`` are the cotangents of what ``f(at)`` returns. With ``again`` the result can be
        differentiated in its turn.
        """
        raise NotImplementedError

    def pushed(self, f: Callable[..., Any], primals: Tensors, tangents: Tensors) -> Any:
        """The tangent of ``f(*primals)``."""
        raise Unsupported("no forward mode")

    def grid_sample(self, U: Array, grid: Array, **settings: Any) -> Any:
        return self.array(self.sampled(self.tensor(U), self.tensor(grid), **settings))

    def grid_sample_vjp(
        self, U: Array, grid: Array, V_bar: Array, *, needs: Names, **settings: Any
    ) -> Cotangents:
        def forward(at: Named) -> Tensors:
            return [self.sampled(at["U"], at["grid"], **settings)]

        return self._answers(forward, {"U": U, "grid": grid}, needs, [V_bar])

    def grid_sample_jvp(self, U: Array, grid: Array, U_dot: Array, grid_dot: Array, **settings: Any) -> Any:
        def forward(U: Any, grid: Any) -> Any:
            return self.sampled(U, grid, **settings)

        primals = (self.tensor(U), self.tensor(grid))
        return self.array(self.pushed(forward, primals, (self.tensor(U_dot), self.tensor(grid_dot))))

    def grid_sample_vjp_vjp(
        self,
        U: Array,
        grid: Array,
        V_bar: Array,
        U_bar_bar: Array,
        grid_bar_bar: Array,
        *,
        needs: Names,
        **settings: Any,
    ) -> Cotangents:
        def forward(at: Named) -> Tensors:
            return [self.sampled(at["U"], at["grid"], **settings)]

        def backward(at: Named) -> Tensors:
            bars = self.pulled(forward, at, ("U", "grid"), [at["V_bar"]], again=True)
            return [bars["U"], bars["grid"]]

        arrays = {"U": U, "grid": grid, "V_bar": V_bar}
        return self._answers(backward, arrays, needs, [U_bar_bar, grid_bar_bar])

    def affine_grid(self, theta: Array, size: "tuple[int, ...]", *, align_corners: bool) -> Any:
        return self.array(self.gridded(self.tensor(theta), size, align_corners))

    def affine_grid_vjp(
        self, theta: Array, size: "tuple[int, ...]", grid_bar: Array, *, align_corners: bool
    ) -> Any:
        def forward(at: Named) -> Tensors:
            return [self.gridded(at["theta"], size, align_corners)]

        return self._answers(forward, {"theta": theta}, ["theta"], [grid_bar])["theta"]

    def _answers(self, f: Function, arrays: Named, needs: Names, bars: Sequence[Array]) -> Cotangents:
        at = {name: self.tensor(array) for name, array in arrays.items()}
        found = self.pulled(f, at, needs, [self.tensor(bar) for bar in bars])
        return {name: None if bar is None else self.array(bar) for name, bar in found.items()}
