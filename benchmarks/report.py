"""The report, in Markdown, from the numbers alone: nothing is measured here."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from . import growth
from .goals import EXPONENT, GOALS, MEMORY, MET, MISSED, Goal, ratio, verdict
from .processes import PEERS

Record = Mapping[str, Any]
BASE = "PyTorch"
NONE = "-"


def render(record: Record) -> str:
    """The whole report."""
    parts = [
        "# stn_ref beside other libraries",
        _machine(record),
        "## Goals",
        _HOW,
        goals_table(record),
        *("## Beside the other libraries", f"Time over that of {BASE} with one thread, by the minimum."),
        ratios_table(record),
        *("## Times", "Microseconds: the minimum over rounds, and the median. This machine's, and noisy."),
        times_table(record),
        *_growth(record),
        *_limits(record),
        *_troubles(record),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_HOW = (
    "stn_ref's time over the other's, so lower is better; the other is PyTorch with one thread unless named. "
    "Each library runs in a process of its own, with one thread, and memory that the C library has got from "
    "the system before. In each round all take turns, each with a "
    "block of repetitions. The first number is the minimum over rounds against the other's minimum, which "
    "decides; the second is the median of the rounds' ratios. Results were compared before. V_bar has the "
    "memory order of each library's own V."
)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table: the first column to the left, numbers to the right; empty without rows."""
    body = [f"| {' | '.join(row)} |" for row in rows]
    rule = f"|---|{'---:|' * (len(head) - 1)}"
    return "\n".join([f"| {' | '.join(head)} |", rule, *body]) if body else ""


def digits(x: float) -> str:
    """Two or three digits that count."""
    return f"{x:.3g}" if x < 0.1 else f"{x:.2f}" if x < 10 else f"{x:.0f}"


def micro(seconds: float) -> str:
    """Microseconds, to three digits or whole."""
    return f"{seconds * 1e6:.3g}" if seconds < 1e-4 else f"{seconds * 1e6:,.0f}"


def _said(goal: Goal, value: float) -> str:
    return f"{digits(1 / value)}x faster" if goal.faster else digits(value)


def goals_table(record: Record) -> str:
    """Every goal, measured or not."""
    rows = []
    for goal in GOALS:
        found = verdict(goal, record["cases"])
        limit = f"at least {_said(goal, goal.limit)}" if goal.faster else f"<= {digits(goal.limit)}"
        numbers = (
            [_said(goal, x) for x in (found.least, found.median)]
            if found.least is not None and found.median is not None
            else [NONE, NONE]
        )
        rows.append([goal.label, limit, *numbers, found.word])
    rows += _growth_goals(record)
    return table(["goal", "limit", "measured", "median", ""], rows)


def _growth_goals(record: Record) -> list[list[str]]:
    """The goals that are no ratios: linear time, and memory as a multiple of the output."""
    found = {name: growth.summary(points) for name, points in record.get("growth", {}).items()}
    sums = {name: value for name, value in found.items() if value is not None}
    whole = {f"{axis}-{operation}" for axis in growth.AXES for operation in growth.OPERATIONS} <= set(sums)
    rows = []
    exponents = [value["exponent"] for value in sums.values()]
    multiples = [value["multiple"] for name, value in sums.items() if name.endswith("-fb")]
    for label, (least, most), values, worst_of in (
        ("exponent of time over batch, channels or pixels: the largest", (0, EXPONENT[1]), exponents, max),
        ("exponent of time over batch, channels or pixels: the smallest", (EXPONENT[0], 9), exponents, min),
        ("memory of forward and backward over the output: the worst", (0, MEMORY), multiples, max),
    ):
        limit = f">= {least:g}" if least else f"<= {most:g}"
        if not values:
            rows.append([label, limit, NONE, NONE, "not measured"])
            continue
        worst = worst_of(values)
        word = (MET if least <= worst <= most else MISSED) + ("" if whole else ", not all measured")
        rows.append([label, limit, digits(worst), NONE, word])
    return rows


def _columns(record: Record) -> list[str]:
    """The peers that took part, in the order of the list of peers."""
    asked = {name for entry in record["cases"].values() for name in entry["peers"]}
    return [name for name in PEERS if name in asked and name not in record.get("absent", {})]


def _cell(entry: Record, name: str, value: Callable[[str], str]) -> str:
    """A number, or the word for what came instead."""
    found = entry["peers"].get(name)
    if found is None:
        return ""
    if found["status"] not in ("ok", "unchecked"):
        return found["why"] if found["status"] == "left out" else found["status"]
    return value(name) if found.get("seconds") else NONE


def ratios_table(record: Record) -> str:
    """All peers over PyTorch; without PyTorch, over stn_ref."""
    columns = _columns(record)
    rows = []
    for name, entry in record["cases"].items():
        base = BASE if BASE in entry["peers"] else "stn_ref"

        def cell(peer: str, entry: Record = entry, base: str = base) -> str:
            found = ratio(entry, peer, base)
            return digits(found[0]) if found else NONE

        rows.append([name, *(_cell(entry, peer, cell) for peer in columns)])
    return table(["case", *columns], rows)


def times_table(record: Record) -> str:
    """Microseconds; of the chain, those of one of its operations."""
    columns = _columns(record)
    rows = []
    for name, entry in record["cases"].items():
        share = 1 / max(1, entry["case"]["length"])

        def cell(peer: str, entry: Record = entry, share: float = share) -> str:
            seconds = entry["peers"][peer]["seconds"]
            return f"{micro(min(seconds) * share)}, {micro(median(seconds) * share)}"

        rows.append([name, *(_cell(entry, peer, cell) for peer in columns)])
    return table(["case", *columns], rows)


