"""Every fault is what it says, and no test can do without one because it would give the right answer."""

import signal
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

import stn_ref
from stn_ref.faults import FAULTS, THEMES, Plain
from stn_ref.faults.registry import STEPS, fault

from .questions import QUESTIONS, SETTINGS, anywhere, normal

PROFILES = {"paper", "torch", "onnx", "scipy", "opencv", "mxnet", "jax"}
EXPECTED = {
    "coordinates": "xy-swap hw-swap align-swap missing-half-pixel align-in-grid-only align-in-sampler-only "
    "singleton-minus-one trunc-for-floor round-after-floor ties-half-away ties-half-even w-minus-2 "
    "half-precision-coordinates pixel-for-normalised",
    "padding": "missing-mask missing-lower-mask bounds-off-by-one last-row-lost reflect-wrong-bounds "
    "reflect-once reflect-missing-sign reflect-fmod border-derivative-kept weights-before-padding "
    "clamp-centre-for-cubic zero-span fold-32-bit mask-by-multiplication",
    "gradients": "sign-of-eq7 all-positive missing-half-w w-floor-div-2 w-over-2 other-modes-factor "
    "components-swapped first-channel-only channel-mean scatter-weights-swapped assign-for-accumulate "
    "fancy-index-add batch-0-scatter forward-as-adjoint ceil-neighbour paper-literal-kink stale-buffer "
    "zero-grid-gradient needs-grid-only-broken scaled-1.0001",
    "theta": "missing-ones-column base-grid-yx theta-transposed inverse-transform missing-sum mean-for-sum "
    "rows-shared-over-batch",
    "splines": "tps-log-zero tps-log10 tps-log10-in-system-only tps-r-for-r2 tps-missing-half "
    "tps-missing-half-at-targets",
    "cubic": "cubic-a cubic-tap-derivative",
    "second_order": "missing-mixed-term missing-cotangent-gradient",
    "system": "ignored-strides nondeterministic-order enum-swap silent-fallback overwrites-input "
    "overwrites-cotangent float32-inside crashes hangs",
}

every_fault = pytest.mark.parametrize("found", FAULTS.values(), ids=FAULTS)


def named(*names):
    return pytest.mark.parametrize("found", [FAULTS[name] for name in names], ids=names)


def of_theme(*themes):
    return [name for name, found in FAULTS.items() if found.theme in themes]


# The dictionary


def test_the_dictionary_is_complete():
    found = {theme: {name for name in FAULTS if FAULTS[name].theme == theme} for theme in THEMES}
    assert found == {theme: set(names.split()) for theme, names in EXPECTED.items()}


@every_fault
def test_a_fault_is_one_or_two_steps_of_the_textbook_done_otherwise(found):
    own = {name for name in vars(found.implementation) if not name.startswith("__") and name != "name"}
    assert own == set(found.steps)
    assert own <= set(STEPS)
    assert 1 <= len(own) <= 2
    assert found.implementation.__bases__ == (Plain,)


@every_fault
def test_a_fault_has_a_name_and_a_sentence(found):
    assert FAULTS[found.name] is found
    assert found.make().name == found.anchor == found.name
    assert found.sentence.endswith(".")
    assert 40 <= len(found.sentence) <= 250
    assert found.convention in {"", *PROFILES}


def test_names_and_implementations_and_sentences_are_distinct():
    assert len({found.implementation for found in FAULTS.values()}) == len(FAULTS)
    assert len({found.sentence for found in FAULTS.values()}) == len(FAULTS)


def test_a_name_is_given_once():
    with pytest.raises(ValueError, match=r"fault: the name 'xy-swap' is taken by XYSwap"):
        fault("xy-swap", "The same again.")(Plain)


# What they answer


@cache
def expected(number):
    return QUESTIONS[number].ask(Plain())


def same(answers, others):
    """Whether they agree, to rounding."""
    return answers.keys() == others.keys() and all(
        array.shape == others[name].shape and np.allclose(array, others[name], 1e-9, 1e-9, equal_nan=True)
        for name, array in answers.items()
    )


def tells(found, number):
    """Whether the answers to a question tell a fault from the textbook."""
    return not same(QUESTIONS[number].ask(found.make()), expected(number))


def questions_to(*methods):
    return [number for number, question in enumerate(QUESTIONS) if question.method in methods]


