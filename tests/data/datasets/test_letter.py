"""UCI letter recognition from its published file."""

import numpy as np
import pytest
import torch

from fastlatent.data import load


def letters(folder, n, header):
    random = np.random.default_rng(0)
    values = random.integers(16, size=(n, 16))
    lines = [f"{'ABC'[i % 3]},{','.join(map(str, row))}" for i, row in enumerate(values)]
    (folder / "letter-recognition.data").write_text(
        "\n".join(["Letter," + ",".join(map(str, range(1, 17)))][:header] + lines)
    )
    return values


@pytest.mark.parametrize("header", [0, 1])
def test_letter_has_categories_and_16000_training_rows(tmp_path, header):
    values = letters(tmp_path, 16_005, header)
    data = load("letter", tmp_path)
    assert (len(data.train), len(data.test), data.shape) == (16_000, 5, (16,) * 16)
    assert torch.equal(data.test.x, torch.from_numpy(values[16_000:]).float())
    assert data.test.labels.tolist() == [i % 3 for i in range(16_000, 16_005)]


@pytest.mark.parametrize("content", [b"A,1,x\n", b"?,1,2\n", b"A,1\nB,1,2\n", b"", b"\xff\xfe"])
def test_malformed_lines_raise(tmp_path, content):
    (tmp_path / "letter-recognition.data").write_bytes(content)
    with pytest.raises(
        ValueError, match=r"letter-recognition\.data: not a valid file of lines with a letter and 16 integers"
    ):
        load("letter", tmp_path)
