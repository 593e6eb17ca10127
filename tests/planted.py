"""Classic mistakes, each planted into the real code: a suite that passes with one of them proves nothing.

``pytest --plant NAME`` runs the tests with that mistake in place; ``test_planted.py`` does so for each, with
the test that should notice it, and demands its failure.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from stn_ref.kernels import places, planar, pooling, sampling, scatter, workspace
from stn_ref.kernels.sampling import Block
from stn_ref.ops import affine_sampling, grids, kernel, projective, splines, thin_plate, widths
from stn_ref.ops import sampling as sampler
from stn_ref.ops.kernel import Kernel

Plant = Callable[[], None]
PLANTS: dict[str, Plant] = {}
NOTICED_BY: dict[str, str] = {}  # a test, in the folder ``ops`` if none is named


def plant(noticed_by: str) -> Callable[[Plant], Plant]:
    def add(function: Plant) -> Plant:
        PLANTS[function.__name__] = function
        NOTICED_BY[function.__name__] = noticed_by
        return function

    return add


def wrap(owner: Any, name: str, change: Callable[..., Any]) -> None:
    """Replace ``owner.name`` by ``change(original, *args)``."""
    original = getattr(owner, name)
    setattr(owner, name, lambda *args, **settings: change(original, *args, **settings))


@plant(noticed_by="test_sampling.py::test_the_first_coordinate_is_x")
def x_and_y_swapped() -> None:
    wrap(sampler.points_of, "function", lambda f, grid, **s: f(grid[..., ::-1], **s))


@plant(noticed_by="test_sampling.py::test_the_row_of_the_paper_reading_gives_four_slopes_at_its_pixels")
def missing_half_span() -> None:
    """Eq. (7) in pixel units handed on as if it were normalised: no (W - 1) / 2."""
    sampler.points_of.rules["grid"].function = lambda points_bar, *others: points_bar


@plant(noticed_by="test_sampling.py::test_in_normalised_coordinates_too_the_equations_hold_exactly")
def half_span_of_the_other_convention() -> None:
    wrap(
        sampler.points_of.rules["grid"],
        "function",
        lambda f, bar, source, align_corners: f(bar, source, not align_corners),
    )


@plant(noticed_by="test_sampling.py::test_splat_adds_up_where_samples_meet")
def assigned_instead_of_added() -> None:
    """U_bar[index] = ... keeps the last of several samples that read the same pixel."""

    def assign(total: Any, index: Any, value: Any) -> None:
        total[index] = value

    scatter._add = assign


class Cells(np.ndarray):
    """Cells to which adding 1 adds nothing where the coordinate is an integer."""

    def __add__(self, offset: Any) -> Any:
        return np.asarray(self) + offset * (~self.on_pixel if offset == 1 else 1)


@plant(noticed_by="test_sampling.py::test_the_row_of_the_paper_reading_gives_four_slopes_at_its_pixels")
def ceil_for_floor_plus_1() -> None:
    """At integer coordinates the two neighbours coincide and the slope becomes 0."""

    def locate(f: Any, *args: Any) -> Any:
        axis = f(*args)
        axis.cell = axis.cell.view(Cells)
        axis.cell.on_pixel = axis.fraction == 0
        return axis

    wrap(sampling, "locate", locate)


@plant(noticed_by="test_sampling.py::test_the_row_of_the_paper_reading_gives_four_slopes_at_its_pixels")
def sign_of_eq_7() -> None:
    wrap(Block, "slopes", lambda f, self, U, V, orders: -f(self, U, V, orders))


@plant(noticed_by="test_sampling.py::test_the_four_corners_of_the_normalised_square")
def clamped_before_the_weights() -> None:
    def coordinates(f: Any, self: Any, *args: Any) -> Any:
        return [x.clip(0, size - 1) for x, size in zip(f(self, *args), self.sizes)]

    wrap(places.Points, "coordinates", coordinates)


@plant(noticed_by="test_sampling.py::test_slopes_are_the_sum_over_channels_of_the_raised_samples")
def first_channel_only() -> None:
    wrap(planar.Planar, "slopes", lambda f, self, U, V, orders: f(self, U[:, :1], V[:, :1], orders))


@plant(
    noticed_by="test_warping.py::test_in_pixel_units_the_identity_stays_whole_where_normalised_coordinates_miss_a_pixel"
)
def x_and_y_swapped_from_theta_to_v() -> None:
    """In the operator that goes without a grid."""
    wrap(places.AffineMap, "coordinates", lambda f, *args: f(*args)[::-1])


@plant(
    noticed_by="test_registry.py::test_derivatives_of_first_and_second_order_agree_with_differences[affine_sample-0]"
)
def theta_in_pixels_in_its_gradient() -> None:
    """Eq. (7) in pixel units handed on to theta as if it were normalised."""
    affine_sampling.theta_factors = lambda *args: np.float64(1)


@plant(noticed_by="kernels/test_ways.py::test_what_the_forward_pass_keeps_serves_the_backward_pass")
def slopes_of_the_image_before() -> None:
    """What was kept for one image is taken for any."""

    def slopes(f: Any, self: Any, U: Any, V: Any, orders: Any) -> Any:
        return f(self, U if self.image_of_slopes is None else self.image_of_slopes, V, orders)

    wrap(planar.Planar, "slopes", slopes)


@plant(noticed_by="kernels/test_ways.py::test_a_fast_way_equals_the_literal_one")
def a_ring_of_one_row() -> None:
    """A sample between -2 and -1 is read half a pixel from the image, and has a slope."""

    def low(f: Any, self: Any, *args: Any, **settings: Any) -> None:
        f(self, *args, **settings)
        self.low = -1

    wrap(planar.Planar, "__init__", low)


@plant(noticed_by="kernels/test_ways.py::test_an_image_with_more_pixels_than_float32_has_whole_numbers")
def an_index_in_float32() -> None:
    def ring(f: Any, self: Any, part: Any, space: Any) -> Any:
        self.image, image = 0, self.image
        cells = f(self, part, space)
        self.image = image
        return cells

    wrap(planar.Planar, "cells", ring)


@plant(noticed_by="kernels/test_ways.py::test_results_lie_outside_the_workspace")
def a_result_in_the_workspace() -> None:
    def sample(f: Any, self: Any, U: Any, orders: Any) -> Any:
        with workspace.workspace() as space:
            V = f(self, U, orders)
            result = space.empty(V.shape, V.dtype)
            result[...] = V
        return result

    wrap(planar.Planar, "sample", sample)


@plant(noticed_by="kernels/test_ways.py::test_wild_indices_are_refused_before_anything_is_written")
def wild_indices_let_through() -> None:
    scatter.check_indices = lambda index, limit: None
    scatter._add = lambda total, index, value: None  # what it would write, and where, nobody knows


@plant(noticed_by="test_grids.py::test_by_hand")
def missing_ones_column() -> None:
    def without_ones(f: Any, axes: Any) -> Any:
        base = f(axes)
        base[..., -1] = 0
        return base

    wrap(grids, "_homogeneous", without_ones)


@plant(noticed_by="test_grids.py::test_the_cotangent_of_theta_by_hand")
def theta_transposed_in_its_gradient() -> None:
    wrap(grids, "_gather_theta", lambda f, bar, base: f(bar[..., ::-1], base))


@plant(noticed_by="test_grids.py::test_a_grid_is_exactly_eq1_where_the_base_grid_is_dyadic")
def one_base_grid_for_both_conventions() -> None:
    wrap(grids, "base_coordinates", lambda f, size, align_corners, dtype: f(size, True, dtype))


@plant(noticed_by="test_sampling.py::test_values_are_exactly_those_of_the_equations")
def truncated_instead_of_floored() -> None:
    class Truncating:
        floor = staticmethod(np.trunc)

        def __getattr__(self, name: str) -> Any:
            return getattr(np, name)

    sampling.np = Truncating()  # type: ignore[attr-defined]


@plant(noticed_by="test_sampling.py::test_nearest_ties_go_up_without_rounding_the_sum_with_a_half")
def ties_to_even() -> None:
    def locate(f: Any, x: Any, width: Any, size: int, setup: Any, side: str) -> Any:
        return f(np.rint(x) if setup.kernel.centred else x, width, size, setup, side)

    wrap(sampling, "locate", locate)


@plant(noticed_by="test_sampling.py::test_a_shift_by_one_pixel_brings_in_the_padding")
def reflected_about_the_wrong_line() -> None:
    wrap(
        sampling, "padded_index", lambda f, n, size, mode, align_corners: f(n, size, mode, not align_corners)
    )


@plant(noticed_by="test_pooling.py::test_of_equal_maxima_the_first_one_has_the_cotangent")
def last_maximum_wins() -> None:
    def last(f: Any, x: Any, out: Any, kernel: Any, stride: Any) -> Any:
        best, which = f(x, out, kernel, stride)
        for place, (image, windows) in enumerate(pooling.places(x.shape, out, kernel, stride)):
            which[windows][x[image] == best[windows]] = place
        return best, which

    wrap(pooling, "first_maximum", last)


@plant(noticed_by="test_sampling.py::test_splat_is_exactly_the_transpose_of_sample")
def adjoint_of_the_first_image_for_all() -> None:
    def first_for_all(f: Any, self: Any, V: Any, orders: Any) -> Any:
        U = f(self, V, orders)
        return np.broadcast_to(U[:1], U.shape).copy()

    wrap(Block, "splat", first_for_all)


@plant(noticed_by="test_widths.py::test_the_hat_as_a_function_of_its_width_in_closed_form")
def sign_of_the_derivative_for_the_width() -> None:
    """d/dw k(t / w) is -t / w^2 k'(t / w): the minus forgotten."""

    def scaled(f: Any, self: Any, t: Any, w: Any, order: int, width_order: int, *, left: bool) -> Any:
        return (-1) ** width_order * f(self, t, w, order, width_order, left=left)

    wrap(Kernel, "_scaled", scaled)


