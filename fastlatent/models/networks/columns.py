"""The columns of a table, as networks read and write them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...utils import checks

WIDEST = 50  # coordinates of an embedding at most


class Columns:
    """How the columns of a row become a vector and back: numeric columns as they are, categories as one-hot vectors.

    Rows x (n, columns) hold numbers and, where a column is categorical, a category's number from 0. Vectors v
    (n, width) hold the numeric columns first, then the scores of each categorical column's categories, of which the
    greatest decides.

    Args:
        categories: number of categories of each column, 0 for a numeric one.

    Raises:
        TypeError, ValueError: if there is no column, or a number is no integer ≥ 0.
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
        """v (n, width) of rows x (n, columns), categories one-hot."""
        hot = [nn.functional.one_hot(x[:, i].long(), self.categories[i]).to(x.dtype) for i in self.categorical]
        return torch.cat([x[:, self.numeric], *hot], dim=1)

    def rows(self, v: Tensor) -> Tensor:
        """Rows x (n, columns) of vectors v (n, width), each category the one of the greatest score."""
        numbers, categories = v[:, : len(self.numeric)].unbind(1), [s.argmax(1).to(v.dtype) for s in self.scores(v)]
        columns = dict(zip((*self.numeric, *self.categorical), (*numbers, *categories), strict=True))
        return torch.stack([columns[i] for i in range(len(columns))], dim=1)

    def scores(self, v: Tensor) -> list[Tensor]:
        """The scores (n, categories) of each categorical column."""
        return list(v[:, len(self.numeric) :].split(self.sizes, dim=1)) if self.sizes else []

    def squared_error(self, x: Tensor, v: Tensor) -> Tensor:
        """Squared error of the numeric columns of rows x, summed over columns, mean over rows."""
        return (x[:, self.numeric] - v[:, : len(self.numeric)]).square().sum(1).mean()

    def cross_entropy(self, x: Tensor, v: Tensor) -> Tensor:
        """−log of the softmax of a row's own category, summed over categorical columns, mean over rows."""
        pairs = zip(self.categorical, self.scores(v), strict=True)
        return sum((nn.functional.cross_entropy(s, x[:, i].long()) for i, s in pairs), start=v.new_zeros(()))


class EntityEmbeddings(nn.Module):
    """Rows as vectors whose categories are learnt: [numeric columns; E₁[x₁]; E₂[x₂]; …], a matrix E for each column.

    A column of k categories gets ⌈k/2⌉ coordinates, at most 50.

    Args:
        columns: of the rows.

    Source: Guo & Berkhahn 2016, "Entity Embeddings of Categorical Variables", which leaves their widths open.
    """

    def __init__(self, columns: Columns) -> None:
        super().__init__()
        self.columns = columns
        self.embeddings = nn.ModuleList(nn.Embedding(k, min(WIDEST, (k + 1) // 2)) for k in columns.sizes)
        embedded = sum(min(WIDEST, (k + 1) // 2) for k in columns.sizes)
        self.width = len(columns.numeric) + embedded

    def forward(self, x: Tensor) -> Tensor:
        """Vectors (n, width) of rows x (n, columns)."""
        pairs = zip(self.columns.categorical, self.embeddings, strict=True)
        return torch.cat([x[:, self.columns.numeric], *(embed(x[:, i].long()) for i, embed in pairs)], dim=1)
