"""Autoencoder of tables."""

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
    """Autoencoder of rows: squared error of numeric columns + cross entropy of categorical columns + λ·D(f(x), z).

    Args:
        encoder: f, from rows x (n, columns) to codes (n, d), e.g. `EntityEmbeddings` and an MLP; numeric columns should
            be standardized, which gives them equal weight.
        decoder: network from codes (n, d) to vectors (n, columns.width): numbers and logits of categories, which
            `decode` converts to rows.
        prior: distribution of z, of d dimensions.
        columns: encoding of the columns.
        penalty: D, from codes and a sample of the prior to a scalar; None: no penalty.
        weight: λ, ≥ 0.

    Source: Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", equation (4), with the negative log-likelihood of a row
    as cost (unit variance, up to constants and a factor 2 on the numeric part); entity embeddings: Guo & Berkhahn 2016.
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
        """Decode codes (n, d) to rows (n, columns), each category being the most probable one."""
        return self.columns.rows(self.decoder(z))

    def loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        """Return the terms of the objective; "loss" is their weighted sum."""
        z = self.encode(batch.x)
        output = self.decoder(z)
        terms = {}
        if self.columns.numeric:
            terms["numeric"] = self.columns.squared_error(batch.x, output)
        if self.columns.categorical:
            terms["categorical"] = self.columns.cross_entropy(batch.x, output)
        loss = sum(terms.values(), start=output.new_zeros(()))
        if self.penalty is not None:
            terms["penalty"] = self.penalty(*self.penalty_inputs(z, context))
            loss = loss + self.weight * terms["penalty"]
        return {"loss": loss, **terms}
