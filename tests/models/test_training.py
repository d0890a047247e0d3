"""Training of each model on real handwritten digits for some seconds, measured on test digits."""

import math

import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from fastlatent import frechet_distance
from fastlatent.models import MODEL_CONFIGS, RandomAffine
from fastlatent.models.autoencoder import squared_error
from tests.models.training import DIGITS, TEST, case, train
from tests.models.two_sample import two_sample_accuracy

PLAIN = case("ae", latent_dim=8)
DROPOUT = case("ae-dropout", latent_dim=8, rate=0.4)
DENOISING = case("ae-denoising", latent_dim=8)
VQ = case("vq-vae")
ACAI = case("acai", latent_dim=8, interpolation_weight=2.0)
UNMATCHED = [PLAIN, DROPOUT, DENOISING, VQ, ACAI]  # without a term that matches their codes to the prior

VAE = case("vae", latent_dim=4)
GAN = case("gan", epochs=60)
LABELED = case("aae-labeled", epochs=60)
SUPERVISED = case("aae-supervised", epochs=40, latent_dim=2)
SEMI_SUPERVISED = case("aae-semi-supervised", labels=20, latent_dim=5)
CLUSTERING = [case("aae-clustering", latent_dim=5, num_clusters=n) for n in (16, 30)]
AUGMENTED = case("aae-clustering", latent_dim=5, affine_augmentation=0.2, noise=0.0)
EMBEDDINGS = [case("aae-dimension-reduction", epochs=40, labels=labels) for labels in (None, 0)]
MATCHED = [
    *(case(name, latent_dim=4) for name in ("wae-mmd", "swae", "cwae", "wwae", "wae-epps-pulley")),
    case("wae-gan", epochs=40, latent_dim=2),
    case("aae"),
    case("aae", epochs=40, prior="mixture"),
    case("aae", prior="swiss-roll"),
    LABELED,
    case("aae-labeled", epochs=40, labels=20, prior="swiss-roll"),
    SUPERVISED,
    SEMI_SUPERVISED,
    *CLUSTERING,
    AUGMENTED,
    *EMBEDDINGS,
    case("acai-wae-mmd", latent_dim=4),
    case("acai-wwae", latent_dim=4),
]

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad")]


def test_every_configuration_of_images_is_trained():
    image_configs = {name for name, config in MODEL_CONFIGS.items() if config.data_kind == DIGITS.kind}
    assert {c.name for c in [*UNMATCHED, VAE, *MATCHED, GAN]} == image_configs


@pytest.mark.parametrize("case", [*UNMATCHED, VAE, *MATCHED], ids=str)
def test_training_lowers_the_objective_on_test_images(case):
    before, after = train(case).objective
    assert after < 0.6 * before


@pytest.mark.parametrize("case", MATCHED, ids=str)
def test_training_matches_codes_to_the_prior(case):
    before, after = train(case).accuracy
    assert before > 0.95
    assert after < 0.85


def test_codes_do_not_match_the_prior_without_a_penalty():
    _, after = train(PLAIN).accuracy
    assert after > 0.9  # so the measure detects the difference


def test_variational_posterior_matches_the_prior_and_encodes_the_image():
    trained = train(VAE)
    _, after = trained.accuracy
    assert after < 0.85
    with torch.no_grad():
        own = squared_error(TEST.x, trained.model.reconstruct(TEST))
        other = squared_error(TEST.x, trained.model.reconstruct(TEST).roll(1, 0))
    assert own < 0.5 * other


# Each model on its own task, by a measure that is not its training objective.

PIXELS = DIGITS.train[:].x.flatten(1).numpy()
LABELS = DIGITS.train.labels.numpy()


@torch.no_grad()
def test_denoising_restores_noisy_images_better_than_a_plain_autoencoder():
    noisy = TEST.x + 0.3 * torch.randn(TEST.x.shape, generator=torch.manual_seed(0))
    plain, denoising = (squared_error(TEST.x, train(c).model(noisy)) for c in (PLAIN, DENOISING))
    assert denoising < 0.9 * plain
    assert denoising < 0.5 * squared_error(TEST.x, noisy)


@torch.no_grad()
def test_dropout_codes_are_robust_to_dropped_coordinates():
    mask = (torch.rand(len(TEST.x), 8, generator=torch.manual_seed(0)) > 0.4) / 0.6
    models = [train(c).model for c in (PLAIN, DROPOUT)]
    plain, dropout = (squared_error(TEST.x, m.decode(mask * m.encode(TEST.x))) for m in models)
    assert dropout < 0.85 * plain


