"""Command `fastlatent sweep`, on a terminal of 80 columns."""

import io

import pytest
from rich.console import Console

from fastlatent.cli import main
from fastlatent.cli.sweep import print_table
from fastlatent.experiments.sweep import SweepRow

pytestmark = pytest.mark.slow

SMALL = ["--hidden", "8", "--epochs", "1", "--batch-size", "500"]


def test_sweep_ends_with_a_table(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    folder = tmp_path / "sweep"
    main(["sweep", "ae", *SMALL, "--latent-dim", "2", "3", "--seed", "0", "1", "--run-dir", str(folder)])
    text, err = capsys.readouterr()
    assert text.count("±") == 7  # two rows of three metrics, and the legend
    assert str(folder / "sweep.csv") in text.replace("\n", "")
    assert "run 4/4" in err
    main(["sweep", "ae", *SMALL, "--latent-dim", "2", "3", "--seed", "0", "1", "--run-dir", str(folder)])
    second_text, err = capsys.readouterr()
    assert second_text == text
    assert err.count("finished") == 4


def test_failed_runs_are_counted_at_the_end(capsys, tmp_path):
    arguments = ["sweep", "wae-mmd", *SMALL, "--latent-dim", "2", "3", "--prior", "mixture"]
    with pytest.raises(SystemExit) as exit_:
        main([*arguments, "--run-dir", str(tmp_path)])
    text, err = capsys.readouterr()
    assert exit_.value.code == 2
    assert "0 of 1" in text
    assert err.endswith("fastlatent: error: 1 of 2 runs failed\n")


def table_text(rows, width=80):
    console = Console(file=io.StringIO(), width=width)
    print_table(console, rows)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 200])
def test_table_fits_the_terminal_without_truncation(width):
    names = [f"A metric with a long name, number {i}" for i in range(7)]
    options = {"latent_dim": 16, "batch_size": 1024, "hidden": (512, 512)}
    metrics = {name: (0.123456 * 10 ** (i - 3), 0.001234 * 10 ** (i - 3)) for i, name in enumerate(names)}
    text = table_text([SweepRow(options, metrics, 3, 0), SweepRow(options, metrics, 2, 1)], width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert text.count("0.1235 ± 0.0012") == 2
    assert "123.5 ± 1.2" in text
    assert text.count("512,512") % 2 == 0
    assert "2 of 3" in text


def test_one_seed_has_no_standard_deviation():
    text = table_text([SweepRow({}, {"a number": (0.5, None)}, 1, 0)])
    assert "0.5" in text
    assert "±" not in text
