"""The autoencoder of tables."""

from collections.abc import Mapping

from torch import Tensor, nn

from ..data.batch import Batch
from ..priors import Prior
from ..utils import checks
from .autoencoder import Autoencoder
from .base.data_parallel import SINGLE_PROCESS, DataParallelContext
from .networks.columns import Columns
from .objectives.penalties import Penalty


class TabularAutoencoder(Autoencoder):
    """Autoencoder of rows: squared error on numeric columns + cross entropy on categorical ones + λ·D(f(x), z).

    Args:
        encoder: f, from rows x (n, columns) to codes (n, d), e.g. `EntityEmbeddings` and an MLP; numeric columns are to
            be standardized, so that each weighs the same.
        decoder: from codes (n, d) to vectors (n, columns.width): numbers, and scores of categories; `decode` turns them
            into rows.
        prior: of d dimensions, z is drawn from it.
        columns: of the rows.
        penalty: D, from codes and a sample of the prior to a number; None: no penalty.
        weight: λ, ≥ 0.

    Source: Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", equation (4), its cost being minus the log-likelihood
    of a row with unit variance, up to constants and a factor 2 on the numeric part; entity embeddings: Guo & Berkhahn
    2016.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        prior: Prior,
        columns: Columns,
        penalty: Penalty | None = None,
        weight: float = 10.0,
    ) -> None:
        super().__init__(encoder, decoder, prior)
        self.columns, self.penalty = columns, penalty
        self.weight = checks.non_negative("weight", weight)

    def decode(self, z: Tensor) -> Tensor:
        """Rows (n, columns) from codes (n, d), each category the most probable."""
        return self.columns.rows(self.decoder(z))

    def loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        z = self.encode(batch.x)
        made = self.decoder(z)
        terms = {}
        if self.columns.numeric:
            terms["numeric"] = self.columns.squared_error(batch.x, made)
        if self.columns.categorical:
            terms["categorical"] = self.columns.cross_entropy(batch.x, made)
        loss = sum(terms.values(), start=made.new_zeros(()))
        if self.penalty is not None:
            terms["penalty"] = self.penalty(*self.compared(z, context))
            loss = loss + self.weight * terms["penalty"]
        return {"loss": loss, **terms}
