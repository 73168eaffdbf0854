# SPDX-License-Identifier: Apache-2.0
"""Set up .venv and .tools for one of the locked sets in requirements/. Needs Python 3.11 and its standard library only.

    python3 tools/setup.py demo|test|keeper|node|node-ai|api

Does nothing, in well under a second, when nothing changed since the last time.
"""

import argparse
import os
import platform
import shutil
import sys
from pathlib import Path

import system
from run import ROOT, TOOLS, digest, mark_done, run, up_to_date

VENV = ROOT / ".venv"
PYTHON = VENV / "bin/python"
SETS = ("demo", "test", "keeper", "node", "node-ai", "api")
RENDERING = ("demo", "test", "node", "node-ai")  # sets with Blender in them
CHAIN = ("demo", "test")  # sets with Node.js, hence with Anvil, Uniswap's contracts and the page


def use_python_311() -> None:
    """Go on under Python 3.11, the one that Blender's module is built for."""
    if sys.version_info[:2] == (3, 11):
        return
    other = shutil.which("python3.11")
    if other is None:
        sys.exit(
            f"Python 3.11 is needed, and this is {platform.python_version()}. "
            "On Debian 12 it is python3: sudo apt-get install -y python3 python3-venv"
        )
    os.execv(other, [other, *sys.argv])  # noqa: S606 - the same program under another Python


def install_packages(name: str) -> None:
    """.venv with exactly what requirements/NAME.txt locks, and the project itself in place (editable)."""
    lock, build = ROOT / f"requirements/{name}.txt", ROOT / "requirements/build.txt"
    wanted = digest(lock, build, ROOT / "pyproject.toml", platform.python_version())
    stamp = VENV / "stamps" / name
    if PYTHON.exists() and up_to_date(stamp, wanted):
        return
    if not PYTHON.exists():
        run("Creating .venv", [sys.executable, "-m", "venv", "--clear", VENV])
    pip = [
        PYTHON,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar",
        "off",
        "--no-deps",
    ]
    run("Preparing pip", [*pip, "--require-hashes", "-r", build])
    count = sum("==" in line for line in lock.read_text().splitlines())
    run(f"Installing {count} Python packages", [*pip, "--require-hashes", "--no-build-isolation", "-r", lock])
    run("Installing inferix", [*pip, "--no-build-isolation", "--editable", ROOT])
    mark_done(stamp, wanted)


def npm(label: str, folder: Path, *arguments: str) -> None:
    """Run npm of .venv's Node.js; install scripts look for node on PATH."""
    env = os.environ | {"PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}", "NO_COLOR": "1"}
    run(label, [VENV / "bin/npm", *arguments, "--no-audit", "--no-fund", "--no-update-notifier"], cwd=folder, env=env)


def install_chain() -> None:
    """The local chain, as a native program at .tools/bin/anvil, and contracts that others built, in .tools/npm.
    These packages need no install script."""
    sources = [ROOT / "tools/npm/package.json", ROOT / "tools/npm/package-lock.json"]
    wanted, stamp, link = digest(*sources), TOOLS / "stamps/chain", TOOLS / "bin/anvil"
    if link.exists() and up_to_date(stamp, wanted):
        return
    folder = TOOLS / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        shutil.copy(source, folder)
    npm("Installing Anvil, and contracts of Uniswap and OpenZeppelin", folder, "ci", "--ignore-scripts")
    (binary,) = folder.glob("node_modules/@foundry-rs/anvil-*/bin/anvil")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(binary, link.parent))
    mark_done(stamp, wanted)


def compile_contracts() -> None:
    """contracts/ -> .build, once a change. Ape's own cache stays out of the user's home."""
    sources = sorted((ROOT / "contracts").rglob("*.vy*"))
    wanted = digest(*sources, *map(str, sources), ROOT / "ape-config.yaml")
    stamp = ROOT / ".build/.stamp"
    if up_to_date(stamp, wanted):
        return
    home = TOOLS / "home"
    home.mkdir(parents=True, exist_ok=True)
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    env = os.environ | {"PATH": path, "HOME": str(home), "INFERIX_RPC_URL": "http://127.0.0.1:8545"}
    # Ape looks at a contract's own file only: --force, so that a changed module reaches all that are made of it.
    run("Compiling the contracts", [VENV / "bin/ape", "compile", "--force"], env=env)
    mark_done(stamp, wanted)


def build_page() -> None:
    """web/ -> web/dist, when there is a page and it changed."""
    web = ROOT / "web"
    if not (web / "package.json").exists():
        return
    locked = digest(web / "package.json", web / "package-lock.json")
    stamp = web / "node_modules/.stamp"
    if not up_to_date(stamp, locked):
        npm("Installing the page's packages", web, "ci")
        mark_done(stamp, locked)
    skipped = {web / "node_modules", web / "dist"}
    sources = sorted(path for path in web.rglob("*") if path.is_file() and not skipped.intersection(path.parents))
    wanted, stamp = digest(*sources, *map(str, sources)), web / "dist/.stamp"
    if not up_to_date(stamp, wanted):
        npm("Building the page", web, "run", "build")
        mark_done(stamp, wanted)


def main() -> None:
    """Check the system first, so that nothing is fetched before what it needs is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=SETS)
    name = parser.parse_args().set
    use_python_311()
    system.require(system.VENV | (system.RENDER if name in RENDERING else {}))
    install_packages(name)
    if name in CHAIN:
        install_chain()
        compile_contracts()
        build_page()
    if name == "test":
        system.offer(system.SERVICES)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nStopped. The same command goes on where this one ended.")
