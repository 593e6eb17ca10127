"""Mistakes in task 10: the same map for other libraries."""

from .model import Patch

__all__ = ["PATCHES"]

_SIZES = "S, T = np.array(source[::-1]), np.array(size[::-1])"
_OPENCV_SIZES = f"{_SIZES}  # (W, H) and (W', H')"
_PYTORCH_SIZES = f"{_SIZES}\n"
_SHIFT = "    shift = from_normalised * theta[:, :, 2] + source_middle - linear @ target_middle"
_LINEAR = "linear = from_normalised[:, None] * theta[:, :, :2] * to_normalised"
_OPENCV = "    return np.concatenate([linear, shift[..., None]], axis=2)"
_SCIPY = "return M[:, ::-1, 1::-1], M[:, ::-1, 2]"
_PYTORCH = "    return np.concatenate([linear, (in_the_source * theta[:, :, 2])[..., None]], axis=2)"
_MIDDLES = "source_middle, target_middle = (S - 1) / 2, (T - 1) / 2"
_ROTATION = "-sin * height / width, 0], [sin * width / height, cos, 0]"


def _patch(name: str, sentence: str, *changes: tuple[str, str]) -> Patch:
    return Patch(name, sentence, "conversions.py", changes)


_TO_OPENCV = (
    _patch(
        "theta-as-pixels",
        "theta is in normalised coordinates; it was handed on as if it were in pixels.",
        (_OPENCV, "    return theta"),
    ),
    _patch(
        "shift-alone-scaled",
        "Only the shift was multiplied by the size; the linear part changes too where the sizes differ, and "
        "the centres of both images belong into the shift.",
        (_LINEAR, "linear = theta[:, :, :2]"),
        (_SHIFT, "    shift = from_normalised * theta[:, :, 2]"),
    ),
    _patch(
        "centre-not-moved",
        "Normalised coordinates are counted from the image's centre, pixels from its corner: the centres of "
        "both images belong into the shift.",
        (_SHIFT, "    shift = from_normalised * theta[:, :, 2]"),
    ),
    _patch(
        "target-centre-not-moved",
        "The target's pixels are counted from its corner too: its centre has to be taken off before the map.",
        (_SHIFT, "    shift = from_normalised * theta[:, :, 2] + source_middle"),
    ),
    _patch(
        "centre-at-half-the-size",
        "The middle of W pixels, counted from 0, is at (W - 1)/2 and not at W/2.",
        (_MIDDLES, "source_middle, target_middle = S / 2, T / 2"),
    ),
    _patch(
        "one-size-for-both",
        "Source and target have sizes of their own; here the source's is taken for both.",
        (_OPENCV_SIZES, "S = T = np.array(source[::-1])"),
    ),
    _patch(
        "height-for-width",
        "Sizes are (height, width), but coordinates (x, y): x goes with the width, which comes second.",
        (_OPENCV_SIZES, "S, T = np.array(source), np.array(size)"),
        (_PYTORCH_SIZES, "S, T = np.array(source), np.array(size)\n"),
    ),
    _patch(
        "shift-alone-in-pixels",
        "Only the shift was brought into pixels; between images of different shape the other four numbers "
        "change too.",
        (_LINEAR, "linear = theta[:, :, :2]"),
    ),
    _patch(
        "source-to-target",
        "This is the inverse: it maps source to target. With WARP_INVERSE_MAP, OpenCV wants target to "
        "source, which is what theta does.",
        (
            _OPENCV,
            "    back = np.linalg.inv(linear)\n"
            "    return np.concatenate([back, -back @ shift[..., None]], axis=2)",
        ),
    ),
)
_TO_SCIPY = (
    _patch(
        "scipy-in-xy",
        "SciPy's coordinates are (row, column); matrix and offset are still in the order (x, y).",
        (_SCIPY, "return M[:, :, :2], M[:, :, 2]"),
    ),
    _patch(
        "scipy-rows-alone",
        "For (row, column) both the rows and the columns of the matrix change places, not the rows alone.",
        (_SCIPY, "return M[:, ::-1, :2], M[:, ::-1, 2]"),
    ),
    _patch(
        "scipy-offset-in-xy",
        "The matrix is in the order (row, column), but the offset still in the order (x, y).",
        (_SCIPY, "return M[:, ::-1, 1::-1], M[:, :, 2]"),
    ),
)
_TO_PYTORCH = (
    _patch(
        "same-theta",
        "The same theta means other pixels under the other align_corners; it was handed on as it is.",
        (_PYTORCH, "    return theta"),
    ),
    _patch(
        "linear-part-kept",
        "Only the shift was changed; the linear part changes too where the sizes of image and output differ, "
        "or the height and the width.",
        ("linear = in_the_source[:, None] * theta[:, :, :2] * in_the_target", "linear = theta[:, :, :2]"),
    ),
    _patch(
        "to-ours-not-to-the-other",
        "The factor is the wrong way round: it leads from the other align_corners to ours.",
        (
            "in_the_source, in_the_target = (S - ours) / (S - other), (T - other) / (T - ours)",
            "in_the_source, in_the_target = (S - other) / (S - ours), (T - ours) / (T - other)",
        ),
    ),
)
_TURNING = (
    _patch(
        "rigid-in-normalised",
        "cos and sin in normalised coordinates turn a square; an image that is not one is bent by them.",
        (_ROTATION, "-sin, 0], [sin, cos, 0]"),
    ),
    _patch(
        "aspect-upside-down",
        "The ratio of height and width is the wrong way round.",
        (_ROTATION, "-sin * width / height, 0], [sin * height / width, cos, 0]"),
    ),
    _patch(
        "turned-the-other-way",
        "The turn is the inverse: theta maps target to source, so that the output's points are turned, not "
        "the image's.",
        (_ROTATION, "sin * height / width, 0], [-sin * width / height, cos, 0]"),
    ),
    _patch(
        "degrees-as-radians",
        "cos and sin want radians.",
        (
            "cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))",
            "cos, sin = np.cos(degrees), np.sin(degrees)",
        ),
    ),
)
PATCHES = (*_TO_OPENCV, *_TO_SCIPY, *_TO_PYTORCH, *_TURNING)
