"""The questions: the same each time and in every dtype, and none forgotten that was promised."""

import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from stn_ref.oracle.calls import LAYOUTS
from stn_ref.oracle.checker import CLAIMS, all_cases
from stn_ref.oracle.interview import asks
from stn_ref.oracle.layouts import laid_out
from stn_ref.oracle.questions.affine_cases import AFFINE_FAMILIES, make_affine_case
from stn_ref.oracle.questions.cases import FAMILIES, LEVELS, Setting, make_case, whole
from stn_ref.oracle.questions.grid_cases import GridSetting
from stn_ref.oracle.questions.regressions import NOT_ASKED, REGRESSIONS, threads_of
from stn_ref.oracle.questions.tps_cases import TPS_FAMILIES
from stn_ref.pixels import span

DTYPES = ("float16", "float32", "float64")
ALL = {**CLAIMS, "methods": ("affine_grid", "tps_grid")}
FEW = {**ALL, "modes": ("bilinear",), "padding_modes": ("zeros",), "dtypes": ("float32",)}
QUICK = all_cases(ALL, "quick")
ALL_FAMILIES = {**FAMILIES, **AFFINE_FAMILIES, **TPS_FAMILIES}
EXACT = [
    *("kinks", "ties", "quarters", "far", "one-pixel", "one-pixel-wide", "one-pixel-high", "collisions"),
    *("constant-image", "nan-coordinate", "infinite-coordinate", "nonfinite-pixel", "nonfinite-cotangent"),
]


def settings_of(dtype, d=2):
    modes, paddings = CLAIMS["modes"], CLAIMS["padding_modes"]
    return [Setting(*how, dtype, d) for how in product(modes, paddings, (True, False))]


def test_names_are_given_once():
    names = [case.id for case in QUICK]
    assert len(set(names)) == len(names)
    nightly = [case.id for case in all_cases({**FEW, "dims": (2,)}, "nightly")]
    assert len(set(nightly)) == len(nightly)


def test_the_same_question_each_time_and_another_with_another_seed():
    changed = 0
    for name in ("random", "kinks", "collisions"):
        setting = Setting("bilinear", "border", False, "float32", 2)
        first, again, other = (make_case(name, setting, seed) for seed in (0, 0, 1))
        for key, array in first.arrays.items():
            assert array.tobytes() == again.arrays[key].tobytes()
            changed += array.tobytes() != other.arrays[key].tobytes()
    assert changed > 15


ARRAYS = """
from stn_ref.oracle.questions.cases import Setting, make_case
from zlib import crc32
for name in ("random", "kinks"):
    case = make_case(name, Setting("bilinear", "border", False, "float32", 2), 5)
    print(*(crc32(array.tobytes()) for array in case.arrays.values()))
"""


def test_a_question_is_the_same_in_another_process():
    """In which Python hashes names otherwise."""
    command, root = [sys.executable, "-c", ARRAYS], Path(__file__).parent.parent.parent
    said = {
        subprocess.run(
            command, env={"PYTHONHASHSEED": seed}, cwd=root, capture_output=True, text=True, check=True
        ).stdout
        for seed in "12"
    }
    assert len(said) == 1
    assert len(said.pop().split()) == 2 * 7


@pytest.mark.parametrize("family", EXACT)
@pytest.mark.parametrize("corners", [True, False])
def test_dyadic_questions_are_the_same_in_every_dtype(family, corners):
    """Their numbers are exact in float16; a rounded coordinate would ask something else there."""
    made = {}
    for dtype in DTYPES:
        setting = Setting("bilinear", "zeros", corners, dtype, 2)
        made[dtype] = FAMILIES[family].make(setting, np.random.default_rng(0))
        assert {array.dtype.name for array in make_case(family, setting).arrays.values()} == {dtype}
    for name, array in made["float64"].items():
        for dtype in DTYPES:
            np.testing.assert_array_equal(made[dtype][name].astype(dtype).astype(np.float64), array)