ONLY_IN_THE_LAST_BITS = "nondeterministic-order"
EQUIVALENT = [name for name, found in FAULTS.items() if found.equivalent]
DANGEROUS = [name for name, found in FAULTS.items() if found.dangerous]
WRONG = [name for name in FAULTS if name not in (*EQUIVALENT, *DANGEROUS, ONLY_IN_THE_LAST_BITS)]


@named(*WRONG)
def test_a_fault_gives_a_wrong_answer(found):
    assert any(tells(found, number) for number in range(len(QUESTIONS)))


@named(*EQUIVALENT)
def test_what_is_proved_equivalent_gives_the_same_answers(found):
    assert len(found.equivalent) > 200
    numbers = questions_to("tps_grid", "tps_grid_vjp") + questions_to("grid_sample_vjp_vjp")[::5]
    assert not any(tells(found, number) for number in numbers)


def test_the_textbook_agrees_with_itself():
    assert all(same(question.ask(Plain()), expected(n)) for n, question in enumerate(QUESTIONS[:30]))


@named(*of_theme("gradients", "second_order"))
def test_a_fault_in_derivatives_leaves_the_values_right(found):
    numbers = questions_to("grid_sample", "affine_grid", "tps_grid")
    assert not any(tells(found, number) for number in numbers[::5])


@named(*of_theme("second_order"))
def test_a_fault_of_second_order_leaves_the_first_order_right(found):
    numbers = questions_to("grid_sample_vjp", "grid_sample_jvp", "affine_grid_vjp", "tps_grid_vjp")
    assert not any(tells(found, number) for number in numbers[::5])


@named(*of_theme("theta", "splines"))
def test_a_fault_in_the_grid_leaves_the_sampler_right(found):
    assert not any(tells(found, number) for number in questions_to("grid_sample", "grid_sample_vjp")[::10])


@named(*of_theme("padding", "gradients", "cubic", "second_order"))
def test_a_fault_in_the_sampler_leaves_the_grid_right(found):
    methods = ("affine_grid", "affine_grid_vjp", "tps_grid", "tps_grid_vjp")
    assert not any(tells(found, number) for number in questions_to(*methods)[::4])


# Each says in its sentence what it does; here is the same in numbers.

U = normal(1, 2, 3, 4, 5)
GRID = {align_corners: anywhere(U.shape, (6, 7), align_corners) for align_corners in (True, False)}
V_BAR = normal(2, 2, 3, 6, 7)
both_conventions = pytest.mark.parametrize("align_corners", [True, False])


def value(name, grid, mode="bilinear", padding_mode="zeros", align_corners=True):
    backend = FAULTS[name].make() if name else Plain()
    return backend.grid_sample(U, grid, mode=mode, padding_mode=padding_mode, align_corners=align_corners)


def cotangents(name, align_corners=True, mode="bilinear", padding_mode="zeros"):
    how = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    backend = FAULTS[name].make() if name else Plain()
    return backend.grid_sample_vjp(U, GRID[align_corners], V_BAR, needs=["U", "grid"], **how)


def test_xy_swap_reads_the_grid_the_other_way_round():
    np.testing.assert_array_equal(value("xy-swap", GRID[True]), value("", GRID[True][..., ::-1]))


@both_conventions
def test_align_swap_is_the_other_convention(align_corners):
    grid = GRID[align_corners]
    for padding_mode in Plain.padding_modes:
        how = {"padding_mode": padding_mode}
        expected = value("", grid, align_corners=not align_corners, **how)
        np.testing.assert_array_equal(value("align-swap", grid, align_corners=align_corners, **how), expected)


def test_align_in_grid_only_always_samples_by_true():
    expected = value("", GRID[False], align_corners=True)
    np.testing.assert_array_equal(value("align-in-grid-only", GRID[False], align_corners=False), expected)


def test_missing_half_pixel_moves_by_half_a_pixel():
    half_a_pixel = 1 / np.array([5, 4])
    expected = value("", GRID[False] + half_a_pixel, align_corners=False)
    found = value("missing-half-pixel", GRID[False], align_corners=False)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_w_minus_2_scales_by_it():
    corner = np.ones((2, 1, 1, 2))
    np.testing.assert_array_equal(value("w-minus-2", corner)[..., 0, 0], U[..., -2, -2])


