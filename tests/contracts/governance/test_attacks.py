# SPDX-License-Identifier: Apache-2.0
"""Attacks that governance must stand, each named after what the attacker tries."""

from typing import Any

import boa
import pytest
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount

from tests.contracts.governance.council import (
    ACTIVE,
    AGAINST,
    FOR,
    MILLION,
    QUEUED,
    Council,
    Proposal,
)
from tests.contracts.system import STAND_INS, Contract, acting, advance, deployer, key, parameter, set_time


@pytest.fixture
def proposal(council: Council) -> Proposal:
    return council.setting("slot", 31)


@pytest.fixture
def meddler() -> Contract:
    return deployer("Meddler.vy", STAND_INS).deploy()


def lend(council: Council, borrower: LocalAccount, amount: int) -> None:
    with acting(council.alice):
        council.ifx.transfer(borrower.address, amount)


def give_back(council: Council, borrower: LocalAccount) -> None:
    with acting(borrower):
        council.ifx.transfer(council.alice.address, council.ifx.balanceOf(borrower.address))


def test_flash_loaned_ifx_does_not_propose(council: Council, proposal: Proposal) -> None:
    thief = key("thief")
    council.delegate(thief)
    lend(council, thief, 300 * MILLION)
    with boa.reverts("Governor: votes under the threshold"):
        council.propose(proposal, thief)
    give_back(council, thief)
    advance(1)
    with boa.reverts("Governor: votes under the threshold"):
        council.propose(proposal, thief)


def test_flash_loaned_ifx_does_not_vote_not_even_in_the_snapshot_s_own_second(
    council: Council, proposal: Proposal
) -> None:
    thief = key("thief")
    council.delegate(thief)
    council.propose(proposal)
    snapshot = council.snapshot(proposal)
    for moment in (snapshot - 1, snapshot, snapshot + 1):
        set_time(moment)
        lend(council, thief, 300 * MILLION)
        reason = "Governor: not active" if moment <= snapshot else "Governor: no votes at the snapshot"
        with boa.reverts(reason):
            council.vote(proposal, thief)
        give_back(council, thief)
    with boa.reverts("Governor: no votes at the snapshot"):
        council.vote(proposal, thief)
    assert council.vote(proposal, council.alice) == 300 * MILLION


def test_ifx_that_moves_after_the_snapshot_votes_once_for_whom_it_was(council: Council, proposal: Proposal) -> None:
    friend = key("friend")
    council.delegate(friend)
    council.open_vote(proposal)
    council.vote(proposal, council.alice)
    lend(council, friend, 300 * MILLION)
    council.delegate(council.bob, friend)
    advance(1)
    with boa.reverts("Governor: no votes at the snapshot"):
        council.vote(proposal, friend)
    assert council.vote(proposal, council.bob) == 100 * MILLION
    assert council.governor.proposalVotes(proposal.id) == (0, 400 * MILLION, 0)


def ballot(council: Council, proposal: int, voter: LocalAccount, support: int = FOR, nonce: int = 0) -> bytes:
    domain = {
        "name": "Inferix Governor",
        "version": "1",
        "chainId": council.governor.eip712Domain()[3],
        "verifyingContract": council.governor.address,
    }
    kinds = ("proposalId", "uint256"), ("support", "uint8"), ("voter", "address"), ("nonce", "uint256")
    types = {"Ballot": [{"name": name, "type": kind} for name, kind in kinds]}
    words = {"proposalId": proposal, "support": support, "voter": voter.address, "nonce": nonce}
    return bytes(voter.sign_message(encode_typed_data(domain, types, words)).signature)


