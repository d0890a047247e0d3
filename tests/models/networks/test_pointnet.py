"""PointNet encoder and decoder of point clouds."""

import torch

from fastlatent.models import PointNet, cloud_decoder

CORNERS = torch.tensor([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]], [[0.0, 0.0, 0.0], [0.0, 2.0, 0.0]]])  # two clouds


def test_pointnet_is_invariant_to_permutation_and_repetition_of_points():
    encoder, x = PointNet((8, 16), (8,), 4), torch.rand(3, 10, 3)
    torch.testing.assert_close(encoder(x[:, torch.randperm(10)]), encoder(x))
    torch.testing.assert_close(encoder(torch.cat([x, x[:, :5]], dim=1)), encoder(x))


def test_pointnet_by_hand():
    encoder = PointNet((2,), (), 1)
    with torch.no_grad():
        encoder.point[0].weight.copy_(torch.tensor([[1.0, 0, 0], [0, -1.0, 0]]))
        encoder.cloud[0].weight.copy_(torch.tensor([[1.0, 10.0]]))
        encoder.point[0].bias.zero_()
        encoder.cloud[0].bias.zero_()
    assert encoder(CORNERS).flatten().tolist() == [1 + 10 * 0, 0 + 10 * 0]
    assert encoder(-CORNERS).flatten().tolist() == [0 + 10 * 0, 0 + 10 * 2]


def test_shape_and_range_of_decoded_clouds():
    clouds = cloud_decoder(7, 4, (8,))(torch.randn(3, 4))
    assert clouds.shape == (3, 7, 3)
    assert clouds.abs().max() < 1
