# SPDX-License-Identifier: Apache-2.0
"""The operator's process: a worker or a verifier, its sandbox and its engines. It meets the network over HTTP."""
