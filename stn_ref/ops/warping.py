"""The whole transformer as one function: a transformation, then the sampler, in pixel units throughout."""

from typing import Any

from ..autograd.tensor import Value
from .affine import Affine
from .affine_sampling import resample_affine
from .arithmetic import at_least_single
from .checks import check_image, check_size
from .sampling import resample, setup_of
from .transformation import as_transformation


def spatial_transform(
    U: Value,
    theta: Value,
    size: tuple[int, ...],
    *,
    transformation: Any = "affine",
    mode: Any = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool,
    kink: str = "right",
    antialias: bool = False,
) -> Value:
    """Eqs. (1) and (3)-(5) in one: ``U`` warped by affine or other maps, in pixel units throughout.

    The same as :func:`affine_grid`, or another grid, followed by :func:`grid_sample`, but coordinates never
    pass through normalised ones, so the identity returns ``U`` bit for bit when the sizes agree.

    Parameters
    ----------
    U : (N, C, H, W) or (N, C, D, H, W), floating
    theta : (N, 2, 3) or (N, 3, 4), or what the transformation wants, floating
        From TARGET to SOURCE, in normalised coordinates. All its numbers in a row, (N, 6), will do too.
    size : (N, C, H', W') or (N, C, D', H', W')
        Shape of the output; C is not used.
    transformation : str or Transformation
        "affine", "translation", "scale", "rotation", "similarity", "attention", "shear", "rigid",
        "projective", "thin-plate-spline", "flow", or one with settings, for instance
        ``ThinPlateSpline(control_grid(3, 3))``.
    mode, padding_mode, align_corners, kink, antialias
        As for :func:`grid_sample`.

    Returns
    -------
    V : (N, C, H', W') or (N, C, D', H', W'), of the dtype of ``U``

    Raises
    ------
    TypeError, ValueError
        If a dtype, a shape or a setting is not of the form above; the message names the mend.

    >>> import numpy as np
    >>> U = np.arange(6.0).reshape(1, 1, 2, 3)
    >>> flip = np.array([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])       # x_s = -x_t
    >>> spatial_transform(U, flip, (1, 1, 2, 3), align_corners=True)
    array([[[[2., 1., 0.],
             [5., 4., 3.]]]])
    >>> one_pixel = np.array([[1.0, 0.0]])                           # of two for each unit of x
    >>> spatial_transform(U, one_pixel, (1, 1, 2, 3), transformation="translation", align_corners=True)
    array([[[[1., 2., 0.],
             [4., 5., 0.]]]])

    Source: Jaderberg et al. 2015, sections 3.2 and 3.3.
    """
    operator = "spatial_transform"
    d = check_image(operator, U)
    kind = as_transformation(operator, transformation)
    check_size(operator, size, U.shape[0], d)
    theta = kind.shaped(operator, theta, U.shape[0], tuple(size[2:]))
    setup = setup_of(operator, mode, padding_mode, align_corners, kink)
    theta, out, source = at_least_single(theta), tuple(size[2:]), tuple(U.shape[2:])
    if isinstance(kind, Affine) and setup.kernel.width is None and not antialias:
        matrix = kind.matrix(theta, source, setup.align_corners)
        return resample_affine(U, matrix, out, setup, kind.diagonal)
    points = kind.points(theta, size=out, source=source, align_corners=setup.align_corners)
    return resample(operator, U, points, setup, antialias)
