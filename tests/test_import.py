"""`import fastlatent` is quick beside `import torch`: it loads no other package, and not torch's compiler."""

import subprocess
import sys


def test_importing_the_package_loads_its_own_modules_only():
    code = "import sys, torch; before = set(sys.modules); import fastlatent; print(*set(sys.modules) - before)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = result.stdout.split()
    packages = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names
    assert "fastlatent.losses.mmd" in loaded
    assert packages <= {"fastlatent", "numpy", "torch"}
    assert "torch._dynamo" not in loaded  # a second and a half
