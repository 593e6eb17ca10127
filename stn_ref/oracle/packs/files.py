"""Writing packs, and reading them so that one that is not whole is refused."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...files import PathLike, write_atomically
from ..calls import Call
from .contents import FORMAT, VERSION, Array, Index, Selection, checksum, contents, described, select
from .forms import form_named, form_of

FIELDS: dict[str, type] = {
    "written_by": str,
    "questions": dict,
    "calls": list,
    "arrays": dict,
    "sha256": str,
}


@dataclass(frozen=True)
class Pack:
    """A pack that was read and found whole.

    ``index`` is as ``docs/packs.md`` specifies it, ``arrays`` are by name.
    """

    path: Path
    index: Index = field(repr=False)
    arrays: dict[str, Array] = field(repr=False)

    @property
    def selection(self) -> Selection:
        """Which questions it holds."""
        return select(str(self.path), self.index["questions"])

    def call(self, entry: Index) -> Call:
        """The call that one entry of ``index["calls"]`` describes."""
        settings = {n: tuple(v) if isinstance(v, list) else v for n, v in entry["settings"].items()}
        return Call(entry["method"], {n: self.arrays[key] for n, key in entry["arrays"].items()}, settings)


def write_pack(
    path: PathLike,
    *,
    modes: Sequence[str],
    padding_modes: Sequence[str],
    align_corners: Sequence[bool],
    dims: Sequence[int],
    dtypes: Sequence[str],
    level: str = "quick",
    seed: int = 0,
    form: str = "npz",
    only: str = "",
) -> None:
    """Write the oracle's questions to a file, for a backend that Python cannot call.

    The same arguments give the same bytes. A file that stands at ``path`` is replaced in one step.

    Parameters
    ----------
    path
        The file; ``.npz``, ``.safetensors`` or ``.json`` is its usual ending.
    modes, padding_modes, align_corners, dims, dtypes : sequences
        What the backend claims to do; as of :class:`stn_ref.oracle.Backend`.
    level : "quick", "full" or "nightly"
        How much is asked.
    seed : int
        Of everything random in the questions.
    form : "npz", "safetensors" or "json"
        Which kind of file. JSON holds a core of a few dozen cases only, in two dimensions, float32 and
        float64.
    only : str
        A regular expression: only cases whose name it matches somewhere.

    Raises
    ------
    TypeError, ValueError
        If a setting is none of the above, or no case is left.
    ModuleNotFoundError
        If ``form`` is "safetensors" and that library is missing.
    OSError
        If the file cannot be written.

    >>> import tempfile
    >>> claims = dict(modes=["bilinear"], padding_modes=["zeros"], align_corners=[True], dims=[2])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_pack(f"{folder}/questions.npz", **claims, dtypes=["float64"], only="^kinks")
    ...     pack = read_pack(f"{folder}/questions.npz")
    >>> [call["method"] for call in pack.index["calls"]]
    ['grid_sample', 'grid_sample_vjp', 'grid_sample_jvp', 'grid_sample_vjp_vjp']
    """
    chosen: dict[str, Any] = {
        "modes": modes,
        "padding_modes": padding_modes,
        "align_corners": align_corners,
        "dims": dims,
        "dtypes": dtypes,
        "level": level,
        "seed": seed,
        "only": only,
        "core": form == "json",
    }
    dump = form_named("write_pack", form).dump
    made = contents(select("write_pack", chosen))
    if not made.questions:
        core = "of the small core that JSON holds " if form == "json" else ""
        raise ValueError(f"write_pack: no case {core}is of these settings and matches only={only!r}")
    write_atomically(path, dump(made.index, made.arrays, "arrays"))


def read_pack(path: PathLike) -> Pack:
    """Read a pack, whatever kind of file it is.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is damaged, something else, or of a later version; the message says what shows it.
    ModuleNotFoundError
        If it is a safetensors file and that library is missing.
    """
    path = Path(path)
    name, form = form_of(path)
    try:
        index, arrays = form.load(path, "arrays")
    except ValueError as error:
        raise ValueError(f"{path} is damaged, or no {FORMAT}: read as {name}, {error}") from None
    _check_format(path, index)
    altered = form.altered(path, index, arrays, "arrays") or _damage(index, arrays)
    if altered:
        raise ValueError(f"{path} is damaged: {altered}; write it again")
    return Pack(path, index, arrays)


def _check_format(path: Path, index: Index) -> None:
    if index.get("format") != FORMAT:
        raise ValueError(f"{path} is no {FORMAT}: its field 'format' is {index.get('format')!r}")
    version = index.get("version")
    if version != VERSION:
        hint = "it was written by a later stn_ref; use that, or write the pack with this one"
        raise ValueError(f"{path}: its field 'version' is {version!r}, expected {VERSION}; {hint}")
    for name, kind in FIELDS.items():
        if not isinstance(index.get(name), kind):
            raise ValueError(
                f"{path} is damaged: its field {name!r} is missing or of another type than {kind.__name__}"
            )


def _damage(index: Index, arrays: dict[str, Array]) -> str:
    """What in the contents is not as the checksums say; "" if all is well."""
    found = checksum(index)
    if found != index["sha256"]:
        return f"the SHA-256 of its index is {found}, its field 'sha256' says {index['sha256']}"
    for name in index["arrays"].keys() | arrays.keys():
        if name not in arrays or name not in index["arrays"]:
            return f"its array {name} is {'not in the index' if name in arrays else 'missing'}"
        if described(arrays[name]) != index["arrays"][name]:
            return f"its array {name} is not the one of the index (dtype, shape or SHA-256)"
    return ""
