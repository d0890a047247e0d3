"""Kummer's function ₁F₁(1/2; d/2; −u) and its series against SciPy, which is accurate to 1e-14 for these arguments."""

import numpy as np
import pytest
import torch
from scipy.special import hyp1f1

from fastlatent.kernels.pairwise import kummer, reference

FEW_DIMENSIONS = range(2, 20)
U = np.concatenate([[0.0], np.geomspace(1e-8, 1e6, 300), np.linspace(55, 65, 21)])


@pytest.mark.parametrize("d", FEW_DIMENSIONS)
@pytest.mark.parametrize("derivative", [0, 1])
def test_power_series_matches_scipy(d, derivative):
    a, b = 0.5 + derivative, d / 2 + derivative
    np.testing.assert_allclose(kummer.hyp1f1(a, b, U), hyp1f1(a, b, -U), rtol=1e-14)


def series(d: int, dtype: torch.dtype, rate: float = 1.0) -> tuple[float, ...]:
    value, slope = kummer.coefficients(d, dtype)
    return (rate, kummer.RATE, *value, *slope)


# A Chebyshev series in float64 loses only the last few bits; in float32 it is truncated at that accuracy, too.
@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float64, 2e-14), (torch.float32, 5e-7)])
@pytest.mark.parametrize("d", FEW_DIMENSIONS)
def test_chebyshev_series_is_accurate_to_its_dtype(d, dtype, rtol):
    phi = reference.kummer(torch.from_numpy(U), series(d, dtype)).numpy()
    np.testing.assert_allclose(phi, hyp1f1(0.5, d / 2, -U), rtol=rtol)


@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float64, 5e-14), (torch.float32, 2e-6)])
@pytest.mark.parametrize("d", FEW_DIMENSIONS)
def test_chebyshev_series_of_derivative_is_accurate_to_its_dtype(d, dtype, rtol):
    r = 1 / (1 + kummer.RATE * U)
    _, slope = kummer.coefficients(d, dtype)
    derivative = -(r**1.5) * np.polynomial.chebyshev.chebval(2 * r - 1, slope)
    np.testing.assert_allclose(derivative, -hyp1f1(1.5, d / 2 + 1, -U) / d, rtol=rtol)
