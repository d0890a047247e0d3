"""Images of the user's own: folders of pictures, and arrays in .npz files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..dataset import Dataset, Split, default_epochs, resize
from ..files import Folder, check_size, errors_naming_file
from .folders import Example, list_examples
from .numpy_files import read_npz

FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "PPM")  # none that starts another program
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
GREY, COLOURED = ("1", "L", "LA"), ("P", "RGB", "RGBA", "CMYK", "YCbCr")
MAX_PIXELS = 2**26  # of one picture: 8192×8192


def image_folder(path: Path, image_size: int | None = None) -> Dataset:
    """Pictures in a folder for each class, as of `list_examples`; in color, unless all are gray.

    Args:
        path: of the folder.
        image_size: sides of the images in pixels, as of `resize`; None: that of the pictures, which must have the same.

    Raises:
        ValueError: naming a picture that is damaged or has another size, or if they are too many for the memory.
    """
    listing = list_examples(path, SUFFIXES)
    seen = [_look(file) for file, _ in (*listing.train, *listing.test)]
    channels = 1 if all(mode in GREY for mode, _ in seen) else 3
    sizes = {size for _, size in seen}
    if image_size is None and len(sizes) > 1:
        raise ValueError(f"{path}: its pictures have {len(sizes)} different sizes; make them one with --image-size")
    width, height = (image_size, image_size) if image_size else next(iter(sizes))
    check_size((len(seen), channels, height, width), 1)
    train, test = (_split(examples, channels, image_size) for examples in (listing.train, listing.test))
    return Dataset(path.resolve().name, train, test, default_epochs(len(train)), listing.classes)


def images_npz(path: Path, name: str) -> Dataset:
    """Images of a .npz file: `x_train`, `x_test` (n, h, w) or (n, h, w, 1 or 3) uint8, `y_train`, `y_test` (n,).

    The labels may be left out, and `classes`, their names.

    Raises:
        ValueError: if the file holds something else.
    """
    arrays = read_npz(path, ("x_train", "x_test"), ("y_train", "y_test", "classes"))
    with errors_naming_file(path, "file of images"):
        train, test = (_arrays(arrays[f"x_{part}"], arrays.get(f"y_{part}")) for part in ("train", "test"))
        if train.x.shape[1:] != test.x.shape[1:]:
            raise ValueError(f"x_train has images {tuple(train.x.shape[1:])}, x_test {tuple(test.x.shape[1:])}")
        classes = tuple(map(str, arrays["classes"])) if "classes" in arrays else ()
        return Dataset(name, train, test, default_epochs(len(train)), classes)


def _look(file: Folder) -> tuple[str, tuple[int, int]]:
    """A picture's mode and size, from its header."""
    with errors_naming_file(file, "picture"), file.open("rb") as stream, Image.open(stream, formats=FORMATS) as image:
        if image.mode not in GREY + COLOURED:
            raise ValueError(f"pictures must have 8 bits a channel; got mode {image.mode}")
        width, height = image.size
        if not 0 < width * height <= MAX_PIXELS:
            raise ValueError(f"pictures must have at most {MAX_PIXELS} pixels; got {width}×{height}")
        return image.mode, image.size


def _pixels(file: Folder, channels: int) -> Tensor:
    """(1, channels, h, w) uint8."""
    with errors_naming_file(file, "picture"), file.open("rb") as stream, Image.open(stream, formats=FORMATS) as image:
        values = np.array(image.convert("L" if channels == 1 else "RGB"))
    return torch.from_numpy(values).reshape(1, *values.shape[:2], channels).permute(0, 3, 1, 2)


def _split(examples: Sequence[Example], channels: int, image_size: int | None) -> Split:
    images = [_pixels(file, channels) for file, _ in examples]
    images = [resize(image, image_size) if image_size else image for image in images]
    return Split(torch.cat(images).contiguous(), torch.tensor([label for _, label in examples]))


def _arrays(x: np.ndarray, y: np.ndarray | None) -> Split:
    if x.ndim == 3:
        x = x[..., None]
    if x.dtype != np.uint8 or x.ndim != 4 or x.shape[3] not in (1, 3):
        raise ValueError(f"images must be uint8 (n, h, w) or (n, h, w, 1 or 3); got {x.dtype} {x.shape}")
    labels = np.full(len(x), -1) if y is None else y
    if labels.dtype.kind not in "iu" or labels.size != len(x):
        raise ValueError(f"labels must be integers, one for each of {len(x)} images; got {labels.dtype} {labels.shape}")
    x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    return Split(torch.from_numpy(x), torch.from_numpy(labels.astype(np.int64).ravel()))
