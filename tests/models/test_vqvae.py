"""VQ-VAE: nearest codes, gradients, codebook updates."""

import pytest
import torch
from torch import nn

from fastlatent.data import Batch
from fastlatent.models import VQVAE, Codebook
from fastlatent.models.vqvae import DEAD_CODE_THRESHOLD
from tests.models.by_hand import linear

X = torch.tensor([[0.9, 0.2], [0.4, -3.0]])
BATCH = Batch(X, torch.zeros(2, dtype=torch.long))


def codebook(decay=0.5):
    """Return two vectors of one coordinate, 0 and 1, each used four times; a code is two of them."""
    book = Codebook(entries=2, size=1, parts=2, decay=decay)
    book.vectors.copy_(torch.tensor([[0.0], [1.0]]))
    book.counts.copy_(torch.tensor([4.0, 4.0]))
    book.sums.copy_(torch.tensor([[0.0], [4.0]]))
    return book


def model():
    return VQVAE(nn.Identity(), linear((2.0, 0.0), (0.0, 2.0)), codebook(), commitment=0.25).eval()


def test_codes_are_the_nearest_vectors():
    assert model().encode(X).tolist() == [[1, 0], [0, 0]]


def test_loss_by_hand():
    terms = model().loss(BATCH)  # x̂ = (2, 0) and (0, 0)
    assert terms["reconstruction"].item() == pytest.approx((1.1**2 + 0.2**2 + 0.4**2 + 3**2) / 2)
    assert terms["commitment"].item() == pytest.approx((0.1**2 + 0.2**2 + 0.4**2 + 3**2) / 2)
    assert terms["loss"].item() == pytest.approx(5.205 + 0.25 * 4.605)


def test_straight_through_gradient():
    vq, z = model(), X.clone().requires_grad_()
    vq.loss(Batch(z, BATCH.label))["loss"].backward()
    reconstruction, q = vq.reconstruct(BATCH), vq.encode(X)
    through = 2 * 2 * (reconstruction - X)  # gradient of ‖x − 2q‖² in q, copied to z
    direct = -2 * (reconstruction - X)  # the encoder is the identity
    torch.testing.assert_close(z.grad, (through + direct + 0.25 * 2 * (X - q)) / 2)


def test_codebook_update_by_hand():
    book = codebook(decay=0.5)
    z = torch.tensor([[0.8, 0.0], [0.9, 1.3]])
    book.update(z, book(z))
    assert book.counts.tolist() == pytest.approx([(4 + 1) / 2, (4 + 3) / 2])
    assert book.vectors[0].item() == pytest.approx(0.0)
    assert book.vectors[1].item() == pytest.approx((4 + 3.0) / (4 + 3))


def test_dead_codes_are_reset_to_the_batch():
    book = codebook()
    book.counts.copy_(torch.tensor([8.0, DEAD_CODE_THRESHOLD]))
    z = torch.full((3, 2), -0.125)
    book.update(z, book(z))
    assert book.vectors[1].item() == -0.125


def test_no_update_in_evaluation_mode():
    vq = model()
    before = vq.prior.vectors.clone()
    vq.loss(BATCH)
    assert torch.equal(vq.prior.vectors, before)
    vq.train().loss(BATCH)
    assert not torch.equal(vq.prior.vectors, before)


def test_prior_samples_vectors_uniformly():
    samples = codebook().sample(4000, generator=torch.manual_seed(0))
    assert samples.shape == (4000, 2)
    assert samples.unique().tolist() == [0, 1]
    assert samples.mean().item() == pytest.approx(0.5, abs=4 * 0.5 / 8000**0.5)  # four standard errors
