"""Configuration of the autoencoder of tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import nn

from ...priors import prior
from ...utils import checks
from .. import networks
from ..networks.columns import Columns, EntityEmbeddings
from ..objectives.penalties import PenaltyName, penalty
from ..tabular import TabularAutoencoder
from .base import PriorName


@dataclass(frozen=True)
class TabularConfig:
    """Autoencoder of tables with entity embeddings, with any penalty or none."""

    source: ClassVar[str] = "Guo & Berkhahn 2016"
    data_kind: ClassVar[str] = "rows"

    latent_dim: int = 4
    """Number of latent dimensions."""
    hidden: tuple[int, ...] = (128, 128)
    """Widths of the encoder's hidden layers, reversed in the decoder."""
    prior: PriorName = "normal"
    """Prior distribution of the codes; mixture and swiss-roll need --latent-dim 2."""
    penalty: PenaltyName | Literal["none"] = "mmd"
    """Penalty between codes and prior."""
    weight: float = 10.0
    """Weight λ of the penalty."""

    def build(self, shape: Sequence[int]) -> TabularAutoencoder:
        """Build the autoencoder.

        Args:
            shape: number of categories of each column, 0 for a numeric one.

        Raises:
            TypeError, ValueError: if an option is outside its range.
        """
        for width in self.hidden:
            checks.count("hidden", width)
        distribution, columns = prior(self.prior, self.latent_dim), Columns(shape)
        embeddings = EntityEmbeddings(columns)
        return TabularAutoencoder(
            nn.Sequential(embeddings, *networks.mlp([embeddings.width, *self.hidden, self.latent_dim])),
            networks.mlp([self.latent_dim, *reversed(self.hidden), columns.width]),
            distribution,
            columns,
            None if self.penalty == "none" else penalty(self.penalty, distribution),
            self.weight,
        )