@pytest.mark.parametrize("family", ["kinks", "ties", "quarters", "collisions", "constant-image"])
@pytest.mark.parametrize("d", [2, 3])
def test_these_questions_lie_exactly_where_they_say(family, d):
    """In pixels their coordinates are multiples of an eighth, in each dtype and convention."""
    for dtype, corners in product(DTYPES, (True, False)):
        case = make_case(family, Setting("bilinear", "zeros", corners, dtype, d))
        sizes = case.arrays["U"].shape[:1:-1]
        spans = np.array([span(n, corners) for n in sizes])
        pixels = (case.arrays["grid"].astype(float) * spans + np.array(sizes) - 1) / 2
        assert (pixels * 8 == np.round(pixels * 8)).all()
        fractions = np.unique(pixels - np.floor(pixels))
        if family == "kinks":
            assert 0 in fractions
        if family == "ties":
            assert 0.5 in fractions
        if family == "quarters":
            assert {0.25, 0.75} <= set(fractions)


def test_kinks_are_met_at_both_ends_inside_and_outside_of_every_axis():
    for corners in (True, False):
        case = make_case("kinks", Setting("bilinear", "zeros", corners, "float64", 2))
        sizes = case.arrays["U"].shape[:1:-1]
        for k, size in enumerate(sizes):
            g = case.arrays["grid"][..., k]
            pixels = (g * span(size, corners) + size - 1) / 2
            assert {-2, -1, 0, 1, size - 1, size, size + 1} <= set(pixels.ravel())


def test_images_are_never_square_and_their_parts_never_alike():
    for name in ("random", "kinks", "identity"):
        for setting in settings_of("float64"):
            case = make_case(name, setting)
            n, c, height, width = case.arrays["U"].shape
            assert n > 1
            assert c > 1
            assert height != width
            assert case.arrays["grid"].shape[1:3] != (width, width)
            V_bar = case.arrays["V_bar"]
            assert not (V_bar == V_bar[:, :1]).all()
            assert not (V_bar == V_bar.flat[0]).all()


def test_whole_numbers_are_never_0():
    numbers = whole(np.random.default_rng(0), (500,), Setting("bilinear", "zeros", True, "float64", 2))
    assert (numbers == np.round(numbers)).all()
    assert set(numbers) == {*range(-4, 5)} - {0}


def test_next_to_a_kink_means_next_to_it_in_its_own_dtype():
    for dtype in DTYPES:
        case = make_case("one-ulp", Setting("bilinear", "zeros", True, dtype, 2))
        grid = case.arrays["grid"]
        back = np.concatenate(
            [np.nextafter(grid[:1], grid.dtype.type(-9)), np.nextafter(grid[1:], grid.dtype.type(9))]
        ).astype(float)
        sizes = np.array(case.arrays["U"].shape[:1:-1])
        doubled = back * (sizes - 1) + sizes - 1  # twice the pixel coordinate
        assert (doubled == np.round(doubled)).any(-1).all()


def test_the_largest_coordinate_is_the_largest():
    for dtype in DTYPES:
        grid = make_case("largest", Setting("bilinear", "border", True, dtype, 2)).arrays["grid"]
        assert grid.max() == np.finfo(dtype).max
        assert grid.min() == -np.finfo(dtype).max


# Levels and claims


def test_levels_hold_each_other():
    ids = [{case.id for case in all_cases({**FEW, "dims": (2,)}, level)} for level in LEVELS]
    assert ids[0] < ids[1] < ids[2]
    assert {case.family for case in all_cases({**FEW, "dims": (2,)}, "full")} == set(ALL_FAMILIES)


def test_a_quick_check_asks_each_family_of_each_claimed_mode_padding_and_convention():
    asked = {tuple(case.id.split("/")) for case in QUICK}
    quick = [name for name, kind in FAMILIES.items() if kind.level == "quick"]
    for name, setting in product(quick, settings_of("float64") + settings_of("float32")):
        assert (name, *setting.id.split("/")) in asked
    for setting in settings_of("float16") + settings_of("float64", 3)[:12]:
        assert ("random", *setting.id.split("/")) in asked


def test_what_is_not_claimed_is_not_asked():
    claims = {
        **ALL,
        "modes": ("nearest",),
        "padding_modes": ("border",),
        "dtypes": ("float32",),
        "dims": (2,),
    }
    found = all_cases({**claims, "methods": ()}, "nightly")
    assert {case.id.split("/", 1)[1] for case in found} == {
        "nearest/border/corners/float32/2d",
        "nearest/border/edges/float32/2d",
    }
    assert not all_cases({**ALL, "dtypes": ()}, "nightly")


