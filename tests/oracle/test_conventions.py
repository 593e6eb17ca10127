"""What another library's convention is, and not a mistake, is called so; strictly judged it is wrong."""

from collections import Counter

import numpy as np
import pytest

from stn_ref.faults import FAULTS, Plain
from stn_ref.oracle import Backend, Verdict, check
from stn_ref.oracle.adapters.scipy_ndimage import SciPy
from stn_ref.oracle.interview import Claims, aspects_of, relevant_variants
from stn_ref.oracle.questions.cases import Setting, make_case
from stn_ref.oracle.truth.profiles import PROFILES, variants
from stn_ref.pixels import to_pixels

CUT_OFF = "tapers=False"
IMAGES = "/zeros/.*float64/2d"


class Constant(SciPy):
    """SciPy's mode ``constant`` in place of ``grid-constant``."""

    padding_modes = ("zeros",)

    @property
    def ndimage(self):
        return self

    def map_coordinates(self, image, axes, order, mode):
        return super().ndimage.map_coordinates(image, axes, order=order, mode="constant")


class CutOff(Plain, Backend):
    """The textbook's, with nothing at all outside the centres of the outermost pixels."""

    name, modes, padding_modes = "cut off", ("nearest", "bilinear"), ("zeros",)
    dtypes, dims = ("float64",), (2,)

    def within(self, U, grid, align_corners):
        """1 inside and 0 outside, (N, H', W'), and the grid with what is outside moved to the centre."""
        at = [to_pixels(grid[..., k], size, align_corners) for k, size in enumerate(U.shape[:1:-1])]
        beyond = [(x < 0) | (x > size - 1) for x, size in zip(at, U.shape[:1:-1])]
        ended = np.any(beyond, axis=0) & ~np.isnan(grid).any(-1)
        return ~ended, np.where(ended[..., None], 0, grid)

    def grid_sample(self, U, grid, **settings):
        inside, grid = self.within(U, grid, settings["align_corners"])
        return np.where(inside[:, None], super().grid_sample(U, grid, **settings), 0)

    def grid_sample_vjp(self, U, grid, V_bar, **settings):
        inside, grid = self.within(U, grid, settings["align_corners"])
        return super().grid_sample_vjp(U, grid, np.where(inside[:, None], V_bar, 0), **settings)

    def grid_sample_jvp(self, U, grid, U_dot, grid_dot, **settings):
        inside, grid = self.within(U, grid, settings["align_corners"])
        return np.where(inside[:, None], super().grid_sample_jvp(U, grid, U_dot, grid_dot, **settings), 0)

    def grid_sample_vjp_vjp(self, U, grid, V_bar, U_bar_bar, grid_bar_bar, **settings):
        inside, grid = self.within(U, grid, settings["align_corners"])
        V_bar, grid_bar_bar = (
            np.where(inside[:, None], V_bar, 0),
            np.where(inside[..., None], grid_bar_bar, 0),
        )
        bars = super().grid_sample_vjp_vjp(U, grid, V_bar, U_bar_bar, grid_bar_bar, **settings)
        return {**bars, "V_bar": np.where(inside[:, None], bars["V_bar"], 0)}


class OneSided(CutOff):
    """Cut off on one side only, which is nobody's convention."""

    def within(self, U, grid, align_corners):
        inside, _ = super().within(U, grid, align_corners)
        inside |= (grid > 0).any(-1)
        return inside, np.where(inside[..., None], grid, 0)


class Doubled(CutOff):
    """Cut off, and wrong inside."""

    def grid_sample(self, U, grid, **settings):
        return 2 * super().grid_sample(U, grid, **settings)


def verdicts(backend, only, **how):
    report = check(backend, isolated=False, explain=False, only=only, **how)
    return [result for result in report.results if result.aspect]


@pytest.mark.parametrize("backend", [Constant(), CutOff()], ids=["values", "derivatives"])
def test_an_image_that_ends_at_once_is_a_convention(backend):
    results = verdicts(backend, IMAGES)
    assert [result for result in results if result.verdict.failing] == []
    attributed = Counter(r.aspect for r in results if r.verdict is Verdict.CONVENTION)
    assert {result.finding.detail for result in results if result.verdict is Verdict.CONVENTION} == {
        "right by SciPy's constant, TensorFlow's crop_and_resize: tapers=False"
    }
    expected = {"V"} if isinstance(backend, Constant) else {"V", "U_bar", "grid_bar", "V_dot", "second.V_bar"}
    assert expected <= set(attributed)


