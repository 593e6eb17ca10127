"""The table of adapters, what each claims, and those that can be run here against ``stn_ref`` itself."""

import ast
import subprocess
import sys
from importlib import import_module
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import stn_ref
from stn_ref.oracle import adapters
from stn_ref.oracle.adapters import ADAPTERS, load
from stn_ref.oracle.adapters.differentiating import Differentiating
from stn_ref.oracle.adapters.pixels import pixel_axes
from stn_ref.oracle.adapters.scipy_ndimage import SciPy
from stn_ref.oracle.backend import Backend, Unsupported
from stn_ref.oracle.calls import Call
from stn_ref.oracle.isolation import worker
from stn_ref.oracle.reproducer import definition
from stn_ref.oracle.truth.profiles import PROFILES
from stn_ref.pixels import PADDING_MODES, to_pixels

FILES = sorted(Path(adapters.__file__).parent.glob("*.py"))
OURS = "ours.py"  # runs in this interpreter only
RUN_HERE = [name for name in ADAPTERS if name != "torch-compile"]  # which takes a minute to compile
ROUNDINGS = 64  # of numbers below 8, that an answer here may be away from ours


whatever_it_warns_of = pytest.mark.filterwarnings("ignore")  # which is not ours to mend


def class_of(name):
    module, _, class_name = ADAPTERS[name].target.partition(":")
    return getattr(import_module(f"stn_ref.oracle.adapters.{module}"), class_name)


def loaded(name):
    try:
        return load(name)
    except (ImportError, Unsupported) as error:
        return pytest.skip(str(error))


