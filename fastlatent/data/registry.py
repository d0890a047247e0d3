"""Registry of published data files: URLs and checksums."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedFile:
    """Published file.

    Args:
        name: name of the file.
        url: URL of the file.
        check: "md5:" and the digest, or if none is published "size:" and the number of bytes.
    """

    name: str
    url: str
    check: str


@dataclass(frozen=True)
class Publication:
    """Published files of a data set.

    Args:
        folder: subfolder of the data folder.
        page: URL of the publisher's page.
        files: files that can be downloaded; empty if they must be added manually.
    """

    folder: str
    page: str
    files: tuple[PublishedFile, ...] = ()


def _files(base: str, checks: dict[str, str]) -> tuple[PublishedFile, ...]:
    return tuple(PublishedFile(name, base + name, check) for name, check in checks.items())


PUBLICATIONS: dict[str, Publication] = {
    "mnist": Publication(
        "mnist",
        "http://yann.lecun.com/exdb/mnist/",
        _files(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            {
                "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
                "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
                "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
            },
        ),
    ),
    "fashion-mnist": Publication(
        "fashion-mnist",
        "https://github.com/zalandoresearch/fashion-mnist",
        _files(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            {
                "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
                "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
                "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
            },
        ),
    ),
    "svhn": Publication(
        "svhn",
        "http://ufldl.stanford.edu/housenumbers/",
        _files(
            "http://ufldl.stanford.edu/housenumbers/",
            {
                "train_32x32.mat": "md5:e26dedcc434d2e4c54c9b2d4a06d8373",
                "test_32x32.mat": "md5:eb5a983be6a315427106f1b164d9cef3",
            },
        ),
    ),
    "cifar10": Publication(
        "cifar10",
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        _files(
            "https://www.cs.toronto.edu/~kriz/",
            {"cifar-10-python.tar.gz": "md5:c58f30108f718f92721af3b95e74349a"},
        ),
    ),
    "modelnet10": Publication(  # the zip file has a checksum of each mesh, verified when it is read
        "modelnet10",
        "https://modelnet.cs.princeton.edu/",
        _files("http://3dvision.princeton.edu/projects/2014/3DShapeNets/", {"ModelNet10.zip": "size:473402300"}),
    ),
    "letter": Publication(
        "tabular",
        "https://archive.ics.uci.edu/dataset/59/letter+recognition",
        _files(
            "https://archive.ics.uci.edu/ml/machine-learning-databases/letter-recognition/",
            {"letter-recognition.data": "size:712565"},
        ),
    ),
    "pbmc68k": Publication("pbmc68k_reduced", "https://github.com/scverse/scanpy"),
}
