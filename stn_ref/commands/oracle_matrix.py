"""`stn-ref oracle matrix`: every known backend is asked; and the page that tells what was found."""

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ..errors import check_choice
from ..files import write_atomically
from ..oracle.adapters import ADAPTERS
from ..oracle.interview import Result
from ..oracle.matrix import Asking, examine
from ..oracle.records import SCRIPTS, Entry, entries
from ..oracle.reports.as_json import result_from
from ..oracle.reports.groups import collected
from ..oracle.reports.words import MEANINGS, about, got_and_expected, one_line, place, url_of
from ..oracle.verdicts import Verdict

ROWS = {
    "V": "values",
    "U_bar": "U's cotangent",
    "grid_bar": "grid's cotangent",
    "V_dot": "tangents",
    "second": "second order",
    "grid": "grids",
    "theta_bar": "theta's cotangent",
    "places_bar": "places' cotangent",
}
FEATURES = {
    "mode": "{}",
    "padding_mode": "padding {}",
    "align_corners": "align_corners={}",
    "dtype": "{}",
    "dims": "{}-D",
}
LONGEST_SCRIPT = 36  # lines of one that is shown on the page itself
DETAIL = 160
THREADS = 4  # named of those about one family
HEAD = """\
# Conformance of other implementations

What the oracle found when it asked the grid samplers and affine grids of other libraries, and this one. This
page is made from the files in [conformance]({folder}) by

```
stn-ref oracle matrix --page
```

They are made by

```
stn-ref oracle matrix {options}
```

with one `--python` for each backend that is installed in an interpreter of its own. A backend is asked again
only if it has changed, or what it is asked.

Each answer is compared with exact arithmetic, within a bound that is derived from the dtype and the number of
roundings, not chosen. Where implementations legitimately differ (which pixel is nearest half-way between two,
for instance), a backend is judged by the profile that its adapter claims; at a kink every slope between those
on both sides is right. What an adapter does not claim, and what a backend refuses as not implemented, counts
as not supported.

What is wrong is grouped by family of questions, with the worst answer of each group. For some there is a
script; `stn-ref oracle shrink CASE --backend NAME` writes one for any case that is named.

An entry describes one version, on one kind of processor, through one adapter. It is a list of answers, not a
judgement of a library. Whoever finds an answer here that is right is asked to say so.
"""


def matrix(options: argparse.Namespace) -> int:
    """Ask, unless the page alone is wanted, and write the page."""
    folder = Path(options.out)
    pythons, only = dict(options.python), dict(options.only)
    names = options.only_backend or list(ADAPTERS)
    for name in (*pythons, *only, *names):
        check_choice("matrix", "backend", name, tuple(ADAPTERS))
    asking = Asking(options.level, options.seed, options.time_limit, pythons, only)
    for name in [] if options.page else names:
        print(examine(name, asking, folder, again=options.again), flush=True)
    path = folder.parent / f"{folder.name}.md"
    write_atomically(path, page(folder).encode())
    print(f"{path} is written")
    return 0


def page(folder: Path) -> str:
    """The page of what is on record in a folder, in Markdown.

    Raises
    ------
    ValueError
        If a file is damaged, or there is none.
    """
    found = entries(folder)
    asked = [entry for entry in found if "counts" in entry]
    if not asked:
        raise ValueError(f"matrix: there is nothing on record in {folder}; ask a backend first")
    options = [f"--only '{_name(e)}={e['asked']['only']}'" for e in asked if e["asked"]["only"]]
    lines = HEAD.format(folder=folder.name, options=" ".join(["--python torch=PATH", *options])).splitlines()
    lines += ["", "## In numbers", "", *_table(found), "", *_legend(asked)]
    for entry in asked:
        lines += ["", *_section(entry, folder)]
    return "\n".join(lines) + "\n"


def _name(entry: Entry) -> str:
    return str(entry["backend"]["name"])


def _table(found: Sequence[Entry]) -> Iterator[str]:
    head = ["backend", "version", "profile", "right", "wrong", "by convention", "undecided", "not supported"]
    head += ROWS.values()
    yield _row(head)
    yield _row("---" for _ in head)
    for entry in found:
        backend = entry["backend"]
        if "failed" in entry:
            yield _row([backend["name"], "could not be asked", *[""] * (len(head) - 2)])
            continue
        link = f"[{backend['name']}](#{backend['name']})"
        yield _row([link, backend["version"], backend["profile"], *_sums(entry["counts"]), *_cells(entry)])
    for entry in found:
        if "failed" in entry:
            yield f"\n{_name(entry)}: {_quoted(entry['failed'])}."


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _quoted(text: str) -> str:
    """Text in which Markdown finds nothing of its own."""
    return f"`{text.replace('`', chr(39))}`"


def _sums(counts: Mapping[str, int]) -> list[str]:
    """Answers that are right, wrong, right by another convention, undecided, and not there."""
    said = {Verdict(name): count for name, count in counts.items()}
    right = sum(count for verdict, count in said.items() if verdict.passing)
    wrong = sum(count for verdict, count in said.items() if verdict.failing)
    others = (Verdict.CONVENTION, Verdict.UNDECIDED, Verdict.UNSUPPORTED)
    return [str(count) for count in (right, wrong, *(said.get(verdict, 0) for verdict in others))]


def _cells(entry: Entry) -> Iterator[str]:
    """Of each row of aspects how many answers are wrong, of how many."""
    for row in ROWS:
        counts = [cell[row] for cell in entry["settings"].values() if row in cell]
        said = [(Verdict(name), count) for cell in counts for name, count in cell.items()]
        judged = sum(count for verdict, count in said if verdict.passing or verdict.failing)
        wrong = sum(count for verdict, count in said if verdict.failing)
        yield f"{wrong} of {judged}" if judged else "–"