@torch.no_grad()
def test_codebook_perplexity_and_error():
    model = train(VQ).model
    z = model.encoder(TEST.x)
    use = torch.bincount(model.prior(z).flatten(), minlength=64) / model.prior(z).numel()
    perplexity = torch.special.entr(use).sum().exp()
    assert perplexity > 32  # of 64
    points, quantized = model.prior.split(z), model.prior.split(model.encode(TEST.x))
    assert (points - quantized).square().mean() < 0.1 * points.var(0).mean()


@torch.no_grad()
def test_gan_samples_approach_the_images():
    pca = PCA(20, random_state=0).fit(PIXELS)

    def distance(model):
        images = model.sample(len(TEST.x), generator=torch.manual_seed(0)), TEST.x
        return frechet_distance(*(torch.from_numpy(pca.transform(i.flatten(1).numpy())).double() for i in images))

    torch.manual_seed(0)
    untrained = MODEL_CONFIGS["gan"]().build(DIGITS.shape)
    assert distance(train(GAN).model) < 0.65 * distance(untrained)


@torch.no_grad()
def test_acai_interpolations_are_closer_to_reconstructions():
    def accuracy(model):
        z = model.encode(TEST.x)
        middle = torch.cat([model.decode((z + z.roll(k, 0)) / 2) for k in (1, 2, 3)])
        return two_sample_accuracy(middle.flatten(1), model.decode(z).repeat(3, 1, 1, 1).flatten(1))

    def critic_loss(model):
        torch.manual_seed(0)
        terms = model.loss(TEST)
        return terms["critic_alpha_error"] + terms["critic_regularizer"]

    unregularized, regularized = (train(c).model for c in (case("acai", latent_dim=8, interpolation_weight=0.0), ACAI))
    uninformed = 1 / 48 + 1 / 32  # L_d of the best constant critic, 1/8, α's variance being 1/48
    assert critic_loss(unregularized) < 0.85 * uninformed
    assert 0.9 * uninformed < critic_loss(regularized) < 1.05 * uninformed
    assert accuracy(regularized) < accuracy(unregularized)


@torch.no_grad()
def test_labeled_classes_are_in_their_components():
    trained = train(LABELED)
    angle = torch.arange(10) * 2 * math.pi / 10
    centers = 2 * torch.stack([angle.cos(), angle.sin()], dim=1)
    nearest = torch.cdist(trained.model.encode(TEST.x), centers).argmin(1)
    assert (nearest == TEST.label).float().mean() > 0.6  # by chance 0.1


@torch.no_grad()
def test_supervised_decoder_generates_other_digits_in_the_same_style():
    model = train(SUPERVISED).model
    other = (TEST.label + 3) % 10
    generated = model.reconstruct(TEST._replace(label=other))
    predicted = KNeighborsClassifier(5).fit(PIXELS, LABELS).predict(generated.flatten(1).numpy())
    assert (predicted == other.numpy()).mean() > 0.6


def test_semi_supervised_accuracy_with_200_labels():
    model = train(SEMI_SUPERVISED).model
    assert (model.cluster(TEST.x) == TEST.label).float().mean() > 0.8  # by chance 0.1


@pytest.mark.parametrize("case", [*CLUSTERING, AUGMENTED], ids=str)
def test_clusters_match_digits(case):
    model = train(case).model
    assert purity(model.cluster(TEST.x)) > 0.75  # by chance about 0.15 and 0.2


@torch.no_grad()
def test_clusters_are_invariant_to_the_augmentation():
    augmented = RandomAffine(0.2)(TEST.x)
    models = (train(c).model for c in (CLUSTERING[0], AUGMENTED))
    plain, invariant = ((model.cluster(augmented) == model.cluster(TEST.x)).float().mean() for model in models)
    assert invariant > plain + 0.1


@pytest.mark.parametrize("case", EMBEDDINGS, ids=["labels", "no labels"])
def test_embedding_separates_digits(case):
    model = train(case).model
    with torch.no_grad():
        points, train_points = (model.embed(model.encode(x)) for x in (TEST.x, DIGITS.train[:].x))
    neighbors = KNeighborsClassifier(5).fit(train_points.numpy(), LABELS)
    assert neighbors.score(points.numpy(), TEST.label.numpy()) > 0.75
    assert purity(model.cluster(TEST.x)) > 0.7


def purity(cluster):
    """Return the share of test images whose digit is the most frequent one of their cluster."""
    counts = torch.zeros(cluster.max() + 1, 10).index_put_((cluster, TEST.label), torch.tensor(1.0), accumulate=True)
    return counts.max(1).values.sum() / len(cluster)
