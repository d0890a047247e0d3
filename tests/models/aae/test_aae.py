"""Adversarial autoencoders: phases, terms and gradients by hand."""

import math

import pytest
import torch
from torch import nn

from fastlatent.data import Batch
from fastlatent.models import AAE, ClusteringAAE, DimensionReductionAAE, LabeledAAE, SemiSupervisedAAE, SupervisedAAE
from fastlatent.models.objectives.adversarial import discriminator_loss, non_saturating_loss
from fastlatent.priors import GaussianMixture2D, Normal
from tests.models.by_hand import linear, linear_form

X = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
IDENTITY = (1.0, 0.0), (0.0, 1.0)


def phase_losses(model, batch):
    return {phase.name: phase.loss(batch)["loss"] for phase in model.phases()}


def test_phases_by_hand():
    model = AAE(linear((1.0, 0.0)), linear((1.0,), (1.0,)), linear_form(0.5), Normal(1))  # z = x₁, x̂ = (z, z), t = z/2
    torch.manual_seed(0)
    losses = phase_losses(model, Batch(X, torch.zeros(2, dtype=torch.long)))
    real = Normal(1).sample(2, generator=torch.manual_seed(0)).squeeze(1) / 2
    fake = X[:, 0] / 2
    assert losses["autoencoder"].item() == pytest.approx((1**2 + 4**2) / 2)
    torch.testing.assert_close(losses["discriminator"], discriminator_loss(real, fake))
    torch.testing.assert_close(losses["generator"], non_saturating_loss(fake))


def test_label_conditional_samples_of_the_discriminator():
    prior = GaussianMixture2D(components=3, along=1e-6, across=1e-6)
    model = LabeledAAE(linear(*IDENTITY), linear(*IDENTITY), linear_form(1.0, 0.0, 0, 0, 0, 0), prior)
    batch = Batch(X, torch.tensor([2, -1]))
    real, fake = model.real_samples(batch), model.fake_samples(batch)
    angle = 2 * 2 * math.pi / 3
    torch.testing.assert_close(real[0], torch.tensor([2 * math.cos(angle), 2 * math.sin(angle), 0, 0, 1, 0]))
    assert real[1, :2].norm().item() == pytest.approx(2, abs=1e-4)  # any component
    assert fake.tolist() == [[1, 2, 0, 0, 1, 0], [3, -1, 0, 0, 0, 1]]
    assert real[1, 2:].tolist() == fake[1, 2:].tolist()
    torch.testing.assert_close(phase_losses(model, batch)["generator"], non_saturating_loss(X[:, 0]))


def test_supervised_decoder_input_has_the_label():
    encoder, decoder = linear((1.0, 0.0)), linear((10.0, 0.0, 0.0), (0.0, 20.0, 1.0))  # x̂ = (10·y₀, 20·y₁ + z)
    model = SupervisedAAE(encoder, decoder, linear_form(1.0), Normal(1), num_classes=2)
    batch = Batch(X, torch.tensor([0, 1]))
    assert model.training_codes(batch).tolist() == [[1, 0, 1], [0, 1, 3]]
    assert model.reconstruct(batch).tolist() == [[10, 1], [0, 23]]
    assert phase_losses(model, batch)["autoencoder"].item() == pytest.approx((9**2 + 1 + 3**2 + 24**2) / 2)
    torch.testing.assert_close(phase_losses(model, batch)["generator"], non_saturating_loss(X[:, 0]))  # the style only


ENCODER = (math.log(3), 0.0), (0.0, 0.0), (0.0, 1.0)  # f_y = (x₁·log 3, 0), f_z = x₂
Y = torch.tensor([[3 / 4, 1 / 4], [27 / 28, 1 / 28]])


def clustering(**options):
    """D_y = sigmoid(y₁ − y₂), D_z = sigmoid(z)."""
    discriminators = linear_form(1.0, -1.0), linear_form(1.0)
    return ClusteringAAE(linear(*ENCODER), nn.Linear(3, 2), *discriminators, Normal(1), num_clusters=2, **options)


def test_clustering_code_is_a_softmax_and_a_style():
    model = clustering()
    torch.testing.assert_close(model.encode(X), torch.cat([Y, X[:, 1:]], 1))
    assert model.cluster(X).tolist() == [0, 0]
    assert model.prior.dim == 3


def test_clustering_loss_is_a_weighted_sum():
    model, batch = clustering(cluster_weight=7.0, style_weight=3.0), Batch(X, torch.zeros(2, dtype=torch.long))
    terms = model.loss(batch)
    torch.testing.assert_close(terms["reconstruction"], (X - model.reconstruct(batch)).square().sum(1).mean())
    torch.testing.assert_close(terms["cluster"], non_saturating_loss(Y[:, 0] - Y[:, 1]))
    torch.testing.assert_close(terms["style"], non_saturating_loss(X[:, 1]))
    torch.testing.assert_close(terms["loss"], terms["reconstruction"] + 7 * terms["cluster"] + 3 * terms["style"])


