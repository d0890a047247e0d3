"""Data sets: `load(name)` or `load(path)` gives a `Data` with an honest train and test split."""

from .batch import UNLABELED as UNLABELED
from .batch import Batch as Batch
from .dataset import Data as Data
from .dataset import Split as Split
from .formats.idx import read_idx as read_idx
from .formats.numpy_files import read_npy as read_npy
from .formats.numpy_files import read_npz as read_npz
from .loading import LOADERS as LOADERS
from .loading import WITHOUT_FILES as WITHOUT_FILES
from .loading import load as load
from .point_clouds import Clouds as Clouds
from .tables import Column as Column
from .tables import Table as Table
