"""Vectors and embeddings of table columns."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from fastlatent.models import Columns, EntityEmbeddings

CATEGORIES = (0, 3, 0, 2)  # numeric columns 0 and 2, categories in 1 and 3
X = torch.tensor([[0.5, 2.0, -1.0, 0.0], [1.5, 0.0, 3.0, 1.0]])


def test_vectors_are_numeric_columns_then_one_hot_categories():
    expected = [[0.5, -1.0, 0, 0, 1, 1, 0], [1.5, 3.0, 1, 0, 0, 0, 1]]
    assert Columns(CATEGORIES).vectors(X).tolist() == expected


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(0, 99))
def test_rows_invert_vectors(categories, seed):
    columns, random = Columns(categories), torch.Generator().manual_seed(seed)
    x = torch.stack([torch.randint(max(k, 1), (7,), generator=random).float() for k in categories], dim=1)
    torch.testing.assert_close(columns.rows(columns.vectors(x)), x, rtol=0, atol=0)


def test_rows_have_the_category_of_maximum_logit():
    v = torch.tensor([[7.0, 8.0, 0.1, -3.0, 0.2, -5.0, -4.0]])
    assert Columns(CATEGORIES).rows(v).tolist() == [[7.0, 2.0, 8.0, 1.0]]


def test_embeddings_are_numbers_then_category_vectors():
    embed = EntityEmbeddings(Columns(CATEGORIES))
    first, second = (embedding.weight for embedding in embed.embeddings)
    assert (first.shape, second.shape) == ((3, 2), (2, 1))  # ⌈k/2⌉ coordinates
    expected = torch.cat([X[:, [0, 2]], first[[2, 0]], second[[0, 1]]], dim=1)
    assert embed.width == 5
    torch.testing.assert_close(embed(X), expected)
