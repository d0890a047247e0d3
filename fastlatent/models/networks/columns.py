"""Encoding of the columns of a table as vectors, and entity embeddings."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...utils import checks

MAX_EMBEDDING_DIM = 50  # maximum number of coordinates of an embedding


class Columns:
    """Conversion of rows to vectors and back: numeric columns unchanged, categories as one-hot vectors.

    Rows x (n, columns) contain numbers in numeric columns and indices of categories, from 0, in categorical ones.
    Vectors v (n, width) contain first the numeric columns, then the logits of the categories of each categorical
    column.

    Args:
        categories: number of categories of each column, 0 for a numeric one.

    Raises:
        TypeError, ValueError: if there is no column, or a number is not an integer ≥ 0.
    """

    def __init__(self, categories: Sequence[int]) -> None:
        if not categories:
            raise ValueError("categories must have a number for each column; got none")
        self.categories = tuple(checks.count("categories", k, 0) for k in categories)
        self.numeric = [i for i, k in enumerate(self.categories) if k == 0]
        self.categorical = [i for i, k in enumerate(self.categories) if k > 0]
        self.sizes = [self.categories[i] for i in self.categorical]
        self.width = len(self.numeric) + sum(self.sizes)

    def vectors(self, x: Tensor) -> Tensor:
        """Convert rows x (n, columns) to vectors v (n, width), categories one-hot."""
        one_hot = [nn.functional.one_hot(x[:, i].long(), self.categories[i]).to(x.dtype) for i in self.categorical]
        return torch.cat([x[:, self.numeric], *one_hot], dim=1)

    def rows(self, v: Tensor) -> Tensor:
        """Convert vectors v (n, width) to rows x (n, columns), with the category of maximum logit."""
        numbers, categories = v[:, : len(self.numeric)].unbind(1), [s.argmax(1).to(v.dtype) for s in self.logits(v)]
        columns = dict(zip((*self.numeric, *self.categorical), (*numbers, *categories), strict=True))
        return torch.stack([columns[i] for i in range(len(columns))], dim=1)

    def logits(self, v: Tensor) -> list[Tensor]:
        """Return the logits (n, categories) of each categorical column."""
        return list(v[:, len(self.numeric) :].split(self.sizes, dim=1)) if self.sizes else []

    def squared_error(self, x: Tensor, v: Tensor) -> Tensor:
        """Compute the squared error of the numeric columns of rows x, summed over columns, mean over rows."""
        return (x[:, self.numeric] - v[:, : len(self.numeric)]).square().sum(1).mean()

    def cross_entropy(self, x: Tensor, v: Tensor) -> Tensor:
        """Compute the cross entropy of the categories of rows x, summed over categorical columns, mean over rows."""
        pairs = zip(self.categorical, self.logits(v), strict=True)
        return sum((nn.functional.cross_entropy(s, x[:, i].long()) for i, s in pairs), start=v.new_zeros(()))


class EntityEmbeddings(nn.Module):
    """Embedding of rows, [numeric columns; E₁[x₁]; E₂[x₂]; …], with a learned matrix E for each categorical column.

    The embedding of a column of k categories has min(50, ⌈k/2⌉) coordinates.

    Args:
        columns: encoding of the columns.

    Source: Guo & Berkhahn 2016, "Entity Embeddings of Categorical Variables", which leaves their widths open.
    """

    def __init__(self, columns: Columns) -> None:
        super().__init__()
        self.columns = columns
        dims = [min(MAX_EMBEDDING_DIM, (k + 1) // 2) for k in columns.sizes]
        self.embeddings = nn.ModuleList(map(nn.Embedding, columns.sizes, dims))
        self.width = len(columns.numeric) + sum(dims)

    def forward(self, x: Tensor) -> Tensor:
        """Embed rows x (n, columns) as vectors (n, width)."""
        pairs = zip(self.columns.categorical, self.embeddings, strict=True)
        return torch.cat([x[:, self.columns.numeric], *(embed(x[:, i].long()) for i, embed in pairs)], dim=1)
