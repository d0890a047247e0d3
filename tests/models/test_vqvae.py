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
    """Two vectors of one coordinate, 0 and 1, each seen four times; a code is two of them."""
    made = Codebook(entries=2, size=1, parts=2, decay=decay)
    made.vectors.copy_(torch.tensor([[0.0], [1.0]]))
    made.counts.copy_(torch.tensor([4.0, 4.0]))
    made.sums.copy_(torch.tensor([[0.0], [4.0]]))
    return made


def model():
    return VQVAE(nn.Identity(), linear((2.0, 0.0), (0.0, 2.0)), codebook(), commitment=0.25).eval()


def test_codes_are_the_nearest_vectors():
    assert model().encode(X).tolist() == [[1, 0], [0, 0]]


def test_the_loss_by_hand():
    terms = model().loss(BATCH)  # x̂ = (2, 0) and (0, 0)
    assert terms["reconstruction"].item() == pytest.approx((1.1**2 + 0.2**2 + 0.4**2 + 3**2) / 2)
    assert terms["commitment"].item() == pytest.approx((0.1**2 + 0.2**2 + 0.4**2 + 3**2) / 2)
    assert terms["loss"].item() == pytest.approx(5.205 + 0.25 * 4.605)


def test_the_gradient_passes_through_the_quantization():
    vq, z = model(), X.clone().requires_grad_()
    vq.loss(Batch(z, BATCH.label))["loss"].backward()
    made, q = vq.reconstruct(BATCH), vq.encode(X)
    through = 2 * 2 * (made - X)  # of ‖x − 2q‖² in q, taken for that in z
    direct = -2 * (made - X)  # the data are their own codes here
    torch.testing.assert_close(z.grad, (through + direct + 0.25 * 2 * (X - q)) / 2)


def test_the_codebook_moves_by_averages():
    book = codebook(decay=0.5)
    z = torch.tensor([[0.8, 0.0], [0.9, 1.3]])
    book.update(z, book(z))
    assert book.counts.tolist() == pytest.approx([(4 + 1) / 2, (4 + 3) / 2])
    assert book.vectors[0].item() == pytest.approx(0.0)
    assert book.vectors[1].item() == pytest.approx((4 + 3.0) / (4 + 3))


def test_what_nothing_uses_is_moved_to_the_batch():
    book = codebook()
    book.counts.copy_(torch.tensor([8.0, DEAD_CODE_THRESHOLD]))
    z = torch.full((3, 2), -0.125)
    book.update(z, book(z))
    assert book.vectors[1].item() == -0.125


def test_an_evaluated_model_learns_nothing():
    vq = model()
    before = vq.prior.vectors.clone()
    vq.loss(BATCH)
    assert torch.equal(vq.prior.vectors, before)
    vq.train().loss(BATCH)
    assert not torch.equal(vq.prior.vectors, before)


def test_the_prior_draws_vectors_uniformly():
    drawn = codebook().sample(4000, generator=torch.manual_seed(0))
    assert drawn.shape == (4000, 2)
    assert drawn.unique().tolist() == [0, 1]
    assert drawn.mean().item() == pytest.approx(0.5, abs=4 * 0.5 / 8000**0.5)  # four standard errors
