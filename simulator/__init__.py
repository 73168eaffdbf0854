# SPDX-License-Identifier: Apache-2.0
"""The economy, simulated with the contracts' own arithmetic: ``python -m simulator``; see docs/economy.md."""
