"""Data sets: `load(name)` or `load(path)` gives a `Data` with an honest train and test split."""

from .arrays import read_npy as read_npy
from .arrays import read_npz as read_npz
from .clouds import Clouds as Clouds
from .dataset import Data as Data
from .dataset import Split as Split
from .idx import read_idx as read_idx
from .loading import LOADERS as LOADERS
from .loading import WITHOUT_FILES as WITHOUT_FILES
from .loading import load as load
from .tables import Column as Column
from .tables import Table as Table
