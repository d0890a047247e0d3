"""The coupled Newton–Schulz iteration: S² = A and SZ = I to rounding, for any spectrum, at every size."""

import pytest
import torch
from torch import Tensor

import fastlatent as fl
from fastlatent.kernels.spectral import newton_schulz

SIZES = (*range(1, 66), 100, 127, 128, 129, 200, 256, 257, 326, 400)
SPECTRA = {
    "identity": lambda d: torch.ones(d),
    "multiple of the identity": lambda d: torch.full((d,), 4.0),
    "far eigenvalue above": lambda d: torch.ones(d).index_fill_(0, torch.tensor(0), 1e4),
    "far eigenvalue below": lambda d: torch.ones(d).index_fill_(0, torch.tensor(0), 1e-4),
    "two clusters": lambda d: torch.tensor([1.0, 1e-2])[torch.arange(d) % 2],
    "geometric": lambda d: torch.logspace(-4, 0, d),
}


def matrix(eigenvalues: Tensor) -> tuple[Tensor, Tensor]:
    """A and A^{1/2} in float64 with these eigenvalues and random eigenvectors; diagonal for a single eigenvalue."""
    d = len(eigenvalues)
    eigenvalues = eigenvalues.double()
    if (eigenvalues == eigenvalues[0]).all():
        return eigenvalues.diag(), eigenvalues.sqrt().diag()
    q, _ = torch.linalg.qr(torch.randn(d, d, dtype=torch.float64, generator=torch.Generator().manual_seed(d)))
    return (q * eigenvalues) @ q.T, (q * eigenvalues.sqrt()) @ q.T


def relative_error(a: Tensor, truth: Tensor) -> float:
    return ((a.double() - truth).norm() / truth.norm()).item()


@pytest.mark.filterwarnings("error")  # no matrix fails to converge
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("spectrum", SPECTRA)
def test_both_roots_are_right_to_rounding_at_every_size(spectrum, dtype):
    epsilon = torch.finfo(dtype).eps
    for d in SIZES:
        eigenvalues = SPECTRA[spectrum](d)
        a, truth = matrix(eigenvalues)
        kappa = (eigenvalues.max() / eigenvalues.min()).item()
        root, inverse = fl.sqrtm_newton_schulz(a.to(dtype))
        assert relative_error(root, truth) <= 20 * epsilon * kappa**0.5, d
        assert relative_error(inverse, torch.linalg.inv(truth)) <= 50 * epsilon * kappa, d


@pytest.mark.parametrize("factor", [1.0, 4.0, 1e-12, 1e12])
def test_multiples_of_the_identity_at_every_size_to_400(factor):
    for d in range(1, 401):
        root, inverse = fl.sqrtm_newton_schulz(factor * torch.eye(d))
        assert (root - factor**0.5 * torch.eye(d)).abs().max() <= 1e-5 * factor**0.5
        assert (inverse - factor**-0.5 * torch.eye(d)).abs().max() <= 1e-5 * factor**-0.5


def test_the_root_of_a_sample_covariance_squares_to_it():
    x = torch.randn(100_000, 9, generator=torch.Generator().manual_seed(0))
    covariance = x.T.cov()
    root, _ = fl.sqrtm_newton_schulz(covariance)
    assert relative_error(root @ root, covariance.double()) <= 1e-6


def test_matrices_of_a_batch_do_not_depend_on_each_other():
    spectra = [SPECTRA[name](16) for name in SPECTRA]
    batch = torch.stack([matrix(s)[0] for s in spectra])
    roots, _ = fl.sqrtm_newton_schulz(batch)
    for root, spectrum in zip(roots, spectra, strict=True):
        assert relative_error(root, matrix(spectrum)[1]) <= 1e-12


def test_a_wrong_root_is_a_residual_and_a_warning():
    """One step does not reach the root of a matrix with eigenvalues 1 and 1e-2."""
    a, truth = matrix(SPECTRA["two clusters"](8))
    with pytest.warns(RuntimeWarning, match="did not converge"):
        root, _ = fl.sqrtm_newton_schulz(a, max_iterations=1)
    assert relative_error(root, truth) > 0.05
    _, _, residual = newton_schulz.roots(a, 1, None)
    assert not newton_schulz.converged(residual, a.dtype)


def exact_sample(n: int, eigenvalues: Tensor, dtype: torch.dtype) -> Tensor:
    """A sample (n, d) with mean 0 and a covariance with exactly these eigenvalues, in float64."""
    d = len(eigenvalues)
    generator = torch.Generator().manual_seed(d)
    z = torch.randn(n, d, dtype=torch.float64, generator=generator)
    u, _ = torch.linalg.qr(z - z.mean(0))
    rotation, _ = torch.linalg.qr(torch.randn(d, d, dtype=torch.float64, generator=generator))
    return ((u * eigenvalues.double().sqrt()) @ rotation.T * (n - 1) ** 0.5).to(dtype)


@pytest.mark.parametrize("route", ["auto", "eigen", "newton_schulz"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-6), (torch.float64, 2e-13)], ids=str)
@pytest.mark.parametrize("spectrum", ["identity", "multiple of the identity", "far eigenvalue above", "two clusters"])
def test_frechet_distances_of_exact_covariances_on_every_route(spectrum, dtype, tolerance, route):
    """Σ|√λ − 1|² between N(0, Σ) and N(0, I), to `tolerance` of Tr(Σ + I)."""
    for d in (1, 2, 3, 9, 24, 64, 65, 129, 256, 257, 326, 400):
        eigenvalues = SPECTRA[spectrum](d).double()
        x, y = (exact_sample(2 * d + 5, e, dtype) for e in (eigenvalues, torch.ones(d)))
        truth, size = (eigenvalues.sqrt() - 1).square().sum().item(), (eigenvalues.sum() + d).item()
        assert abs(fl.frechet_distance_normal(x, route=route).item() - truth) <= tolerance * size, d
        assert abs(fl.frechet_distance(x, y, route=route).item() - truth) <= tolerance * size, d
