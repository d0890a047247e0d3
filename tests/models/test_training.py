"""What each model learns from real handwritten digits in some seconds, seen on digits that it was not trained on."""

import math

import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from fastlatent import frechet_distance
from fastlatent.models import MODEL_CONFIGS, RandomAffine
from fastlatent.models.autoencoder import squared_error
from tests.models.training import DIGITS, TEST, case, train
from tests.models.two_sample import told_apart

AEConfig = case("ae", latent_dim=8)
DROPOUT = case("ae-dropout", latent_dim=8, rate=0.4)
DENOISING = case("ae-denoising", latent_dim=8)
VQ = case("vq-vae")
ACAI = case("acai", latent_dim=8, strength=2.0)
UNMATCHED = [AEConfig, DROPOUT, DENOISING, VQ, ACAI]  # nothing pulls their codes to the prior

VAE = case("vae", latent_dim=4)
GAN = case("gan", epochs=60)
LABELED = case("aae-labeled", epochs=60)
SUPERVISED = case("aae-supervised", epochs=40, latent_dim=2)
SEMI_SUPERVISED = case("aae-semi-supervised", labels=20, latent_dim=5)
CLUSTERING = [case("aae-clustering", latent_dim=5, clusters=clusters) for clusters in (16, 30)]
DEFORMED = case("aae-clustering", latent_dim=5, deformation=0.2, noise=0.0)
MAPS = [case("aae-dimension-reduction", epochs=40, labels=labels) for labels in (None, 0)]
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
    DEFORMED,
    *MAPS,
    case("acai-wae-mmd", latent_dim=4),
    case("acai-wwae", latent_dim=4),
]

pytestmark = pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad")


def test_every_configuration_of_images_is_trained():
    of_images = {name for name, made in MODEL_CONFIGS.items() if made.takes == DIGITS.kind}
    assert {c.name for c in [*UNMATCHED, VAE, *MATCHED, GAN]} == of_images


@pytest.mark.parametrize("case", [*UNMATCHED, VAE, *MATCHED], ids=str)
def test_training_lowers_the_objective_on_test_images(case):
    before, after = train(case).objective
    assert after < 0.6 * before


@pytest.mark.parametrize("case", MATCHED, ids=str)
def test_training_moves_codes_to_the_prior(case):
    before, after = train(case).apart
    assert before > 0.95
    assert after < 0.85


def test_without_a_penalty_codes_stay_apart_from_the_prior():
    _, after = train(AEConfig).apart
    assert after > 0.9  # so the measure sees the difference


def test_the_variational_posterior_stays_at_the_prior_and_carries_the_image():
    done = train(VAE)
    _, after = done.apart
    assert after < 0.85
    with torch.no_grad():
        carried = squared_error(TEST.x, done.model.reconstruct(TEST))
        swapped = squared_error(TEST.x, done.model.reconstruct(TEST).roll(1, 0))
    assert carried < 0.5 * swapped


# Each model in what it is for, by a measure that it was not trained on.

PIXELS = DIGITS.train[:].x.flatten(1).numpy()
LABELS = DIGITS.train.labels.numpy()


@torch.no_grad()
def test_denoising_restores_noisy_images_better_than_a_plain_autoencoder():
    noisy = TEST.x + 0.3 * torch.randn(TEST.x.shape, generator=torch.manual_seed(0))
    plain, denoising = (squared_error(TEST.x, train(c).model(noisy)) for c in (AEConfig, DENOISING))
    assert denoising < 0.9 * plain
    assert denoising < 0.5 * squared_error(TEST.x, noisy)


@torch.no_grad()
def test_dropout_codes_survive_lost_coordinates():
    kept = (torch.rand(len(TEST.x), 8, generator=torch.manual_seed(0)) > 0.4) / 0.6
    models = [train(c).model for c in (AEConfig, DROPOUT)]
    plain, dropout = (squared_error(TEST.x, m.decode(kept * m.encode(TEST.x))) for m in models)
    assert dropout < 0.85 * plain


@torch.no_grad()
def test_the_codebook_is_used_and_fits():
    model = train(VQ).model
    z = model.encoder(TEST.x)
    use = torch.bincount(model.prior(z).flatten(), minlength=64) / model.prior(z).numel()
    perplexity = torch.special.entr(use).sum().exp()
    assert perplexity > 32  # of 64
    points, chosen = model.prior.split(z), model.prior.split(model.encode(TEST.x))
    assert (points - chosen).square().mean() < 0.1 * points.var(0).mean()


