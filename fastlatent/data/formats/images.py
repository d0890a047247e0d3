"""Images from folders of image files and from arrays in .npz files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..batch import UNLABELED
from ..dataset import Dataset, Split, center_crop_resize, default_epochs
from ..files import AnyPath, check_size, errors_naming_file
from .folders import Example, list_examples
from .numpy_files import read_npz

FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "PPM")  # decoders without external programs
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
GRAY_MODES, COLOR_MODES = ("1", "L", "LA"), ("P", "RGB", "RGBA", "CMYK", "YCbCr")
MAX_PIXELS = 2**26  # of one image: 8192×8192


def image_folder(path: Path, image_size: int | None = None) -> Dataset:
    """Load images from a folder for each class (see `list_examples`), in color unless all are gray.

    Args:
        path: path of the folder.
        image_size: height and width in pixels, by `center_crop_resize`; None: that of the images, which must be equal.

    Raises:
        ValueError: naming an image that is damaged; or if sizes differ or exceed the memory limit.
    """
    listing = list_examples(path, SUFFIXES)
    headers = [_read_header(file) for file, _ in (*listing.train, *listing.test)]
    channels = 1 if all(mode in GRAY_MODES for mode, _ in headers) else 3
    sizes = {size for _, size in headers}
    if image_size is None and len(sizes) > 1:
        raise ValueError(f"{path}: its images have {len(sizes)} different sizes; set one with --image-size")
    width, height = (image_size, image_size) if image_size else next(iter(sizes))
    check_size((len(headers), channels, height, width), 1)
    train, test = (_split(examples, channels, image_size) for examples in (listing.train, listing.test))
    return Dataset(path.resolve().name, train, test, default_epochs(len(train)), listing.classes)


def images_npz(path: Path, name: str) -> Dataset:
    """Load images from a .npz file.

    Args:
        path: file with `x_train` and `x_test`, (n, h, w) or (n, h, w, 1 or 3) uint8, and optionally `y_train` and
            `y_test` (n,), and `classes`, their names.
        name: name of the data set.

    Raises:
        ValueError: if the file has other contents.
    """
    arrays = read_npz(path, ("x_train", "x_test"), ("y_train", "y_test", "classes"))
    with errors_naming_file(path, "file of images"):
        train, test = (_array_split(arrays[f"x_{part}"], arrays.get(f"y_{part}")) for part in ("train", "test"))
        if train.x.shape[1:] != test.x.shape[1:]:
            raise ValueError(f"x_train has images {tuple(train.x.shape[1:])}, x_test {tuple(test.x.shape[1:])}")
        classes = tuple(map(str, arrays["classes"])) if "classes" in arrays else ()
        return Dataset(name, train, test, default_epochs(len(train)), classes)


def _read_header(file: AnyPath) -> tuple[str, tuple[int, int]]:
    """Return an image's mode and size (width, height)."""
    with errors_naming_file(file, "image"), file.open("rb") as stream, Image.open(stream, formats=FORMATS) as image:
        if image.mode not in GRAY_MODES + COLOR_MODES:
            raise ValueError(f"images must have 8 bits per channel; got mode {image.mode}")
        width, height = image.size
        if not 0 < width * height <= MAX_PIXELS:
            raise ValueError(f"images must have at most {MAX_PIXELS} pixels; got {width}×{height}")
        return image.mode, image.size


def _read_pixels(file: AnyPath, channels: int) -> Tensor:
    """Return an image as (1, channels, h, w) uint8."""
    with errors_naming_file(file, "image"), file.open("rb") as stream, Image.open(stream, formats=FORMATS) as image:
        values = np.array(image.convert("L" if channels == 1 else "RGB"))
    return torch.from_numpy(values).reshape(1, *values.shape[:2], channels).permute(0, 3, 1, 2)


def _split(examples: Sequence[Example], channels: int, image_size: int | None) -> Split:
    images = [_read_pixels(file, channels) for file, _ in examples]
    images = [center_crop_resize(image, image_size) if image_size else image for image in images]
    return Split(torch.cat(images).contiguous(), torch.tensor([label for _, label in examples]))


def _array_split(x: np.ndarray, y: np.ndarray | None) -> Split:
    if x.ndim == 3:
        x = x[..., None]
    if x.dtype != np.uint8 or x.ndim != 4 or x.shape[3] not in (1, 3):
        raise ValueError(f"images must be uint8 (n, h, w) or (n, h, w, 1 or 3); got {x.dtype} {x.shape}")
    labels = np.full(len(x), UNLABELED) if y is None else y
    if labels.dtype.kind not in "iu" or labels.size != len(x):
        raise ValueError(f"labels must be integers, one for each of {len(x)} images; got {labels.dtype} {labels.shape}")
    x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    return Split(torch.from_numpy(x), torch.from_numpy(labels.astype(np.int64).ravel()))
