"""Options of how to compute: they change the time that a training takes, not what comes out."""

import pytest
import torch

from tests.train.runs import train

ROUNDING = {
    "rtol": 1e-6,
    "atol": 1e-9,
}  # of float64 after four steps of Adam, which divides small gradients by themselves


def weights(out, name="wae-mmd", **options):
    return train(out, name, epochs=1, precision="64", **options)[0].state_dict()


def test_compiled_losses_give_the_same_weights(tmp_path):
    compiled = weights(tmp_path / "compiled", compile=True)
    torch.testing.assert_close(compiled, weights(tmp_path / "eager"), **ROUNDING)


def test_channels_last_gives_the_same_weights(tmp_path):
    last = weights(tmp_path / "last", network="conv", channels_last=True)
    torch.testing.assert_close(last, weights(tmp_path / "first", network="conv"), **ROUNDING)


@pytest.mark.parametrize("precision", ["64", "bf16-mixed"])
def test_every_precision_trains_to_nearly_the_same_loss(tmp_path, precision):
    _, usual = train(tmp_path / "32")
    model, done = train(tmp_path / precision, precision=precision)
    assert done.history[-1]["test/autoencoder/loss"] == pytest.approx(
        usual.history[-1]["test/autoencoder/loss"], rel=0.02
    )
    expected = torch.float64 if precision == "64" else torch.float32
    assert {weight.dtype for weight in model.parameters()} == {expected}
