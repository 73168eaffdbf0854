# SPDX-License-Identifier: Apache-2.0
"""The Blender engine: `host` outside the sandbox, `inside` within it."""
