"""Options with lists of values, and their combinations."""

from dataclasses import fields

import pytest
import tyro

from fastlatent.cli.lists import combinations, to_lists
from fastlatent.experiments.run import default_run
from fastlatent.models import MODEL_CONFIGS
from fastlatent.models.configs.wae import WAEMMDConfig


def parse(*arguments, config=WAEMMDConfig):
    default = to_lists(default_run(config))
    return list(
        combinations(tyro.cli(type(default), default=default, args=arguments, config=[tyro.conf.OmitArgPrefixes]))
    )


@pytest.mark.parametrize("name", MODEL_CONFIGS)
def test_without_options_the_only_combination_is_the_default(name):
    config = MODEL_CONFIGS[name]
    assert parse(config=config) == [default_run(config)]


def test_combinations_are_the_product_and_the_last_option_varies_fastest():
    runs = parse("--latent-dim", "2", "8", "--lr", "1e-3", "4e-3", "--seed", "0", "1", "2")
    options = [(run.model.latent_dim, run.training.lr, run.training.seed) for run in runs]
    assert options == [(dim, lr, seed) for dim in (2, 8) for lr in (1e-3, 4e-3) for seed in (0, 1, 2)]


def test_list_values_are_written_with_commas():
    runs = parse("--hidden", "512,256", "64", "--scales", "0.5,1,2")
    assert [run.model.hidden for run in runs] == [(512, 256), (64,)]
    assert runs[0].model.scales == (0.5, 1.0, 2.0)


def test_none_is_a_value():
    assert [run.training.epochs for run in parse("--epochs", "5", "None")] == [5, None]


def test_option_without_values_is_named():
    with pytest.raises(ValueError, match="lr must be one value or more; got none"):
        parse("--lr")


@pytest.mark.parametrize("word", ["some", "1e-3,2e-3"])
def test_value_of_another_type_is_rejected(word, capsys):
    with pytest.raises(SystemExit):
        parse("--lr", word)
    assert "--lr" in capsys.readouterr().err


def test_run_dir_is_one_path():
    assert [run.training.run_dir for run in parse("--run-dir", "here", "--seed", "0", "1")] == [None, None]
    assert "run_dir" in {option.name for option in fields(default_run(WAEMMDConfig).training)}
