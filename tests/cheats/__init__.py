# SPDX-License-Identifier: Apache-2.0
"""Every class of forgery, run as a worker of the demo's network: rejected, redone by another, its stake frozen."""
