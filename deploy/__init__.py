# SPDX-License-Identifier: Apache-2.0
"""What is deployed, in which order and with which settings; scripts/deploy.py does it."""