@plant(noticed_by="test_kernel.py::test_shares_sum_to_1_and_their_derivatives_to_0")
def derivative_of_a_quotient_without_its_second_term() -> None:
    """The weights of a sample divided by their sum, as if the sum stayed the same."""

    def shares(f: Any, of_weights: Any) -> Any:
        whole = np.asarray(sum(of_weights[0, 0]))
        return {orders: weight / np.where(whole == 0, 1, whole) for orders, weight in of_weights.items()}

    wrap(kernel, "_shares", shares)


@plant(noticed_by="test_splines.py::test_a_spline_passes_through_the_pixels")
def prefilter_forgotten() -> None:
    wrap(splines, "spline_coefficients", lambda f, U, **settings: U)


@plant(noticed_by="test_widths.py::test_shrinking_with_the_nearest_pixel_takes_the_mean_of_an_area")
def scale_of_the_other_axis() -> None:
    wrap(widths, "local_scale", lambda f, points: f(points)[..., ::-1])


@plant(noticed_by="test_projective.py::test_derivatives_of_the_grid_to_second_order")
def perspective_without_the_derivative_of_its_divisor() -> None:
    def without(f: Any, bar: Any, *saved: Any) -> Any:
        h_bar = f(bar, *saved)
        return h_bar * (np.arange(h_bar.shape[-1]) < h_bar.shape[-1] - 1)

    wrap(projective.perspective.rules["h"], "function", without)


@plant(noticed_by="test_thin_plate.py::test_it_is_the_spline_of_scipy")
def log_r_for_r_squared_log_r() -> None:
    """The thin plate in one dimension too few; its derivatives fit it."""

    def log_r(f: Any, q: Any, *, order: int = 0) -> Any:
        return f(q, order=order + 1) - (0.5 if order == 0 else 0.0)

    wrap(thin_plate.thin_plate, "function", log_r)
