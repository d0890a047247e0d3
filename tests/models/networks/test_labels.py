"""One-hot labels of codes."""

import torch

from fastlatent.models.networks.labels import append_one_hot, prepend_one_hot


def test_one_hot_labels():
    z, label = torch.tensor([[5.0], [6.0]]), torch.tensor([1, -1])
    assert prepend_one_hot(label, 2, z).tolist() == [[0, 1, 5], [0, 0, 6]]
    assert append_one_hot(z, label, 2).tolist() == [[5, 0, 1, 0], [6, 0, 0, 1]]