def _legend(asked: Sequence[Entry]) -> Iterator[str]:
    yield "From `values` on: how many of the answers that could be judged are wrong; – where there is none."
    given = {Verdict(failure["verdict"]) for entry in asked for failure in entry["failures"]}
    yield "The words for what is wrong:"
    yield ""
    for verdict in Verdict:
        if verdict in given:
            yield f"- `{verdict.value}`: {MEANINGS[verdict]}"


def _section(entry: Entry, folder: Path) -> Iterator[str]:
    backend, asked = entry["backend"], entry["asked"]
    yield f"## {backend['name']}"
    yield ""
    only = f", those whose name matches `{asked['only']}`" if asked["only"] else ""
    yield (
        f"{backend['version']}, Python {backend['python']}, NumPy {backend['numpy']}. Asked {entry['cases']} "
        f"questions of level {asked['level']}{only}, judged by profile {backend['profile']}. Claimed: "
        f"{', '.join(backend['modes'])}; padding {', '.join(backend['padding_modes'])}; align_corners "
        f"{', '.join(map(str, backend['align_corners']))}; {', '.join(backend['dtypes'])}; "
        f"{', '.join(f'{d}-D' for d in backend['dims'])}."
    )
    yield from _others(entry)
    for match in entry["matches"]:
        yield (
            f"\nThe known mistake `{match['fault']}` gives the same answers in {match['matched']} of the "
            f"{match['failing']} wrong ones compared: {match['sentence']}"
        )
    if not entry["failures"]:
        yield "\nNo answer is wrong."
    shown: set[str] = set()
    for family, failures in collected(entry["failures"], lambda failure: failure["family"]).items():
        yield ""
        yield from _family(family, failures, folder, shown)


def _others(entry: Entry) -> Iterator[str]:
    """What is neither right nor wrong."""
    for group in entry["conventions"]:
        yield (
            f"\nBy another convention: {group['count']} answers ({ROWS[group['aspect']]}, `{group['family']}`"
            f"{_only(group)}) are {group['detail']}."
        )
    if entry["unsupported"]:
        yield "\nNot supported:\n"
    for reason in entry["unsupported"]:
        rows = dict.fromkeys(ROWS[aspect.partition(".")[0]] for aspect in reason["aspects"])
        yield f"- {_quoted(reason['detail'])} ({', '.join(rows)}: {reason['count']})"


def _family(family: str, failures: Sequence[Entry], folder: Path, shown: set[str]) -> Iterator[str]:
    """What is wrong with the answers to the questions of a family."""
    yield f"### {family}: {about(family)}"
    yield ""
    threads = list(dict.fromkeys(thread for failure in failures for thread in failure["threads"]))
    if threads:
        links = ", ".join(f"[{thread}]({url_of(thread)})" for thread in threads[:THREADS])
        yield f"Such questions come from {links}{' and others' if threads[THREADS:] else ''}."
        yield ""
    for alike in collected(failures, _told_as).values():
        yield from _failures(alike)
    for script in dict.fromkeys(failure["script"] for failure in failures if failure["script"]):
        [verdict] = {failure["verdict"] for failure in failures if failure["script"] == script}
        yield from _script(script, folder, inline=verdict not in shown)
        shown.add(verdict)


def _told_as(failure: Entry) -> tuple[str, ...]:
    """The same for failures of one call that came to nothing, and so for all of its results."""
    worst = failure["worst"]
    own = failure["aspect"] if worst["got"] is not None else str(failure["ways"])
    counts = f"{failure['count']} of {failure['asked']}"
    return failure["verdict"], worst["case"], worst["detail"], counts, own


def _failures(alike: Sequence[Entry]) -> Iterator[str]:
    first, aspects = alike[0], [failure["aspect"] for failure in alike]
    rows = dict.fromkeys(ROWS[aspect.partition(".")[0]] for aspect in aspects)
    worst = result_from(first["worst"], "worst")
    yield (
        f"- `{first['verdict']}`, {', '.join(rows)} ({', '.join(f'`{aspect}`' for aspect in aspects)}): "
        f"{first['count']} of {first['asked']} answers{' each' if len(alike) > 1 else ''}{_only(first)}"
        f"{_ways(first)}. In `{worst.case}` {_said(worst)}."
    )


def _only(group: Entry) -> str:
    """By which settings those who belong to a group differ from those who do not."""
    parts = [FEATURES[name].format(" or ".join(values)) for name, values in group["only"].items()]
    return f", all with {'; '.join(parts)}" if parts else ""


def _ways(failure: Entry) -> str:
    ways = [f"{way} ({count})" for way, count in failure["ways"].items()]
    return f", when asked in another way: {', '.join(ways)}" if ways else ""


def _said(worst: Result) -> str:
    """What came, and what is exact."""
    first_line = next(iter(worst.finding.detail.splitlines()), "").removesuffix("; it was in")
    detail = _quoted(one_line(first_line, DETAIL))
    if worst.finding.got is None:
        return f"what came is {detail}"
    got, expected = got_and_expected(worst)
    exact = f"within {expected}" if " to " in expected else expected
    return f"`{place(worst)}` is {got}, exact is {exact}{f' ({detail})' if worst.finding.detail else ''}"


def _script(name: str, folder: Path, *, inline: bool) -> Iterator[str]:
    text = (folder / SCRIPTS / name).read_text("utf-8")
    yield ""
    needs = " (it calls the adapter, and needs this library)" if "from stn_ref" in text else ""
    yield f"To see it: [{name}]({folder.name}/{SCRIPTS}/{name}){needs}"
    if inline and len(text.splitlines()) <= LONGEST_SCRIPT:
        yield from ("", "```python", *text.splitlines(), "```")
