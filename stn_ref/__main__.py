"""`python -m stn_ref` is the command `stn-ref`."""

import sys

from .cli import main

sys.exit(main())