def beyond_python_3_9(source):
    """What in a source Python 3.9 does not understand, in syntax or when annotations are evaluated."""
    try:
        tree = ast.parse(source, feature_version=(3, 9))
    except SyntaxError as error:
        return [str(error)]
    notes = [node.annotation for node in ast.walk(tree) if isinstance(node, ast.arg | ast.AnnAssign)]
    notes += [node.returns for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    parts = [part for note in notes if note is not None for part in ast.walk(note)]
    return [ast.unparse(part) for part in parts if isinstance(part, ast.BinOp)]


def foreign_imports(source):
    """What a file imports at module level that need not be there, next to a backend."""
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            outside = node.level > 2 or (node.level == 2 and node.module != "backend")
            if outside or node.level == 0:
                found.append("." * node.level + (node.module or ""))
    return [name for name in found if name.split(".")[0] not in {*sys.stdlib_module_names, "numpy"}]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_can_be_loaded_by_python_3_9_next_to_a_backend(path):
    source = path.read_text("utf-8")
    assert beyond_python_3_9(source) == []
    if path.name != OURS:
        assert foreign_imports(source) == []


@pytest.mark.parametrize(
    "source",
    ["match x:\n    case 1: pass", "def f(x: int | None): ...", "def f() -> int | None: ...", "x: int | str"],
)
def test_what_python_3_9_does_not_understand_is_found(source):
    assert beyond_python_3_9(source)


@pytest.mark.parametrize("source", ["import torch", "from ..calls import Call", "from ...ops import x"])
def test_a_foreign_import_is_found(source):
    assert foreign_imports(source)


def test_the_table_names_every_adapter_once():
    named = {ADAPTERS[name].target for name in ADAPTERS}
    found = set()
    for path in FILES:
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name not in ("Adapter", "Differentiating"):
                found.add(f"{path.stem}:{node.name}")
    assert found == named
    assert len(named) == len(ADAPTERS)


@pytest.mark.parametrize("name", ADAPTERS)
def test_each_class_claims_what_can_be_claimed(name):
    backend = class_of(name)
    assert issubclass(backend, Backend)
    assert backend.name == name
    claims = {
        "modes": ("nearest", "bilinear", "bicubic"),
        "padding_modes": PADDING_MODES,
        "align_corners": (True, False),
        "dims": (2, 3),
        "dtypes": ("float16", "float32", "float64"),
    }
    for claim, possible in claims.items():
        claimed = getattr(backend, claim)
        assert claimed
        assert set(claimed) <= set(possible)
    assert backend.profile in PROFILES
    assert backend.half_coordinates == "float32"
    compile(backend.snippet, f"{name}'s snippet", "exec")
    assert definition(backend.snippet, "grid_sample")
    assert bool(definition(backend.snippet, "grid_sample_vjp")) == issubclass(backend, Differentiating)
    assert ADAPTERS[name].description


def test_nothing_is_imported_before_it_is_asked_for_and_no_more_of_stn_ref_than_the_oracle():
    script = f"""
import sys, types
for name in ("stn_ref", "stn_ref.oracle"):
    module = sys.modules[name] = types.ModuleType(name)
    module.__path__ = [{str(FILES[0].parents[2])!r} + name[len("stn_ref"):].replace(".", "/")]
from stn_ref.oracle import adapters
assert not any(name.startswith("stn_ref.oracle.adapters.") for name in sys.modules)
assert not {{"scipy", "torch", "jax", "onnx", "cv2"}} & set(sys.modules)
import numpy as np
settings = {{"mode": "bilinear", "padding_mode": "zeros", "align_corners": True}}
print(adapters.load("scipy").grid_sample(np.eye(2)[None, None], np.zeros((1, 1, 1, 2)), **settings))
assert not {{"stn_ref.ops", "stn_ref.pixels", "stn_ref.errors"}} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout == "[[[[0.5]]]]\n"


def test_a_name_that_is_not_in_the_table_and_a_backend_that_is_not_here_are_refused(monkeypatch):
    with pytest.raises(ValueError, match=r"'scypi'; expected one of stn_ref, torch, .*scipy"):
        load("scypi")
    for name in ("kornia", "cv2"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"'kornia' cannot be imported .*; pip install kornia$"):
        load("kornia")
    with pytest.raises(ImportError, match="pip install opencv-python-headless"):
        load("opencv")  # imported by its constructor


# Those that are here, on questions without kinks.


def question(seed, d, dtype, align_corners, inside=False):
    """U, a grid whose pixel coordinates are a quarter away from kinks and ties, V_bar; dyadic numbers."""
    rng = np.random.default_rng(seed)
    N, C, source, target = 2, 3, (5, 9, 3)[:d], (3, 2, 4)[:d]
    if not align_corners:
        source = (4, 8, 2)[:d]
    U = rng.integers(-16, 17, (N, C, *source)) / 8
    columns = []
    for size in reversed(source):
        low, high = (0, size - 1) if inside else (-size, 2 * size)
        x = rng.integers(low, high, (N, *target)) + rng.choice([0.25, 0.375, 0.75], (N, *target))
        span = size - 1 if align_corners else size  # a power of two: the division is exact
        columns.append((2 * x - (size - 1)) / span)
    V_bar = rng.integers(-16, 17, (N, C, *target)) / 8
    return [array.astype(dtype) for array in (U, np.stack(columns, axis=-1), V_bar)]


def differences(backend, inputs, **settings):
    """By how many roundings the backend's answers are away from ours, of what it has."""
    U, grid, V_bar = inputs
    exactly = [array.astype(np.float64) for array in inputs]
    V, pullback = stn_ref.vjp(lambda U, grid: stn_ref.grid_sample(U, grid, **settings), *exactly[:2])
    U_bar, grid_bar = pullback(exactly[2])
    pairs = [(backend.grid_sample(U, grid, **settings), V)]
    try:
        bars = backend.grid_sample_vjp(U, grid, V_bar, needs=("U", "grid"), **settings)
    except Unsupported:
        assert not isinstance(backend, Differentiating)
    else:
        pairs += [(bars["U"], U_bar), (bars["grid"], grid_bar)]
    found = []
    for got, expected in pairs:
        if got is not None:
            got = np.asarray(got)
            assert got.shape == expected.shape
            assert got.dtype == U.dtype
            scale = max(8.0, np.abs(expected).max())
            found.append(np.abs(got - expected).max() / (scale * np.finfo(U.dtype).eps))
    return found


@pytest.mark.parametrize("name", ["stn_ref", "scipy"])
def test_our_own_and_scipys_do_all_that_they_claim(name):
    backend = load(name)
    claims = product(backend.modes, backend.padding_modes, backend.align_corners)
    for seed, (mode, padding_mode, align_corners) in enumerate(claims):
        settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
        for d, dtype in product(backend.dims, backend.dtypes):
            found = differences(backend, question(seed, d, dtype, align_corners), **settings)
            assert max(found) <= ROUNDINGS, settings


@whatever_it_warns_of
@pytest.mark.parametrize("name", RUN_HERE)
def test_each_backend_that_is_here_agrees_inside_the_image(name):
    backend = loaded(name)
    for seed, (d, dtype, align_corners) in enumerate(
        product(backend.dims, backend.dtypes, backend.align_corners)
    ):
        settings = {"mode": "bilinear", "padding_mode": "zeros", "align_corners": align_corners}
        found = differences(backend, question(seed, d, dtype, align_corners, inside=True), **settings)
        assert max(found) <= ROUNDINGS, (d, dtype, align_corners)


@whatever_it_warns_of
@pytest.mark.parametrize("name", RUN_HERE)
def test_each_affine_grid_that_is_here_agrees(name):
    backend = loaded(name)
    if type(backend).affine_grid is Backend.affine_grid:
        pytest.skip("it claims none")
    theta = np.array([[[0.5, 0.25, -0.25], [1.0, -0.5, 0.125]]], np.float32)
    for align_corners in backend.align_corners:
        try:
            grid = np.asarray(backend.affine_grid(theta, (1, 1, 3, 5), align_corners=align_corners))
        except Unsupported as error:
            pytest.skip(str(error))
        expected = stn_ref.affine_grid(theta, (1, 1, 3, 5), align_corners=align_corners)
        assert grid.shape == expected.shape
        assert np.abs(grid - expected).max() <= 4 * np.finfo(np.float32).eps


@whatever_it_warns_of
@pytest.mark.parametrize("name", RUN_HERE)
def test_the_snippet_gives_what_the_adapter_gives(name):
    backend = loaded(name)
    here = {"np": np}
    exec(backend.snippet, here)
    for call in calls(backend):
        answer = worker.run(backend, call)
        assert not answer.failure, answer.detail
        if not answer.unsupported:
            found = here[call.method](**call.arrays, **call.settings)
            for output, expected in answer.outputs.items():
                got = np.asarray(found[output] if output else found)
                assert got.dtype == expected.dtype
                assert np.allclose(got, expected, rtol=1e-6, atol=0, equal_nan=True), (call.method, output)


def calls(backend):
    """One of each method, and samples as far away as can be where the snippet turns them into pixels."""
    dtype, align_corners = backend.dtypes[-1], backend.align_corners[-1]
    U, grid, V_bar = question(0, 2, dtype, align_corners, inside=True)
    far = grid.copy()
    far[:, 0], far[:, 1] = np.finfo(dtype).max, -1e30
    sampler = {"mode": "bilinear", "padding_mode": "zeros", "align_corners": align_corners}
    at = {"U": U, "grid": grid}
    yield Call("grid_sample", at, sampler)
    if "pixel_axes" in backend.snippet:
        yield Call("grid_sample", {"U": U, "grid": far}, sampler)
    alone = [("U",), ("grid",)] if backend.name != "paddle" else []  # which ends the process
    for needs in (("U", "grid"), *alone):
        yield Call("grid_sample_vjp", {**at, "V_bar": V_bar}, {**sampler, "needs": needs})
    dots = {"U_dot": np.cos(U), "grid_dot": np.sin(grid)}
    yield Call("grid_sample_jvp", {**at, **dots}, sampler)
    bars = {"V_bar": V_bar, "U_bar_bar": np.cos(U), "grid_bar_bar": np.sin(grid)}
    yield Call("grid_sample_vjp_vjp", {**at, **bars}, {**sampler, "needs": ("U", "grid", "V_bar")})
    theta = np.array([[[0.5, 0.25, -0.25], [1.0, -0.5, 0.125]]], dtype)
    gridding = {"size": (1, 1, 3, 5), "align_corners": align_corners}
    grid_bar = np.ones((1, 3, 5, 2), dtype)
    yield Call("affine_grid", {"theta": theta}, gridding)
    yield Call("affine_grid_vjp", {"theta": theta, "grid_bar": grid_bar}, gridding)
    points = np.array([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [0.5, 0.75]], dtype)
    spline = {"places": points[None] + 0.25, "control_points": points}
    yield Call("tps_grid", spline, gridding)
    yield Call("tps_grid_vjp", {**spline, "grid_bar": grid_bar}, gridding)


@pytest.mark.parametrize("needs", [("U",), ("grid",), ("grid", "U")])
def test_only_what_is_needed_is_given(needs):
    U, grid, V_bar = question(0, 2, "float64", True)
    settings = {"mode": "bilinear", "padding_mode": "border", "align_corners": True}
    both = load("stn_ref").grid_sample_vjp(U, grid, V_bar, needs=("U", "grid"), **settings)
    some = load("stn_ref").grid_sample_vjp(U, grid, V_bar, needs=needs, **settings)
    assert list(some) == list(needs)
    assert all(np.array_equal(some[name], both[name]) for name in needs)


def test_the_second_order_keeps_its_identities():
    """The vjp is linear in V_bar, and the derivative for that is the jvp; grid_bar is linear in U."""
    backend = load("stn_ref")
    U, grid, V_bar = question(1, 2, "float64", False)
    U_bar_bar, grid_bar_bar = np.cos(np.arange(U.size)).reshape(U.shape), np.sin(grid)
    settings = {"mode": "bicubic", "padding_mode": "reflection", "align_corners": False}
    needs = ("V_bar", "U", "grid")
    second = backend.grid_sample_vjp_vjp(U, grid, V_bar, U_bar_bar, grid_bar_bar, needs=needs, **settings)
    V_dot = backend.grid_sample_jvp(U, grid, U_bar_bar, grid_bar_bar, **settings)
    assert list(second) == list(needs)
    assert np.allclose(second["V_bar"], V_dot, rtol=1e-12)
    first = backend.grid_sample_vjp(U, grid, V_bar, needs=["grid"], **settings)
    assert np.isclose(np.vdot(U, second["U"]), np.vdot(first["grid"], grid_bar_bar), rtol=1e-12)
    assert second["grid"].shape == grid.shape


def test_our_thin_plate_spline_is_ours():
    backend = load("stn_ref")
    points = np.array([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [0.5, 0.75]])
    places = points + np.array([[[0.25, 0.0], [0.0, 0.5], [0.125, 0.0], [0.0, -0.25]]])
    settings = {"control_points": points, "align_corners": False}
    grid = backend.tps_grid(places, (1, 1, 3, 4), **settings)
    assert np.array_equal(grid, stn_ref.tps_grid(places, (1, 1, 3, 4), **settings))
    places_bar = backend.tps_grid_vjp(places, (1, 1, 3, 4), np.ones_like(grid), **settings)
    assert np.isclose(np.vdot(places_bar, places), grid.sum())  # it is linear


# What they stand on, and that the comparison can fail.


class Swapped(SciPy):
    def grid_sample(self, U, grid, **settings):
        return super().grid_sample(U, grid[..., ::-1], **settings)


class OfTheOtherConvention(SciPy):
    def grid_sample(self, U, grid, *, align_corners, **settings):
        return super().grid_sample(U, grid, align_corners=not align_corners, **settings)


@pytest.mark.parametrize("faulty", [Swapped, OfTheOtherConvention])
def test_a_faulty_adapter_is_noticed(faulty):
    settings = {"mode": "bilinear", "padding_mode": "border", "align_corners": True}
    assert max(differences(faulty(), question(0, 2, "float64", True), **settings)) > ROUNDINGS


@pytest.mark.parametrize("align_corners", [True, False])
def test_pixel_axes_are_those_of_the_library_slowest_first(align_corners):
    grid = np.array([[0.5, -1.0, 3.0], [np.inf, -np.inf, np.inf], [-0.25, 1.0, 0.0]])
    sizes = (1, 6, 9)
    axes = pixel_axes(np, grid, sizes, align_corners)
    for k, (axis, size) in enumerate(zip(reversed(axes), reversed(sizes))):
        assert np.array_equal(axis, to_pixels(grid[..., k], size, align_corners))
    for dtype in ("float16", "float32"):
        assert {axis.dtype.name for axis in pixel_axes(np, grid.astype(dtype), sizes, True)} == {dtype}


def test_pixel_axes_keep_the_largest_finite_and_nan_nan():
    largest = np.finfo(np.float32).max
    grid = np.array([[largest, -largest], [np.nan, np.nan]], np.float32)
    y, x = pixel_axes(np, grid, (9, 9), False)
    assert np.array_equal(x, [largest, np.nan], equal_nan=True)
    assert np.array_equal(y, [-largest, np.nan], equal_nan=True)


def test_what_a_backend_has_not_is_unsupported():
    U, grid, V_bar = question(0, 2, "float64", True)
    settings = {"mode": "bilinear", "padding_mode": "zeros", "align_corners": True}
    with pytest.raises(Unsupported):
        load("scipy").grid_sample_vjp(U, grid, V_bar, needs=("U",), **settings)
    with pytest.raises(Unsupported, match="no affine_grid"):
        Differentiating().gridded(U, (1, 1, 2, 2), True)
    with pytest.raises(Unsupported, match="no forward mode"):
        Differentiating().pushed(np.sin, [U], [U])