def test_consistency_loss_by_hand():
    weights = {"cluster_weight": 7.0, "style_weight": 3.0, "consistency_weight": 5.0}
    model, batch = clustering(augmentation=lambda x, context: -x, **weights), Batch(X, torch.zeros(2, dtype=torch.long))
    terms = model.loss(batch)
    # of −x the softmax is (¼, ¾) and (1/28, 27/28)
    expected = (math.log(3) * (3 / 4 - 1 / 4) + math.log(27) * (27 / 28 - 1 / 28)) / 2
    assert terms["consistency"].item() == pytest.approx(expected, rel=1e-5)
    rest = terms["reconstruction"] + 7 * terms["cluster"] + 3 * terms["style"]
    torch.testing.assert_close(terms["loss"], rest + 5 * terms["consistency"])


def test_consistency_loss_has_no_gradient_to_the_cluster():
    model = clustering()
    cluster, augmented = Y.clone().requires_grad_(), (-X).requires_grad_()
    gradients = torch.autograd.grad(model.consistency_loss(cluster, augmented), [cluster, augmented], allow_unused=True)
    assert gradients[0] is None
    # d/df of KL(y ‖ softmax(f)) is softmax(f) − y, and f_y = (x₁·log 3, 0)
    torch.testing.assert_close(gradients[1], torch.stack([math.log(3) * (1 - 2 * Y[:, 0]), torch.zeros(2)], 1) / 2)


def test_discriminator_losses_of_clustering_by_hand():
    model, batch = clustering(), Batch(X, torch.zeros(2, dtype=torch.long))
    torch.manual_seed(0)
    terms = model.discriminators_loss(batch)
    real = model.prior.sample(2, generator=torch.manual_seed(0))
    torch.testing.assert_close(terms["cluster"], discriminator_loss(real[:, 0] - real[:, 1], Y[:, 0] - Y[:, 1]))
    torch.testing.assert_close(terms["style"], discriminator_loss(real[:, 2], X[:, 1]))
    torch.testing.assert_close(terms["loss"], terms["cluster"] + terms["style"])
    gradients = torch.autograd.grad(terms["loss"], tuple(model.parameters()), allow_unused=True)
    discriminators = {id(p) for phase in model.phases() if phase.name == "discriminators" for p in phase.parameters}
    assert [gradient is not None for gradient in gradients] == [id(p) in discriminators for p in model.parameters()]


def test_noise_on_encoder_and_cluster_discriminator_in_training_only():
    inputs = []

    class RecordInputs(nn.Module):
        def forward(self, y):
            inputs.append(y)
            return y.sum(1)

    encoder = nn.Linear(4, 4, bias=False)
    nn.init.eye_(encoder.weight)
    noises = {"noise": 0.3, "discriminator_noise": 2.0}
    model = ClusteringAAE(
        encoder, nn.Linear(4, 4), RecordInputs(), linear_form(1.0), Normal(1), num_clusters=3, **noises
    )
    x = torch.zeros(4000, 4)
    batch = Batch(x, torch.zeros(4000, dtype=torch.long))
    close = {"rtol": 0.1, "atol": 0}  # more than 5 standard errors for 4,000 rows
    torch.testing.assert_close(model.heads(x)[1].std(), torch.tensor(0.3), **close)
    phase_losses(model, batch)
    for values, variance in zip(inputs, (0, 2 / 9, 0), strict=True):  # codes near ⅓; uniform one-hots
        assert values.var(0).tolist() == [pytest.approx(2.0**2 + variance, rel=0.1)] * 3
    model.eval()
    assert model.heads(x)[1].abs().max() == 0
    inputs.clear()
    phase_losses(model, batch)
    assert inputs[0].std() == 0


@pytest.mark.parametrize(
    ("label", "expected"),
    [([0, 1], -(math.log(3 / 4) + math.log(1 / 28)) / 2), ([-1, 1], -math.log(1 / 28)), ([-1, -1], 0.0)],
)
def test_classification_loss_is_over_labeled_examples(label, expected):
    discriminators = linear_form(1.0, -1.0), linear_form(1.0)
    model = SemiSupervisedAAE(linear(*ENCODER), nn.Linear(3, 2), *discriminators, Normal(1), num_clusters=2)
    loss = model.classification_loss(Batch(X, torch.tensor(label)))["loss"]
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_dimension_reduction_loss_by_hand():
    discriminators = linear_form(1.0, -1.0, 0.0), linear_form(1.0, 0.0)
    model = DimensionReductionAAE(
        nn.Linear(2, 5), linear(*IDENTITY), *discriminators, Normal(2), num_clusters=3, min_cluster_distance=2.0
    )
    with torch.no_grad():
        model.cluster_heads.copy_(torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))
    assert model.separation_loss().item() == pytest.approx(2 - 1)  # the other distances are 5 and √18
    code = torch.tensor([[0.5, 0.5, 0.0, 1.0, -1.0]])
    assert model.embed(code).tolist() == model.decode(code).tolist() == [[2.5, 1.0]]
    batch = Batch(X, torch.tensor([0, -1]))
    terms = model.loss(batch)
    adversarial = model.cluster_weight * terms["cluster"] + model.style_weight * terms["style"]
    torch.testing.assert_close(terms["loss"], terms["reconstruction"] + adversarial + model.separation_loss())
    torch.testing.assert_close(terms["reconstruction"], (X - model.reconstruct(batch)).square().sum(1).mean())
