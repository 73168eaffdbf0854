# SPDX-License-Identifier: Apache-2.0
"""Marks of `inferix.proofs.rendering.angv` in the surfaces of a scene: its frames tell of which task they are."""
