"""How the page looks; see :mod:`.page`. Every colour says what a mark or a word beside it says too."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1b1f24; --quiet: #57606a; --line: #d0d7de; --sheet: #f6f8fa; --link: #0550ae;
  --ok: #dafbe1; --wrong: #ffd8d3; --convention: #fff3c4; --other: #eaeef2; --wrong-ink: #a40e26;
  --ok-ink: #116329;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0d1117; --ink: #e6edf3; --quiet: #9da7b3; --line: #30363d; --sheet: #161b22; --link: #79c0ff;
    --ok: #12361f; --wrong: #5c1a1b; --convention: #4a3a0a; --other: #21262d; --wrong-ink: #ff9a92;
    --ok-ink: #6fdd8b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1rem; max-width: 66rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 0.25rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 0.5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 0.5rem; }
p { margin: 0.25rem 0 0.5rem; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.875rem; }
pre {
  margin: 0.25rem 0; padding: 0.5rem 0.75rem; background: var(--sheet); border: 1px solid var(--line);
  border-radius: 6px; overflow-x: auto; overflow-wrap: normal;
}
header { border-left: 0.5rem solid; padding-left: 0.75rem; margin-bottom: 1rem; }
header.wrong { border-color: var(--wrong-ink); }
header.ok { border-color: var(--ok-ink); }
.verdict { font-weight: 600; }
.wrong .verdict { color: var(--wrong-ink); }
.ok .verdict { color: var(--ok-ink); }
.quiet { color: var(--quiet); }
.match { padding: 0.5rem 0.75rem; background: var(--convention); border-radius: 6px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; overflow-wrap: normal; }
th, td { padding: 0.2rem 0.6rem; border: 1px solid var(--line); text-align: left; font-weight: normal; }
thead th, th[scope=rowgroup] { background: var(--sheet); font-weight: 600; }
.matrix td { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.matrix th[scope=row] { position: sticky; left: 0; background: var(--paper); }
td.ok { background: var(--ok); }
td.wrong { background: var(--wrong); font-weight: 600; }
td.convention { background: var(--convention); }
td.undecided, td.unsupported { background: var(--other); }
details { border: 1px solid var(--line); border-radius: 6px; margin: 0.4rem 0; }
summary { padding: 0.4rem 0.75rem; cursor: pointer; background: var(--sheet); border-radius: 6px; }
.inside { padding: 0.5rem 0.75rem; }
dl { display: grid; grid-template-columns: fit-content(45%) minmax(0, 1fr); }
dl { gap: 0.2rem 1rem; margin: 0.5rem 0; }
dt { color: var(--quiet); }
dd { margin: 0; min-width: 0; }
ul { margin: 0.25rem 0; padding-left: 1.25rem; }
"""