@torch.no_grad()
def test_gan_samples_come_near_the_images():
    pca = PCA(20, random_state=0).fit(PIXELS)

    def distance(model):
        images = model.sample(len(TEST.x), generator=torch.manual_seed(0)), TEST.x
        return frechet_distance(*(torch.from_numpy(pca.transform(i.flatten(1).numpy())).double() for i in images))

    torch.manual_seed(0)
    untrained = MODEL_CONFIGS["gan"]().build(DIGITS.shape)
    assert distance(train(GAN).model) < 0.65 * distance(untrained)


@torch.no_grad()
def test_interpolations_of_acai_betray_themselves_less():
    def betrayed(model):
        z = model.encode(TEST.x)
        middle = torch.cat([model.decode((z + z.roll(k, 0)) / 2) for k in (1, 2, 3)])
        return told_apart(middle.flatten(1), model.decode(z).repeat(3, 1, 1, 1).flatten(1))

    def critic_loss(model):
        torch.manual_seed(0)
        terms = model.loss(TEST)
        return terms["interpolated"] + terms["near data"]

    free, bound = (train(c).model for c in (case("acai", latent_dim=8, strength=0.0), ACAI))
    blind = 1 / 48 + 1 / 32  # L_d of a critic that cannot tell and answers 1/8, α's variance being 1/48
    assert critic_loss(free) < 0.85 * blind
    assert 0.9 * blind < critic_loss(bound) < 1.05 * blind
    assert betrayed(bound) < betrayed(free)


@torch.no_grad()
def test_labels_put_each_class_in_its_component():
    done = train(LABELED)
    angle = torch.arange(10) * 2 * math.pi / 10
    centers = 2 * torch.stack([angle.cos(), angle.sin()], dim=1)
    nearest = torch.cdist(done.model.encode(TEST.x), centers).argmin(1)
    assert (nearest == TEST.label).float().mean() > 0.6  # by chance 0.1


@torch.no_grad()
def test_the_supervised_decoder_writes_another_digit_in_the_same_style():
    model = train(SUPERVISED).model
    other = (TEST.label + 3) % 10
    written = model.reconstruct(TEST._replace(label=other))
    read = KNeighborsClassifier(5).fit(PIXELS, LABELS).predict(written.flatten(1).numpy())
    assert (read == other.numpy()).mean() > 0.6


def test_two_hundred_labels_teach_the_classes():
    model = train(SEMI_SUPERVISED).model
    assert (model.cluster(TEST.x) == TEST.label).float().mean() > 0.8  # by chance 0.1


@pytest.mark.parametrize("case", [*CLUSTERING, DEFORMED], ids=str)
def test_clusters_are_digits(case):
    model = train(case).model
    assert purity(model.cluster(TEST.x)) > 0.75  # by chance about 0.15 and 0.2


@torch.no_grad()
def test_deformed_images_stay_in_their_cluster_if_the_model_was_shown_some():
    views = RandomAffine(0.2)(TEST.x)
    models = (train(c).model for c in (CLUSTERING[0], DEFORMED))
    free, held = ((model.cluster(views) == model.cluster(TEST.x)).float().mean() for model in models)
    assert held > free + 0.1


@pytest.mark.parametrize("case", MAPS, ids=["labels", "no labels"])
def test_the_map_keeps_digits_together(case):
    model = train(case).model
    with torch.no_grad():
        places, train_places = (model.embed(model.encode(x)) for x in (TEST.x, DIGITS.train[:].x))
    neighbors = KNeighborsClassifier(5).fit(train_places.numpy(), LABELS)
    assert neighbors.score(places.numpy(), TEST.label.numpy()) > 0.75
    assert purity(model.cluster(TEST.x)) > 0.7


def purity(cluster):
    """Share of test images whose digit is the most frequent of their cluster."""
    counts = torch.zeros(cluster.max() + 1, 10).index_put_((cluster, TEST.label), torch.tensor(1.0), accumulate=True)
    return counts.max(1).values.sum() / len(cluster)
