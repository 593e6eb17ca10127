"""What the numbers were measured on and with."""

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from .processes import ROOT

TOLD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY", "XLA_FLAGS")


def describe() -> dict[str, Any]:
    """Processor, system, load, the state of the tree, and variables that could matter."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "commit": _git("rev-parse", "HEAD"),
        "changed": bool(_git("--no-optional-locks", "status", "--porcelain")),
        "environment": {name: os.environ[name] for name in TOLD if name in os.environ},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def _git(*arguments: str) -> str:
    """What git says of the tree; empty without git, or outside a checkout."""
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
