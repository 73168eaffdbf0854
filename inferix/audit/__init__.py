# SPDX-License-Identifier: Apache-2.0
"""A stranger's check of everything that was decided, with nothing but chain, storage and what was published there."""

from inferix.audit.audit import Audit
from inferix.audit.lookup import Lookup
from inferix.audit.report import KINDS, Report

__all__ = ["KINDS", "Audit", "Lookup", "Report"]
