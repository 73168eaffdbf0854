# SPDX-License-Identifier: Apache-2.0
"""The Blender engine as the node sees it: pre-flight, packing, and opening sessions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Final

from node.engines.base import (
    SCENES_OWN,
    BadPackage,
    BadResult,
    Choice,
    EngineSettings,
    EngineStopped,
    Place,
    Problem,
    Progress,
    Request,
    SceneReport,
)
from node.engines.blender.session import BlenderSession
from node.engines.launch import start_python
from node.engines.process import JsonProcess

_MAGICS: Final = (b"BLENDER", b"\x28\xb5\x2f\xfd", b"\x1f\x8b")  # plain, Zstandard, gzip (before Blender 3.0)


class BlenderEngine:
    """Cycles, in the Blender of this environment."""

    name: ClassVar[str] = "blender"
    session: ClassVar[type[BlenderSession]] = BlenderSession

    def __init__(self, settings: EngineSettings | None = None) -> None:
        self.settings = settings or EngineSettings()
        self._build: str | None = None

    def build(self) -> str:
        """Blender's version and build hash; asked once, of Blender itself."""
        if self._build is None:
            with TemporaryDirectory() as work:
                process = self._start(Path(work), ())
                try:
                    self._build = str(process.call("build")["build"])
                finally:
                    process.close()
        return self._build

    def inspect(self, package: Path, request: Request | None = None, choice: Choice = SCENES_OWN) -> SceneReport:
        """Pre-flight in a process of its own; never raises for what is in the package."""
        try:
            with TemporaryDirectory() as work, self.open(package, Path(work), None, choice) as session:
                return session.inspect(request)
        except BadPackage as error:
            return SceneReport((Problem(error.code, str(error), name=package.name),))
        except EngineStopped as error:
            message = f"Blender could not open {package.name}: {error}"
            return SceneReport(
                (Problem("crashed" if error.limit == "crash" else "too_large", message, name=package.name),)
            )

    def pack(self, scene: Path, output: Path, folders: Sequence[Path] = ()) -> SceneReport:
        """Write a self-contained copy of ``scene`` to ``output``; the report is that of the copy.

        Only files in the scene's own folder and in ``folders`` are found. Where one of them may not be packed, the
        report says which, and there is no output.

        :raises BadPackage: the scene itself cannot be loaded.
        """
        check_header(scene)
        with TemporaryDirectory() as work:
            process = self._start(Path(work), (scene.resolve().parent, *folders))
            try:
                process.call(
                    "load", package=str(scene.resolve()), threads=self.settings.threads, choice=asdict(SCENES_OWN)
                )
                files = process.call("pack", output="packed.blend")["files"]
                refused = tuple(_private(file) for file in files if file["problem"])
                if refused:
                    return SceneReport(refused)
                process.take("packed.blend", output.resolve())
            finally:
                process.close()
        return replace(self.inspect(output), packed=tuple((str(file["name"]), int(file["size"])) for file in files))

    def mark(
        self,
        package: Path,
        output: Path,
        keys: Mapping[int, bytes],
        size: tuple[int, int],
        choice: Choice = SCENES_OWN,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> dict[int, list[Place]]:
        """Write a copy of a package whose frames show the marks of these keys, 32 bytes each, at this size, (width,
        height); what could be placed, by frame. Other frames, and all else in the package, stay as they are.

        :raises BadPackage: it cannot be loaded, or marks cannot be placed before its camera.
        """
        with TemporaryDirectory() as work, self.open(package, Path(work), on_progress, choice) as session:
            return session.mark(keys, size, output)

    def open(
        self,
        package: Path,
        work: Path,
        on_progress: Callable[[Progress], None] | None = None,
        choice: Choice = SCENES_OWN,
    ) -> BlenderSession:
        """Start a process and load ``package`` in it.

        :raises BadPackage: it cannot be loaded. EngineStopped: loading it hit a limit or crashed Blender.
        """
        check_header(package)
        process = self._start(work, (), on_progress)
        try:
            try:
                given = process.give(package)
            except BadResult as error:
                raise BadPackage(str(error), "not_blend") from error
            loaded = process.call("load", package=given, threads=self.settings.threads, choice=asdict(choice))
            self._build = str(loaded["build"])
            return self.session(process, self.settings)
        except BaseException:
            process.close()
            raise

    def _start(
        self, work: Path, folders: Sequence[Path], on_progress: Callable[[Progress], None] | None = None
    ) -> JsonProcess:
        plain = {"CYCLES_CPU_NO_AVX2": "1"} if self.settings.plain_kernel else {}
        return start_python("node.engines.blender.inside", work, self.settings, folders, on_progress, plain)


def _private(file: Mapping[str, Any]) -> Problem:
    message = f"{file['name']} {file['problem']}: who made the scene may be after what is in it, so nothing is packed. "
    return Problem("private_file", message + "Take it out of the scene, or give it another place", name=file["name"])


def check_header(package: Path) -> None:
    """Refuse what is plainly not a .blend before Blender sees it.

    :raises BadPackage: no such file, empty, or another kind of file.
    """
    try:
        with package.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise BadPackage(f"{package.name} cannot be read: {error.strerror}", "not_blend") from error
    if not head:
        raise BadPackage(f"{package.name} is empty: save it again", "not_blend")
    if not head.startswith(_MAGICS):
        raise BadPackage(
            f"{package.name} is not a .blend file (it begins with {head[:7]!r}): save the scene from Blender",
            "not_blend",
        )