@pytest.mark.parametrize("backend", [Constant(), CutOff()], ids=["values", "derivatives"])
def test_strictly_it_is_wrong(backend):
    ordinary = verdicts(backend, "random.*" + IMAGES)
    strict = verdicts(backend, "random.*" + IMAGES, strict=True)
    assert Verdict.CONVENTION in {result.verdict for result in ordinary}
    for result, strictly in zip(ordinary, strict):
        assert strictly.verdict.failing == (result.verdict is Verdict.CONVENTION)


@pytest.mark.parametrize("backend", [OneSided(), Doubled()], ids=["one-sided", "doubled"])
def test_what_is_wrong_by_the_convention_too_is_wrong(backend):
    values = [r.verdict for r in verdicts(backend, "(random|quarters)/bilinear" + IMAGES) if r.aspect == "V"]
    assert set(values) == {Verdict.FAIL_VALUE}


@pytest.mark.parametrize("name", ["missing-mask", "bounds-off-by-one", "missing-lower-mask"])
def test_mistakes_at_the_border_are_no_convention(name):
    wrong = type("Wrong", (FAULTS[name].implementation, Backend), {"dims": (2,), "dtypes": ("float64",)})
    values = verdicts(wrong(), "(random|quarters|identity)/bilinear" + IMAGES)
    assert Verdict.CONVENTION not in {result.verdict for result in values}
    assert any(result.verdict.failing for result in values)


def test_a_sampler_that_loses_its_last_row_too_is_wrong_where_that_shows():
    """Beside the image it is cut off like others; on the last pixel it is not like any."""
    wrong = type("Wrong", (FAULTS["last-row-lost"].implementation, Backend), {"dims": (2,)})
    found = verdicts(wrong(), "(kinks|identity)/bilinear" + IMAGES)
    assert {r.verdict for r in found if r.aspect == "V"} == {Verdict.FAIL_VALUE}


def places(tapers, x, mode="bilinear"):
    """Those of a sample at a pixel coordinate of an image of 5 times 5, the other one in its middle."""
    grid = np.zeros((1, 1, 1, 2))
    grid[..., 0] = x / 2 - 1
    case = make_case("quarters", Setting(mode, "zeros", True, "float64", 2))
    arrays = {"U": np.ones((1, 1, 5, 5)), "grid": grid, "V_bar": np.ones((1, 1, 1, 1))}
    profile = next(p for name, p in variants(PROFILES["paper"]) if not p.tapers)
    chosen = PROFILES["paper"] if tapers else profile
    return aspects_of(type(case)(**{**vars(case), "arrays": arrays}), chosen, Claims())


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize(
    ("x", "inside"), [(-0.25, False), (0.0, True), (1.5, True), (4.0, True), (4.25, False), (9.0, False)]
)
def test_where_the_image_ends(x, inside, mode):
    enclosure = places(False, x, mode).enclosure("V")
    assert enclosure.high.item() == inside
    assert not np.any(enclosure.finite | enclosure.free)
    assert np.all(enclosure.choices == inside)


@pytest.mark.parametrize(
    ("x", "tells"), [(-0.25, True), (4.75, True), (-1.0, False), (2.0, False), (9.0, False)]
)
def test_only_beside_the_image_there_is_a_difference(x, tells):
    assert bool(places(False, x).places.cut.any()) == tells
    assert not places(True, x).places.cut.any()


def test_of_a_sample_that_rounding_may_move_across_the_end_nothing_is_said():
    x = 4 - 2.0**-50  # of which not every step is exact
    assert np.all(places(False, x).enclosure("V").finite)
    assert not np.any(places(True, x).enclosure("V").finite)


@pytest.mark.parametrize(
    ("family", "mode", "padding_mode", "tried"),
    [
        ("quarters", "bilinear", "zeros", True),
        ("quarters", "nearest", "zeros", True),
        ("quarters", "bilinear", "border", False),
        ("quarters", "bicubic", "zeros", False),
        ("identity", "bilinear", "zeros", False),
    ],
)
def test_it_is_tried_where_it_can_be_told(family, mode, padding_mode, tried):
    case = make_case(family, Setting(mode, padding_mode, True, "float64", 2))
    found = [name for name, _ in relevant_variants(case, PROFILES["paper"]) if CUT_OFF in name]
    assert bool(found) == tried


def test_a_cubic_sample_that_is_clamped_before_its_taps_are_read_is_a_mistake():
    """What ONNX's reference evaluator does with a border, and ONNX Runtime no longer."""
    wrong = FAULTS["clamp-centre-for-cubic"].implementation
    backend = type("Wrong", (wrong, Backend), {"dims": (2,), "dtypes": ("float64",), "modes": ("bicubic",)})()
    for result in verdicts(backend, "quarters/bicubic/border/.*/float64/2d"):
        assert result.verdict is not Verdict.CONVENTION
        assert result.aspect != "V" or result.verdict is Verdict.FAIL_VALUE
