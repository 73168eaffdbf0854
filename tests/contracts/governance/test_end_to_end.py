# SPDX-License-Identifier: Apache-2.0
"""The planned deployment under its timelock: a vote of vesting tokens changes a parameter and a price."""

from pathlib import Path

import boa
import pytest

from deploy.plan import make_plan
from deploy.proposal import Proposal, load_proposal, plan_step, targets_of
from inferix.errors import InvalidInput, Misconfigured
from tests.contracts.governance.council import EXECUTED, FOR, PENDING
from tests.contracts.system import IFX, acting, advance, key, now, parameter, set_time
from tests.contracts.test_deployment_plan import DEPLOYER, Protocol, changed

# titanoboa takes a vesting wallet's proxy for the contract behind it
pytestmark = pytest.mark.filterwarnings("ignore:casted bytecode")
ADDRESS = "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"


@pytest.fixture(scope="module")
def voted() -> Protocol:
    return Protocol(make_plan(changed(governor="timelock"), DEPLOYER, now()))


def planned(protocol: Protocol, *calls: tuple[str, str]) -> Proposal:
    contracts = {name: {"address": each.address, "abi": each.abi} for name, each in protocol.contracts.items()}
    targets = targets_of(contracts)
    return Proposal(description="cheaper", calls=[plan_step(targets, *call) for call in calls])


def test_a_parameter_and_a_price_change_by_vote_and_by_nothing_else(voted: Protocol, tmp_path: Path) -> None:
    governor, parameters, market = voted["Governor"], voted["Parameters"], voted["ReferenceMarket"]
    with acting(DEPLOYER):
        with boa.reverts("Parameters: not the governor"):
            parameters.set(parameter("burn_bps"), 9000)
        with boa.reverts("governed: not the governor"):
            market.set_price(55_000_000)
    planned(voted, ("Parameters.set", "name:burn_bps 9000"), ("ReferenceMarket.set_price", "55000000")).write(
        tmp_path / "proposal.json"
    )
    proposal = load_proposal(tmp_path / "proposal.json")
    advance(1)
    with acting(DEPLOYER):
        # The deployer of these settings is every share's beneficiary: its votes are those of the vesting wallets.
        assert governor.propose(*proposal.lists, proposal.description) == proposal.id
        assert governor.state(proposal.id) == PENDING
        set_time(governor.proposalSnapshot(proposal.id) + 1)
        assert governor.castVote(proposal.id, FOR) == 350_000_000 * IFX
    set_time(governor.proposalDeadline(proposal.id) + 1)
    with acting(key("anybody")):
        governor.queue(*proposal.key)
        set_time(governor.proposalEta(proposal.id) - 1)
        with boa.reverts("timelock_controller: operation is not ready"):
            governor.execute(*proposal.key)
        advance(1)
        governor.execute(*proposal.key)
    assert governor.state(proposal.id) == EXECUTED
    assert parameters.get(parameter("burn_bps")) == 9000
    assert market.price() == 55_000_000


def test_a_price_out_of_its_bounds_takes_the_parameter_along(voted: Protocol) -> None:
    governor = voted["Governor"]
    proposal = planned(voted, ("Parameters.set", "name:burn_bps 9000"), ("ReferenceMarket.set_price", "1"))
    advance(1)
    with acting(DEPLOYER):
        governor.propose(*proposal.lists, proposal.description)
        set_time(governor.proposalSnapshot(proposal.id) + 1)
        governor.castVote(proposal.id, FOR)
    set_time(governor.proposalDeadline(proposal.id) + 1)
    before = voted["Parameters"].get(parameter("burn_bps"))
    governor.queue(*proposal.key)
    set_time(governor.proposalEta(proposal.id))
    with boa.reverts("ReferenceMarket: moves more than a fifth"):
        governor.execute(*proposal.key)
    assert voted["Parameters"].get(parameter("burn_bps")) == before


def test_staked_ifx_votes_for_who_staked_it_and_never_for_the_contract(voted: Protocol) -> None:
    staking = voted["Staking"]
    assert voted["IFX"].delegates(staking) == "0x" + "00" * 20
    assert voted["Governor"].staking() == staking.address


@pytest.mark.parametrize(
    ("function", "words", "reason"),
    [
        ("Colours.set", "1", "no contract 'Colours'"),
        ("Parameters.paint", "1", "no function 'paint'"),
        ("Parameters.get", "name:slot", "changes nothing"),
        ("Parameters.set", "slot 31", "not hex"),
        ("Parameters.set", "name:slot", "takes set"),
        ("Parameters.set", "'name:slot", "quotation"),
    ],
)
def test_what_cannot_be_called_is_refused_before_it_is_voted_on(
    voted: Protocol, function: str, words: str, reason: str
) -> None:
    with pytest.raises(InvalidInput, match=reason):
        planned(voted, (function, words))


def test_a_proposal_s_file_is_checked_and_never_overwritten(voted: Protocol, tmp_path: Path) -> None:
    path = tmp_path / "proposal.json"
    proposal = planned(voted, ("Parameters.set_guardian", ADDRESS))
    proposal.write(path)
    assert load_proposal(path) == proposal
    with pytest.raises(FileExistsError):
        proposal.write(path)
    path.write_text(path.read_text().replace('"value": 0', '"value": -1'))
    with pytest.raises(Misconfigured, match="no proposal"):
        load_proposal(path)
    with pytest.raises(Misconfigured, match="whoever proposed it"):
        load_proposal(tmp_path / "absent.json")
