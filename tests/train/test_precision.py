import pytest
import torch

from fastlatent.experiments.run import default_run
from fastlatent.models import MODEL_CONFIGS


def losses(model, batch):
    """The value of each phase's loss on the batch, with the same random numbers each time."""
    torch.manual_seed(0)
    return {phase.name: phase.loss(batch)["loss"] for phase in model.phases()}


@pytest.mark.parametrize("inputs", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", MODEL_CONFIGS)
def test_losses_of_every_model_under_autocast_are_nearly_those_of_32_bits(name, inputs):
    """A loop of one's own hands it data of 32 bits, Fabric data of 16."""
    model, data = default_run(MODEL_CONFIGS[name]).prepare()
    batch = data.train.spread(64)
    model.eval()
    exact = losses(model, batch)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = batch._replace(x=batch.x.to(inputs))
        rough = losses(model, rounded)
        sum(losses(model.train(), rounded).values()).backward()
    for phase, value in exact.items():
        assert rough[phase].item() == pytest.approx(value.item(), rel=0.03, abs=0.03), phase
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
