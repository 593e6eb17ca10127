"""Make the bundled subset of MNIST from the full set, or check what is bundled.

    python -m stn_ref.data.make_digits --data DIR [--out DIR]     makes it
    python -m stn_ref.data.make_digits --data DIR --check         compares

DIR holds the four official MNIST files. 500 digits of each class come from the training set and 100
of each class from the test set, chosen by chance from a fixed seed, pixels unchanged. They are
ordered so that each run of ten holds every class once: any prefix is balanced to within one digit
per class.

The random keys are raw output of PCG64, whose stream NumPy promises never to change. Compressed
bytes may differ between versions of zlib; so the check compares what is inside the files, and
SHA256SUMS guards the bytes.
"""

import argparse
import gzip
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..files import write_atomically
from .idx import encode_idx, gzip_bytes
from .mnist import BUNDLED, SPLITS, accepted_names, load_mnist

__all__ = ["main", "make", "pick_balanced"]

SEED = 20150605
PER_CLASS = {"train": 500, "test": 100}
SUMS = "SHA256SUMS"

NOTICE = """\
The four .gz files in this folder are a part of the MNIST database of handwritten digits.

MNIST is copyright (c) Yann LeCun (Courant Institute, NYU) and Corinna Cortes (Google Labs, New
York); it is a derivative work of the original NIST datasets. It is made available under the terms
of the Creative Commons Attribution-Share Alike 3.0 licence
(https://creativecommons.org/licenses/by-sa/3.0/), and so is this part of it.

What was selected, and how: {train} digits of each class from the 60,000 training images and {test}
of each class from the 10,000 test images, by chance from the seed {seed}, by `python -m
stn_ref.data.make_digits`. They were put in an order in which each run of ten holds every class
once. Pixels and labels are unchanged; the format is that of the originals (IDX, gzip).

The rest of stn_ref is under its own licence; this notice is for this folder only.
"""


def pick_balanced(labels: NDArray[np.uint8], per_class: int, seed: int) -> NDArray[np.intp]:
    """Indices of a balanced choice by chance, each run of ten with every class once.

    Parameters
    ----------
    labels
        uint8, shape (N,), values 0 to 9.
    per_class, seed
        How many of each class, and where the chance comes from.

    Returns
    -------
    indices
        Shape (10 * per_class,), all different.

    Raises
    ------
    ValueError
        If a class has fewer than ``per_class`` digits.

    >>> labels = np.tile(np.arange(10, dtype=np.uint8), 7)
    >>> sorted(labels[pick_balanced(labels, 3, seed=0)][10:20].tolist())
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    counts = np.bincount(labels, minlength=10)
    if counts.min() < per_class:
        raise ValueError(
            f"pick_balanced: class {counts.argmin()} has {counts.min()} digits, expected at least "
            f"per_class = {per_class}; give a larger set or ask for fewer."
        )
    chance = np.random.PCG64(seed)
    by_chance = np.argsort(chance.random_raw(len(labels)), kind="stable")
    chosen = np.stack([by_chance[labels[by_chance] == digit][:per_class] for digit in range(10)])
    keys = chance.random_raw(chosen.size).reshape(chosen.shape)
    order_in_ten = np.argsort(keys, axis=0, kind="stable")
    indices: NDArray[np.intp] = np.take_along_axis(chosen, order_in_ten, axis=0).T.ravel()
    return indices


def make(data: str | Path, per_class: dict[str, int] | None = None, seed: int = SEED) -> dict[str, bytes]:
    """The files of the bundled folder, name to content, from the full set in ``data``.

    Errors as in :func:`stn_ref.data.mnist.load_mnist` and :func:`pick_balanced`.

    >>> sorted(make(BUNDLED, {"train": 2, "test": 1}))[:3]
    ['NOTICE.txt', 'SHA256SUMS', 't10k-images-idx3-ubyte.gz']
    """
    per_class = PER_CLASS if per_class is None else per_class
    files: dict[str, bytes] = {}
    for split in SPLITS:
        full = load_mnist(data, split)
        chosen = pick_balanced(full.labels, per_class[split], seed)
        for kind, array in (("images", full.images), ("labels", full.labels)):
            name = accepted_names(split, kind)[1]
            files[name] = gzip_bytes(encode_idx(array[chosen]))
    files["NOTICE.txt"] = NOTICE.format(**per_class, seed=seed).encode()
    files[SUMS] = _sums(files)
    return files


def differences(folder: Path, wanted: dict[str, bytes]) -> list[str]:
    """What in ``folder`` is not as in ``wanted``, one line each; [] if all is.

    >>> differences(Path("no/such/folder"), {"NOTICE.txt": b""})
    ['NOTICE.txt: missing']
    """
    found: list[str] = []
    for name, content in wanted.items():
        path = folder / name
        if not path.is_file():
            found.append(f"{name}: missing")
        elif name == SUMS:
            present = {other: (folder / other).read_bytes() for other in wanted if (folder / other).is_file()}
            if path.read_bytes() != _sums(present):
                found.append(f"{name}: not the checksums of the files that are there")
        elif _inside(path.read_bytes()) != _inside(content):
            found.append(f"{name}: not what would be made")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status, 1 if ``--check`` found a difference."""
    parser = argparse.ArgumentParser(
        prog="python -m stn_ref.data.make_digits",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data", required=True, metavar="DIR", help="folder with the four official MNIST files"
    )
    parser.add_argument(
        "--out",
        default=BUNDLED,
        type=Path,
        metavar="DIR",
        help="folder to write or check (default: the one in the package)",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; compare what is in --out")
    options = parser.parse_args(argv)
    files = make(options.data)
    if options.check:
        found = differences(options.out, files)
        print("\n".join(found) or f"{options.out}: as it would be made")
        return 1 if found else 0
    options.out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_atomically(options.out / name, content)
        print(f"{len(content):>9,} bytes  {options.out / name}")
    print(f"{sum(map(len, files.values())):>9,} bytes  in all")
    return 0


def _sums(files: dict[str, bytes]) -> bytes:
    lines = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files) if name != SUMS]
    return "".join(lines).encode()


def _inside(content: bytes) -> bytes:
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


if __name__ == "__main__":
    raise SystemExit(main())
