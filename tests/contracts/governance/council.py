# SPDX-License-Identifier: Apache-2.0
"""Voters, Governor and Timelock over one set of parameters, and proposals that go the whole way."""

from dataclasses import dataclass, field
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils import keccak

from tests.contracts.system import DAY, IFX, Contract, acting, advance, deployer, key, parameter, set_time

PENDING, ACTIVE, CANCELED, DEFEATED, SUCCEEDED, QUEUED, EXPIRED, EXECUTED = range(8)
AGAINST, FOR, ABSTAIN = range(3)
MILLION = 10**6 * IFX
DELAY, PERIOD, WAIT, GRACE = DAY, 7 * DAY, 2 * DAY, 14 * DAY
THRESHOLD, QUORUM_BPS = MILLION, 400


@dataclass
class Proposal:
    """Calls and the words that go with them."""

    calls: list[tuple[Any, int, bytes]]
    description: str = "why"
    id: int = field(default=0)

    @property
    def lists(self) -> tuple[list[str], list[int], list[bytes]]:
        """Targets, values, calldatas."""
        return [each[0].address for each in self.calls], [each[1] for each in self.calls], [c[2] for c in self.calls]

    @property
    def key(self) -> tuple[list[str], list[int], list[bytes], bytes]:
        """What names it in every call after `propose`."""
        return *self.lists, keccak(text=self.description)


class Council:
    """500 million IFX: alice 300, bob 100, carol 1 less a wei, the rest with nobody who delegated."""

    def __init__(self) -> None:
        self.alice, self.bob, self.carol = key("alice"), key("bob"), key("carol")
        self.guardian = key("guardian")
        voters = {
            self.alice: 300 * MILLION,
            self.bob: 100 * MILLION,
            self.carol: MILLION - 1,
            key("vault"): 99 * MILLION + 1,
        }
        with acting(key("deployer")):
            self.ifx = deployer("token/IFX.vy").deploy([each.address for each in voters], list(voters.values()))
            self.parameters = deployer("governance/Parameters.vy").deploy(
                key("deployer").address, self.guardian.address, [], []
            )
            self.staking = deployer("nodes/Staking.vy").deploy(self.parameters, self.ifx)
            self.timelock = deployer("governance/Timelock.vy").deploy(self.parameters, WAIT)
            self.governor = deployer("governance/Governor.vy").deploy(
                self.ifx, self.staking, self.timelock, DELAY, PERIOD, THRESHOLD, QUORUM_BPS
            )
            self.timelock.wire(self.governor)
            self.parameters.propose_governor(self.timelock)
        self.timelock.accept_governor()
        for voter in (self.alice, self.bob, self.carol):
            self.delegate(voter)
        advance(10)

    def delegate(self, voter: LocalAccount, to: LocalAccount | None = None) -> None:
        """Lets somebody, by default itself, vote with its IFX."""
        with acting(voter):
            self.ifx.delegate((to or voter).address)

    def setting(self, name: str, value: int, description: str = "why") -> Proposal:
        """A proposal to set one parameter."""
        return Proposal([self.call(self.parameters, "set", parameter(name), value)], description)

    @staticmethod
    def call(contract: Contract, function: str, *arguments: Any) -> tuple[Any, int, bytes]:
        """One call without the chain's coin."""
        return contract, 0, getattr(contract, function).prepare_calldata(*arguments)

    def propose(self, proposal: Proposal, by: LocalAccount | None = None) -> int:
        """By alice unless said."""
        with acting(by or self.alice):
            proposal.id = int(self.governor.propose(*proposal.lists, proposal.description))
        return proposal.id

    def state(self, proposal: Proposal) -> int:
        return int(self.governor.state(proposal.id))

    def snapshot(self, proposal: Proposal) -> int:
        return int(self.governor.proposalSnapshot(proposal.id))

    def deadline(self, proposal: Proposal) -> int:
        return int(self.governor.proposalDeadline(proposal.id))

    def open_vote(self, proposal: Proposal) -> None:
        """Proposed, and the first second of its vote."""
        self.propose(proposal)
        set_time(self.snapshot(proposal) + 1)

    def vote(self, proposal: Proposal, voter: LocalAccount, support: int = FOR) -> int:
        with acting(voter):
            return int(self.governor.castVote(proposal.id, support))

    def pass_vote(self, proposal: Proposal) -> None:
        """Alice is for it; the first second after the vote."""
        self.open_vote(proposal)
        self.vote(proposal, self.alice)
        set_time(self.deadline(proposal) + 1)

    def queue(self, proposal: Proposal) -> int:
        """Passed and queued; returns from when on it may be executed."""
        self.pass_vote(proposal)
        self.governor.queue(*proposal.key)
        return int(self.governor.proposalEta(proposal.id))

    def enact(self, proposal: Proposal) -> None:
        """The whole way."""
        set_time(self.queue(proposal))
        self.governor.execute(*proposal.key)
