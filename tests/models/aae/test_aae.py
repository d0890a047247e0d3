import math

import pytest
import torch
from torch import nn

from fastlatent.data import Batch
from fastlatent.models import AAE, ClusteringAAE, DimensionReductionAAE, LabeledAAE, SemiSupervisedAAE, SupervisedAAE
from fastlatent.models.networks.labels import one_hot, with_unknown
from fastlatent.models.objectives.adversarial import critic_loss, non_saturating_loss
from fastlatent.priors import GaussianMixture2D, Normal
from tests.models.by_hand import linear, number

X = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
IDENTITY = (1.0, 0.0), (0.0, 1.0)


def losses(model, batch):
    return {phase.name: phase.loss(batch)["loss"] for phase in model.phases()}


def test_the_three_phases_by_hand():
    model = AAE(linear((1.0, 0.0)), linear((1.0,), (1.0,)), number(0.5), Normal(1))  # z = x₁, x̂ = (z, z), t = z/2
    torch.manual_seed(0)
    found = losses(model, Batch(X, torch.zeros(2, dtype=torch.long)))
    real = Normal(1).sample(2, generator=torch.manual_seed(0)).squeeze(1) / 2
    made = X[:, 0] / 2
    assert found["autoencoder"].item() == pytest.approx((1**2 + 4**2) / 2)
    torch.testing.assert_close(found["critic"], critic_loss(real, made))
    torch.testing.assert_close(found["deceive"], non_saturating_loss(made))


def test_labels_as_vectors():
    z, label = torch.tensor([[5.0], [6.0]]), torch.tensor([1, -1])
    assert one_hot(label, 2, z).tolist() == [[0, 1, 5], [0, 0, 6]]
    assert with_unknown(z, label, 2).tolist() == [[5, 0, 1, 0], [6, 0, 0, 1]]


def test_the_critic_of_labels_sees_each_class_with_its_part_of_the_prior():
    prior = GaussianMixture2D(components=3, along=1e-6, across=1e-6)
    model = LabeledAAE(linear(*IDENTITY), linear(*IDENTITY), number(1.0, 0.0, 0, 0, 0, 0), prior)
    batch = Batch(X, torch.tensor([2, -1]))
    real, made = model.real(batch), model.made(batch)
    angle = 2 * 2 * math.pi / 3
    torch.testing.assert_close(real[0], torch.tensor([2 * math.cos(angle), 2 * math.sin(angle), 0, 0, 1, 0]))
    assert real[1, :2].norm().item() == pytest.approx(2, abs=1e-4)  # some component
    assert made.tolist() == [[1, 2, 0, 0, 1, 0], [3, -1, 0, 0, 0, 1]]
    assert real[1, 2:].tolist() == made[1, 2:].tolist()
    torch.testing.assert_close(losses(model, batch)["deceive"], non_saturating_loss(X[:, 0]))


def test_the_supervised_decoder_is_given_the_label():
    encoder, decoder = linear((1.0, 0.0)), linear((10.0, 0.0, 0.0), (0.0, 20.0, 1.0))  # x̂ = (10·y₀, 20·y₁ + z)
    model = SupervisedAAE(encoder, decoder, number(1.0), Normal(1), classes=2)
    batch = Batch(X, torch.tensor([0, 1]))
    assert model.codes(batch).tolist() == [[1, 0, 1], [0, 1, 3]]
    assert model.reconstruct(batch).tolist() == [[10, 1], [0, 23]]
    assert losses(model, batch)["autoencoder"].item() == pytest.approx((9**2 + 1 + 3**2 + 24**2) / 2)
    torch.testing.assert_close(losses(model, batch)["deceive"], non_saturating_loss(X[:, 0]))  # the style alone


ENCODER = (math.log(3), 0.0), (0.0, 0.0), (0.0, 1.0)  # f_y = (x₁·log 3, 0), f_z = x₂
Y = torch.tensor([[3 / 4, 1 / 4], [27 / 28, 1 / 28]])


def clustering(**options):
    """D_y = sigmoid(y₁ − y₂), D_z = sigmoid(z)."""
    critics = number(1.0, -1.0), number(1.0)
    return ClusteringAAE(linear(*ENCODER), nn.Linear(3, 2), *critics, Normal(1), clusters=2, **options)


def test_the_code_of_clustering_is_a_softmax_and_a_style():
    model = clustering()
    torch.testing.assert_close(model.encode(X), torch.cat([Y, X[:, 1:]], 1))
    assert model.cluster(X).tolist() == [0, 0]
    assert model.prior.dim == 3


def test_clustering_weighs_reconstruction_and_two_games():
    model, batch = clustering(cluster_weight=7.0, style_weight=3.0), Batch(X, torch.zeros(2, dtype=torch.long))
    terms = model.loss(batch)
    torch.testing.assert_close(terms["reconstruction"], (X - model.reconstruct(batch)).square().sum(1).mean())
    torch.testing.assert_close(terms["cluster"], non_saturating_loss(Y[:, 0] - Y[:, 1]))
    torch.testing.assert_close(terms["style"], non_saturating_loss(X[:, 1]))
    torch.testing.assert_close(terms["loss"], terms["reconstruction"] + 7 * terms["cluster"] + 3 * terms["style"])


