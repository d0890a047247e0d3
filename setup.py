"""Build the native module `fastlatent._native` with CMake. Everything else is in pyproject.toml."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent.resolve()


class CMakeBuild(build_ext):
    """CMake build of the native module. Without a C++ compiler it says so, and only the Python part is installed."""

    def run(self):
        if not any(map(shutil.which, filter(None, [os.environ.get("CXX"), "c++", "g++", "clang++", "cl"]))):
            self.extensions = []
            print(
                "fastlatent: no C++ compiler found (looked for $CXX, c++, g++, clang++, cl): "
                "installing without the native module, losses will run on the plain PyTorch reference.",
                file=sys.stderr,
            )
            return
        super().run()

    def build_extension(self, ext):
        output = Path(self.get_ext_fullpath(ext.name)).parent.resolve()
        build = Path(self.build_temp).resolve() / "cmake"
        configure = [
            "cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
            f"-DPython_EXECUTABLE={sys.executable}", f"-DFASTLATENT_OUTPUT={output}",
        ]  # fmt: skip
        subprocess.run([os.fspath(word) for word in configure], check=True)
        subprocess.run(["cmake", "--build", os.fspath(build)], check=True)

    def copy_extensions_to_source(self):
        """Copy the extension of an editable installation and, if nvcc has built it, the CUDA library."""
        super().copy_extensions_to_source()
        for library in Path(self.build_lib, "fastlatent").glob("*fastlatent_cuda*"):
            self.copy_file(os.fspath(library), os.fspath(ROOT / "fastlatent"))


setup(ext_modules=[Extension("fastlatent._native", sources=[])], cmdclass={"build_ext": CMakeBuild})
