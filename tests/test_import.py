"""Modules loaded by `import fastlatent` and by the command line."""

import subprocess
import sys


def loaded_modules(code):
    """Modules that this code loads."""
    code = f"import sys, torch; before = set(sys.modules); {code}; print(*set(sys.modules) - before)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return result.stdout.splitlines()[-1].split()


def test_import_loads_no_package_besides_torch_and_numpy():
    modules = loaded_modules("import fastlatent")
    packages = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names
    assert {"fastlatent.losses.mmd", "fastlatent.nn"} <= set(modules)
    assert packages <= {"fastlatent", "numpy", "torch"}
    assert "torch._dynamo" not in modules  # takes 1.5 s to import


def test_command_line_loads_no_training_packages():
    modules = loaded_modules("from fastlatent.cli import main; main(['models'])")
    assert "tyro" in modules
    assert not {"lightning_fabric", "matplotlib", "sklearn", "torch._dynamo"} & set(modules)
