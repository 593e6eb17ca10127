"""The grid generators of a textbook: affine, eq. (1), and thin plate spline. The first half of ``Plain``."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Grids:
    """From the parameters of a transformation to the places where the image is sampled.

    Grids are (N, H', W', 2) or (N, D', H', W', 3), normalised coordinates, last axis (x, y) or (x, y, z);
    ``size`` is the shape of the output, (N, C, H', W') or (N, C, D', H', W').

    >>> identity = np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> Grids().affine_grid(identity, (1, 1, 1, 2), align_corners=False)
    array([[[[-0.5,  0. ],
             [ 0.5,  0. ]]]])
    """

    def read(self, array: Any) -> Array:
        """An argument, as it comes from the caller: not copied, never written to."""
        return np.asarray(array)

    # The regular grid

    def span(self, size: int, align_corners: bool) -> int:
        """Pixels between the normalised coordinates -1 and 1: from centre to centre, or from edge to edge."""
        return size - 1 if align_corners else size

    def axis(self, size: int, align_corners: bool) -> Array:
        """Normalised coordinates of the pixel centres of one axis; of a single pixel 0."""
        pixels_from_the_middle = np.arange(size) - (size - 1) / 2
        return pixels_from_the_middle / (max(self.span(size, align_corners), 1) / 2)

    def base_grid(self, size: tuple[int, ...], align_corners: bool) -> Array:
        """The target points (x_t, y_t, 1) of eq. (1), row by row: (H' W', 3)."""
        mesh = np.meshgrid(*(self.axis(n, align_corners) for n in size[2:]), indexing="ij")
        columns = [*reversed(mesh), np.ones_like(mesh[0])]
        return np.stack([column.ravel() for column in columns], axis=-1)

    # Affine, eq. (1)

    def apply(self, theta: Array, base: Array) -> Array:
        """Each point times theta: (N, P, 2)."""
        return np.asarray(np.einsum("nij,pj->npi", theta, base))

    def gather(self, grid_bar: Array, base: Array) -> Array:
        """Its transpose in theta: the sum over all points of cotangent times (x_t, y_t, 1)."""
        return np.asarray(np.einsum("npi,pj->nij", grid_bar, base))

    def affine_grid(self, theta: Array, size: tuple[int, ...], *, align_corners: bool) -> Array:
        """Eq. (1): (x_s, y_s) = theta (x_t, y_t, 1)."""
        d = len(size) - 2
        base = self.base_grid(size, align_corners).astype(theta.dtype)
        points = self.apply(self.read(theta), base)
        return points.reshape(size[0], *size[2:], d).astype(theta.dtype)

    def affine_grid_vjp(
        self, theta: Array, size: tuple[int, ...], grid_bar: Array, *, align_corners: bool
    ) -> Array:
        """The cotangent of theta, (N, 2, 3)."""
        d = len(size) - 2
        base = self.base_grid(size, align_corners).astype(theta.dtype)
        points_bar = self.read(grid_bar).reshape(size[0], len(base), d)
        return self.gather(points_bar, base).astype(theta.dtype)

    # Thin plate spline: f(x) = a (1, x) + sum over i of w_i phi(|x - c_i|)

    def phi(self, q: Array) -> Array:
        """r^2 log r for q = r^2; its limit 0 at r = 0."""
        return np.where(q == 0, 0, q * np.log(np.where(q == 0, 1, q)) / 2)

    def bending(self, control: Array) -> Array:
        """phi between the control points, (K, K): the block of the system that fixes the weights w."""
        return self.phi(squared_distances(control, control))

    def influence(self, targets: Array, control: Array) -> Array:
        """phi between targets and control points, (P, K): what the weights are multiplied by."""
        return self.phi(squared_distances(targets, control))

    def basis(self, control: Array, size: tuple[int, ...], align_corners: bool) -> Array:
        """The spline is linear in the places: M (P, K) with f(x_p) = sum over i of M_pi place_i."""
        targets = self.base_grid(size, align_corners)[:, :2]
        control = np.asarray(control, np.float64)
        affine = np.column_stack([np.ones(len(control)), control])
        system = np.block([[self.bending(control), affine], [affine.T, np.zeros((3, 3))]])
        at_targets = np.column_stack([self.influence(targets, control), np.ones(len(targets)), targets])
        solved = np.linalg.solve(system, at_targets.T)  # the system is symmetric
        return np.asarray(solved[: len(control)].T)

    def tps_grid(
        self, places: Array, size: tuple[int, ...], *, control_points: Array, align_corners: bool
    ) -> Array:
        """The spline that sends ``control_points`` (K, 2), target, to ``places`` (N, K, 2), source."""
        M = self.basis(control_points, size, align_corners)
        points = np.einsum("pk,nki->npi", M, self.read(places))
        return np.asarray(points.reshape(size[0], *size[2:], 2).astype(places.dtype))

    def tps_grid_vjp(
        self,
        places: Array,
        size: tuple[int, ...],
        grid_bar: Array,
        *,
        control_points: Array,
        align_corners: bool,
    ) -> Array:
        """The cotangent of the places, (N, K, 2)."""
        M = self.basis(control_points, size, align_corners)
        points_bar = self.read(grid_bar).reshape(size[0], len(M), 2)
        return np.asarray(np.einsum("pk,npi->nki", M, points_bar).astype(places.dtype))


def squared_distances(a: Array, b: Array) -> Array:
    """Between all pairs of points (P, 2) and (K, 2): (P, K).

    >>> squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[25.,  0.]])
    """
    return np.asarray(((a[:, None] - b[None]) ** 2).sum(axis=-1))