def test_a_signed_ballot_votes_once_for_its_signer_only(council: Council, proposal: Proposal) -> None:
    council.open_vote(proposal)
    governor, bob = council.governor, council.bob.address
    signature = ballot(council, proposal.id, council.bob)
    with boa.reverts("Governor: invalid signature"):
        governor.castVoteBySig(proposal.id, AGAINST, bob, signature)
    with boa.reverts("Governor: invalid signature"):
        governor.castVoteBySig(proposal.id, FOR, council.alice.address, signature)
    with boa.reverts("Governor: invalid signature"):
        governor.castVoteBySig(proposal.id, FOR, bob, ballot(council, proposal.id, council.bob, nonce=1))
    assert governor.castVoteBySig(proposal.id, FOR, bob, signature) == 100 * MILLION
    assert governor.nonces(bob) == 1
    with boa.reverts("Governor: invalid signature"):
        governor.castVoteBySig(proposal.id, FOR, bob, signature)
    with boa.reverts("Governor: voted already"):
        governor.castVoteBySig(proposal.id, FOR, bob, ballot(council, proposal.id, council.bob, nonce=1))


def test_a_signed_ballot_is_not_carried_to_another_proposal(council: Council, proposal: Proposal) -> None:
    other = council.setting("slot", 32)
    council.propose(other)
    council.open_vote(proposal)
    signature = ballot(council, other.id, council.bob)
    with boa.reverts("Governor: invalid signature"):
        council.governor.castVoteBySig(proposal.id, FOR, council.bob.address, signature)
    council.governor.castVoteBySig(other.id, FOR, council.bob.address, signature)


def test_a_ballot_of_another_governor_is_refused(council: Council, proposal: Proposal) -> None:
    council.open_vote(proposal)
    rules = [getattr(council.governor, name)() for name in ("votingDelay", "votingPeriod", "proposalThreshold")]
    twin = deployer("governance/Governor.vy").deploy(council.ifx, council.staking, council.timelock, *rules, 400)
    signature = ballot(council, proposal.id, council.bob)
    with acting(council.alice):
        twin.propose(*proposal.lists, proposal.description)
    set_time(twin.proposalSnapshot(proposal.id) + 1)
    with boa.reverts("Governor: invalid signature"):
        twin.castVoteBySig(proposal.id, FOR, council.bob.address, signature)


def test_double_votes(council: Council, proposal: Proposal) -> None:
    council.open_vote(proposal)
    council.vote(proposal, council.bob)
    with boa.reverts("Governor: voted already"):
        council.vote(proposal, council.bob)
    with acting(council.bob), boa.reverts("Governor: voted already"):
        council.governor.castVoteWithReason(proposal.id, FOR, "again")
    with boa.reverts("Governor: voted already"):
        council.governor.castVoteBySig(proposal.id, FOR, council.bob.address, ballot(council, proposal.id, council.bob))
    assert council.governor.proposalVotes(proposal.id) == (0, 100 * MILLION, 0)


def test_other_calls_order_or_words_are_not_what_was_voted_on(council: Council) -> None:
    proposal = Proposal(council.setting("slot", 31).calls + council.setting("slot", 32).calls)
    set_time(council.queue(proposal))
    targets, values, calls, words = proposal.key
    others = [
        (targets, values, calls[::-1], words),
        (targets, [1, 0], calls, words),
        ([council.ifx.address, targets[1]], values, calls, words),
        (targets[:1], values[:1], calls[:1], words),
        (targets, values, [calls[0], calls[1][:-1] + b"\x21"], words),
        (targets, values, calls, bytes(32)),
    ]
    for other in others:
        for function in (council.governor.execute, council.governor.queue):
            with boa.reverts("Governor: no such proposal"):
                function(*other)
    council.governor.execute(*proposal.key)


def test_a_proposal_executed_at_the_timelock_is_not_executed_again(council: Council, proposal: Proposal) -> None:
    set_time(council.queue(proposal))
    targets, values, calls, words = proposal.key
    salt = (int.from_bytes(words, "big") ^ int(council.governor.address, 16) << 96).to_bytes(32, "big")
    council.timelock.executeBatch(targets, values, calls, bytes(32), salt)
    assert council.governor.state(proposal.id) == 7
    with boa.reverts("Governor: not queued"):
        council.governor.execute(*proposal.key)
    with boa.reverts("timelock_controller: operation is not ready"):
        council.timelock.executeBatch(targets, values, calls, bytes(32), salt)


