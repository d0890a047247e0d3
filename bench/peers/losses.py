"""Losses in plain torch, each in its usual form, for benchmarks and some tests."""

import torch
from torch import Tensor

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Compute x² + y² − 2xy by matmul."""
    return x.square().sum(1, keepdim=True) + y.square().sum(1) - 2 * x @ y.T


def mmd_imq(x: Tensor, y: Tensor) -> Tensor:
    """Compute MMD as the WAE code: seven scales in a loop, off-diagonal means within, full mean across."""
    (n, d), m = x.shape, y.shape[0]
    xx, yy, xy = squared_distances(x, x), squared_distances(y, y), squared_distances(x, y)
    total = x.new_zeros(())
    for scale in SCALES:
        c = scale * 2 * d
        within_x, within_y = c / (c + xx), c / (c + yy)
        total = total + (within_x.sum() - within_x.diagonal().sum()) / (n * (n - 1))
        total = total + (within_y.sum() - within_y.diagonal().sum()) / (m * (m - 1))
        total = total - 2 * (c / (c + xy)).mean()
    return total


def cramer_wold_normal(x: Tensor) -> Tensor:
    """Compute the formula of CWAE, d ≥ 20."""
    n, d = x.shape
    gamma = (4 / (3 * n)) ** 0.4
    k = 1 / (2 * d - 3)
    within = (gamma + k * squared_distances(x, x)).rsqrt().mean()
    to_normal = (gamma + 0.5 + k * x.square().sum(1)).rsqrt().mean()
    return (within + (1 + gamma) ** -0.5 - 2 * to_normal) / (2 * torch.pi**0.5)


def chamfer(x: Tensor, y: Tensor) -> Tensor:
    """Compute the Chamfer distance by cdist and two minima."""
    s = torch.cdist(x, y).square()
    return s.min(2).values.mean(1) + s.min(1).values.mean(1)


def energy(x: Tensor, y: Tensor) -> Tensor:
    """Compute the energy distance by cdist and three means."""
    n, m = len(x), len(y)
    within = torch.cdist(x, x).sum() / (n * (n - 1)) + torch.cdist(y, y).sum() / (m * (m - 1))
    return 2 * torch.cdist(x, y).mean() - within


def sliced_wasserstein_rows(x: Tensor, y: Tensor, n_projections: int) -> Tensor:
    """Compute the distance of the SWAE code, with directions in rows: the sort is along the contiguous axis."""
    theta = torch.randn(n_projections, x.shape[1], device=x.device)
    theta = theta / theta.norm(dim=1, keepdim=True)
    return (torch.sort(theta @ x.T, dim=1).values - torch.sort(theta @ y.T, dim=1).values).square().mean()


def sliced_wasserstein_columns(x: Tensor, y: Tensor, n_projections: int) -> Tensor:
    """Compute the same with directions in columns."""
    theta = torch.randn(x.shape[1], n_projections, device=x.device)
    theta = theta / theta.norm(dim=0, keepdim=True)
    return (torch.sort(x @ theta, dim=0).values - torch.sort(y @ theta, dim=0).values).square().mean()


def epps_pulley(x: Tensor, n_projections: int, n_points: int = 17, t_max: float = 3.0) -> Tensor:
    """Compute SIGReg as in the LeJEPA code: all quadrature points at once, in an n × L × points tensor."""
    theta = torch.randn(x.shape[1], n_projections, device=x.device)
    theta = theta / theta.norm(dim=0, keepdim=True)
    t = torch.linspace(-t_max, t_max, n_points, device=x.device)
    normal = torch.exp(-t.square() / 2)
    angles = (x @ theta).unsqueeze(-1) * t
    errors = (angles.cos().mean(0) - normal).square() + angles.sin().mean(0).square()
    return len(x) * torch.trapezoid(errors * normal, t, dim=-1).mean()