def test_every_way_of_asking_is_used_at_quick():
    """Each layout, each subset of gradients, twice, and with a stride of 0 in each argument."""
    layouts, needs, flat = set(), set(), set()
    for case in QUICK:
        if case.family in FAMILIES and "float64/2d" in case.id:
            for ask in asks(case):
                layouts.add(ask.call.layout)
                needs.add(ask.call.settings.get("needs"))
                if ask.call.layout == "broadcast":
                    arrays = {name: laid_out(array, "broadcast") for name, array in ask.call.arrays.items()}
                    flat |= {name for name, array in arrays.items() if 0 in array.strides}
    assert layouts == set(LAYOUTS)
    assert {("U", "grid"), ("U",), ("grid",)} <= needs
    assert flat == {"U", "grid", "V_bar"}


@pytest.mark.parametrize("name", AFFINE_FAMILIES)
@pytest.mark.parametrize("d", [2, 3])
def test_affine_questions_have_the_shapes_they_say(name, d):
    for dtype, corners in product(DTYPES, (True, False)):
        case = make_affine_case(name, GridSetting(corners, dtype, d))
        assert case.arrays["theta"].shape == (case.size[0], d, d + 1)
        assert case.arrays["grid_bar"].shape == (case.size[0], *case.size[2:], d)
        assert {array.dtype.name for array in case.arrays.values()} == {dtype}
        assert case.about


# Regressions

THREADS = """
23925 24823 19826 42616 51911 35202 35506 41656 41923 97000 89836 96429 96586 120543 194787
10051 15386 81868 124154 2307 180417 175047 191915 174339 171602 175683 177487 10607 27975
27639 34704 3024 3110 5687 2535 127241 2016 7564 13 1320 689 5044 8866 38900 70147 74555 3945
4503 862 4006 9029 19864 3340 126
"""


@pytest.mark.parametrize("number", THREADS.split())
def test_every_thread_that_was_promised_has_a_case(number):
    asked = [thread for regression in REGRESSIONS for thread in regression.threads]
    assert any(thread.endswith(f"#{number}") for thread in [*asked, *NOT_ASKED])


def test_names_and_threads_of_regressions():
    assert len({regression.name for regression in REGRESSIONS}) == len(REGRESSIONS)
    for regression in REGRESSIONS:
        assert regression.threads
        assert all(re.fullmatch(r"[\w-]+/[\w-]+#\d+", thread) for thread in regression.threads)


@pytest.mark.parametrize("regression", REGRESSIONS, ids=lambda regression: regression.name)
def test_each_regression_is_shown_by_a_case(regression):
    assert regression.family in ALL_FAMILIES
    rest = [make_case("wide-image", settings_of("float16")[0]), *all_cases({**FEW, "dims": (2,)}, "full")]
    shown = [
        ask
        for case in [*QUICK, *rest]
        if case.family == regression.family
        for ask in asks(case)
        for aspect in ask.aspects.values()
        if set(regression.threads) <= set(case.threads(f"{ask.way} {aspect}"))
    ]
    assert shown
    if "broadcast" in regression.ways:
        arrays = [array for ask in shown for array in ask.call.arrays.values()]
        assert any(0 in laid_out(array, "broadcast").strides for array in arrays)


def test_a_thread_is_told_only_where_it_belongs():
    setting = Setting("bilinear", "border", True, "float64", 2)
    assert "pytorch/pytorch#23925" in threads_of("kinks", setting)
    assert "pytorch/pytorch#23925" not in threads_of(
        "kinks", Setting("bilinear", "zeros", True, "float64", 2)
    )
    assert "pytorch/pytorch#34704" not in threads_of("random", setting)
    assert "pytorch/pytorch#34704" in threads_of("random", setting, " second.grid")
    assert len(set(threads_of("kinks", setting))) == len(threads_of("kinks", setting))


def test_where_speaks_of_settings_that_exist():
    fields = {"mode", "padding_mode", "align_corners", "dtype", "d"}
    assert all(set(regression.where) <= fields for regression in REGRESSIONS)