def test_pixel_for_normalised_reads_pixels():
    pixels = np.array([[[[3.0, 2.0]]], [[[0.0, 1.0]]]])
    found = value("pixel-for-normalised", pixels)[..., 0, 0]
    np.testing.assert_array_equal(found, [U[0, :, 2, 3], U[1, :, 1, 0]])


def test_trunc_for_floor_has_the_weights_that_it_names():
    half_a_pixel_before = np.full((2, 1, 1, 2), -1) - [0.5 / 2, 0]
    expected = 1.5 * U[..., 0, 0] - 0.5 * U[..., 0, 1]
    np.testing.assert_allclose(value("trunc-for-floor", half_a_pixel_before)[..., 0, 0], expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ties-half-even", [-2, 0, 0, 2, 2]),
        ("ties-half-away", [-2, -1, 1, 2, 3]),
        ("round-after-floor", [-2, -1, 0, 1, 2]),
    ],
)
def test_ties(name, expected):
    ties = np.array([-1.5, -0.5, 0.5, 1.5, 2.5])
    assert FAULTS[name].make().nearest(ties).tolist() == expected
    assert Plain().nearest(ties).tolist() == [-1, 0, 1, 2, 3]


@pytest.mark.parametrize("name", ["missing-mask", "weights-before-padding"])
def test_without_a_mask_zeros_becomes_border(name):
    found = value(name, GRID[True], padding_mode="zeros")
    np.testing.assert_allclose(found, value("", GRID[True], padding_mode="border"), rtol=0, atol=1e-12)


def test_last_row_lost_loses_the_last_row():
    identity = Plain().affine_grid(np.repeat(np.eye(2, 3)[None], 2, 0), U.shape, align_corners=True)
    found = value("last-row-lost", identity)
    np.testing.assert_allclose(found[..., :-1, :-1], U[..., :-1, :-1])
    assert not found[..., -1, :].any()
    assert not found[..., -1].any()


def test_reflection_and_border_are_exchanged():
    found = value("enum-swap", GRID[True], padding_mode="border")
    np.testing.assert_array_equal(found, value("", GRID[True], padding_mode="reflection"))


def test_what_is_not_built_is_something_else():
    found = value("silent-fallback", GRID[True], mode="bicubic", padding_mode="reflection")
    np.testing.assert_array_equal(found, value("", GRID[True]))


@pytest.mark.parametrize(
    ("name", "factors"),
    [
        ("missing-half-w", {True: (1 / 2, 1 / 1.5), False: (1 / 2.5, 1 / 2)}),
        ("w-over-2", {True: (2.5 / 2, 2 / 1.5), False: (1, 1)}),
        ("w-floor-div-2", {True: (1, 1 / 1.5), False: (2 / 2.5, 1)}),
        ("other-modes-factor", {True: (2.5 / 2, 2 / 1.5), False: (2 / 2.5, 1.5 / 2)}),
        ("sign-of-eq7", {True: (-1, -1), False: (-1, -1)}),
        ("channel-mean", {True: (1 / 3, 1 / 3), False: (1 / 3, 1 / 3)}),
        ("zero-grid-gradient", {True: (0, 0), False: (0, 0)}),
    ],
)
@both_conventions
def test_the_grids_cotangent_is_wrong_by_a_factor(name, factors, align_corners):
    expected = cotangents("", align_corners)["grid"] * factors[align_corners]
    np.testing.assert_allclose(cotangents(name, align_corners)["grid"], expected)


def test_the_paper_to_the_letter_is_the_kink_of_that_name():
    _, pullback = stn_ref.vjp(
        lambda grid: stn_ref.grid_sample(U, grid, align_corners=True, kink="paper"), GRID[True]
    )
    [expected] = pullback(V_BAR)
    np.testing.assert_allclose(cotangents("paper-literal-kink")["grid"], expected)


def test_cubic_a_is_keys_own():
    expected = stn_ref.grid_sample(U, GRID[True], mode=stn_ref.bicubic(-0.5), align_corners=True)
    np.testing.assert_allclose(value("cubic-a", GRID[True], mode="bicubic"), expected)


def test_all_of_the_batch_ends_in_its_first_image():
    right, wrong = cotangents("")["U"], cotangents("batch-0-scatter")["U"]
    np.testing.assert_allclose(wrong[0], right.sum(axis=0))
    assert not wrong[1].any()


