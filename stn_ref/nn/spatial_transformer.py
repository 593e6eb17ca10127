"""The spatial transformer module: localisation network, grid generator, sampler."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autograd.tensor import Tensor, Value, plain
from ..errors import check_flag, describe
from ..ops import compose, concatenate, index, mean, reshape, spatial_transform
from ..ops.affine import AFFINE, Affine
from ..ops.grids import base_grid
from ..ops.kernel import Kernel
from ..ops.projective import PROJECTIVE
from ..ops.sampling import setup_of
from ..ops.transformation import Transformation, as_transformation
from .module import Module

Array = NDArray[Any]


@dataclass(frozen=True)
class TransformReport:
    """What a spatial transformer did in its last forward pass.

    Parameters
    ----------
    theta : (N, ...)
        What the transformation was given; (N, 2, 3) for an affine one.
    size : (N, C, H', W')
        Of the output.
    align_corners : bool
    transformation : Transformation
    source : (H, W) or None
        The spatial shape of the input; that of the output if None.

    >>> half_out = np.array([[[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]])
    >>> report = TransformReport(half_out, (1, 1, 2, 4), align_corners=False)
    >>> report.outside, report.determinant, report.distance
    (0.5, array([1.]), array([1.]))
    """

    theta: Array
    size: tuple[int, ...]
    align_corners: bool
    transformation: Transformation = field(default=AFFINE)
    source: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        kind = as_transformation("TransformReport", self.transformation)
        object.__setattr__(self, "transformation", _as_it_is_now(kind))
        size = tuple(self.size[2:])
        theta = kind.shaped("TransformReport", plain(self.theta), len(self.theta), size)
        object.__setattr__(self, "theta", theta)
        object.__setattr__(self, "source", tuple(self.source or size))

    @property
    def grid(self) -> Array:
        """Where each output pixel was sampled, (N, H', W', 2), normalised."""
        settings: dict[str, Any] = {"source": self.source, "align_corners": self.align_corners}
        grid: Array = self.transformation.grid(self.theta, size=tuple(self.size[2:]), **settings)
        return grid

    @property
    def matrix(self) -> Array:
        """The map, (N, d, d + 1) or (N, 3, 3); ``TypeError`` if it is neither affine nor projective."""
        matrix: Array = self.transformation.matrix(self.theta, self.source, self.align_corners)
        return matrix

    @property
    def outside(self) -> float:
        """The fraction of samples outside the image, beyond -1 or 1 in some coordinate.

        Samples outside see padding and send no gradient back; a fraction near 1 is a dead end.
        """
        grid = self.grid
        if not grid.size:
            return 0.0
        return float(np.mean(~np.all(np.abs(grid) <= 1, axis=-1)))  # so that NaN counts as outside

    @property
    def determinant(self) -> Array:
        """The area (volume) sampled, as a share of the image's, (N,): negative if mirrored, 0 if collapsed.

        For affine maps the determinant of their linear part; for others the mean over the output of the local
        one, from differences between neighbours (NaN if an axis of the output has only one pixel).
        """
        grid, d = self.grid.astype(np.float64), len(self.size) - 2
        if 0 in grid.shape:
            return np.full(len(grid), np.nan)
        if 1 in grid.shape[1:-1]:
            if not isinstance(self.transformation, Affine):
                return np.full(len(grid), np.nan)
            linear: Array = np.linalg.det(self.matrix[:, :d, :d].astype(np.float64))
            return linear
        base = base_grid(grid.shape[1:-1], self.align_corners)[..., :d]
        with np.errstate(invalid="ignore"):  # a horizon in the output
            columns = [
                np.gradient(grid, axis=-2 - k) / np.gradient(base, axis=-2 - k)[..., k, None]
                for k in range(d)
            ]
            local = np.linalg.det(np.stack(columns, axis=-1)).reshape(len(grid), -1)
        mean_of_all: Array = local.mean(axis=1)
        return mean_of_all

    @property
    def distance(self) -> Array:
        """How far samples lie from their places under the identity, root mean square, (N,)."""
        grid = self.grid.astype(np.float64)
        if 0 in grid.shape:
            return np.full(len(grid), np.nan)
        base = base_grid(grid.shape[1:-1], self.align_corners)[..., :-1]
        square = np.sum((grid - base) ** 2, axis=-1).reshape(len(grid), -1)
        rms: Array = np.sqrt(square.mean(axis=1))
        return rms


def composed(reports: Sequence[TransformReport | None]) -> TransformReport:
    """Several transformers one behind the other, as one map on the input of the first.

    The picture beside the paper's SVHN table: what the last one sees of the image. Layers between them are
    taken to keep their place in normalised coordinates, as convolutions and pooling do but for a part of a
    pixel.

    Raises
    ------
    TypeError, ValueError
        If there is none, or one is neither affine nor projective, or they differ in ``align_corners``.

    >>> half = np.array([[[0.5, 0.0, 0.5], [0.0, 0.5, 0.0]]])
    >>> report = TransformReport(half, (1, 1, 4, 4), align_corners=True)
    >>> composed([report, report]).theta
    array([[[0.25, 0.  , 0.75],
            [0.  , 0.25, 0.  ]]])
    """
    made = [report for report in reports if report is not None]
    if len(made) < len(reports):
        raise ValueError("composed: a transformer has no report yet; pass an input through the network first")
    if not made:
        raise ValueError(
            "composed: got no reports, expected those of one or more transformers, first one first"
        )
    if len({report.align_corners for report in made}) > 1:
        raise ValueError(
            "composed: the transformers differ in align_corners; use rescale_theta on their thetas"
        )
    first, last = made[0], made[-1]
    theta = compose(*(report.matrix for report in made))
    kind, source = _of_matrix(theta), first.source or tuple(first.size[2:])
    return TransformReport(theta, last.size, last.align_corners, kind, source)


class SpatialTransformer(Module):
    """V = sampler(U, T_theta(G)) with theta = localisation(U); section 3 of the paper.

    The cotangent of U comes back by two paths: through the sampler and through the localisation network. It
    can stand at any depth; every channel is warped alike.

    Parameters
    ----------
    localisation : Module
        From U to theta: for the affine transformation (N, 6) or (N, 2, 3) (for volumes (N, 12) or (N, 3, 4)),
        for others what they want. Let its last layer begin as :func:`identity_transform`.
    output_size : (H', W') or None
        The size of the output; that of the input if None.
    transformation : str or Transformation
        As for :func:`stn_ref.spatial_transform`.
    align_corners, mode, padding_mode, kink, antialias
        As for :func:`stn_ref.grid_sample`; one ``align_corners`` serves both halves. A width of ``mode`` that
        is a Tensor becomes a parameter of the module, as do control points of a spline. (Of a width that is
        a function, assign the Tensor inside as an attribute yourself.)
    downsample : int
        The localisation network sees means over blocks of so many pixels in each direction.
    iterations : int
        How often the localisation network looks, each time at what the maps so far make of U, and adds a map
        to them; one network for all looks, and U itself is sampled only once for the output. Affine and
        projective transformations only. (Lin and Lucey 2017, Inverse compositional spatial transformer
        networks.)

    Attributes
    ----------
    report : TransformReport
        theta, the grid and the fraction of samples outside, of the last forward pass.

    Raises
    ------
    ValueError
        If a setting is none of these, or the localisation network returns no theta.

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
        transformation: Any = "affine",
        align_corners: bool = True,
        mode: Any = "bilinear",
        padding_mode: str = "zeros",
        kink: str = "right",
        antialias: bool = False,
        downsample: int = 1,
        iterations: int = 1,
    ) -> None:
        self.localisation = localisation
        self.output_size = None if output_size is None else _checked_size(output_size)
        self.transformation = as_transformation("SpatialTransformer", transformation)
        setup_of("SpatialTransformer", mode, padding_mode, align_corners, kink)
        check_flag("SpatialTransformer", "antialias", antialias)
        _check_count("downsample", downsample)
        _check_count("iterations", iterations)
        self.downsample, self.iterations = downsample, iterations
        self.settings: dict[str, Any] = {
            "align_corners": align_corners,
            "mode": mode,
            "padding_mode": padding_mode,
            "kink": kink,
            "antialias": antialias,
        }
        if iterations > 1 and type(self.transformation).matrix is Transformation.matrix:
            raise ValueError(
                f"SpatialTransformer: iterations is {iterations}, but maps of the transformation "
                f"{self.transformation.name!r} cannot be composed; take an affine one or 'projective'"
            )
        held = {f"transformation.{name}": value for name, value in vars(self.transformation).items()}
        if isinstance(mode, Kernel):
            held["kernel.width"] = mode.width
        # What is learnt beside the localisation network: control points, a width.
        self.learnt = {name: value for name, value in held.items() if isinstance(value, Tensor)}
        for name, value in self.learnt.items():
            if value._made_here:
                raise ValueError(
                    f"SpatialTransformer: {name} is the result of a calculation, which would be done only "
                    "once; give a Tensor itself, or for a width a function, such as lambda: exp(log_width)"
                )
        self.report: TransformReport | None = None

    def forward(self, U: Value) -> Value:
        spatial = tuple(U.shape[2:])
        size = (*U.shape[:2], *(self.output_size or spatial))
        kind, theta = self.transformation, self._look(U, size)
        if self.iterations > 1:
            theta = self._matrix(theta, spatial)
            kind = _of_matrix(theta)
            for _ in range(self.iterations - 1):
                seen = spatial_transform(U, theta, U.shape, transformation=kind, **self.settings)
                theta = compose(theta, self._matrix(self._look(seen, size), spatial))
        self.report = TransformReport(theta, size, self.settings["align_corners"], kind, spatial)
        return spatial_transform(U, theta, size, transformation=kind, **self.settings)

    def _look(self, U: Value, size: tuple[int, ...]) -> Value:
        """Theta, from the localisation network."""
        kind, out, n = self.transformation, tuple(size[2:]), U.shape[0]
        theta = self.localisation(_means(U, self.downsample))
        try:
            return kind.shaped("SpatialTransformer", theta, n, out)
        except ValueError as error:
            if len(out) not in kind.dimensions:
                raise
            count = kind.parameters(out)
            raise ValueError(
                f"SpatialTransformer: the localisation network returned shape {theta.shape} for U of shape "
                f"{U.shape}, expected ({n}, {count}) for the transformation {kind.name!r}; let it end in "
                f"Linear(..., {count})"
            ) from error

    def _matrix(self, theta: Value, source: tuple[int, ...]) -> Value:
        return self.transformation.matrix(theta, source, self.settings["align_corners"])


