# SPDX-License-Identifier: Apache-2.0
"""The machine: generated people, amounts and times act on contracts, mirror and model together."""

from tests.stateful.availability_rules import AvailabilityRules
from tests.stateful.claim_rules import ClaimRules
from tests.stateful.contradiction_rules import ContradictionRules
from tests.stateful.delegation_rules import DelegationRules
from tests.stateful.epoch_rules import EpochRules
from tests.stateful.escape_rules import EscapeRules
from tests.stateful.governance_rules import GovernanceRules
from tests.stateful.key_rules import KeyRules
from tests.stateful.lane_rules import LaneRules
from tests.stateful.lease_rules import LeaseRules
from tests.stateful.misfit_rules import MisfitRules
from tests.stateful.money_rules import MoneyRules
from tests.stateful.objection_rules import ObjectionRules
from tests.stateful.pool_rules import PoolRules
from tests.stateful.sale_rules import SaleRules
from tests.stateful.term_rules import TermRules
from tests.stateful.work_rules import WorkRules


class Machine(
    MoneyRules,
    DelegationRules,
    AvailabilityRules,
    ContradictionRules,
    MisfitRules,
    ObjectionRules,
    PoolRules,
    WorkRules,
    LeaseRules,
    LaneRules,
    EscapeRules,
    ClaimRules,
    KeyRules,
    TermRules,
    SaleRules,
    EpochRules,
    GovernanceRules,
):
    """All rules."""
