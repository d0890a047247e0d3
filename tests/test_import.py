"""What a process loads: `import fastlatent` torch and no other package, the command line only what a command needs."""

import subprocess
import sys


def loaded(code):
    """The modules that this code loads."""
    code = f"import sys, torch; before = set(sys.modules); {code}; print(*set(sys.modules) - before)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return result.stdout.splitlines()[-1].split()


def test_importing_the_package_loads_its_own_modules_only():
    modules = loaded("import fastlatent")
    packages = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names
    assert "fastlatent.losses.mmd" in modules
    assert packages <= {"fastlatent", "numpy", "torch"}
    assert "torch._dynamo" not in modules  # a second and a half


def test_the_command_line_answers_without_the_training_stack():
    modules = loaded("from fastlatent.cli import main; main(['models'])")
    assert "tyro" in modules
    assert not {"lightning_fabric", "matplotlib", "sklearn", "torch._dynamo"} & set(modules)
