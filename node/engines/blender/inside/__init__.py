# SPDX-License-Identifier: Apache-2.0
"""What runs in the sandbox, and nowhere else: the only code that imports bpy."""

from node.engines.serve import Report, serve

_HINT = (
    "install bpy for Python 3.11 and its system libraries, on Debian and Ubuntu by "
    "`apt-get install libx11-6 libxrender1 libxfixes3 libxi6 libxkbcommon0 libsm6 libgl1`"
)


def main() -> None:
    """Serve this room's operations; importing them, and Blender with them, takes seconds."""

    def make(report: Report) -> object:
        try:
            from node.engines.blender.inside.operations import Operations
        except ImportError as error:
            raise ImportError(f"Blender does not start ({error}): {_HINT}") from error
        return Operations(report)

    serve(make)
