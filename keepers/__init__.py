# SPDX-License-Identifier: Apache-2.0
"""A manager's program: mirrors the chain, posts orders, anchors messages, settles. One file a process."""
