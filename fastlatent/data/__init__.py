"""Data sets: `load(name)` or `load(path)` returns a `Dataset` with disjoint training and test splits."""

from .batch import UNLABELED as UNLABELED
from .batch import Batch as Batch
from .dataset import Dataset as Dataset
from .dataset import Split as Split
from .formats.idx import read_idx as read_idx
from .formats.numpy_files import read_npy as read_npy
from .formats.numpy_files import read_npz as read_npz
from .loading import BUILTIN_DATASET as BUILTIN_DATASET
from .loading import LOADERS as LOADERS
from .loading import load as load
from .point_clouds import PointCloudDataset as PointCloudDataset
from .tables import TableColumn as TableColumn
from .tables import TableDataset as TableDataset
