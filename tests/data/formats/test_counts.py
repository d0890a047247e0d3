"""Cell counts from .h5ad and .npz files."""

import numpy as np
import pytest
import torch
from scipy.sparse import csc_matrix, csr_matrix

from fastlatent.data import load
from fastlatent.data.formats import counts
from fastlatent.data.formats.counts import log_normalized

pytestmark = pytest.mark.slow

COUNTS = np.random.default_rng(0).poisson(1.5, size=(12, 5)).astype(np.float32)
COUNTS[3] = 0  # a cell in which nothing was found
TYPES = [f"type {i % 3}" for i in range(12)]
GENES = [f"gene{i}" for i in range(5)]


def h5ad(path, x=COUNTS, place="X", sparse=None, labels="cell_type"):
    """An AnnData file in its layout of today."""
    import h5py

    with h5py.File(path, "w") as file:
        if sparse is None:
            file[place] = x
        else:
            group, made = file.create_group(place), sparse(x)
            group.attrs.update({"encoding-type": sparse.__name__, "shape": made.shape})
            for part in ("data", "indices", "indptr"):
                group[part] = getattr(made, part)
        var = file.create_group("raw/var" if place == "raw/X" else "var")
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


def same_rows(found, expected):
    np.testing.assert_allclose(found[np.lexsort(found.T)], expected[np.lexsort(expected.T)], atol=1e-5)


def test_raw_counts_are_normalized():
    x = np.array([[1, 3], [0, 0]])
    np.testing.assert_allclose(log_normalized(x), [np.log1p([2500, 7500]), [0, 0]])


@pytest.mark.parametrize("sparse", [None, csr_matrix, csc_matrix])
@pytest.mark.parametrize("place", ["X", "raw/X", "layers/counts"])
def test_an_anndata_file_is_read(tmp_path, sparse, place):
    data = load(h5ad(tmp_path / "cells.h5ad", place=place, sparse=sparse))
    assert (data.name, data.kind, data.shape, len(data.test)) == ("cells", "rows", (0,) * 5, 3)
    assert [column.name for column in data.columns] == GENES
    assert data.classes == ("type 0", "type 1", "type 2")
    same_rows(rows(data), np.log1p(1e4 * COUNTS / np.maximum(COUNTS.sum(1, keepdims=True), 1)))
    assert torch.cat([data.train.labels, data.test.labels]).bincount().tolist() == [4, 4, 4]


def test_counts_come_before_what_was_made_of_them(tmp_path):
    import h5py

    path = h5ad(tmp_path / "cells.h5ad", place="layers/counts")
    before = rows(load(path))
    with h5py.File(path, "a") as file:
        file["X"] = -COUNTS
    same_rows(rows(load(path)), before)


def test_what_is_normalised_already_stays_as_it_is(tmp_path):
    scaled = COUNTS - 0.5
    same_rows(rows(load(h5ad(tmp_path / "cells.h5ad", scaled))), scaled)


@pytest.mark.parametrize(("label", "classes"), [("batch", ("one",)), ("cell_type", ("type 0", "type 1", "type 2"))])
def test_the_column_of_labels_can_be_chosen(tmp_path, label, classes):
    assert load(h5ad(tmp_path / "cells.h5ad"), label=label).classes == classes


def test_without_a_usual_name_there_are_no_labels(tmp_path):
    data = load(h5ad(tmp_path / "cells.h5ad", labels="louvain"))
    assert data.classes == ()
    assert data.train.labels.unique().tolist() == [-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.pop("X"), "must hold one of layers/counts, raw/X, raw.X, X"),
        (lambda file: file.pop("var"), "var is not there"),
        (lambda file: file["obs/cell_type/codes"].write_direct(np.full(12, 3, np.int8)), "codes .* from -1 to 2"),
        (lambda file: file["X"].write_direct(np.full((12, 5), np.nan, np.float32)), "counts must be finite"),
        (lambda file: file["X"].attrs.update(shape=1) or file.move("X", "Y"), "must hold one of"),
    ],
)
def test_other_contents_are_refused_by_name(tmp_path, change, message):
    import h5py

    path = h5ad(tmp_path / "cells.h5ad")
    with h5py.File(path, "a") as file:
        change(file)
    with pytest.raises(ValueError, match=rf"{path}: not a whole AnnData file: .*{message}"):
        load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"indices": [99] * 40}, "indices must be"),
        ({"indices": [-1] * 40}, "indices must be"),
        ({"indptr": [0] * 12 + [10**9]}, "ind"),
        ({"shape": [10**9, 10**9]}, "need .* bytes; at most"),
        ({"shape": [12, 4]}, "indices must be"),
        ({"encoding-type": "pickle"}, "must be a dense, csr or csc matrix; got pickle"),
    ],
)
def test_a_sparse_matrix_that_points_outside_itself_is_refused(tmp_path, change, message):
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


