# SPDX-License-Identifier: Apache-2.0
"""What an application imports: ``Client`` orders work and brings the results home."""

from inferix.client.client import Client
from inferix.client.jobfile import JobFile

__all__ = ["Client", "JobFile"]
