# SPDX-License-Identifier: Apache-2.0
"""Measurements: ``python -m benchmarks`` (a job, beside plain Blender) and ``python -m benchmarks.gas``."""
