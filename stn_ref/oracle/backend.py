"""What a backend is to the oracle: a name, what it claims, and functions from arrays to arrays.

This file needs NumPy alone and runs on Python 3.9, because it is also loaded by an interpreter in which
``stn_ref`` is not installed, next to the backend.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Cotangents = dict[str, Any]


class Unsupported(Exception):
    """Raised by a backend that cannot answer a question; the reason is shown in the report."""


class Backend:
    """The base class of a backend: subclass it, say what it claims, and write the methods it has.

    A method that is not written is a claim that is not made, and is reported as ``UNSUPPORTED``. So is a
    method that raises :class:`Unsupported`. Arrays come as NumPy arrays, of the dtype of the question, and
    answers may be anything that ``numpy.asarray`` takes. What is handed in must not be written to.

    ``U`` is (N, C, H, W) or (N, C, D, H, W). ``grid`` is (N, H', W', 2) or (N, D', H', W', 3), normalised
    coordinates, last axis (x, y) or (x, y, z). ``V`` is (N, C, H', W') or (N, C, D', H', W'). ``theta`` is
    (N, 2, 3) or (N, 3, 4), from TARGET to SOURCE.

    >>> import stn_ref
    >>> class Mine(Backend):
    ...     name = "mine"
    ...     def grid_sample(self, U, grid, *, mode, padding_mode, align_corners):
    ...         return stn_ref.grid_sample(U, grid, align_corners=align_corners)
    >>> Mine().grid_sample(np.ones((1, 1, 2, 2)), np.zeros((1, 1, 1, 2)), mode="bilinear",
    ...                    padding_mode="zeros", align_corners=True)
    array([[[[1.]]]])
    """

    name: str = ""
    modes: tuple[str, ...] = ("bilinear",)
    padding_modes: tuple[str, ...] = ("zeros",)
    align_corners: tuple[bool, ...] = (True, False)
    dims: tuple[int, ...] = (2,)
    dtypes: tuple[str, ...] = ("float64",)
    profile: str = "paper"
    """The conventions it claims where implementations legitimately differ; see ``stn-ref oracle list``."""
    deterministic: bool = True
    """Whether the same question gets the same bits each time."""
    half_coordinates: str = "float32"
    """In which dtype it works out the pixel coordinates of a float16 grid."""
    coordinate_operations: int = 4
    """At most so many roundings lie between a normalised and a pixel coordinate, folding apart."""
    snippet: str = ""
    """Python that calls the backend itself, for reproducers that run without ``stn_ref``.

    Functions named like the methods below, which take and return what these do; they find NumPy as ``np``. Or
    plain lines, which also find the arrays ``U, grid, V_bar`` and the settings ``mode, padding_mode,
    align_corners`` as variables, and leave ``V``, or ``V, U_bar, grid_bar``, as arrays.
    """

    @property
    def version(self) -> str:
        """The version of what is behind it, for reports."""
        return ""

    def grid_sample(self, U: Array, grid: Array, *, mode: str, padding_mode: str, align_corners: bool) -> Any:
        """V, (N, C, H', W')."""
        raise Unsupported("no grid_sample")

    def grid_sample_vjp(
        self,
        U: Array,
        grid: Array,
        V_bar: Array,
        *,
        needs: Sequence[str],
        mode: str,
        padding_mode: str,
        align_corners: bool,
    ) -> Cotangents:
        """The cotangents of ``"U"`` and ``"grid"``, those in ``needs``; None for one that it has not."""
        raise Unsupported("no grid_sample_vjp")

    def grid_sample_jvp(
        self,
        U: Array,
        grid: Array,
        U_dot: Array,
        grid_dot: Array,
        *,
        mode: str,
        padding_mode: str,
        align_corners: bool,
    ) -> Any:
        """The tangent of V for the tangents of both arguments."""
        raise Unsupported("no grid_sample_jvp")

    def grid_sample_vjp_vjp(
        self,
        U: Array,
        grid: Array,
        V_bar: Array,
        U_bar_bar: Array,
        grid_bar_bar: Array,
        *,
        needs: Sequence[str],
        mode: str,
        padding_mode: str,
        align_corners: bool,
    ) -> Cotangents:
        """The second order: cotangents of ``"U"``, ``"grid"`` and ``"V_bar"``, those in ``needs``, for the
        cotangents ``U_bar_bar`` and ``grid_bar_bar`` of the two results of :meth:`grid_sample_vjp`."""
        raise Unsupported("no grid_sample_vjp_vjp")

    def affine_grid(self, theta: Array, size: tuple[int, ...], *, align_corners: bool) -> Any:
        """The grid of an output of shape ``size``, (N, C, H', W') or (N, C, D', H', W')."""
        raise Unsupported("no affine_grid")

    def affine_grid_vjp(
        self,
        theta: Array,
        size: tuple[int, ...],
        grid_bar: Array,
        *,
        align_corners: bool,
    ) -> Any:
        """The cotangent of ``theta``."""
        raise Unsupported("no affine_grid_vjp")

    def tps_grid(
        self,
        places: Array,
        size: tuple[int, ...],
        *,
        control_points: Array,
        align_corners: bool,
    ) -> Any:
        """The thin plate spline from ``control_points`` (K, 2), target, to ``places`` (N, K, 2), source."""
        raise Unsupported("no tps_grid")

    def tps_grid_vjp(
        self,
        places: Array,
        size: tuple[int, ...],
        grid_bar: Array,
        *,
        control_points: Array,
        align_corners: bool,
    ) -> Any:
        """The cotangent of ``places``."""
        raise Unsupported("no tps_grid_vjp")
