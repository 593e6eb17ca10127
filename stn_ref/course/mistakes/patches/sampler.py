"""Mistakes in tasks 3 to 6: the sampler and its derivatives."""

from .model import Patch

__all__ = ["PATCHES"]

_EQ7 = """            points_bar[..., 0] += share * slope_x * k_y
            points_bar[..., 1] += share * k_x * slope_y"""
_CUT = "distance = np.minimum(abs(t), 1)"
_BEFORE = 'before = np.floor(x) if KINK == "right" else np.ceil(x) - 1'
_TWO = "for pixel, weight, derivative in ((before, 1 - far, -slope), (before + 1, far, slope)):"
_FOUND = "    found = []\n    for pixel, weight"
_ROUNDED = "m, n = np.floor(points[..., 0] + 0.5), np.floor(points[..., 1] + 0.5)"
_INSIDE = "inside = (m >= 0) & (m < width) & (n >= 0) & (n < height)"
_CORNERS = """    for row, k_y, _ in neighbours(points[..., 1], height):
        for column, k_x, _ in neighbours(points[..., 0], width):
            """
_SAMPLE = f"{_CORNERS}V += (k_x * k_y)[..., None] * pixels[batch, row, column]"
_SPLAT = f"{_CORNERS}np.add.at(U_bar, (batch, row, column), (k_x * k_y)[..., None] * given)"
_WITHIN = (
    """((points >= 0) & (points <= np.array([width - 1, height - 1]))).all(axis=-1) | (PADDING == "border")"""
)
_IMPORT = "from .conventions import CHANNELS_LAST"
_ALIGN = (_IMPORT, f"from .conventions import ALIGN_CORNERS\n{_IMPORT}")


def _patch(name: str, sentence: str, *changes: tuple[str, str]) -> Patch:
    return Patch(name, sentence, "sampler.py", changes)


