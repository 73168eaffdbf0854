# SPDX-License-Identifier: Apache-2.0
"""Write the locked sets: requirements/*.txt from pyproject.toml and requirements/*.in, and the npm lock of tools/npm.

    .venv/bin/python tools/lock.py [--upgrade]

The files hold versions and hashes only: no index address, no path, nothing of the machine that made them.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv/bin"
REQUIREMENTS = Path("requirements")
# Each set and the extras it holds. test comes first: the others take the versions chosen there.
EXTRAS = {
    "test": ("dev",),
    "demo": ("demo",),
    "keeper": ("keeper",),
    "api": ("api",),
    "node": ("node",),
    "node-ai": ("node", "ai"),
}
PLATFORM = ("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_28")
FORMAT = (
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-annotate",
    "--no-config",
    "--quiet",
    "--custom-compile-command",
    "make lock",
)


def compile_set(source: str, target: Path, *options: str) -> None:
    """Resolve one source into one file; versions already in it stay unless --upgrade is among the options."""
    argv = [BIN / "uv", "pip", "compile", source, "-o", target, *PLATFORM, *FORMAT, *options]
    subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    text = (ROOT / target).read_text()
    foreign = re.search(r"\w+://|file:|^-|(?<=\s)/\w", text, re.MULTILINE)
    if foreign:
        sys.exit(f"{target} names a place ({foreign[0]!r}): not locked for others. Look into the settings of uv.")
    print(f"{target}: {text.count('==')} packages")


def main(upgrade: list[str]) -> None:
    """Python first, then npm."""
    for name in ("build", "go"):
        compile_set(f"requirements/{name}.in", REQUIREMENTS / f"{name}.txt", *upgrade)
    shared: list[str] = ["-c", "requirements/build.txt"]
    for name, extras in EXTRAS.items():
        chosen = [option for extra in extras for option in ("--extra", extra)]
        compile_set("pyproject.toml", REQUIREMENTS / f"{name}.txt", *chosen, *shared, *upgrade)
        if name == "test":
            shared += ["-c", "requirements/test.txt"]
    env = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    options = ["--package-lock-only", "--omit-lockfile-registry-resolved", "--no-audit", "--no-fund", "--silent"]
    subprocess.run([BIN / "npm", "install", *options], cwd=ROOT / "tools/npm", env=env, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
