"""Figures of transformers, grids, kernels and the tape. Matplotlib, the extra ``viz``, is loaded in use."""

from .animation import Recorder
from .grids import grid_sheet, volume_sheet
from .kernels import kernel_curve, kernel_sheet
from .sheets import sampling_frame, transformer_sheet
from .tape import tape_sheet, tape_text

__all__ = [
    "Recorder",
    "grid_sheet",
    "kernel_curve",
    "kernel_sheet",
    "sampling_frame",
    "tape_sheet",
    "tape_text",
    "transformer_sheet",
    "volume_sheet",
]