def test_links_out_of_the_file_are_not_followed(tmp_path):
    import h5py

    secret = h5ad(tmp_path / "secret.h5ad")
    path = h5ad(tmp_path / "cells.h5ad")
    for link in (h5py.ExternalLink(secret, "X"), h5py.SoftLink("/var/name")):
        with h5py.File(path, "a") as file:
            del file["X"]
            file["X"] = link
        with pytest.raises(ValueError, match="X is not there, or is a link"):
            load(path)
    (tmp_path / "numbers").write_bytes(COUNTS.tobytes())
    with h5py.File(path, "a") as file:
        del file["X"]
        file.create_dataset("X", (12, 5), "f4", external=[(tmp_path / "numbers", 0, 240)])
    with pytest.raises(ValueError, match="must be values within the file"):
        load(path)


def test_a_matrix_larger_than_the_memory_is_refused_unread(tmp_path):
    import h5py

    path = h5ad(tmp_path / "cells.h5ad")
    with h5py.File(path, "a") as file:
        del file["X"]
        file.create_dataset("X", (10**6, 10**6), "f4", chunks=(100, 100), compression="gzip")  # no chunk is written
    with pytest.raises(ValueError, match="need 4000000000000 bytes; at most"):
        load(path)


@pytest.mark.parametrize("keep", [0, 100, 2000])
def test_a_file_that_is_cut_off_is_refused_by_name(tmp_path, keep):
    path = h5ad(tmp_path / "cells.h5ad")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=rf"{path}: not a whole AnnData file"):
        load(path)


@pytest.mark.parametrize("field", ["counts", "lognorm"])
def test_a_npz_file_is_read(tmp_path, field):
    np.savez(tmp_path / "mine.npz", **{field: COUNTS, "label": np.arange(12) % 2, "classes": np.array(["a", "b", "c"])})
    data = load(tmp_path / "mine.npz")
    assert data.classes == ("a", "b", "c")
    assert torch.cat([data.train.labels, data.test.labels]).bincount().tolist() == [6, 6]
    same_rows(rows(data), log_normalized(COUNTS))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"counts": COUNTS[0]}, r"must be numbers \(cells, genes\), a label a cell, a name a gene"),
        ({"label": np.arange(3)}, "3 labels"),
        ({"genes": np.array(GENES[:3])}, "3 names"),
        ({"label": np.arange(12), "classes": np.array(["a"])}, "label must be from 0 to 0"),
    ],
)
def test_other_arrays_are_refused_by_name(tmp_path, change, message):
    np.savez(tmp_path / "mine.npz", **{"counts": COUNTS} | change)
    with pytest.raises(ValueError, match=rf"mine\.npz: .*{message}"):
        load(tmp_path / "mine.npz")


def test_real_cells_are_read_alike_from_either_file(data_dir):
    folder = data_dir / "pbmc68k_reduced"
    if not folder.is_dir():
        pytest.skip(f"no cells in {data_dir}")
    data, other = load("pbmc68k", data_dir), load(folder / "10x_pbmc68k_reduced.h5ad")
    assert (len(data.train), len(data.test), len(data.columns), len(data.classes)) == (525, 175, 765, 10)
    assert [column.name for column in other.columns] == [column.name for column in data.columns]
    np.testing.assert_allclose(other.train.x, data.train.x, atol=1e-4)
    named = [[of.classes[i] for i in of.test.labels] for of in (data, other)]
    assert named[0] == named[1]


def test_a_file_that_takes_for_ever_to_read_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(counts, "PATIENCE", 0.0)
    path = h5ad(tmp_path / "cells.h5ad")
    with pytest.raises(ValueError, match=rf"{path}: .*it could not be read within 0 s"):
        load(path)