@pytest.mark.parametrize("through", ["governor", "timelock"])
def test_a_target_that_executes_its_own_proposal_again(council: Council, meddler: Contract, through: str) -> None:
    calls = [council.call(meddler, "meddle"), *council.setting("slot", 31).calls]
    proposal = Proposal(calls)
    eta = council.queue(proposal)
    targets, values, payloads, words = proposal.key
    salt = (int.from_bytes(words, "big") ^ int(council.governor.address, 16) << 96).to_bytes(32, "big")
    if through == "governor":
        meddler.prepare(council.governor, council.governor.execute.prepare_calldata(*proposal.key))
    else:
        again = council.timelock.executeBatch.prepare_calldata(targets, values, payloads, bytes(32), salt)
        meddler.prepare(council.timelock, again)
    set_time(eta)
    council.governor.execute(*proposal.key)
    assert (meddler.tried(), meddler.succeeded()) == (True, False)
    executed = [each for each in council.governor.get_logs() if type(each).__name__ == "ProposalExecuted"]
    assert len(executed) == 1


def test_a_target_that_votes_or_cancels_meanwhile_changes_nothing(council: Council, meddler: Contract) -> None:
    proposal = Proposal([council.call(meddler, "meddle")])
    eta = council.queue(proposal)
    meddler.prepare(council.governor, council.governor.cancel.prepare_calldata(*proposal.key))
    set_time(eta)
    council.governor.execute(*proposal.key)
    assert (meddler.tried(), meddler.succeeded()) == (True, False)
    assert council.governor.state(proposal.id) == 7


def test_a_proposal_that_cancels_itself_is_not_executed(council: Council) -> None:
    # Its own key cannot be in its calls (a hash of itself), so the timelock is made to ask for it.
    proposal = council.setting("slot", 31)
    set_time(council.queue(proposal))
    with acting(council.timelock):
        council.governor.cancel(*proposal.key)
    with boa.reverts("Governor: not queued"):
        council.governor.execute(*proposal.key)


def test_a_failing_call_leaves_nothing_and_may_be_tried_again(council: Council, meddler: Contract) -> None:
    proposal = Proposal([*council.setting("slot", 31).calls, council.call(meddler, "fail")])
    set_time(council.queue(proposal))
    with boa.reverts("Meddler: no"):
        council.governor.execute(*proposal.key)
    assert council.parameters.get(parameter("slot")) == 30
    assert council.state(proposal) == QUEUED


def test_a_marked_description_is_its_proposer_s_alone(council: Council) -> None:
    """Whoever sees it on its way proposes it first, and cancels it."""
    alice: Any = council.alice.address
    for mark in (alice, alice.lower(), "0x" + alice[2:].upper()):
        proposal = council.setting("slot", 31, f"why\n#proposer={mark}")
        with boa.reverts("Governor: marked for another proposer"):
            council.propose(proposal, council.bob)
        council.propose(proposal)
    for plain in (f"#proposer={alice[:-1]}", f"#proposer={alice[:-1]}g", f"#proposed={alice}", f"#proposer={alice} "):
        council.propose(council.setting("slot", 31, plain), council.bob)


def test_nobody_but_the_timelock_schedules_what_no_vote_decided(council: Council, proposal: Proposal) -> None:
    council.open_vote(proposal)
    assert council.state(proposal) == ACTIVE
    for function in (council.governor.queue, council.governor.execute):
        with boa.reverts():
            function(*proposal.key)
    for who in (council.alice, key("deployer"), council.guardian):
        with acting(who), boa.reverts("Parameters: not the governor"):
            council.parameters.set(parameter("slot"), 31)
