# SPDX-License-Identifier: Apache-2.0
"""The chain as programs see it: reads (client), contracts (deployment), logs (events), writes (sender)."""
