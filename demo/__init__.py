# SPDX-License-Identifier: Apache-2.0
"""The main job on one machine, from real parts: chain, storage, API, keepers, workers, verifiers, a client."""
