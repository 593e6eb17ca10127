"""Sheets of kernels: the curves, and where they break."""

from typing import Any

import numpy as np
import pytest

from stn_ref import BICUBIC, BILINEAR, NEAREST, Kernel, bicubic
from stn_ref.ops.interpolation import KERNELS, gaussian
from stn_ref.pictures import kernels
from stn_ref.pictures.kernels import breakpoints, caption, kernel_curve, kernel_sheet

BICUBIC_SHARP = bicubic(-0.5)
ALL = [*KERNELS.values(), gaussian(0.6), BILINEAR.widened(1.7)]


def breaks(kernel: Kernel, order: int) -> list[float]:
    t, k = kernel_curve(kernel, order)
    return [float(x) for x in t[np.isnan(k)]]


def at(kernel: Kernel, order: int, where: float) -> float:
    t, k = kernel_curve(kernel, order)
    known = ~np.isnan(k)
    return float(np.interp(where, t[known], k[known]))


def test_the_values_are_those_of_the_formulas() -> None:
    assert at(BILINEAR, 0, 0.25) == pytest.approx(0.75)
    assert at(BILINEAR, 1, -0.5) == pytest.approx(1.0)
    assert at(NEAREST, 0, 0.3) == pytest.approx(1.0)
    # Keys at |t| = 1/2: (a + 2)/8 - (a + 3)/4 + 1 with a = -0.75; at 3/2: a (27/8 - 45/4 + 12 - 4)
    assert at(BICUBIC, 0, -0.5) == pytest.approx(1.25 / 8 - 2.25 / 4 + 1, abs=1e-4)
    assert at(BICUBIC, 0, 1.5) == pytest.approx(-0.75 / 8, abs=1e-4)
    # Normalised: 1 - 0.5 / 1.7 beside the taps half a pixel and one and a half away, on both sides.
    near, far = 1 - 0.5 / 1.7, 1 - 1.5 / 1.7
    assert at(BILINEAR.widened(1.7), 0, 0.5) == pytest.approx(near / (2 * near + 2 * far), abs=1e-3)


@pytest.mark.parametrize(
    ("kernel", "order", "where"),
    [
        (NEAREST, 0, [-0.5, 0.5]),
        (NEAREST, 1, []),
        (BILINEAR, 0, []),
        (BILINEAR, 1, [-1.0, 0.0, 1.0]),
        (BICUBIC, 1, []),
        (BICUBIC, 2, [-2.0, 2.0]),
        (BICUBIC_SHARP, 2, [-2.0, -1.0, 1.0, 2.0]),
        (KERNELS["lanczos3"], 1, []),
        (KERNELS["quadratic-spline"], 1, []),
        (KERNELS["quadratic-spline"], 2, [-1.5, -0.5, 0.5, 1.5]),
        (KERNELS["cubic-spline"], 2, []),
        (Kernel("steps", [(0.7, [1.0]), (1.2, [0.5])]), 0, [-1.2, -0.7, 0.7, 1.2]),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_curves_break_where_they_jump_and_nowhere_else(
    kernel: Kernel, order: int, where: list[float]
) -> None:
    assert breaks(kernel, order) == pytest.approx(where)


def test_a_widened_kernel_has_kinks_at_its_own_ends_and_at_those_of_the_other_taps() -> None:
    ends = [0, 0.3, 0.7, 1, 1.3, 1.7]
    assert breakpoints(BILINEAR.widened(1.7), 1.7) == pytest.approx(sorted({*ends, *(-e for e in ends)}))
    assert breaks(BILINEAR.widened(1.7), 1) == pytest.approx(breakpoints(BILINEAR.widened(1.7), 1.7))


@pytest.mark.parametrize("kernel", ALL, ids=lambda kernel: caption(kernel).replace("\n", ", "))
def test_curves_are_even_and_their_slopes_are_those_of_the_values(kernel: Kernel) -> None:
    (t, k), (t1, k1) = kernel_curve(kernel), kernel_curve(kernel, order=1)
    assert (np.diff(t) >= 0).all()
    assert k[[0, -1]].tolist() == [0, 0]
    reach = kernel.radius * (kernel.width or 1.0)
    places = np.linspace(0.013, reach - 0.013, 50)
    for place in places:
        assert at(kernel, 0, place) == pytest.approx(at(kernel, 0, -place), abs=2e-4)
    if np.isnan(k).any():
        assert not k1[~np.isnan(k1)].any()  # nearest: flat between its jumps
        return
    known = ~np.isnan(k1)  # a jump of the slope has no width
    t1, k1 = t1[known], k1[known]
    integral = np.concatenate([[0.0], np.cumsum(np.diff(t1) * (k1[1:] + k1[:-1]) / 2)])  # trapezoids
    np.testing.assert_allclose(integral, np.interp(t1, t, k), atol=1e-4)


def test_a_slope_that_is_wrong_would_be_noticed() -> None:
    """The check above, on a kernel whose derivative is planted wrong."""

    class Wrong(Kernel):
        def weights(self, fraction: Any, order: int, kink: str, **settings: Any) -> list[np.ndarray]:
            right = super().weights(fraction, order, kink, **settings)
            return [w * 1.01 for w in right] if order == 1 else right

    wrong = Wrong("wrong", BICUBIC.pieces)
    with pytest.raises(AssertionError):
        test_curves_are_even_and_their_slopes_are_those_of_the_values(wrong)


def test_a_width_that_is_not_one_number_is_refused() -> None:
    with pytest.raises(ValueError, match=r"kernel gaussian has .* of shape \(2,\) for a width, expected one"):
        kernel_curve(gaussian(np.array([1.0, 2.0])))
    np.testing.assert_array_equal(kernel_curve(gaussian(np.array([0.6])))[1], kernel_curve(gaussian(0.6))[1])


def test_what_is_no_kernel_is_refused() -> None:
    with pytest.raises(TypeError, match=r"kernels is \['bilinear'\], expected at least one Kernel"):
        kernel_sheet("x.png", ["bilinear"])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="expected at least one Kernel"):
        kernel_sheet("x.png", [])


def test_a_column_for_each_kernel_the_slope_below(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    drawn: list[Any] = []
    monkeypatch.setattr(kernels, "save_figure", lambda figure, path: drawn.append(figure))
    kernel_sheet("x.png", [BILINEAR, gaussian(0.5), NEAREST])
    above, below = drawn[0].axes[:3], drawn[0].axes[3:]
    assert [axes.get_title() for axes in above] == ["bilinear", "gaussian\nwidth 0.5, normalised", "nearest"]
    _, curve, limits, taken = below[0].lines  # after the line at 0
    assert np.isnan(curve.get_ydata()).sum() == 3  # drawn with gaps
    np.testing.assert_allclose(limits.get_ydata(), [0, 1, -1], atol=1e-6)  # from the left of -1, 0, 1
    np.testing.assert_allclose(taken.get_ydata(), [1, -1, 0], atol=1e-6)  # from the right


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_all_kernels_are_drawn(tmp_path: Any, suffix: str) -> None:
    pytest.importorskip("matplotlib")
    assert kernel_sheet(tmp_path / f"k.{suffix}", ALL, title="t").stat().st_size > 10_000
