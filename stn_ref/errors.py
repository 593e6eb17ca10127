"""The house's way to refuse: what came, what was expected, how to mend it."""

from importlib import import_module
from typing import Any

import numpy as np


class TapeError(ValueError):
    """A derivative was asked for that the tape cannot give; the message says why and what to do.

    >>> from stn_ref import Tensor
    >>> Tensor([1.0, 2.0], requires_grad=True).backward()
    Traceback (most recent call last):
    ...
    stn_ref.errors.TapeError: backward: the output has shape (2,), so it has no gradient by itself; ...
    """


def describe(value: Any) -> str:
    """A value in a few words, for an error message.

    >>> describe(np.zeros((2, 3), np.float32)), describe("bilinaer"), describe(None)
    ('float32 array of shape (2, 3)', "'bilinaer'", 'None')
    """
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array of shape {value.shape}"
    text = repr(value)
    return text if len(text) <= 60 else f"{type(value).__name__} {text[:50]}..."


def check_choice(operator: str, argument: str, value: Any, choices: tuple[str, ...]) -> None:
    """Refuse a setting that is none of ``choices``.

    >>> check_choice("grid_sample", "mode", "bilinaer", ("nearest", "bilinear"))
    Traceback (most recent call last):
    ...
    ValueError: grid_sample: mode is 'bilinaer', expected one of 'nearest', 'bilinear'
    """
    if value not in choices:
        expected = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{operator}: {argument} is {describe(value)}, expected one of {expected}")


def check_flag(operator: str, argument: str, value: Any) -> None:
    """Refuse a switch that is not True or False (a string such as "False" would count as true)."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{operator}: {argument} is {describe(value)}, expected True or False")


def check_floating(operator: str, argument: str, value: Any) -> None:
    """Refuse what is not an array of float16, float32 or float64, by name.

    >>> check_floating("grid_sample", "U", np.arange(3))
    Traceback (most recent call last):
    ...
    TypeError: grid_sample: U has dtype int64, expected float16, float32 or float64; use U.astype(np.float32)
    """
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        raise TypeError(
            f"{operator}: {argument} is {describe(value)}, expected an array or a Tensor; "
            f"use np.asarray({argument}, dtype=float)"
        )
    if dtype.char in "efd":
        return
    hint = f"use {argument}.astype(np.float32)" if dtype.kind in "iub" else "it must be real"
    if dtype.kind == "f":
        hint = f"use {argument}.astype(np.float64)"
    raise TypeError(f"{operator}: {argument} has dtype {dtype}, expected float16, float32 or float64; {hint}")


def optional(module: str, *, extra: str, purpose: str, package: str | None = None) -> Any:
    """A module of a library that does not come with this package.

    Parameters
    ----------
    module, package : str
        Its name, and what pip calls the library; the first part of ``module`` if None.
    extra, purpose : str
        The extra that brings it, and what it is needed for.

    Raises
    ------
    ModuleNotFoundError
        If it is not installed; the message says all four.

    >>> optional("no_such_h5py", extra="svhn", purpose="reading digitStruct.mat", package="h5py")
    Traceback (most recent call last):
    ...
    ModuleNotFoundError: reading digitStruct.mat needs h5py, the extra 'svhn': pip install h5py
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = package or module.partition(".")[0]
        raise ModuleNotFoundError(
            f"{purpose} needs {package}, the extra {extra!r}: pip install {package}"
        ) from error