class Parallel(Module):
    """Modules that see the same input, their outputs one behind the other along the channels.

    Several spatial transformers in parallel look at several parts of one image (section 4.3 of the paper).

    >>> from stn_ref.nn import MaxPool2d, AvgPool2d
    >>> Parallel(MaxPool2d(2), AvgPool2d(2))(np.arange(4.0).reshape(1, 1, 2, 2))
    array([[[[3. ]],
    <BLANKLINE>
            [[1.5]]]])
    """

    def __init__(self, *modules: Module) -> None:
        if not modules or not all(isinstance(module, Module) for module in modules):
            raise TypeError(
                "Parallel: expected one or more modules; for a list of them use Parallel(*modules)"
            )
        for i, module in enumerate(modules):
            setattr(self, str(i), module)

    def forward(self, x: Value) -> Value:
        return concatenate([module(x) for _, module in self.children()], axis=1)


def _as_it_is_now(kind: Transformation) -> Transformation:
    """The transformation with arrays for its Tensors, so that learning does not change it."""
    tensors = {name: value.data.copy() for name, value in vars(kind).items() if isinstance(value, Tensor)}
    if not tensors:
        return kind
    kept = copy(kind)
    vars(kept).update(tensors)
    return kept


def _checked_size(size: Any) -> tuple[int, ...]:
    if (
        not isinstance(size, (tuple, list))
        or len(size) not in (2, 3)
        or not all(n in range(2**31) for n in size)
    ):
        raise ValueError(
            f"SpatialTransformer: output_size is {describe(size)}, expected (H', W'), or (D', H', W') for "
            "volumes"
        )
    return tuple(size)


def _check_count(name: str, value: Any) -> None:
    if not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(
            f"SpatialTransformer: {name} is {describe(value)}, expected a whole number, 1 or more"
        )


def _of_matrix(theta: Value) -> Transformation:
    return PROJECTIVE if tuple(theta.shape[1:]) == (3, 3) else AFFINE


def _means(U: Value, block: int) -> Value:
    """Means over blocks of pixels; what does not fill a block at the far end is left out."""
    if block == 1:
        return U
    counts = [n // block for n in U.shape[2:]]
    if 0 in counts:
        raise ValueError(
            f"SpatialTransformer: U has shape {U.shape}, which downsample={block} leaves without a pixel"
        )
    U = index(U, key=(..., *(slice(0, n * block) for n in counts)))
    blocks = reshape(U, shape=(*U.shape[:2], *(k for n in counts for k in (n, block))))
    return mean(blocks, axis=tuple(range(3, 3 + 2 * len(counts), 2)))
