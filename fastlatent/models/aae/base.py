"""Adversarial autoencoders: plain, with a prior for each class, and with labels as input of the decoder."""

from torch import Tensor, nn

from ...data.batch import Batch
from ...priors import Categorical, LabeledPrior, Prior, Product
from ...utils import checks
from ..autoencoder import Autoencoder
from ..base.data_parallel import SINGLE_PROCESS, DataParallelContext
from ..base.phase import Phase
from ..networks.labels import append_one_hot, prepend_one_hot
from ..objectives.adversarial import adversarial_phases


class AAE(Autoencoder):
    """Adversarial autoencoder: reconstruction and adversarial training of a discriminator D of codes and the encoder.

    Each batch goes through three phases: encoder and decoder minimize E ‖x − g(f(x))‖²; the discriminator minimizes
    −E log D(z) − E log(1 − D(f(x))), z from the prior; the encoder, as generator, minimizes −E log D(f(x)).

    Args:
        encoder: f, from x (n, *shape) to codes (n, d).
        decoder: g, from codes (n, d) to x̂ (n, *shape).
        discriminator: network from codes (n, d) to the logit of D (n,).
        prior: distribution of d dimensions: a Gaussian, a mixture, a swiss roll, …

    Source: Makhzani et al. 2015, "Adversarial Autoencoders", section 2.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, discriminator: nn.Module, prior: Prior) -> None:
        super().__init__(encoder, decoder, prior)
        self.discriminator = discriminator

    def real_samples(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """Return real samples for the discriminator, drawn from the prior."""
        return context.local_draw(len(batch.x), self.sample_latent)

    def fake_samples(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """Return fake samples for the discriminator: the codes of a batch."""
        return self.encode(batch.x)

    def phases(self) -> tuple[Phase, ...]:
        """Return the phases "autoencoder", "discriminator" and "generator"."""
        encoder = tuple(self.encoder.parameters())
        adversarial = adversarial_phases(self.discriminator, encoder, real=self.real_samples, fake=self.fake_samples)
        return *super().phases(), *adversarial


class LabeledAAE(AAE):
    """Adversarial autoencoder with a label-conditional discriminator: each class is mapped to its part of the prior.

    The input of the discriminator is [z; y], y the one-hot label with an additional class for unlabeled examples. Real
    samples z come from the part of the prior for the label, or from the whole prior for unlabeled examples.

    Args:
        encoder, decoder: as of `AAE`.
        discriminator: network from [z; y] (n, d + num_classes + 1) to the logit of D (n,).
        prior: distribution of d dimensions, with a part for each class.

    Source: Makhzani et al. 2015, section 2.3 and figure 3.
    """

    prior: LabeledPrior

    @property
    def num_classes(self) -> int:
        """Number of classes, as of the prior."""
        return self.prior.num_classes

    def real_samples(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """Return [z; y], z from the part of the prior for the label."""
        labels = context.all_gather(batch.label[:, None])[:, 0]
        z = context.local_draw(len(batch.x), lambda _: self.prior.sample_conditional(labels, dtype=batch.x.dtype))
        return append_one_hot(z, batch.label, self.num_classes)

    def fake_samples(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """Return [f(x); y]."""
        return append_one_hot(self.encode(batch.x), batch.label, self.num_classes)


class SupervisedAAE(AAE):
    """Adversarial autoencoder with the label as input of the decoder, so that the code describes the style only.

    The decoder maps [y; z] to x̂, y the one-hot label (zeros for unlabeled examples) and z = f(x) the style, which the
    discriminator compares with its prior. `training_codes` returns [y; z]; `encode` returns z.

    Args:
        encoder: f, from x (n, *shape) to styles (n, d).
        decoder: g, from [y; z] (n, num_classes + d) to x̂ (n, *shape).
        discriminator: network from styles (n, d) to the logit of D (n,).
        style: prior of the style, of d dimensions, e.g. `Normal(15)`.
        num_classes: number of classes.

    Source: Makhzani et al. 2015, section 4.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, discriminator: nn.Module, style: Prior, num_classes: int = 10
    ) -> None:
        category = Categorical(checks.count("num_classes", num_classes))
        super().__init__(encoder, decoder, discriminator, Product((category, style)))
        self.category, self.style = category, style

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return self.category.dim

    def training_codes(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """Return [y; z] (n, num_classes + d) of a batch."""
        return prepend_one_hot(batch.label, self.num_classes, self.encode(batch.x))

    def real_samples(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """Return styles drawn from their prior."""
        device, dtype = batch.x.device, batch.x.dtype
        return context.local_draw(len(batch.x), lambda n: self.style.sample(n, device=device, dtype=dtype))
