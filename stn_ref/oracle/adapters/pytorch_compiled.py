"""PyTorch's sampler and affine grid through ``torch.compile``, which writes other code for them.

It needs a C++ compiler, and seconds for every new setting, dtype and set of requested derivatives. There are
no derivatives of second order, and no forward mode.
"""

import re
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from ..backend import Unsupported
from .differentiating import Named
from .pytorch import GRIDDED, GRIDS, SAMPLED, SAMPLES, TENSORS, Torch


class TorchCompile(Torch):
    """For shapes that change."""

    name = "torch-compile"
    snippet = re.sub(
        r"(torch\.nn\.functional\.\w+)\(",
        r"torch.compile(\1, dynamic=True, fullgraph=True)(",
        TENSORS + SAMPLED + GRIDDED + SAMPLES + GRIDS,
    )

    @cached_property
    def functional(self) -> Any:
        limits = self.torch._dynamo.config
        limits.recompile_limit = limits.accumulated_recompile_limit = 10**6  # beyond it would be eager
        eager, how = self.torch.nn.functional, {"dynamic": True, "fullgraph": True}
        names = ("grid_sample", "affine_grid")
        return SimpleNamespace(**{name: self.torch.compile(getattr(eager, name), **how) for name in names})

    def pushed(self, *args: Any) -> Any:
        raise Unsupported("no forward mode through torch.compile")

    def pulled(self, *args: Any, again: bool = False) -> Named:
        if again:
            raise Unsupported("no derivatives of second order through torch.compile")
        return super().pulled(*args)