def test_views_are_to_stay_in_the_cluster_of_what_they_show():
    weights = {"cluster_weight": 7.0, "style_weight": 3.0, "consistency_weight": 5.0}
    model, batch = clustering(view=lambda x, context: -x, **weights), Batch(X, torch.zeros(2, dtype=torch.long))
    terms = model.loss(batch)
    # of −x the softmax is (¼, ¾) and (1/28, 27/28)
    expected = (math.log(3) * (3 / 4 - 1 / 4) + math.log(27) * (27 / 28 - 1 / 28)) / 2
    assert terms["consistency"].item() == pytest.approx(expected, rel=1e-5)
    rest = terms["reconstruction"] + 7 * terms["cluster"] + 3 * terms["style"]
    torch.testing.assert_close(terms["loss"], rest + 5 * terms["consistency"])


def test_only_the_view_is_moved_to_the_cluster():
    model = clustering()
    fixed, view = Y.clone().requires_grad_(), (-X).requires_grad_()
    moved = torch.autograd.grad(model.consistency_loss(fixed, view), [fixed, view], allow_unused=True)
    assert moved[0] is None
    # d/df of KL(y ‖ softmax(f)) is softmax(f) − y, and f_y = (x₁·log 3, 0)
    torch.testing.assert_close(moved[1], torch.stack([math.log(3) * (1 - 2 * Y[:, 0]), torch.zeros(2)], 1) / 2)


def test_the_critics_of_clustering_tell_codes_from_the_prior():
    model, batch = clustering(), Batch(X, torch.zeros(2, dtype=torch.long))
    torch.manual_seed(0)
    terms = model.critics_loss(batch)
    drawn = model.prior.sample(2, generator=torch.manual_seed(0))
    torch.testing.assert_close(terms["cluster"], critic_loss(drawn[:, 0] - drawn[:, 1], Y[:, 0] - Y[:, 1]))
    torch.testing.assert_close(terms["style"], critic_loss(drawn[:, 2], X[:, 1]))
    torch.testing.assert_close(terms["loss"], terms["cluster"] + terms["style"])
    moved = torch.autograd.grad(terms["loss"], tuple(model.parameters()), allow_unused=True)
    critics = {id(p) for phase in model.phases() if phase.name == "critics" for p in phase.parameters}
    assert [gradient is not None for gradient in moved] == [id(p) in critics for p in model.parameters()]


def test_noise_is_on_the_encoder_and_on_the_critic_of_clusters_in_training_alone():
    seen = []

    class Watching(nn.Module):
        def forward(self, y):
            seen.append(y)
            return y.sum(1)

    encoder = nn.Linear(4, 4, bias=False)
    nn.init.eye_(encoder.weight)
    noises = {"noise": 0.3, "critic_noise": 2.0}
    model = ClusteringAAE(encoder, nn.Linear(4, 4), Watching(), number(1.0), Normal(1), clusters=3, **noises)
    x = torch.zeros(4000, 4)
    batch = Batch(x, torch.zeros(4000, dtype=torch.long))
    close = {"rtol": 0.1, "atol": 0}  # more than 5 standard errors of what 4,000 rows give
    torch.testing.assert_close(model.heads(x)[1].std(), torch.tensor(0.3), **close)
    losses(model, batch)
    for judged, spread in zip(seen, (0, 2 / 9, 0), strict=True):  # codes near ⅓; uniform one-hots
        assert judged.var(0).tolist() == [pytest.approx(2.0**2 + spread, rel=0.1)] * 3
    model.eval()
    assert model.heads(x)[1].abs().max() == 0
    seen.clear()
    losses(model, batch)
    assert seen[0].std() == 0


@pytest.mark.parametrize(
    ("label", "expected"),
    [([0, 1], -(math.log(3 / 4) + math.log(1 / 28)) / 2), ([-1, 1], -math.log(1 / 28)), ([-1, -1], 0.0)],
)
def test_classification_counts_what_has_a_label(label, expected):
    critics = number(1.0, -1.0), number(1.0)
    model = SemiSupervisedAAE(linear(*ENCODER), nn.Linear(3, 2), *critics, Normal(1), clusters=2)
    loss = model.classification_loss(Batch(X, torch.tensor(label)))["loss"]
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_dimension_reduction_by_hand():
    critics = number(1.0, -1.0, 0.0), number(1.0, 0.0)
    model = DimensionReductionAAE(nn.Linear(2, 5), linear(*IDENTITY), *critics, Normal(2), clusters=3, apart=2.0)
    with torch.no_grad():
        model.cluster_heads.copy_(torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))
    assert model.separation().item() == pytest.approx(2 - 1)  # the other distances are 5 and √18
    code = torch.tensor([[0.5, 0.5, 0.0, 1.0, -1.0]])
    assert model.embed(code).tolist() == model.decode(code).tolist() == [[2.5, 1.0]]
    batch = Batch(X, torch.tensor([0, -1]))
    terms = model.loss(batch)
    games = model.cluster_weight * terms["cluster"] + model.style_weight * terms["style"]
    torch.testing.assert_close(terms["loss"], terms["reconstruction"] + games + model.separation())
    torch.testing.assert_close(terms["reconstruction"], (X - model.reconstruct(batch)).square().sum(1).mean())
