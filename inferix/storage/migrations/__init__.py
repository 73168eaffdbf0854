# SPDX-License-Identifier: Apache-2.0
"""The schema's history (Alembic); run by ``inferix.storage.database``. A change of the tables needs a new version."""
