# SPDX-License-Identifier: Apache-2.0
"""What runs in the sandbox, and nowhere else: the only code that imports bpy."""

from node.engines.serve import Report, serve


def main() -> None:
    """Serve this room's operations; importing them, and Blender with them, takes seconds."""

    def make(report: Report) -> object:
        from node.engines.blender.inside.operations import Operations

        return Operations(report)

    serve(make)