_KERNEL = (
    _patch(
        "kernel-goes-on",
        "The kernel is 0 from |t| = 1 on; without that cut its formula goes on below 0, or rises again.",
        (_CUT, "distance = abs(t)"),
    ),
    _patch(
        "kernel-one-sided",
        "The kernel is of |t|: pixels on both sides of a sample have a weight.",
        (_CUT, "distance = np.minimum(t, 1)"),
    ),
    _patch(
        "kernel-of-the-right-side",
        "The kernel is of |t|: it is not 0 for negative t.",
        (_CUT, "distance = np.where(t < 0, 1, np.minimum(abs(t), 1))"),
    ),
    _patch(
        "kernel-one-to-the-left",
        "The kernel is of |t|: it falls on both sides of 0, and is not 1 for all negative t.",
        (_CUT, "distance = np.clip(t, 0, 1)"),
    ),
    _patch(
        "kernel-rises",
        "This is 1 - k(t): 0 at the pixel itself and 1 at a distance of one pixel. The nearer pixel has the "
        "larger weight.",
        (_CUT, "distance = 1 - np.minimum(abs(t), 1)"),
    ),
    _patch(
        "kernel-a-quarter-wave",
        "This is cos(pi t/2); the cosine kernel is (1 + cos(pi t))/2, half a wave from its top to its "
        "bottom.",
        ("(1 + np.cos(np.pi * distance)) / 2", "np.cos(np.pi * distance / 2)"),
    ),
)
_SAMPLING = (
    _patch(
        "rounded-towards-zero",
        "A conversion to an integer, int() or astype, rounds towards 0: between -1 and 0 that is 0, where "
        "floor gives -1.",
        (_ROUNDED, _ROUNDED.replace("floor", "trunc")),
    ),
    _patch(
        "negative-indices",
        "Python counts negative indices from the end: what lies left of the image or above it was read from "
        "its right or lower side.",
        (_INSIDE, _INSIDE.replace(">= 0) & (m", ">= -width) & (m").replace("(n >= 0)", "(n >= -height)")),
        ("inside = (pixel >= 0) & (pixel < size)", "inside = (pixel >= -size) & (pixel < size)"),
    ),
    _patch(
        "nearest-alone",
        "Only the nearest pixel takes part; all four around a sample do, each with its weight.",
        (_FOUND, f"    far = np.floor(t + 0.5)\n{_FOUND}"),
    ),
    _patch(
        "weights-exchanged",
        "The weights of the two neighbours are exchanged: a sample that is nearer to one takes more of the "
        "other.",
        (_TWO, "for pixel, weight, derivative in ((before, far, slope), (before + 1, 1 - far, -slope)):"),
    ),
    _patch(
        "weights-of-another-corner",
        "Two of the four pixels have each other's weight: that at the upper right and that at the lower "
        "left.",
        (
            _SAMPLE,
            """    rows, columns = neighbours(points[..., 1], height), neighbours(points[..., 0], width)
    for i in (0, 1):
        for j in (0, 1):
            V += (columns[i][1] * rows[j][1])[..., None] * pixels[batch, rows[i][0], columns[j][0]]""",
        ),
    ),
    _patch(
        "half-outside-is-outside",
        "A sample up to one pixel beyond the border still has neighbours inside: only what is missing of the "
        "four counts as 0.",
        (_SAMPLE, f"{_SAMPLE}\n    V *= ({_WITHIN})[..., None]"),
        (_EQ7, f"{_EQ7}\n    points_bar *= ({_WITHIN})[..., None]"),
    ),
    _patch(
        "last-row-lost",
        "The two neighbours are clipped to the image before the weights are made from their distances. On "
        "the last pixel both are that pixel, both distances are 0, and so is the sample.",
        (
            _FOUND,
            f"""    if KERNEL == "bilinear":
        left, right = np.clip(np.floor(x), 0, size - 1), np.clip(np.floor(x) + 1, 0, size - 1)
        return [(left.astype(int), right - x, -slope), (right.astype(int), x - left, slope)]
{_FOUND}""",
        ),
    ),
    _patch(
        "floor-and-ceil",
        "The neighbours are floor(x) and ceil(x), and the weights are the distances to them. At an integer "
        "both are the same pixel, both distances are 0, and so is the sample; the second is floor(x) + 1.",
        (_BEFORE, f'x = np.clip(x, 0, size - 1) if PADDING == "border" else x\n    {_BEFORE}'),
        (_FOUND, f"    between = x != np.floor(x)\n{_FOUND}"),
        (
            _TWO,
            _TWO.replace("1 - far,", "between * (1 - far),").replace("far, slope)", "between * far, slope)"),
        ),
    ),
    _patch(
        "points-taken-for-normalised",
        "The points are in pixels already; they were taken for normalised coordinates, and converted once "
        "more.",
        _ALIGN,
        (_BEFORE, f"x = (x * (size - 1 if ALIGN_CORNERS else size) + size - 1) / 2\n    {_BEFORE}"),
    ),
    _patch(
        "first-image-for-all",
        "All samples are read from the first image; those of image n belong to image n.",
        (_SAMPLE, _SAMPLE.replace("[batch,", "[0 * batch,")),
    ),
    _patch(
        "last-corner-alone",
        "The share of each of the four pixels takes the place of the one before; they are to be added.",
        (_SAMPLE, _SAMPLE.replace("V +=", "V[...] =")),
    ),
)
_SPLATTING = (
    _patch(
        "weights-left-out",
        "Each of the four pixels gets the whole cotangent; it gets its weight's share, the weight with which "
        "it was read.",
        (_SPLAT, _SPLAT.replace("(k_x * k_y)[", "(k_x * k_y > 0)[")),
    ),
    _patch(
        "splat-mean",
        "A pixel gets the sum of what its samples give, not their mean: what comes back was divided by the "
        "sum of the weights.",
        (
            _SPLAT,
            f"""    weights = np.zeros((*U_bar.shape[:3], 1))
{_SPLAT}
            np.add.at(weights, (batch, row, column), (k_x * k_y)[..., None])
    U_bar /= np.where(weights == 0, 1, weights)""",
        ),
    ),
    _patch(
        "fancy-index-add",
        "U_bar[index] += value: NumPy adds once for each pixel, not once for each sample, so that of samples "
        "that meet at one pixel a single one counts. np.add.at adds them all.",
        (_SPLAT, f"{_CORNERS}U_bar[batch, row, column] += (k_x * k_y)[..., None] * given"),
    ),
    _patch(
        "assign-for-accumulate",
        "U_bar[index] = value: what other samples had left at that pixel is overwritten.",
        (
            _SPLAT,
            """    corners = [
        (row, column, k_x * k_y)
        for row, k_y, _ in neighbours(points[..., 1], height)
        for column, k_x, _ in neighbours(points[..., 0], width)
    ]
    for here in np.ndindex(points.shape[:3]):
        for row, column, weight in corners:
            if weight[here] != 0:
                U_bar[here[0], row[here], column[here]] = weight[here] * given[here]""",
        ),
    ),
)
_SLOPES = (
    _patch(
        "zero-grid-gradient",
        "The cotangent of the points is 0 everywhere. floor makes the indices constant, but the weights "
        "change with the point, and through them it flows.",
        ("    return points_bar\n", "    return 0 * points_bar\n"),
    ),
    _patch(
        "sign-of-eq7",
        "The cases 1 and -1 of eq. (7) are exchanged: the coordinate is pushed away from where it should go.",
        (_TWO, _TWO.replace("-slope", "slope_").replace("slope)", "-slope)").replace("slope_", "slope")),
    ),
    _patch(
        "all-positive",
        "The case -1 of eq. (7) is forgotten: the two neighbours are added and not subtracted, so that a "
        "constant image has a slope.",
        (_TWO, _TWO.replace("-slope", "slope")),
    ),
    _patch(
        "weights-for-slopes",
        "Eq. (7) has the kernel's derivative for one coordinate; here the weight itself stands in its place.",
        (_EQ7, "            points_bar += (share * k_x * k_y)[..., None]"),
    ),
    _patch(
        "slope-of-both",
        "In dV/dx only the factor of x is differentiated; that of y stays a weight.",
        (_EQ7, "            points_bar += (share * slope_x * slope_y)[..., None]"),
    ),
    _patch(
        "other-weight-left-out",
        "In dV/dx the weight of y stays a factor; the pixels of both rows were taken in full.",
        (_EQ7, _EQ7.replace(" * k_y", " * (k_y > 0)").replace(" * k_x", " * (k_x > 0)")),
    ),
    _patch(
        "slope-of-the-bilinear",
        "The weights are those of this term's kernel, but the slope is that of the bilinear one.",
        (_FOUND, f"    slope = np.ones_like(t)\n{_FOUND}"),
    ),
    _patch(
        "cotangent-left-out",
        "These are the slopes of V alone: they were not multiplied by V's cotangent.",
        ("share = (weighted * pixels[batch, row, column])", "share = (pixels[batch, row, column])"),
    ),
    _patch(
        "slopes-in-normalised",
        "The factor to normalised coordinates is in it already; here the coordinates are pixels. The factor "
        "is task 7's.",
        _ALIGN,
        (
            "    return points_bar\n",
            "    spans = [width - 1, height - 1] if ALIGN_CORNERS else [width, height]\n"
            "    return points_bar * np.array(spans) / 2\n",
        ),
    ),
    _patch(
        "border-derivative-kept",
        "The coordinate was clamped to the image, and the slope at the clamped place handed on. Beyond the "
        "border the value is constant and its slope 0; at the last pixel it is that of the side that KINK "
        "names.",
        (
            _BEFORE,
            f"""x = np.clip(x, 0, size - 1) if PADDING == "border" else x
    {_BEFORE}
    before = np.clip(before, 0, size - 2) if PADDING == "border" else before""",
        ),
    ),
)
PATCHES = (*_KERNEL, *_SLOPES, *_SPLATTING, *_SAMPLING)
