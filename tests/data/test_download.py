"""Downloads from a local HTTP server."""

import gzip
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from fastlatent.data import load, loading, registry
from fastlatent.data.download import MAX_ATTEMPTS, download, fetch
from fastlatent.data.registry import PUBLICATIONS, Publication, PublishedFile
from tests.data.idx_files import idx

CONTENT = np.random.default_rng(0).bytes(300_000)
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"


class Server(ThreadingHTTPServer):
    """HTTP server with faults that a test sets.

    Args:
        files: content by path.
    """

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.requested = files, []
        self.cut_after = None  # bytes before the connection is cut
        self.cuts = 0  # number of connections to cut
        self.ranges = True  # support range requests

    def url(self, name):
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        requested = self.headers.get("Range")
        server.requested.append(requested)
        content = server.files.get(self.path.lstrip("/"))
        if content is None:
            self.send_error(404)
            return
        start = int(requested.removeprefix("bytes=").removesuffix("-")) if requested and server.ranges else 0
        if start and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if server.cuts:
            server.cuts -= 1
            self.wfile.write(content[start : start + server.cut_after])
            self.close_connection = True
        else:
            self.wfile.write(content[start:])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    http_server = Server({"file.bin": CONTENT})
    threading.Thread(target=http_server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield http_server
    http_server.shutdown()
    http_server.server_close()


@pytest.fixture
def file(server):
    return PublishedFile("file.bin", server.url("file.bin"), MD5)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("check", [MD5, f"sha256:{hashlib.sha256(CONTENT).hexdigest()}", f"size:{len(CONTENT)}"])
def test_download_equals_the_published_file(server, file, tmp_path, check):
    assert download(replace(file, check=check), tmp_path) == tmp_path / "file.bin"
    assert contents(tmp_path) == {"file.bin": CONTENT}
    assert server.requested == [None]


def test_interrupted_download_resumes_at_its_offset(server, file, tmp_path):
    server.cuts, server.cut_after = 2, 100_000
    download(file, tmp_path)
    assert contents(tmp_path) == {"file.bin": CONTENT}
    assert server.requested == [None, "bytes=100000-", "bytes=200000-"]


def test_partial_download_is_resumed_by_the_next_call(server, file, tmp_path):
    server.cuts, server.cut_after = MAX_ATTEMPTS, 50_000
    with pytest.raises(OSError, match="the connection ended after 150000 of 300000 bytes"):
        download(file, tmp_path)
    assert contents(tmp_path) == {"file.bin.part": CONTENT[:150_000]}
    download(file, tmp_path)
    assert contents(tmp_path) == {"file.bin": CONTENT}
    assert server.requested[-1] == "bytes=150000-"


def test_server_without_ranges_sends_the_whole_file(server, file, tmp_path):
    server.ranges, server.cuts, server.cut_after = False, 1, 100_000
    download(file, tmp_path)
    assert contents(tmp_path) == {"file.bin": CONTENT}
    assert server.requested == [None, "bytes=100000-"]


def test_complete_partial_file_is_renamed(server, file, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    download(file, tmp_path)
    assert contents(tmp_path) == {"file.bin": CONTENT}


@pytest.mark.parametrize("before", [b"", b"of something else", CONTENT + b"and more"])
def test_wrong_checksum_deletes_the_download(server, file, tmp_path, before):
    if before:
        (tmp_path / "file.bin.part").write_bytes(before)
    wrong = file if before else replace(file, check="md5:" + 32 * "0")
    with pytest.raises(OSError, match=rf"{file.url} differs from the published file: md5:.* instead of {wrong.check}"):
        download(wrong, tmp_path)
    assert contents(tmp_path) == {}


def test_http_error_is_not_retried(server, file, tmp_path):
    with pytest.raises(OSError, match=r"cannot download .*/other: HTTP Error 404"):
        download(replace(file, url=server.url("other")), tmp_path)
    assert server.requested == [None]
    assert contents(tmp_path) == {}


def test_network_error_names_file_page_and_folder(server, tmp_path, monkeypatch):
    server.shutdown()
    server.server_close()
    nowhere = Publication("mnist", "http://page", (PublishedFile("train.gz", server.url("train.gz"), MD5),))
    monkeypatch.setitem(PUBLICATIONS, "mnist", nowhere)
    with pytest.raises(
        OSError, match=r"mnist: cannot download .*refused.* or put train.gz from .* \(http://page\) into"
    ) as error:
        load("mnist", tmp_path, download=True)
    assert str(tmp_path / "mnist") in str(error.value)


@pytest.fixture
def mnist(server, monkeypatch):
    """A small MNIST on the local server."""
    images, labels = np.arange(3 * 16, dtype=np.uint8).reshape(3, 4, 4), np.arange(3, dtype=np.uint8)
    for name in (file.name for file in PUBLICATIONS["mnist"].files):
        server.files[name] = gzip.compress(idx(images if "images" in name else labels), mtime=0)
    served = tuple(
        PublishedFile(name, server.url(name), f"md5:{hashlib.md5(content).hexdigest()}")
        for name, content in server.files.items()
        if name != "file.bin"
    )
    monkeypatch.setitem(PUBLICATIONS, "mnist", replace(PUBLICATIONS["mnist"], files=served))


def test_data_set_is_downloaded_once_and_only_on_request(server, mnist, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"download it with --download, or put train-images-idx3-ubyte\.gz, "):
        load("mnist", tmp_path)
    assert server.requested == []
    assert len(load("mnist", tmp_path, download=True).train) == 3
    names = {path.name for path in (tmp_path / "mnist").iterdir()} - {".fetching"}
    assert names == {file.name for file in PUBLICATIONS["mnist"].files}
    assert len(server.requested) == 4
    load("mnist", tmp_path, download=True)
    assert len(server.requested) == 4


def test_existing_files_are_not_downloaded(server, mnist, tmp_path):
    fetch("mnist", tmp_path)
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    (tmp_path / "mnist" / "t10k-images-idx3-ubyte.gz").rename(tmp_path / "t10k-images-idx3-ubyte.gz")
    fetch("mnist", tmp_path)
    assert len(server.requested) == 5


def test_concurrent_fetches_download_once(server, mnist, tmp_path):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: fetch("mnist", tmp_path), range(4)))
    assert server.requested == [None] * 4  # files


def test_every_data_set_with_files_is_in_the_registry():
    for name, loader in loading.LOADERS.items():
        if name not in registry.PUBLICATIONS:
            assert len(loader(None).train)  # needs no file
    for publication in PUBLICATIONS.values():
        assert publication.page.startswith("http")
        for file in publication.files:
            assert file.url.endswith("/" + file.name)
            kind, value = file.check.split(":")
            assert int(value) > 0 if kind == "size" else len(bytes.fromhex(value)) == hashlib.new(kind).digest_size
