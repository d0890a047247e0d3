"""Gene counts from .h5ad and .npz files."""

import numpy as np
import pytest
import torch
from scipy.sparse import csc_matrix, csr_matrix

from fastlatent.data import load
from fastlatent.data.formats import counts
from fastlatent.data.formats.counts import log_normalized

pytestmark = pytest.mark.slow

COUNTS = np.random.default_rng(0).poisson(1.5, size=(12, 5)).astype(np.float32)
COUNTS[3] = 0  # a cell without counts
TYPES = [f"type {i % 3}" for i in range(12)]
GENES = [f"gene{i}" for i in range(5)]


def h5ad(path, x=COUNTS, location="X", sparse=None, labels="cell_type"):
    """An AnnData file in its current layout."""
    import h5py

    with h5py.File(path, "w") as file:
        if sparse is None:
            file[location] = x
        else:
            group, matrix = file.create_group(location), sparse(x)
            group.attrs.update({"encoding-type": sparse.__name__, "shape": matrix.shape})
            for part in ("data", "indices", "indptr"):
                group[part] = getattr(matrix, part)
        var = file.create_group("raw/var" if location == "raw/X" else "var")
        var.attrs["_index"] = "name"
        var["name"] = GENES
        file["obs/index"] = [f"cell{i}" for i in range(len(x))]
        names, codes = np.unique(TYPES, return_inverse=True)
        file[f"obs/{labels}/categories"], file[f"obs/{labels}/codes"] = names.tolist(), codes.astype(np.int8)
        file["obs/batch"] = ["one"] * len(x)
    return path


def rows(data):
    x = torch.cat([data.train.x, data.test.x]).double().numpy()
    return x * [column.std for column in data.columns] + [column.mean for column in data.columns]


def assert_same_rows(actual, expected):
    np.testing.assert_allclose(actual[np.lexsort(actual.T)], expected[np.lexsort(expected.T)], atol=1e-5)


def test_log_normalization_by_hand():
    x = np.array([[1, 3], [0, 0]])
    np.testing.assert_allclose(log_normalized(x), [np.log1p([2500, 7500]), [0, 0]])


@pytest.mark.parametrize("sparse", [None, csr_matrix, csc_matrix])
@pytest.mark.parametrize("location", ["X", "raw/X", "layers/counts"])
def test_anndata_file_is_read(tmp_path, sparse, location):
    data = load(h5ad(tmp_path / "cells.h5ad", location=location, sparse=sparse))
    assert (data.name, data.kind, data.shape, len(data.test)) == ("cells", "rows", (0,) * 5, 3)
    assert [column.name for column in data.columns] == GENES
    assert data.classes == ("type 0", "type 1", "type 2")
    assert_same_rows(rows(data), np.log1p(1e4 * COUNTS / np.maximum(COUNTS.sum(1, keepdims=True), 1)))
    assert torch.cat([data.train.labels, data.test.labels]).bincount().tolist() == [4, 4, 4]


def test_counts_take_precedence_over_normalized_values(tmp_path):
    import h5py

    path = h5ad(tmp_path / "cells.h5ad", location="layers/counts")
    before = rows(load(path))
    with h5py.File(path, "a") as file:
        file["X"] = -COUNTS
    assert_same_rows(rows(load(path)), before)


def test_normalized_values_are_unchanged(tmp_path):
    scaled = COUNTS - 0.5
    assert_same_rows(rows(load(h5ad(tmp_path / "cells.h5ad", scaled))), scaled)


@pytest.mark.parametrize(("label", "classes"), [("batch", ("one",)), ("cell_type", ("type 0", "type 1", "type 2"))])
def test_label_option_selects_the_column(tmp_path, label, classes):
    assert load(h5ad(tmp_path / "cells.h5ad"), label=label).classes == classes


