"""What results come to: means, McNemar's test, the document, and the page, which follows from it."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from stn_ref import cli
from stn_ref.experiments import EXPERIMENTS
from stn_ref.experiments.classification import pack_bits, unpack_bits
from stn_ref.experiments.page import page
from stn_ref.experiments.results import compared, compiled, mcnemar, read_results, summaries, write_results
from stn_ref.pictures.results import transformer_views

from .tiny import tiny_sweep

DOCUMENTED = Path(__file__).parents[2] / "docs" / "results"
TABLE1 = replace(EXPERIMENTS["table1"], compared=(("CNN", "ST-CNN Aff"),))


def row(model, seed, wrong, dataset="R", **others):
    wrong = np.asarray(wrong, bool)
    return {
        "model": model,
        "dataset": dataset,
        "seed": seed,
        "error": 100 * wrong.mean(),
        "measured_on": len(wrong),
        "wrong": pack_bits(wrong),
        "failed": None,
        "samples_seen": 1000,
        "seconds": 3.0,
        "processor_seconds": 2.0,
        "lr": 0.01,
        "localisation_lr": 0.1,
        "epochs": [],
        **others,
    }


def first(n, of=100):
    return np.arange(of) < n


@pytest.fixture
def document():
    rows = [row("CNN", seed, first(20 + seed)) for seed in range(3)]
    rows += [row("ST-CNN Aff", seed, first(5)) for seed in range(2)]
    rows += [row("ST-CNN Aff", 2, first(5), failed="fit: the loss is nan")]
    protocol = {
        "seeds": 3,
        "quick": False,
        "setting": {"epochs": 3, "batch_size": 128},
        "choices": "",
        "data": ["digits"],
    }
    trials = [
        {
            "model": "CNN",
            "dataset": "R",
            "lr": lr,
            "localisation_lr": 1.0,
            "error": 9.0,
            "processor_seconds": 1.0,
        }
        for lr in (0.1, 0.01)
    ]
    return {"experiment": "table1", "protocol": protocol, "rows": rows, "examples": {}, "trials": trials}


def test_mean_and_standard_deviation_of_each_cell(document):
    cnn, st = summaries(document)
    assert (cnn.model, cnn.mean, cnn.deviation, cnn.values) == ("CNN", 21.0, 1.0, (20.0, 21.0, 22.0))
    assert st.deviation == 0
    assert st.failed == ("fit: the loss is nan",)


@pytest.mark.parametrize(("a", "b"), [(0, 0), (3, 3), (0, 1), (10, 2), (40, 61), (900, 1100)])
def test_mcnemar_is_the_two_sided_binomial_test(a, b):
    expected = binomtest(a, a + b).pvalue if a + b else 1.0
    assert mcnemar(a, b) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 1000])
def test_packed_mistakes_come_back(count):
    bits = np.random.default_rng(count).random(count) < 0.5
    assert (unpack_bits(pack_bits(bits), count) == bits).all()


def test_networks_are_compared_on_the_images_that_one_alone_has_wrong(document):
    [found] = compared(document, TABLE1)
    assert (found.only_first, found.only_second) == (15 + 16 + 17, 0)
    assert found.p == tuple(mcnemar(n, 0) for n in (15, 16, 17))


def test_the_page_says_what_the_numbers_are(document):
    text = page(document, TABLE1, {"How they learnt": "curves.svg"})
    assert "| CNN | 21.00 ± 1.00 | 1.2 |" in text
    assert "| ST-CNN Aff | 5.00 ± 0.00 | 0.7 |" in text
    assert "| R | ST-CNN Aff against CNN | -16.00 | 0 / 48 | below 0.0001 | in all seeds |" in text
    assert "In 1 of 1 comparisons the network named first has the lower mean error, in 1 of them" in text
    assert "![How they learnt](curves.svg)" in text
    assert "- ST-CNN Aff on R: fit: the loss is nan" in text
    assert "| R | CNN | 0.01 |  | 2 |" in text
    assert "6 runs and 2 trials took 14 s of one processor" in text


def test_the_page_has_every_seed_and_what_lay_outside(document):
    for seed, row in enumerate(document["rows"][3:]):
        row |= {"parameters": 52_956, "outside": {"one": 0.01 * seed, "another": 0.03 * seed}}
    text = page(document, TABLE1, {})
    assert "| data | network | parameters | seed by seed | samples outside, % |" in text
    assert "| R | CNN |  | 20.00 21.00 22.00 |  |" in text
    assert "| R | ST-CNN Aff | 52,956 | 5.00 5.00 5.00 | 0.0 2.0 4.0 |" in text


def test_the_page_says_how_far_chance_goes(document):
    """Of 100 images: sqrt(0.05 * 0.95 / 100) and sqrt(0.22 * 0.78 / 100)."""
    assert "gives a single run a standard error of 2.18 to 4.14 points." in page(document, TABLE1, {})


def test_the_time_of_the_papers_protocol_is_computed(document):
    """Six runs of 1,000 images in 12 s: 2 ms an image, 38.4 million images a run, six runs, two cores."""
    hours = 0.002 * 38_400_000 * 6 / 2 / 3600
    assert f"{round(hours)} h on two." in page(document, TABLE1, {})


def test_a_document_is_read_as_it_was_written_and_refused_when_damaged(document, tmp_path):
    path = tmp_path / "table1.json"
    write_results(path, document)
    assert read_results(path) == document
    path.write_text(path.read_text()[:-9])
    with pytest.raises(ValueError, match=r"table1.json is not valid JSON"):
        read_results(path)
    path.write_text("[]")
    with pytest.raises(ValueError, match="holds no results"):
        read_results(path)


@pytest.mark.parametrize("path", sorted(DOCUMENTED.glob("*.json")), ids=lambda path: path.stem)
def test_the_pages_in_the_documentation_follow_from_the_numbers(path):
    """As ``stn-ref reproduce ID --pages`` makes them; figures are taken as the page names them."""
    text = path.with_suffix(".md").read_text()
    figures = dict(re.findall(r"!\[(.+?)\]\((.+?)\)", text))
    assert page(read_results(path), EXPERIMENTS[path.stem], figures) == text
    assert all((DOCUMENTED / name).exists() for name in figures.values())


def test_every_page_of_results_is_linked():
    text = (DOCUMENTED.parent / "experiments.md").read_text()
    assert all(f"(results/{path.name})" in text for path in DOCUMENTED.glob("*.md"))


# The command


def test_the_list_names_every_experiment(capsys):
    assert cli.main(["reproduce", "list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(EXPERIMENTS)


def test_the_help_names_every_experiment():
    from stn_ref import cli_reproduce

    assert set(EXPERIMENTS) == set(cli_reproduce.EXPERIMENTS)


def test_an_experiment_that_is_none_is_refused(capsys):
    assert cli.main(["reproduce", "table2"]) == 2
    assert "there is no experiment 'table2'; expected one of table1, " in capsys.readouterr().err


def test_the_command_writes_results_and_page_and_takes_up_what_is_there(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = {"train": 60, "validation": 20, "test": 40, "epochs": 2, "batch_size": 20}
    cells = (("FCN", "R"), ("ST-FCN Proj", "R"))
    quick = replace(EXPERIMENTS["table1"], quick=small, quick_cells=cells)
    monkeypatch.setitem(EXPERIMENTS, "table1", quick)
    words = ["reproduce", "table1", "--quick", "--executor", "threads", "--workers", "1"]
    assert cli.main(words) == 0
    first_time = capsys.readouterr().out
    assert first_time.count("seed 0") == 2
    document = json.loads(Path("results/table1.json").read_text())
    assert document["protocol"]["setting"] == small
    assert [r["model"] for r in document["rows"]] == ["FCN", "ST-FCN Proj"]
    assert document["examples"]["R"]["shape"] == [12, 1, 28, 28]
    text = Path("results/table1.md").read_text()
    assert "It is a miniature" in text
    assert cli.main(words) == 0
    assert "seed 0" not in capsys.readouterr().out
    Path("results/table1.md").unlink()
    assert cli.main(["reproduce", "table1", "--pages"]) == 0
    assert Path("results/table1.md").read_text() == text


def test_what_pictures_are_drawn_from_is_kept_of_the_first_seed_alone(tmp_path):
    sweep = tiny_sweep(tmp_path)
    document = compiled(sweep, sweep.run())
    kept = {(row["model"], row["seed"]) for row in document["rows"] if row.get("transformers")}
    assert kept == {("ST-FCN Aff", 0)}
    pytest.importorskip("matplotlib")
    assert transformer_views(tmp_path / "views.png", document).exists()
