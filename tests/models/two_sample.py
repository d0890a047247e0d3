"""An independent measure of how far codes are from their prior: can a classifier tell them from fresh draws?"""

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor


def told_apart(x: Tensor, y: Tensor) -> float:
    """Held-out accuracy of a nearest-neighbor classifier that is to tell two samples apart: ½ if they are alike.

    Source: Lopez-Paz & Oquab 2017, "Revisiting classifier two-sample tests".
    """
    label = np.repeat([0, 1], [len(x), len(y)])
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return cross_val_score(KNeighborsClassifier(15), torch.cat([x, y]).numpy(), label, cv=folds).mean()
