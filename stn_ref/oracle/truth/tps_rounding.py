"""How far a backend's rounding may move a thin plate spline.

In the letters of :mod:`.tps`, with X the inverse of L and u the unit roundoff, bounds hold number by number:

- The solver. With Gaussian elimination it gives the exact solution of a system that differs from L by at most
  gamma_3n |lower| |upper| (Higham 2002, theorem 9.4, for n unknowns). Here the largest number of
  |lower| |upper|, times GROWTH, stands for all of them, so that the order of the unknowns does not matter. In
  addition, L itself is rounded when it is set up, and E is the bound of both together.
- The right side b, with an error of at most d, because pixel centres and phi are rounded.
- Then Z' of the backend solves (L + dL) Z' = b + db, or L (Z' - Z) = r = db - dL Z'. From |r| <= d + E |Z'|
  and |Z'| <= |Z| + |X| |r| follows

      |r| <= (1 - E |X|)^-1 (d + E |Z|),     if the spectral radius of E |X| is below 1.

- The grid is (y, 0)^T Z = w^T b, whether one solves for Z or for the coefficients w = X (y, 0), here with a
  among them. In the former case it moves by (y, 0)^T X r = w^T r. In the latter w moves by at most
  |X| E |w'|, and the grid by at most |Z|^T E |w'| + d^T |w'|: the same bound, as E and X are symmetric.
- The cotangent of the places is the first rows of Z g = X (b g), and moves by at most |X| |r| |g|.
- Who solves for displacements from the control points has a coefficient of a less 1 instead.
- The products: gamma_k times what is added up, in whatever order: of basis and places, or of b and X (y, 0).

An explicit inverse is no stable solver: this bounds the products with it, and not its own errors, which are
in practice much smaller than what gamma_3n allows for.

Source: N. Higham 2002, Accuracy and stability of numerical algorithms, chapters 3, 7 and 9.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lu

from .affine import BASE
from .enclosures import Arithmetic

Array = NDArray[Any]
GROWTH = 4  # for other orders of the unknowns, and for another constant factor of phi
PHI = 8  # roundings on the way to a squared distance, and to phi of it; some errors of log are above 1/2 ulp
MOST = 0.5  # of the spectral radius; above it nothing is said


class TpsRounding:
    """The bounds for control points (K, 2) and targets (P, 2); ``solution`` is Z, (K + 3, P).

    The system is solved, and b multiplied, in the arithmetic ``solving``; places are multiplied by the basis
    in that of the answers. All bounds are worked out in float64, and infinite where nothing can be said.
    """

    def __init__(
        self, control: Array, targets: Array, solution: Array, arithmetic: Arithmetic, solving: Arithmetic
    ) -> None:
        self.control, self.arithmetic, self.solving = np.abs(control), arithmetic, solving
        self.basis = np.abs(solution[: len(control)])
        shift = BASE * arithmetic.unit  # of a pixel centre, which is at most 1
        affine, at_targets = (np.column_stack([np.ones(len(x)), x]) for x in (control, targets))
        bending, of_bending = phi_with_bound(control, control, 0.0, solving)
        influence, of_influence = phi_with_bound(targets, control, shift, solving)
        system = np.block([[bending, affine], [affine.T, np.zeros((3, 3))]])
        lower, upper = lu(system, permute_l=True)
        n = len(system)
        E = np.full((n, n), GROWTH * solving.gamma(3 * n) * (np.abs(lower) @ np.abs(upper)).max())
        E[:-3, :-3] += of_bending
        d = np.column_stack([of_influence, np.full(at_targets.shape, [0, shift, shift])]).T
        right = np.abs(np.column_stack([influence, at_targets])).T
        self.of_system, self.of_right, self.inverse = E, d, np.linalg.inv(system)
        loop = E @ np.abs(self.inverse)
        self.known = bool(np.abs(np.linalg.eigvals(loop)).max() <= MOST)
        self.residual = np.linalg.solve(np.eye(n) - loop, d + E @ np.abs(solution))
        self.right = np.linalg.solve(np.eye(n) - loop, right)  # |b|, and what r it leads to

    def of_grid(self, places: Array) -> Array:
        """For places (N, K, 2): (N, P, 2)."""
        k, n = len(self.control), len(self.inverse)
        own = np.eye(n)[:, -2:]  # the coefficient of x in x, and of y in y
        coefficients = np.abs(self.inverse[:, :k] @ places) + own
        sizes = np.abs(places) + self.control  # of places and displacements
        terms = np.abs(self.inverse[:, :k]) @ sizes
        slack = self.residual.T @ coefficients + self.solving.gamma(n) * (self.right.T @ terms)
        slack = slack + self.arithmetic.gamma(k + 3) * (self.basis.T @ sizes)
        return self._said(slack + (BASE + 1) * self.arithmetic.unit)  # the pixel centre, to be displaced

    def of_places_bar(self, grid_bar: Array) -> Array:
        """For cotangents (N, P, 2): (N, K, 2)."""
        sizes, (n, points) = np.abs(grid_bar), self.right.shape
        residual = self.residual + self.solving.gamma(n + points) * self.right
        moved = np.abs(self.inverse[: len(self.control)]) @ residual
        return self._said((moved + self.arithmetic.gamma(points + 3) * self.basis) @ sizes)

    def _said(self, slack: Array) -> Array:
        slack = slack + np.where(slack > 0, self.arithmetic.tiny, 0)
        return slack if self.known else np.full(slack.shape, np.inf)


def phi_with_bound(x: Array, control: Array, shift: float, arithmetic: Arithmetic) -> tuple[Array, Array]:
    """phi(|x - c|), (P, K), and by how much it moves if each coordinate of x is moved by ``shift``.

    q moves by at most e, and phi by the integral of |phi'| = |log q + 1| / 2 over as much. That is less than
    e (|log max(q, e)| + 3) / 2: if e < q / 2 because |log| changes by at most log 2 from q to q +- e, and
    else because the integral from 0 to e is e (|log e| + 2) / 2, and max(q, e) at most 2 e. The logarithm of
    r in place of q loses u more, times q.
    """
    gamma = arithmetic.gamma(PHI)
    distances = np.abs(x[:, None] - control)
    q = (distances**2).sum(-1)
    e = gamma * q + (1 + gamma) * 2 * shift * (distances.sum(-1) + shift)
    value = q * np.log(np.where(q > 0, q, 1)) / 2
    slope = np.abs(np.log(np.where(q + e > 0, np.maximum(q, e), 1))) + 3
    return value, e * slope / 2 + gamma * (np.abs(value) + q)