def test_columns_of_other_names_are_no_labels(tmp_path):
    data = load(h5ad(tmp_path / "cells.h5ad", labels="louvain"))
    assert data.classes == ()
    assert data.train.labels.unique().tolist() == [-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.pop("X"), "must have one of layers/counts, raw/X, raw.X, X"),
        (lambda file: file.pop("var"), "var is missing"),
        (lambda file: file["obs/cell_type/codes"].write_direct(np.full(12, 3, np.int8)), "codes .* from -1 to 2"),
        (lambda file: file["X"].write_direct(np.full((12, 5), np.nan, np.float32)), "counts must be finite"),
        (lambda file: file["X"].attrs.update(shape=1) or file.move("X", "Y"), "must have one of"),
    ],
)
def test_other_contents_are_named(tmp_path, change, message):
    import h5py

    path = h5ad(tmp_path / "cells.h5ad")
    with h5py.File(path, "a") as file:
        change(file)
    with pytest.raises(ValueError, match=rf"{path}: not a valid AnnData file: .*{message}"):
        load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"indices": [99] * 40}, "indices must be"),
        ({"indices": [-1] * 40}, "indices must be"),
        ({"indptr": [0] * 12 + [10**9]}, "ind"),
        ({"shape": [10**9, 10**9]}, "need .* bytes; the limit is"),
        ({"shape": [12, 4]}, "indices must be"),
        ({"encoding-type": "pickle"}, "must be a dense, csr or csc matrix; got pickle"),
    ],
)
def test_sparse_matrix_with_indices_out_of_range_raises(tmp_path, change, message):
    import h5py

    path = h5ad(tmp_path / "cells.h5ad", sparse=csr_matrix)
    with h5py.File(path, "a") as file:
        for name, value in change.items():
            if name in file["X"]:
                size = len(file["X"][name])
                del file["X"][name]
                file["X"][name] = np.resize(value, size) if name == "indices" else value
            else:
                file["X"].attrs[name] = value
    with pytest.raises(ValueError, match=rf"{path}: .*{message}"):
        load(path)


def test_links_out_of_the_file_raise(tmp_path):
    import h5py

    secret = h5ad(tmp_path / "secret.h5ad")
    path = h5ad(tmp_path / "cells.h5ad")
    for link in (h5py.ExternalLink(secret, "X"), h5py.SoftLink("/var/name")):
        with h5py.File(path, "a") as file:
            del file["X"]
            file["X"] = link
        with pytest.raises(ValueError, match="X is missing, or is a link"):
            load(path)
    (tmp_path / "numbers").write_bytes(COUNTS.tobytes())
    with h5py.File(path, "a") as file:
        del file["X"]
        file.create_dataset("X", (12, 5), "f4", external=[(tmp_path / "numbers", 0, 240)])
    with pytest.raises(ValueError, match="must be values stored in the file"):
        load(path)


def test_matrix_beyond_the_size_limit_raises(tmp_path):
    import h5py

    path = h5ad(tmp_path / "cells.h5ad")
    with h5py.File(path, "a") as file:
        del file["X"]
        file.create_dataset("X", (10**6, 10**6), "f4", chunks=(100, 100), compression="gzip")  # no chunk is written
    with pytest.raises(ValueError, match="need 4000000000000 bytes; the limit is"):
        load(path)


@pytest.mark.parametrize("keep", [0, 100, 2000])
def test_truncated_file_is_named(tmp_path, keep):
    path = h5ad(tmp_path / "cells.h5ad")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=rf"{path}: not a valid AnnData file"):
        load(path)


@pytest.mark.parametrize("field", ["counts", "lognorm"])
def test_npz_file_is_read(tmp_path, field):
    np.savez(tmp_path / "mine.npz", **{field: COUNTS, "label": np.arange(12) % 2, "classes": np.array(["a", "b", "c"])})
    data = load(tmp_path / "mine.npz")
    assert data.classes == ("a", "b", "c")
    assert torch.cat([data.train.labels, data.test.labels]).bincount().tolist() == [6, 6]
    assert_same_rows(rows(data), log_normalized(COUNTS))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"counts": COUNTS[0]},
            r"must be numbers \(cells, genes\), with a label for each cell and a name for each gene",
        ),
        ({"label": np.arange(3)}, "3 labels"),
        ({"genes": np.array(GENES[:3])}, "3 names"),
        ({"label": np.arange(12), "classes": np.array(["a"])}, "label must be from 0 to 0"),
    ],
)
def test_other_arrays_are_named(tmp_path, change, message):
    np.savez(tmp_path / "mine.npz", **{"counts": COUNTS} | change)
    with pytest.raises(ValueError, match=rf"mine\.npz: .*{message}"):
        load(tmp_path / "mine.npz")


def test_real_files_of_both_formats_agree(data_dir):
    folder = data_dir / "pbmc68k_reduced"
    if not folder.is_dir():
        pytest.skip(f"no cells in {data_dir}")
    data, other = load("pbmc68k", data_dir), load(folder / "10x_pbmc68k_reduced.h5ad")
    assert (len(data.train), len(data.test), len(data.columns), len(data.classes)) == (525, 175, 765, 10)
    assert [column.name for column in other.columns] == [column.name for column in data.columns]
    np.testing.assert_allclose(other.train.x, data.train.x, atol=1e-4)
    class_names = [[of.classes[i] for i in of.test.labels] for of in (data, other)]
    assert class_names[0] == class_names[1]


def test_reading_times_out(tmp_path, monkeypatch):
    monkeypatch.setattr(counts, "BASE_TIMEOUT", 0.0)
    path = h5ad(tmp_path / "cells.h5ad")
    with pytest.raises(ValueError, match=rf"{path}: .*it could not be read within 0 s"):
        load(path)
