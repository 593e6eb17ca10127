"""Inputs for every registered operator: from this list the registry's checks are generated.

A case is (inputs, settings). For each operator: ``ordinary`` ones, which are checked against finite
differences; ``small`` ones with empty and size-1 axes; ``refused`` ones with a pattern of the message.
Coordinates are an integer cell plus a fraction in [0.05, 0.95], so that no difference straddles a kink.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from stn_ref.kernels.sampling import Setup
from stn_ref.ops.grids import affine_points
from stn_ref.ops.interpolation import (
    BICUBIC,
    BILINEAR,
    CUBIC_SPLINE,
    LANCZOS,
    NEAREST,
    QUADRATIC_SPLINE,
    gaussian,
)

rng = np.random.default_rng(20150605)


def normal(*shape: int) -> np.ndarray:
    return rng.normal(size=shape)


def positive(*shape: int) -> np.ndarray:
    return rng.uniform(0.5, 2.0, size=shape)


def away_from_0(*shape: int) -> np.ndarray:
    return rng.uniform(0.2, 2.0, size=shape) * rng.choice([-1, 1], size=shape)


def distinct(*shape: int) -> np.ndarray:
    return rng.permutation(int(np.prod(shape))).reshape(shape) / 4.0


def regular(*shape: int) -> np.ndarray:
    """Square matrices with a large diagonal, far from singular ones."""
    return rng.uniform(-1, 1, size=shape) + 4 * np.eye(shape[-1])


def points(n: int, *shape: int, low: int = -3, high: int = 8) -> np.ndarray:
    cells = rng.integers(low, high, size=(n, *shape))
    return cells + rng.uniform(0.05, 0.95, size=(n, *shape))


def thetas(n: int, size: tuple[int, ...], source: tuple[int, ...]) -> np.ndarray:
    """Affine maps that send no pixel of the output near a kink, under either convention."""
    d, found = len(size), []
    while len(found) < n:
        theta = (np.eye(d, d + 1) + rng.uniform(-0.6, 0.6, (d, d + 1)))[None]
        both = [affine_points(theta, size=size, source=source, align_corners=ac) for ac in (True, False)]
        if all(np.abs(2 * where - np.round(2 * where)).min() > 0.02 for where in both):
            found.append(theta)
    return np.concatenate(found)


@dataclass
class Cases:
    ordinary: list[tuple[tuple[Any, ...], dict[str, Any]]]
    small: list[tuple[tuple[Any, ...], dict[str, Any]]]
    refused: list[tuple[tuple[Any, ...], dict[str, Any], str]] = field(default_factory=list)


def volume_points() -> np.ndarray:
    return np.concatenate([points(2, 1, 3, low=0, high=2), rng.uniform(0.6, 1.0, (2, 1, 3))], axis=-1)


def unary(make: Any, refused: Any = "text") -> Cases:
    pattern = r"\(given x: 'text'\)" if refused == "text" else ""
    return Cases(
        ordinary=[((make(3, 4),), {}), ((make(5),), {})],
        small=[((make(0),), {}), ((make(2, 0, 3),), {}), ((make(1),), {}), ((make(),), {})],
        refused=[(("text",), {}, pattern) if pattern else ((), {}, "argument .x. is missing")],
    )


def binary(make_x: Any, make_y: Any) -> Cases:
    return Cases(
        ordinary=[
            ((make_x(3, 4), make_y(3, 4)), {}),
            ((make_x(3, 4), make_y(4)), {}),
            ((make_x(3, 1, 2), make_y(5, 1)), {}),
            ((make_x(), make_y(2, 3)), {}),
        ],
        small=[((make_x(0), make_y(0)), {}), ((make_x(2, 0), make_y(1)), {}), ((make_x(1), make_y(1)), {})],
        refused=[
            (
                (make_x(3), make_y(4)),
                {},
                r"x: float64 array of shape \(3,\), y: float64 array of shape \(4,\)",
            )
        ],
    )


SETUPS = [
    Setup(kernel, padding, align_corners, "right")
    for kernel in (NEAREST, BILINEAR, BICUBIC)
    for padding, align_corners in (
        ("zeros", True),
        ("border", True),
        ("reflection", True),
        ("reflection", False),
    )
]
OTHER_SETUPS = [
    Setup(LANCZOS, "zeros", True, "right"),
    Setup(QUADRATIC_SPLINE, "reflection", False, "right"),
    Setup(CUBIC_SPLINE, "border", True, "right"),
]
# With a width for each sample; the kernel itself has none then.
WIDE_SETUPS = [
    Setup(replace(kernel.widened(1.0), width=None), padding, align_corners, "right")
    for kernel, padding, align_corners in (
        (BILINEAR, "zeros", True),
        (BICUBIC, "reflection", True),
        (gaussian(1.0), "border", False),
    )
]
WRONG_POINTS = r"points: float64 array of shape"


def sampling(make: Any) -> list[Any]:
    """For every kernel and padding; ``make`` gives the inputs and the settings but ``setup``."""
    cases = []
    for setup in SETUPS:
        inputs, settings = make()
        cases.append((inputs, {"setup": setup, **settings}))
    return cases


def affine_sampling(make: Any) -> list[Any]:
    """An image, theta and a cotangent, with few and many channels, for kernels and paddings of each kind."""
    border, folded = replace(PLAIN, padding_mode="border"), Setup(BICUBIC, "reflection", False, "right")
    shapes: list[Any] = [((2, 2, 5, 6), (2, 3), setup) for setup in (PLAIN, border, folded, SETUPS[0])]
    shapes += [((1, 12, 3, 4), (2, 2), border), ((1, 1, 2, 3, 2), (1, 2, 1), PLAIN)]
    return [
        make(normal(*U), thetas(U[0], size, U[2:]), normal(*U[:2], *size), setup) for U, size, setup in shapes
    ]


def affine_small(make: Any) -> list[Any]:
    cases: list[Any] = [((0, 3, 5, 6), (2, 3), PLAIN), ((2, 0, 5, 6), (2, 3), PLAIN)]
    cases += [((2, 3, 5, 6), (0, 3), PLAIN), *(((1, 1, 1, 1), (1, 1), setup) for setup in SETUPS)]
    return [
        make(normal(*shape), np.full((shape[0], 2, 3), 0.3), normal(*shape[:2], *size), setup)
        for shape, size, setup in cases
    ]


def as_sample(U: Any, theta: Any, V: Any, setup: Setup) -> Any:
    return (U, theta), {"size": V.shape[2:], "setup": setup}


def as_splat(U: Any, theta: Any, V: Any, setup: Setup) -> Any:
    return (V, theta), {"shape": U.shape[2:], "setup": setup}


def as_slopes(U: Any, theta: Any, V: Any, setup: Setup) -> Any:
    return (U, theta, V), {"setup": setup}


def other_sampling(make: Any) -> list[Any]:
    """The other kernels, on fewer samples; the last of the inputs are the points."""
    cases = []
    for setup in (*OTHER_SETUPS, *WIDE_SETUPS):
        (*others, where), settings = make()
        if setup in WIDE_SETUPS:
            widest = 0.4 if setup.kernel.name == "gaussian" else 1.7
            where = np.concatenate([where, rng.uniform(0.4 * widest, widest, where.shape)], axis=-1)
        cases.append(((*others, where), {"setup": setup, **settings}))
    return cases


PLAIN = Setup(BILINEAR, "zeros", True, "right")
SPLINE = Setup(CUBIC_SPLINE, "zeros", True, "right")
IMAGE = {"kernel": (2, 3), "stride": (2, 1)}

CASES: dict[str, Cases] = {
    "identity": unary(normal, refused=None),
    "in_c_order": unary(normal, refused=None),
    "negative": unary(normal),
    "exp": unary(normal),
    "log": unary(positive),
    "sqrt": unary(positive),
    "sin": unary(normal),
    "cos": unary(normal),
    "tanh": unary(normal),
    "sigmoid": unary(normal),
    "relu": unary(away_from_0),
    "absolute": unary(away_from_0),
    "add": binary(normal, normal),
    "subtract": binary(normal, normal),
    "multiply": binary(normal, normal),
    "divide": binary(normal, away_from_0),
    "power": binary(positive, normal),
    "maximum": binary(normal, normal),
    "minimum": binary(normal, normal),
    "select": Cases(
        ordinary=[((normal(3, 4), normal(4)), {"condition": normal(3, 4) > 0})],
        small=[
            ((normal(0), normal(0)), {"condition": np.zeros(0, bool)}),
            ((normal(1), normal(1)), {"condition": True}),
        ],
        refused=[((normal(3), normal(4)), {"condition": True}, r"x: float64 array of shape \(3,\)")],
    ),
    "cast": Cases(
        ordinary=[((normal(3, 4),), {"dtype": np.float64})],
        small=[((normal(0),), {"dtype": np.float64}), ((normal(1),), {"dtype": np.float64})],
        refused=[((normal(2),), {"dtype": "no such dtype"}, "no such dtype")],
    ),
    **{
        name: Cases(
            ordinary=[
                ((make(3, 4, 2),), {"axis": axis, "keepdims": keepdims})
                for axis, keepdims in ((None, False), (1, False), ((0, 2), True), (-1, True))
            ],
            small=[((make(1, 1),), {}), ((make(),), {}), ((make(0, 2),), {"axis": 1})],
            refused=[
                ((make(3),), {"axis": 5}, r"axis 5 is out of bounds .*x: float64 array of shape \(3,\)")
            ],
        )
        for name, make in (("sum", normal), ("mean", normal), ("max", distinct), ("logsumexp", normal))
    },
    "log_softmax": Cases(
        ordinary=[((normal(3, 4),), {}), ((normal(3, 4),), {"axis": 0})],
        small=[((normal(0, 4),), {}), ((normal(1, 1),), {})],
        refused=[((normal(3),), {"axis": 5}, r"axis 5 is out of bounds")],
    ),
    "reshape": Cases(
        ordinary=[((normal(3, 4),), {"shape": (2, -1)})],
        small=[((normal(0, 4),), {"shape": (4, 0)}), ((normal(1),), {"shape": ()})],
        refused=[((normal(3),), {"shape": (2, 2)}, r"cannot reshape .*x: float64 array of shape \(3,\)")],
    ),
    "transpose": Cases(
        ordinary=[
            ((normal(3, 4, 2),), {}),
            ((normal(3, 4, 2),), {"axes": (2, 0, 1)}),
            ((normal(3, 4),), {"axes": (-1, 0)}),
        ],
        small=[((normal(0, 4),), {}), ((normal(1),), {}), ((normal(),), {})],
        refused=[((normal(3),), {"axes": (1, 0)}, r"axes don't match .*\(3,\)")],
    ),
    "broadcast_to": Cases(
        ordinary=[((normal(3, 1),), {"shape": (2, 3, 4)}), ((normal(),), {"shape": (2,)})],
        small=[
            ((normal(1),), {"shape": (0,)}),
            ((normal(0),), {"shape": (2, 0)}),
            ((normal(1),), {"shape": (1,)}),
        ],
        refused=[((normal(3),), {"shape": (2, 2)}, r"broadcast.*x: float64 array of shape \(3,\)")],
    ),
    "index": Cases(
        ordinary=[
            ((normal(5, 4),), {"key": (slice(None, None, -2), 1)}),
            ((normal(5, 4),), {"key": ([0, 0, 3], [1, 1, 2])}),
            ((normal(5, 4),), {"key": normal(5, 4) > 0}),
            ((normal(5, 4),), {"key": (..., None, 2)}),
            ((normal(5, 4),), {"key": 3}),
        ],
        small=[
            ((normal(3),), {"key": slice(0, 0)}),
            ((normal(1),), {"key": 0}),
            ((normal(0),), {"key": slice(None)}),
        ],
        refused=[((normal(3),), {"key": 7}, r"index 7 is out of bounds .*\(3,\)")],
    ),
    "scatter": Cases(
        ordinary=[
            ((normal(3),), {"key": ([0, 0, 3],), "shape": (5,)}),
            ((normal(2, 4),), {"key": (slice(1, 3),), "shape": (5, 4)}),
        ],
        small=[
            ((normal(0),), {"key": slice(0, 0), "shape": (3,)}),
            ((normal(1),), {"key": [0], "shape": (1,)}),
        ],
        refused=[((normal(3),), {"key": slice(0, 2), "shape": (4,)}, r"y: float64 array of shape \(3,\)")],
    ),
    "concatenate": Cases(
        ordinary=[
            ((normal(2, 3), normal(4, 3)), {}),
            ((normal(2, 1), normal(2, 3), normal(2, 2)), {"axis": -1}),
        ],
        small=[((normal(0, 2), normal(1, 2)), {}), ((normal(1),), {})],
        refused=[((normal(2), normal(2, 2)), {}, r"arrays\[1\]: float64 array of shape \(2, 2\)")],
    ),
    "pad": Cases(
        ordinary=[
            ((normal(2, 3),), {"widths": ((1, 2), (0, 3))}),
            ((normal(2),), {"widths": ((1, 1),), "value": 5.0}),
        ],
        small=[((normal(0),), {"widths": ((1, 0),)}), ((normal(1),), {"widths": ((0, 0),)})],
        refused=[
            (
                (normal(3),),
                {"widths": 3},
                r"widths is 3, expected a pair \(before, after\) for each of 1 axes",
            )
        ],
    ),
    "matmul": Cases(
        ordinary=[
            ((normal(3, 4), normal(4, 2)), {}),
            ((normal(2, 1, 3, 4), normal(5, 4, 2)), {}),
            ((normal(4), normal(4, 2)), {}),
            ((normal(3, 4), normal(4)), {}),
            ((normal(4), normal(4)), {}),
        ],
        small=[
            ((normal(0, 4), normal(4, 2)), {}),
            ((normal(3, 0), normal(0, 2)), {}),
            ((normal(1, 1), normal(1, 1)), {}),
        ],
        refused=[((normal(2, 3), normal(2, 3)), {}, r"x: float64 array of shape \(2, 3\), y: float64")],
    ),
    "einsum": Cases(
        ordinary=[
            ((normal(2, 3, 4), normal(4, 5)), {"subscripts": "nij,jk->nik"}),
            ((normal(2, 3), normal(3), normal(2)), {"subscripts": "ij,j,i->"}),
            ((normal(2, 3, 4),), {"subscripts": "abc->cb"}),
        ],
        small=[((normal(0, 3), normal(3)), {"subscripts": "ij,j->i"}), ((normal(1),), {"subscripts": "i->"})],
        refused=[
            (
                (normal(2, 3), normal(4)),
                {"subscripts": "ij,j->i"},
                r"operands\[1\]: float64 array of shape \(4,\)",
            )
        ],
    ),
    "solve": Cases(
        ordinary=[
            ((regular(3, 3), normal(3, 2)), {}),
            ((regular(4, 2, 2), normal(4, 2, 3)), {}),
            ((regular(5, 1, 3, 3), normal(4, 3, 1)), {}),
            ((regular(4, 2, 2), normal(2, 3)), {}),
            ((regular(2, 2), normal(4, 2, 3)), {}),
        ],
        small=[
            ((regular(0, 2, 2), normal(0, 2, 3)), {}),
            ((regular(2, 2), normal(2, 0)), {}),
            ((regular(3, 0, 0), normal(0, 2)), {}),
            ((regular(1, 1), normal(1, 1)), {}),
        ],
        refused=[
            ((normal(2, 3), normal(2, 3)), {}, r"A has shape \(2, 3\) and b \(2, 3\), expected"),
            ((np.zeros((2, 2)), normal(2, 3)), {}, r"A is singular"),
        ],
    ),
    "correlate": Cases(
        ordinary=[
            ((normal(2, 3, 5, 6), normal(4, 3, 3, 2)), {"stride": (1, 1), "padding": (0, 0)}),
            ((normal(2, 3, 5, 6), normal(4, 3, 3, 2)), {"stride": (2, 3), "padding": (1, 2)}),
        ],
        small=[
            ((normal(0, 1, 3, 3), normal(1, 1, 2, 2)), {"stride": (1, 1), "padding": (0, 0)}),
            ((normal(1, 1, 1, 1), normal(1, 1, 1, 1)), {"stride": (1, 1), "padding": (0, 0)}),
        ],
        refused=[
            (
                (normal(1, 2, 3, 3), normal(1, 1, 2, 2)),
                {"stride": (1, 1), "padding": (0, 0)},
                r"weight: float64 array of shape \(1, 1, 2, 2\)",
            )
        ],
    ),
    "correlate_input": Cases(
        ordinary=[
            (
                (normal(2, 4, 3, 3), normal(4, 3, 3, 2)),
                {"shape": (2, 3, 5, 6), "stride": (2, 3), "padding": (1, 2)},
            ),
            (
                (normal(2, 4, 3, 5), normal(4, 3, 3, 2)),
                {"shape": (2, 3, 5, 6), "stride": (1, 1), "padding": (0, 0)},
            ),
        ],
        small=[
            (
                (normal(0, 1, 2, 2), normal(1, 1, 2, 2)),
                {"shape": (0, 1, 3, 3), "stride": (1, 1), "padding": (0, 0)},
            ),
            (
                (normal(1, 1, 1, 1), normal(1, 1, 1, 1)),
                {"shape": (1, 1, 1, 1), "stride": (1, 1), "padding": (0, 0)},
            ),
        ],
        refused=[
            (
                (normal(1, 2, 3, 3), normal(1, 1, 2, 2)),
                {"shape": (1, 1, 4, 4), "stride": (1, 1), "padding": (0, 0)},
                r"y: float64 array of shape \(1, 2, 3, 3\)",
            )
        ],
    ),
    "correlate_weight": Cases(
        ordinary=[
            (
                (normal(2, 4, 3, 3), normal(2, 3, 5, 6)),
                {"shape": (4, 3, 3, 2), "stride": (2, 3), "padding": (1, 2)},
            ),
            (
                (normal(2, 4, 3, 5), normal(2, 3, 5, 6)),
                {"shape": (4, 3, 3, 2), "stride": (1, 1), "padding": (0, 0)},
            ),
        ],
        small=[
            (
                (normal(0, 1, 2, 2), normal(0, 1, 3, 3)),
                {"shape": (1, 1, 2, 2), "stride": (1, 1), "padding": (0, 0)},
            ),
            (
                (normal(1, 1, 1, 1), normal(1, 1, 1, 1)),
                {"shape": (1, 1, 1, 1), "stride": (1, 1), "padding": (0, 0)},
            ),
        ],
        refused=[
            (
                (normal(1, 2, 3, 3), normal(2, 1, 4, 4)),
                {"shape": (2, 1, 2, 2), "stride": (1, 1), "padding": (0, 0)},
                r"y: float64 array of shape \(1, 2, 3, 3\)",
            )
        ],
    ),
    "window_max": Cases(
        ordinary=[
            ((distinct(2, 3, 5, 6),), {"out": (2, 4), **IMAGE}),
            ((distinct(2, 1, 5, 5),), {"out": (3, 3), "kernel": (2, 2), "stride": (2, 2)}),
        ],
        small=[
            ((normal(0, 1, 2, 3),), {"out": (1, 1), **IMAGE}),
            ((normal(1, 1, 1, 1),), {"out": (1, 1), "kernel": (1, 1), "stride": (1, 1)}),
        ],
        refused=[((normal(3),), {"out": (1, 1), **IMAGE}, r"x: float64 array of shape \(3,\)")],
    ),
    "window_pick": Cases(
        ordinary=[((normal(2, 3, 5, 6),), {"which": rng.integers(0, 6, (2, 3, 2, 4)), **IMAGE})],
        small=[
            ((normal(0, 1, 2, 3),), {"which": np.zeros((0, 1, 1, 1), int), **IMAGE}),
            (
                (normal(1, 1, 1, 1),),
                {"which": np.zeros((1, 1, 1, 1), int), "kernel": (1, 1), "stride": (1, 1)},
            ),
        ],
        refused=[
            (
                (normal(3),),
                {"which": np.zeros((1, 1, 1, 1), int), **IMAGE},
                r"x: float64 array of shape \(3,\)",
            )
        ],
    ),
    "window_put": Cases(
        ordinary=[
            (
                (normal(2, 3, 2, 4),),
                {"which": rng.integers(0, 6, (2, 3, 2, 4)), "shape": (2, 3, 5, 6), **IMAGE},
            )
        ],
        small=[
            ((normal(0, 1, 1, 1),), {"which": np.zeros((0, 1, 1, 1), int), "shape": (0, 1, 2, 3), **IMAGE}),
            (
                (normal(1, 1, 1, 1),),
                {
                    "which": np.zeros((1, 1, 1, 1), int),
                    "shape": (1, 1, 1, 1),
                    "kernel": (1, 1),
                    "stride": (1, 1),
                },
            ),
        ],
        refused=[
            (
                (normal(3),),
                {"which": np.zeros((1, 1, 1, 1), int), "shape": (1, 1, 2, 3), **IMAGE},
                r"y: float64 array of shape \(3,\)",
            )
        ],
    ),
    "window_sum": Cases(
        ordinary=[((normal(2, 3, 5, 6),), {"out": (2, 4), **IMAGE})],
        small=[
            ((normal(0, 1, 2, 3),), {"out": (1, 1), **IMAGE}),
            ((normal(1, 1, 1, 1),), {"out": (1, 1), "kernel": (1, 1), "stride": (1, 1)}),
        ],
        refused=[((normal(3),), {"out": (1, 1), **IMAGE}, r"x: float64 array of shape \(3,\)")],
    ),
    "window_spread": Cases(
        ordinary=[((normal(2, 3, 2, 4),), {"shape": (2, 3, 5, 6), **IMAGE})],
        small=[
            ((normal(0, 1, 1, 1),), {"shape": (0, 1, 2, 3), **IMAGE}),
            ((normal(1, 1, 1, 1),), {"shape": (1, 1, 1, 1), "kernel": (1, 1), "stride": (1, 1)}),
        ],
        refused=[((normal(3),), {"shape": (1, 1, 2, 3), **IMAGE}, r"y: float64 array of shape \(3,\)")],
    ),
    "sinc": Cases(
        ordinary=[((normal(3, 4) * 4,), {}), ((normal(5),), {"order": 1}), ((normal(5) * 9,), {"order": 2})],
        small=[((normal(0),), {}), ((np.zeros(1),), {}), ((normal(),), {"order": 1})],
        refused=[(("text",), {}, r"\(given x: 'text'\)")],
    ),
    "thin_plate": Cases(
        ordinary=[((positive(3, 4),), {"order": order}) for order in range(4)],
        small=[((normal(0),), {}), ((positive(1),), {}), ((positive(),), {"order": 1})],
        refused=[(("text",), {}, r"\(given q: 'text'\)")],
    ),
    "perspective": Cases(
        ordinary=[((positive(3, 4, 3),), {}), ((positive(2, 4),), {})],
        small=[((positive(0, 3),), {}), ((positive(1, 1, 1, 3),), {}), ((positive(2),), {})],
        refused=[(("text",), {}, r"\(given h: 'text'\)")],
    ),
    "spline_coefficients": Cases(
        ordinary=[
            ((normal(2, 3, 5, 4),), {"setup": Setup(kernel, padding, align_corners, "right")})
            for kernel in (QUADRATIC_SPLINE, CUBIC_SPLINE)
            for padding, align_corners in (
                ("zeros", True),
                ("border", False),
                ("reflection", True),
                ("reflection", False),
            )
        ]
        + [
            ((normal(2, 1, 2, 3, 4),), {"setup": Setup(CUBIC_SPLINE, "border", True, "right")}),
            (
                (normal(1, 2, 3, 4),),
                {"setup": Setup(CUBIC_SPLINE, "reflection", True, "right"), "transposed": True},
            ),
        ],
        small=[
            ((normal(0, 1, 3, 4),), {"setup": SPLINE}),
            ((normal(2, 0, 3, 4),), {"setup": SPLINE}),
            ((normal(1, 1, 1, 1),), {"setup": SPLINE}),
            ((normal(1, 1, 2, 1),), {"setup": Setup(QUADRATIC_SPLINE, "reflection", True, "right")}),
        ],
        refused=[((normal(3, 4),), {"setup": SPLINE}, r"U has shape \(3, 4\), expected \(N, C")],
    ),
    "affine_map": Cases(
        ordinary=[((normal(2, 2, 3),), {"size": (3, 4), "align_corners": ac}) for ac in (True, False)]
        + [((normal(2, 3, 4),), {"size": (3, 4, 2), "align_corners": True})],
        small=[
            ((normal(0, 2, 3),), {"size": (3, 4), "align_corners": True}),
            ((normal(1, 2, 3),), {"size": (1, 1), "align_corners": True}),
            ((normal(2, 2, 3),), {"size": (0, 4), "align_corners": False}),
        ],
        refused=[
            (
                (normal(2, 6),),
                {"size": (3, 4), "align_corners": True},
                r"theta: float64 array of shape \(2, 6\)",
            )
        ],
    ),
    "affine_points": Cases(
        ordinary=[
            ((normal(2, 2, 3),), {"size": (3, 4), "source": (5, 2), "align_corners": ac})
            for ac in (True, False)
        ]
        + [((normal(2, 3, 4),), {"size": (3, 4, 2), "source": (2, 3, 4), "align_corners": False})],
        small=[
            ((normal(0, 2, 3),), {"size": (3, 4), "source": (3, 3), "align_corners": True}),
            ((normal(1, 2, 3),), {"size": (1, 1), "source": (1, 1), "align_corners": True}),
        ],
        refused=[
            (
                (normal(2, 6),),
                {"size": (3, 4), "source": (3, 3), "align_corners": True},
                r"theta: float64 array of shape \(2, 6\)",
            )
        ],
    ),
    "points_of": Cases(
        ordinary=[((normal(2, 3, 4, 2),), {"source": (5, 6), "align_corners": ac}) for ac in (True, False)],
        small=[
            ((normal(0, 3, 4, 2),), {"source": (5, 6), "align_corners": True}),
            ((normal(1, 1, 1, 2),), {"source": (1, 1), "align_corners": True}),
        ],
        refused=[
            (
                (normal(2, 3, 4, 1),),
                {"source": (5, 6), "align_corners": True},
                r"grid: float64 array of shape \(2, 3, 4, 1\)",
            )
        ],
    ),
    **{
        f"affine_{what}": Cases(
            ordinary=affine_sampling(make),
            small=affine_small(make),
            refused=[
                (
                    *make(normal(2, 3, 5, 6), normal(2, 6), normal(2, 3, 2, 3), PLAIN),
                    r"theta: float64 array of shape \(2, 6\)",
                )
            ],
        )
        for what, make in (("sample", as_sample), ("splat", as_splat), ("slopes", as_slopes))
    },
    "sample": Cases(
        ordinary=[
            *sampling(lambda: ((normal(2, 3, 5, 6), points(2, 4, 3, 2)), {})),
            *other_sampling(lambda: ((normal(2, 1, 3, 4), points(2, 2, 2)), {})),
            ((normal(2, 1, 2, 2, 3), volume_points()), {"setup": WIDE_SETUPS[0]}),
            ((normal(2, 3, 5, 6), points(2, 4, 3, 2)), {"setup": PLAIN, "orders": (1, 0)}),
            ((normal(2, 2, 3, 4, 5), points(2, 2, 3, 2, 3)), {"setup": PLAIN}),
        ],
        small=[
            ((normal(0, 3, 5, 6), points(0, 4, 3, 2)), {"setup": PLAIN}),
            ((normal(2, 0, 5, 6), points(2, 4, 3, 2)), {"setup": PLAIN}),
            ((normal(2, 3, 5, 6), points(2, 0, 3, 2)), {"setup": PLAIN}),
            *(((normal(1, 1, 1, 1), points(1, 1, 1, 2)), {"setup": setup}) for setup in SETUPS),
        ],
        refused=[((normal(2, 3, 5, 6), points(2, 4, 3, 1)), {"setup": PLAIN}, WRONG_POINTS)],
    ),
    "splat": Cases(
        ordinary=[
            *sampling(lambda: ((normal(2, 3, 4, 3), points(2, 4, 3, 2)), {"shape": (5, 6)})),
            *other_sampling(lambda: ((normal(2, 1, 2), points(2, 2, 2)), {"shape": (4, 5)})),
            ((normal(2, 3, 4, 3), points(2, 4, 3, 2)), {"setup": PLAIN, "shape": (5, 6), "orders": (0, 1)}),
        ],
        small=[
            ((normal(0, 3, 4, 3), points(0, 4, 3, 2)), {"setup": PLAIN, "shape": (5, 6)}),
            ((normal(2, 0, 4, 3), points(2, 4, 3, 2)), {"setup": PLAIN, "shape": (5, 6)}),
            ((normal(2, 3, 0, 3), points(2, 0, 3, 2)), {"setup": PLAIN, "shape": (5, 6)}),
            *(
                ((normal(1, 1, 1, 1), points(1, 1, 1, 2)), {"setup": setup, "shape": (1, 1)})
                for setup in SETUPS
            ),
        ],
        refused=[((normal(2, 3, 4, 4), points(2, 4, 3, 2)), {"setup": PLAIN, "shape": (5, 6)}, WRONG_POINTS)],
    ),
    "slopes": Cases(
        ordinary=[
            *sampling(lambda: ((normal(2, 3, 5, 6), points(2, 4, 3, 2), normal(2, 3, 4, 3)), {})),
            *(
                ((U, where, normal(2, 1, 2)), settings)
                for (U, where), settings in other_sampling(
                    lambda: ((normal(2, 1, 3, 4), points(2, 2, 2)), {})
                )
            ),
            (
                (normal(2, 3, 5, 6), points(2, 4, 3, 2), normal(2, 3, 4, 3)),
                {"setup": PLAIN, "orders": (0, 1)},
            ),
        ],
        small=[
            ((normal(0, 3, 5, 6), points(0, 4, 3, 2), normal(0, 3, 4, 3)), {"setup": PLAIN}),
            ((normal(2, 0, 5, 6), points(2, 4, 3, 2), normal(2, 0, 4, 3)), {"setup": PLAIN}),
            *(
                ((normal(1, 1, 1, 1), points(1, 1, 1, 2), normal(1, 1, 1, 1)), {"setup": setup})
                for setup in SETUPS
            ),
        ],
        refused=[
            ((normal(2, 3, 5, 6), points(2, 4, 3, 2), normal(2, 3, 4, 4)), {"setup": PLAIN}, WRONG_POINTS)
        ],
    ),
}
