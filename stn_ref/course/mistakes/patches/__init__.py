"""Mistakes as changes of a few lines of the textbook, by the file in which they are made."""

from . import conversions, grids, sampler, tape, training
from .model import Patch

__all__ = ["PATCHES", "Patch"]

PATCHES = (*grids.PATCHES, *sampler.PATCHES, *tape.PATCHES, *training.PATCHES, *conversions.PATCHES)
