import pytest
import torch

from fastlatent.train.state import TrainingState
from tests.train.runs import result, train

MODELS = ["wae-mmd", "swae", "ae-dropout", "vq-vae", "acai-wwae", "aae-semi-supervised", "wae-gan"]


class Fell(Exception):
    """As if the machine had gone down."""


def fall(monkeypatch, out, name, step):
    """Train until before this step."""
    advance = TrainingState.advance

    def falls(state, batch):
        if state.total == step:
            raise Fell
        advance(state, batch)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingState, "advance", falls)
        with pytest.raises(Fell):
            train(out, name, checkpoint_steps=3)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("step", [2, 7], ids=["before the first checkpoint", "after it"])
def test_a_run_that_fell_goes_on_bit_for_bit(tmp_path, monkeypatch, name, step):
    train(tmp_path / "whole", name, checkpoint_steps=3)
    fall(monkeypatch, tmp_path / "fell", name, step)
    torch.manual_seed(99)  # another process has other numbers
    train(tmp_path / "fell", name, resume=True, checkpoint_steps=3)
    assert result(tmp_path / "fell") == result(tmp_path / "whole")