def _machine(record: Record) -> str:
    machine, settings = record["machine"], record["settings"]
    versions = dict(pair for found in record["versions"].values() for pair in found.items())
    for name, found in record["versions"].items():
        versions |= found if name == "stn_ref" else {}
    versions.pop("Python", None)
    lines = [
        f"- {machine['processor']}, {machine['cores']} cores, {machine['system']}, load {machine['load']} "
        f"at the start; Python {record['versions'].get('stn_ref', {}).get('Python', 'unknown')}",
        "- " + ", ".join(f"{key} {value}" for key, value in sorted(versions.items())),
        f"- commit {machine['commit'][:12] or 'unknown'}{' with changes' if machine['changed'] else ''}; "
        f"{settings['rounds']} rounds, blocks of {settings['target'] * 1000:g} ms",
    ]
    lines += [f"- {name}: absent ({why})" for name, why in record.get("absent", {}).items()]
    if not record.get("complete"):
        lines.append("- This run was interrupted, or is still going on.")
    return "\n".join(lines)


def _growth(record: Record) -> list[str]:
    rows = []
    for name, points in record.get("growth", {}).items():
        found = growth.summary(points)
        if found is None:
            continue
        last = points[-1]
        rows.append(
            [
                name,
                "x".join(map(str, last["shape"])),
                digits(found["exponent"]),
                digits(last["seconds"] * 1e9 / last["numbers"]),
                digits(found["multiple"]),
                f"{found['workspace'] / 2**20:.2f}",
                digits(last["bytes"] / last["output"]),
            ]
        )
    parts = ["## Growth"]
    if rows:
        head = [
            *("over", "largest", "exponent", "ns a number", "memory, multiples of the output"),
            *("and MiB", "multiple at the largest"),
        ]
        parts += [
            f"Of `spatial_transform`; exponent and multiple are fits to the {growth.LARGEST} largest sizes. "
            "Buffers that are kept from call to call do not count.",
            table(head, rows),
        ]
        if "growth" in record.get("figures", ()):
            parts.append("![Time and memory over the size of the output](growth.svg)")
    found = record.get("import")
    if found:
        parts.append(
            f"`import stn_ref` takes {found['stn_ref'] * 1e3:.0f} ms beyond NumPy and SciPy, which take "
            f"{found['numpy and scipy'] * 1e3:.0f} ms."
        )
    return parts if len(parts) > 1 else []


def bandwidth(machine: Record, size: float) -> float | None:
    """Bytes a second, read and written, of the copy whose size is nearest."""
    speeds = {}
    for entry in machine.values():
        seconds = entry["peers"].get("NumPy", {}).get("seconds")
        if entry["case"]["kind"] == "copy" and seconds:
            n = 4 * math.prod(entry["case"]["shape"])
            speeds[n] = 2 * n / min(seconds)
    if not speeds:
        return None
    return speeds[min(speeds, key=lambda n: abs(math.log(n / size)))]


def least_bytes(case: Record) -> int:
    """What has to be moved: U in, V out; backward V_bar and U in, U_bar out."""
    one = math.prod(case["shape"]) * (8 if case["dtype"] == "float64" else 4)
    return one * (2 if case["operation"] == "forward" else 5)


def _limits(record: Record) -> list[str]:
    """How far from what the machine could do."""
    machine = record.get("limits", {})
    rows = []
    for name, entry in record["cases"].items():
        seconds = entry["peers"].get("stn_ref", {}).get("seconds")
        size = math.prod(entry["case"]["shape"]) * 4
        speed = bandwidth(machine, size)
        if entry["case"]["kind"] == "sampler" and seconds and speed:
            ideal, best = least_bytes(entry["case"]) / speed, min(seconds)
            rows.append([name, micro(ideal), micro(best), digits(best / ideal)])
    if not machine:
        return []
    copies = []
    for entry in machine.values():
        seconds, shape = entry["peers"].get("NumPy", {}).get("seconds"), entry["case"]["shape"]
        if not seconds:
            continue
        if entry["case"]["kind"] == "copy":
            n = 4 * math.prod(shape)
            copies.append([f"copy of {n // 1024} KiB", f"{2 * n / min(seconds) / 1e9:.3g} GB/s"])
        else:
            rate = 2 * shape[0] ** 3 / min(seconds) / 1e9
            copies.append([f"float32 matrix product of {shape[0]}", f"{rate:.3g} GFLOP/s"])
    return [
        "## The machine's limit",
        "What one thread of this machine does, bytes read and written counted both:",
        table(["", "rate"], copies),
        "The least time is that of moving each array once (U, V; backward V_bar, U, U_bar) at the rate of "
        "the copy of nearest size." * bool(rows),
        table(["case", "least, us", "stn_ref, us", "times the least"], rows),
    ]


def _troubles(record: Record) -> list[str]:
    """What failed, differed, or was left out, with the reason."""
    lines = [
        f"- {case}, {name}: {found['status']}: {found['why']}"
        for case, entry in record["cases"].items()
        for name, found in entry["peers"].items()
        if found["status"] not in ("ok", "absent")
    ]
    return ["## Without a ratio", "\n".join(lines)] if lines else []
