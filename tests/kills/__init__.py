# SPDX-License-Identifier: Apache-2.0
"""The demo's network under a killer: keepers, API and nodes end by SIGKILL at random moments and are started again."""