def test_beyond_the_border_a_slope_is_kept():
    beyond, how = np.full((2, 1, 1, 2), -3.0), {"mode": "bilinear", "padding_mode": "border"}
    for name, slope in (("border-derivative-kept", (U[..., 0, 1] - U[..., 0, 0]).sum(axis=1) * 2), ("", 0)):
        backend = FAULTS[name].make() if name else Plain()
        V_bar, needs = np.ones((2, 3, 1, 1)), ["grid"]
        found = backend.grid_sample_vjp(U, beyond, V_bar, needs=needs, align_corners=True, **how)
        np.testing.assert_allclose(found["grid"][:, 0, 0, 0], slope)


def test_the_inverse_transform_goes_back():
    theta = np.array([[[2.0, 0.5, 1.0], [0.0, 4.0, -3.0]]])
    back = np.linalg.inv(np.concatenate([theta[0], [[0, 0, 1]]]))[None, :2]
    size, how = (1, 1, 3, 4), {"align_corners": True}
    found = FAULTS["inverse-transform"].make().affine_grid(theta, size, **how)
    np.testing.assert_allclose(found, Plain().affine_grid(back, size, **how), rtol=0, atol=1e-12)


def test_a_spline_with_a_fault_misses_its_control_points_and_a_right_one_does_not():
    places = normal(3, 1, 4, 2)
    corners = np.array([[-1.0, -1], [1, -1], [-1, 1], [1, 1]])
    centre = np.append(corners, [[0.0, 0.0]], axis=0), np.append(places, [[[0.25, 0.5]]], axis=1)
    for name in of_theme("splines"):
        found = (
            FAULTS[name]
            .make()
            .tps_grid(centre[1], (1, 1, 3, 3), control_points=centre[0], align_corners=True)
        )
        hits = np.allclose(found[0, 1, 1], centre[1][0, -1])
        assert hits == (name in (*EQUIVALENT, "tps-r-for-r2")), name


# Faults that show only in the last bits, or that end the process


def test_nondeterministic_order_changes_the_last_bits_alone():
    U, V_bar = np.ones((1, 2, 2, 2)), normal(4, 1, 2, 100, 100)
    grid = np.random.default_rng(5).uniform(-1, 1, size=(1, 100, 100, 2))
    backend, how = FAULTS[ONLY_IN_THE_LAST_BITS].make(), SETTINGS[0]
    answers = [backend.grid_sample_vjp(U, grid, V_bar, needs=["U"], **how)["U"] for _ in range(10)]
    assert len({answer.tobytes() for answer in answers}) > 1
    for answer in answers:
        np.testing.assert_allclose(answer, answers[0])


@named(*DANGEROUS)
def test_a_dangerous_fault_is_harmless_on_ordinary_questions(found):
    ordinary = [n for n, question in enumerate(QUESTIONS) if is_ordinary(question)]
    assert not any(tells(found, number) for number in ordinary[::10])


def is_ordinary(question):
    return all(np.isfinite(array).all() and np.abs(array).max() < 100 for array in question.arrays.values())


def last_words(code):
    """How a process ends that runs this code, and gets 0.3 seconds of computing after its imports."""
    lines = [
        "import signal, numpy as np",
        "from stn_ref.faults import FAULTS",
        "how = dict(mode='nearest', padding_mode='reflection', align_corners=True)",
        "signal.setitimer(signal.ITIMER_VIRTUAL, 0.3)",
        code,
    ]
    return subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True).returncode


needs_signals = pytest.mark.skipif(not hasattr(signal, "SIGVTALRM"), reason="this system has no timers")


@needs_signals
def test_an_empty_batch_crashes():
    code = "FAULTS['crashes'].make().grid_sample(np.ones(({n}, 1, 2, 2)), np.ones(({n}, 1, 1, 2)), **how)"
    assert last_words(code.format(n=0)) == -signal.SIGABRT
    assert last_words(code.format(n=1)) == 0


@needs_signals
def test_a_huge_coordinate_hangs():
    code = "FAULTS['hangs'].make().grid_sample(np.ones((1, 1, 2, 2)), np.full((1, 1, 1, 2), {x}), **how)"
    assert last_words(code.format(x=1e38)) == -signal.SIGVTALRM
    assert last_words(code.format(x=5.0)) == 0
