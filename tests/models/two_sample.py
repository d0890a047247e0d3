"""Classifier two-sample test of codes against samples of their prior."""

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor


def two_sample_accuracy(x: Tensor, y: Tensor) -> float:
    """Return the held-out accuracy of a nearest-neighbor classifier of two samples: ½ for equal distributions.

    Source: Lopez-Paz & Oquab 2017, "Revisiting classifier two-sample tests".
    """
    label = np.repeat([0, 1], [len(x), len(y)])
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return cross_val_score(KNeighborsClassifier(15), torch.cat([x, y]).numpy(), label, cv=folds).mean()
