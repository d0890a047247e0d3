"""Options of computation: they change the time of a training, not its result."""

import pytest
import torch

from fastlatent.train import TrainConfig
from tests.train.runs import train

pytestmark = pytest.mark.slow

ROUNDING = {"rtol": 1e-6, "atol": 1e-9}  # float64 after some steps of Adam, which divides by the gradients' magnitude


def weights(run_dir, name="wae-mmd", **options):
    return train(run_dir, name, epochs=1, precision="64", **options)[0].state_dict()


def test_compile_gives_the_same_weights(tmp_path):
    compiled = weights(tmp_path / "compiled", compile=True)
    torch.testing.assert_close(compiled, weights(tmp_path / "eager"), **ROUNDING)


def test_channels_last_gives_the_same_weights(tmp_path):
    channels_last = weights(tmp_path / "last", network="conv", channels_last=True)
    torch.testing.assert_close(channels_last, weights(tmp_path / "first", network="conv"), **ROUNDING)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="a CUDA graph needs a CUDA device")
@pytest.mark.parametrize("name", ["wae-mmd", "swae", "acai"])
def test_cuda_graph_gives_the_same_weights(tmp_path, name):
    captured = weights(tmp_path / "captured", name, accelerator="cuda", batch_size=100, cuda_graph=True)
    torch.testing.assert_close(
        captured, weights(tmp_path / "eager", name, accelerator="cuda", batch_size=100), **ROUNDING
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"accelerator": "cpu"}, "cuda_graph needs a CUDA device; got accelerator 'cpu'"),
        ({"devices": 2}, "cuda_graph is for one process"),
        ({"precision": "16-mixed"}, "without a scaled loss; got .* precision '16-mixed'"),
    ],
)
def test_unsupported_cuda_graph_options_are_rejected(monkeypatch, options, message):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(ValueError, match=message):
        TrainConfig(cuda_graph=True, **options).check()


@pytest.mark.parametrize("precision", ["64", "bf16-mixed"])
def test_precisions_reach_similar_losses(tmp_path, precision):
    _, reference = train(tmp_path / "32")
    model, result = train(tmp_path / precision, precision=precision)
    assert result.history[-1]["test/autoencoder/loss"] == pytest.approx(
        reference.history[-1]["test/autoencoder/loss"], rel=0.02
    )
    expected = torch.float64 if precision == "64" else torch.float32
    assert {weight.dtype for weight in model.parameters()} == {expected}
