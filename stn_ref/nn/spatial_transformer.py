"""The spatial transformer module: localisation network, grid generator, sampler."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autograd.tensor import Value, plain
from ..ops import affine_grid, reshape, spatial_transform
from .module import Module

Array = NDArray[Any]


@dataclass(frozen=True)
class TransformReport:
    """What a spatial transformer did in its last forward pass.

    ``theta`` is (N, 2, 3), from target to source in normalised coordinates; ``size`` is (N, C, H', W').

    >>> half_out = np.array([[[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]])
    >>> TransformReport(half_out, (1, 1, 2, 4), align_corners=False).outside
    0.5
    """

    theta: Array
    size: tuple[int, ...]
    align_corners: bool

    @property
    def grid(self) -> Array:
        """Where each output pixel was sampled, (N, H', W', 2), normalised."""
        grid: Array = affine_grid(self.theta, self.size, align_corners=self.align_corners)
        return grid

    @property
    def outside(self) -> float:
        """The fraction of samples outside the image, beyond -1 or 1 in some coordinate.

        Samples outside see padding and send no gradient back; a fraction near 1 is a dead end.
        """
        grid = self.grid
        if not grid.size:
            return 0.0
        return float(np.mean(~np.all(np.abs(grid) <= 1, axis=-1)))  # so that NaN counts as outside


class SpatialTransformer(Module):
    """V = sampler(U, T_theta(G)) with theta = localisation(U); section 3 of the paper.

    The cotangent of U comes back by two paths: through the sampler and through the localisation network.

    Parameters
    ----------
    localisation : Module
        From U to theta, (N, 6) or (N, 2, 3) (for volumes (N, 12) or (N, 3, 4)). Let its last layer begin as
        :func:`identity_transform`.
    output_size : (H', W') or None
        The size of the output; that of the input if None.
    align_corners, mode, padding_mode, kink
        As for :func:`stn_ref.grid_sample`; one ``align_corners`` serves both halves.

    Attributes
    ----------
    report : TransformReport
        theta, the grid and the fraction of samples outside, of the last forward pass.

    Raises
    ------
    ValueError
        If the localisation network returns no theta.

    >>> from stn_ref.nn import Flatten, Linear, Sequential, identity_transform
    >>> head = Linear(64, 6, rng=np.random.default_rng(0))
    >>> identity_transform(head)
    >>> transformer = SpatialTransformer(Sequential(Flatten(), head), (8, 8))
    >>> U = np.random.default_rng(0).normal(size=(2, 1, 8, 8)).astype(np.float32)
    >>> bool((transformer(U).data == U).all()), transformer.report.outside
    (True, 0.0)
    """

    def __init__(
        self,
        localisation: Module,
        output_size: tuple[int, ...] | None = None,
        *,
        align_corners: bool = True,
        mode: Any = "bilinear",
        padding_mode: str = "zeros",
        kink: str = "right",
    ) -> None:
        self.localisation = localisation
        self.output_size = None if output_size is None else tuple(output_size)
        self.settings: dict[str, Any] = {
            "align_corners": align_corners,
            "mode": mode,
            "padding_mode": padding_mode,
            "kink": kink,
        }
        self.report: TransformReport | None = None

    def forward(self, U: Value) -> Value:
        n, c, *spatial = U.shape
        d = len(spatial)
        theta = self.localisation(U)
        if tuple(theta.shape) not in ((n, d * (d + 1)), (n, d, d + 1)):
            raise ValueError(
                f"SpatialTransformer: the localisation network returned shape {theta.shape} for U of shape "
                f"{U.shape}, expected ({n}, {d * (d + 1)}); let it end in Linear(..., {d * (d + 1)})"
            )
        theta = reshape(theta, shape=(n, d, d + 1))
        size = (n, c, *(self.output_size or spatial))
        self.report = TransformReport(plain(theta), size, self.settings["align_corners"])
        return spatial_transform(U, theta, size, **self.settings)
