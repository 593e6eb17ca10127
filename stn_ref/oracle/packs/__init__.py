"""Questions as files, for backends without Python: written here, answered on a device, judged here.

A pack holds the calls of the oracle's cases with their arrays, and no answers. ``docs/packs.md`` specifies
the files, and ``docs/pack_reader.c`` answers one.
"""

from .answers import answer_pack, judge_pack
from .files import Pack, read_pack, write_pack

__all__ = ["Pack", "answer_pack", "judge_pack", "read_pack", "write_pack"]
