"""Losses of every model under autocast."""

import pytest
import torch

from fastlatent.experiments.run import default_run
from fastlatent.models import MODEL_CONFIGS

pytestmark = pytest.mark.slow


def losses(model, batch):
    """Return the loss of each phase on the batch, with the same random numbers each time."""
    torch.manual_seed(0)
    return {phase.name: phase.loss(batch)["loss"] for phase in model.phases()}


@pytest.mark.parametrize("inputs", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", MODEL_CONFIGS)
def test_losses_under_autocast_are_close_to_float32(name, inputs):
    """Fabric casts the data to 16 bits, a user's own training loop may not."""
    model, data = default_run(MODEL_CONFIGS[name]).prepare()
    batch = data.train.evenly_spaced(64)
    model.eval()
    exact = losses(model, batch)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = batch._replace(x=batch.x.to(inputs))
        rough = losses(model, rounded)
        sum(losses(model.train(), rounded).values()).backward()
    for phase, value in exact.items():
        assert rough[phase].item() == pytest.approx(value.item(), rel=0.03, abs=0.03), phase
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
