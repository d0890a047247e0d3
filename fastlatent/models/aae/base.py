"""Adversarial autoencoders: a critic of codes makes them follow the prior; with labels, part by part or as style."""

from torch import Tensor, nn

from ...data.batch import Batch
from ...priors import Categorical, LabeledPrior, Prior, Product
from ...utils import checks
from ..autoencoder import Autoencoder
from ..base.data_parallel import SINGLE_PROCESS, DataParallelContext
from ..base.phase import Phase
from ..networks.labels import one_hot, with_unknown
from ..objectives.adversarial import game


class AAE(Autoencoder):
    """Adversarial autoencoder: reconstruction, then a game between a critic D of codes and the encoder.

    Each batch goes through three phases: encoder and decoder minimize E ‖x − g(f(x))‖²; the critic minimizes
    −E log D(z) − E log(1 − D(f(x))), z from the prior; the encoder minimizes −E log D(f(x)).

    Args:
        encoder: f, from x (n, *shape) to codes (n, d).
        decoder: g, from codes (n, d) to x̂ (n, *shape).
        critic: from codes (n, d) to the logit of D (n,).
        prior: of d dimensions: a Gaussian, a mixture, a swiss roll, …

    Source: Makhzani et al. 2015, "Adversarial Autoencoders", section 2.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, critic: nn.Module, prior: Prior) -> None:
        super().__init__(encoder, decoder, prior)
        self.critic = critic

    def real(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """What the critic is to take for true."""
        return context.local_draw(len(batch.x), self.draw)

    def made(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """What the encoder makes of a batch for the critic to judge."""
        return self.encode(batch.x)

    def phases(self) -> tuple[Phase, ...]:
        encoder = tuple(self.encoder.parameters())
        return *super().phases(), *game(self.critic, encoder, real=self.real, made=self.made)


class LabeledAAE(AAE):
    """Adversarial autoencoder whose critic is told the class, so that each class fills its own part of the prior.

    The critic sees [z; y], y the one-hot label with one class more for what has no label: codes with their labels,
    against draws from the part of the prior that the label names, or from all of it where there is none.

    Args:
        encoder, decoder: as of `AAE`.
        critic: from [z; y] (n, d + classes + 1) to the logit of D (n,).
        prior: of d dimensions, with a part for each class.

    Source: Makhzani et al. 2015, section 2.3 and figure 3.
    """

    prior: LabeledPrior

    @property
    def classes(self) -> int:
        return self.prior.classes

    def real(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        labels = context.all_gather(batch.label[:, None])[:, 0]
        draws = context.local_draw(len(batch.x), lambda _: self.prior.given(labels, dtype=batch.x.dtype))
        return with_unknown(draws, batch.label, self.prior.classes)

    def made(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        return with_unknown(self.encode(batch.x), batch.label, self.prior.classes)


class SupervisedAAE(AAE):
    """Adversarial autoencoder whose decoder is given the label, so that the code holds the style alone.

    The decoder maps [y; z] to x̂, y the one-hot label (zeros where it is not known) and z = f(x) the style, which the
    critic makes follow its prior. `codes` gives [y; z]; `encode` gives z.

    Args:
        encoder: f, from x (n, *shape) to styles (n, d).
        decoder: g, from [y; z] (n, classes + d) to x̂ (n, *shape).
        critic: from styles (n, d) to the logit of D (n,).
        style: prior of the style, of d dimensions, e.g. `Normal(15)`.
        classes: number of classes.

    Source: Makhzani et al. 2015, section 4.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, critic: nn.Module, style: Prior, classes: int = 10
    ) -> None:
        category = Categorical(checks.count("classes", classes))
        super().__init__(encoder, decoder, critic, Product((category, style)))
        self.category, self.style = category, style

    @property
    def classes(self) -> int:
        return self.category.dim

    def codes(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        return one_hot(batch.label, self.classes, self.encode(batch.x))

    def real(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        return context.local_draw(
            len(batch.x), lambda n: self.style.sample(n, device=batch.x.device, dtype=batch.x.dtype)
        )
