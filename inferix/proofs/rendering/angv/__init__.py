# SPDX-License-Identifier: Apache-2.0
"""Active noise in generated views (ANGV): marks in a scene that a frame of it shows, for whoever has the key.

As published in the network's whitepaper, and made useful by a matched filter. It binds a frame to its task and traces
leaks. It is **no proof of work**: a mark in the scene says which scene was rendered, never how well; a frame of an
eighth of the samples, denoised, keeps it. See docs/proof-of-rendering.md.

    marks     keys, and what each mark looks like
    places    where in the picture and in space a mark can be: in view, not hidden, facing the camera, apart
    detect    the published test and the matched filter

Putting marks into a scene is the work of whoever has Blender: node/engines/blender/inside/marks.
"""

from inferix.proofs.rendering.angv.detect import (
    PUBLISHED_THRESHOLD,
    Detector,
    errors,
    luma,
    matched,
    passes_published,
)
from inferix.proofs.rendering.angv.marks import (
    LEAST_MARKS,
    MARKS,
    TARGET,
    Box,
    Mark,
    angv_key,
    contrast_levels,
    draw_marks,
    wave,
)
from inferix.proofs.rendering.angv.places import Camera, Preview, corners, place, significance

__all__ = [
    "LEAST_MARKS",
    "MARKS",
    "PUBLISHED_THRESHOLD",
    "TARGET",
    "Box",
    "Camera",
    "Detector",
    "Mark",
    "Preview",
    "angv_key",
    "contrast_levels",
    "corners",
    "draw_marks",
    "errors",
    "luma",
    "matched",
    "passes_published",
    "place",
    "significance",
    "wave",
]
