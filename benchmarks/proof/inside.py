# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.proof.inside``: the process that holds Blender; it answers JSON lines (node.engines.serve).

Blender is imported once stdout is serve's own: on some machines it prints a line as it is loaded.
"""

from node.engines.serve import Report, serve


def make(report: Report) -> object:
    """The operations; this imports bpy."""
    from benchmarks.proof.room import Room

    return Room(report)


if __name__ == "__main__":
    serve(make)
