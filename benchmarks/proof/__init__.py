# SPDX-License-Identifier: Apache-2.0
"""How often the proof of rendering errs: honest and forged frames of many scenes, counted. See `make bench-proof`."""
