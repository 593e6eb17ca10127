"""Where correct implementations differ: their conventions, as profiles with a name.

A backend is judged by the profile that it claims. An answer that is wrong by it and right by another one is
a matter of convention, and reported as such.
"""

from dataclasses import dataclass, replace

from ...errors import check_choice

TIES = ("up", "even", "away")


@dataclass(frozen=True)
class Profile:
    """One set of conventions.

    >>> PROFILES["torch"].ties, PROFILES["opencv"].quantum
    ('even', 0.03125)
    """

    name: str
    ties: str = "up"
    """Which pixel is nearest half-way between two: the upper one ("up", eq. 4), the even one ("even"), or the
    one farther from 0 ("away")."""
    folded_first: bool = True
    """Whether a coordinate is reflected into the image before the nearest pixel is chosen."""
    cubic: float = -0.75
    """Keys' parameter a of the bicubic kernel."""
    tapers: bool = True
    """Whether an image among zeros goes to 0 over the pixel around it, eq. (5); else it ends with the centres
    of its outermost pixels, and what lies beyond them is 0 at once."""
    singleton: int = 0
    """The coordinate that ``affine_grid`` gives an axis of one pixel under ``align_corners=True``."""
    literal_nan: bool = False
    """Whether a NaN coordinate must give NaN at its sample and nothing to U's cotangent; else anything goes
    at that sample, and U's cotangent stays finite."""
    limits: bool = False
    """Whether an infinite coordinate must give the limit: 0 (zeros), the edge (border), NaN (reflection)."""
    weightless: bool = False
    """Whether an infinite or NaN pixel whose weight is 0 must not be noticed (0 times infinity is 0)."""
    quantum: float = 0.0
    """Coordinates are rounded to multiples of this many pixels."""
    kink: str = "right"
    """Which slope is taken at a kink; only a strict check asks for it."""


_TABLE = (
    Profile("paper", folded_first=False, literal_nan=True, limits=True, weightless=True),
    Profile("torch", ties="even"),
    Profile("onnx", ties="even", singleton=-1),
    Profile("scipy"),
    Profile("opencv", ties="even", quantum=1 / 32),
    Profile("mxnet", singleton=-1),
    Profile("jax", ties="away", cubic=-0.5),
)
PROFILES = {profile.name: profile for profile in _TABLE}


def profile_of(profile: "str | Profile") -> Profile:
    """A profile by its name."""
    if isinstance(profile, Profile):
        return profile
    check_choice("check", "profile", profile, tuple(PROFILES))
    return PROFILES[profile]


def variants(profile: Profile) -> "list[tuple[str, Profile]]":
    """The profile with one convention exchanged for another one, each with the name of whose that is.

    >>> [name for name, changed in variants(PROFILES["paper"]) if changed.singleton != 0]
    ['onnx: singleton=-1', 'ONNX Runtime: singleton=1']
    """
    in_use = [
        (other.name, convention, getattr(other, convention))
        for convention in ("ties", "cubic", "singleton", "folded_first")
        for other in _TABLE
    ]
    in_use.append(("ONNX Runtime", "singleton", 1))
    in_use.append(("SciPy's constant, TensorFlow's crop_and_resize", "tapers", False))
    found: dict[Profile, str] = {}
    for name, convention, value in in_use:
        changed = replace(profile, **{convention: value})
        if changed != profile:
            found.setdefault(changed, f"{name}: {convention}={value}")
    return [(name, changed) for changed, name in found.items()]
