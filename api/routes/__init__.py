# SPDX-License-Identifier: Apache-2.0
"""One module a noun; each has a ``router``."""
