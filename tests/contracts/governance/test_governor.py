# SPDX-License-Identifier: Apache-2.0
"""Governor: every state at its boundary second, votes, quorum, rules that only a vote changes."""

import boa
import pytest
from eth_abi import encode
from eth_utils import keccak

from tests.contracts.governance.council import (
    ABSTAIN,
    ACTIVE,
    AGAINST,
    CANCELED,
    DEFEATED,
    DELAY,
    EXECUTED,
    EXPIRED,
    FOR,
    GRACE,
    MILLION,
    PENDING,
    PERIOD,
    QUEUED,
    QUORUM_BPS,
    SUCCEEDED,
    THRESHOLD,
    WAIT,
    Council,
    Proposal,
)
from tests.contracts.system import DAY, acting, advance, deployer, key, now, parameter, set_time


@pytest.fixture
def proposal(council: Council) -> Proposal:
    return council.setting("slot", 31)


def test_the_whole_way_state_by_state_to_the_second(council: Council, proposal: Proposal) -> None:
    start = now()
    council.propose(proposal)
    snapshot, deadline = start + DELAY, start + DELAY + PERIOD
    assert (council.snapshot(proposal), council.deadline(proposal)) == (snapshot, deadline)
    assert council.state(proposal) == PENDING
    set_time(snapshot)
    assert council.state(proposal) == PENDING
    with boa.reverts("Governor: not active"):
        council.vote(proposal, council.alice)
    set_time(snapshot + 1)
    assert council.state(proposal) == ACTIVE
    assert council.vote(proposal, council.bob) == 100 * MILLION
    set_time(deadline)
    assert council.state(proposal) == ACTIVE
    assert council.vote(proposal, council.alice) == 300 * MILLION
    with boa.reverts("Governor: not succeeded"):
        council.governor.queue(*proposal.key)
    set_time(deadline + 1)
    assert council.state(proposal) == SUCCEEDED
    with acting(council.carol), boa.reverts("Governor: not active"):
        council.governor.castVote(proposal.id, FOR)
    with boa.reverts("Governor: not queued"):
        council.governor.execute(*proposal.key)
    council.governor.queue(*proposal.key)
    assert council.state(proposal) == QUEUED
    assert council.governor.proposalEta(proposal.id) == deadline + 1 + WAIT
    with boa.reverts("Governor: not succeeded"):
        council.governor.queue(*proposal.key)
    set_time(deadline + WAIT)
    with boa.reverts("timelock_controller: operation is not ready"):
        council.governor.execute(*proposal.key)
    set_time(deadline + 1 + WAIT)
    assert council.parameters.get(parameter("slot")) == 30
    council.governor.execute(*proposal.key)
    assert council.parameters.get(parameter("slot")) == 31
    assert council.state(proposal) == EXECUTED
    assert council.governor.proposalEta(proposal.id) == deadline + 1 + WAIT
    with boa.reverts("Governor: not queued"):
        council.governor.execute(*proposal.key)


def test_a_passed_proposal_that_nobody_queues_expires(council: Council, proposal: Proposal) -> None:
    council.pass_vote(proposal)
    set_time(council.deadline(proposal) + GRACE - 1)
    assert council.state(proposal) == SUCCEEDED
    with boa.env.anchor():
        council.governor.queue(*proposal.key)
    set_time(council.deadline(proposal) + GRACE)
    assert council.state(proposal) == EXPIRED
    with boa.reverts("Governor: not succeeded"):
        council.governor.queue(*proposal.key)


def test_a_queued_proposal_that_nobody_executes_expires(council: Council, proposal: Proposal) -> None:
    eta = council.queue(proposal)
    set_time(eta + GRACE - 1)
    assert council.state(proposal) == QUEUED
    with boa.env.anchor():
        council.governor.execute(*proposal.key)
    set_time(eta + GRACE)
    assert council.state(proposal) == EXPIRED
    with boa.reverts("Governor: not queued"):
        council.governor.execute(*proposal.key)
    with boa.reverts("Timelock: expired"):
        targets, values, payloads, words = proposal.key
        salt = int.from_bytes(words, "big") ^ int(council.governor.address, 16) << 96
        council.timelock.executeBatch(targets, values, payloads, bytes(32), salt.to_bytes(32, "big"))


def test_anybody_who_had_the_threshold_a_second_ago_proposes(council: Council, proposal: Proposal) -> None:
    with boa.reverts("Governor: votes under the threshold"):
        council.propose(proposal, council.carol)
    with acting(key("vault")):
        council.ifx.transfer(council.carol.address, 1)
    with boa.reverts("Governor: votes under the threshold"):
        council.propose(proposal, council.carol)
    advance(1)
    council.propose(proposal, council.carol)
    assert council.governor.proposalProposer(proposal.id) == council.carol.address
    with boa.reverts("Governor: proposed already"):
        council.propose(proposal, council.bob)


def test_lists_of_a_proposal_must_match_and_hold_a_call(council: Council, proposal: Proposal) -> None:
    targets, values, calls = proposal.lists
    with acting(council.alice):
        for wrong in ((targets, [], calls), (targets, values, []), (targets * 2, values, calls)):
            with boa.reverts("Governor: lists differ in length"):
                council.governor.propose(*wrong, "why")
        with boa.reverts("Governor: no calls"):
            council.governor.propose([], [], [], "why")
        with boa.reverts("Governor: no such proposal"):
            council.governor.state(1)


def test_a_proposer_cancels_before_the_vote_and_only_then(council: Council, proposal: Proposal) -> None:
    council.propose(proposal)
    with acting(council.bob), boa.reverts("Governor: not the proposer"):
        council.governor.cancel(*proposal.key)
    set_time(council.snapshot(proposal))
    with boa.env.anchor(), acting(council.alice):
        council.governor.cancel(*proposal.key)
        assert council.state(proposal) == CANCELED
        with boa.reverts("Governor: not pending"):
            council.governor.cancel(*proposal.key)
        advance(1)
        with boa.reverts("Governor: not active"):
            council.governor.castVote(proposal.id, FOR)
        with boa.reverts("Governor: proposed already"):
            council.propose(proposal)
    set_time(council.snapshot(proposal) + 1)
    with acting(council.alice), boa.reverts("Governor: not pending"):
        council.governor.cancel(*proposal.key)


def test_another_vote_cancels_what_is_queued(council: Council, proposal: Proposal) -> None:
    second = Proposal([council.call(council.governor, "cancel", *proposal.key)], "rather not")
    council.propose(second)
    council.propose(proposal)
    set_time(council.snapshot(second) + 1)
    council.vote(second, council.alice)
    council.vote(proposal, council.alice)
    set_time(council.deadline(second) + 1)
    council.governor.queue(*second.key)
    council.governor.queue(*proposal.key)
    queued = [each for each in council.governor.get_logs() if type(each).__name__ == "CallScheduled"]
    advance(WAIT)
    assert council.timelock.isOperationReady(operation := queued[-1].id)
    council.governor.execute(*second.key)
    assert council.state(proposal) == CANCELED
    assert not council.timelock.isOperation(operation), "anybody could still execute it there"
    with boa.reverts("Governor: not queued"):
        council.governor.execute(*proposal.key)
    with acting(council.timelock), boa.reverts("Governor: over already"):
        council.governor.cancel(*proposal.key)


@pytest.mark.parametrize(
    ("votes", "state"),
    [
        ({"alice": FOR}, SUCCEEDED),
        ({"alice": AGAINST, "bob": FOR}, DEFEATED),
        ({"alice": ABSTAIN, "bob": FOR}, SUCCEEDED),
        ({"alice": ABSTAIN}, DEFEATED),
        ({"carol": FOR}, DEFEATED),
        ({}, DEFEATED),
    ],
)
def test_more_for_than_against_and_the_quorum(
    council: Council, proposal: Proposal, votes: dict[str, int], state: int
) -> None:
    council.open_vote(proposal)
    for name, support in votes.items():
        council.vote(proposal, getattr(council, name), support)
    set_time(council.deadline(proposal) + 1)
    assert council.state(proposal) == state


def test_a_tie_is_lost(council: Council, proposal: Proposal) -> None:
    with acting(council.alice):
        council.ifx.transfer(council.bob.address, 100 * MILLION)
    council.open_vote(proposal)
    council.vote(proposal, council.alice, FOR)
    council.vote(proposal, council.bob, AGAINST)
    set_time(council.deadline(proposal) + 1)
    assert council.state(proposal) == DEFEATED


def test_the_quorum_is_met_to_the_wei(council: Council, proposal: Proposal) -> None:
    # A twenty-fifth of 500 million
    for amount, state in ((20 * MILLION - 1, DEFEATED), (20 * MILLION, SUCCEEDED)):
        with boa.env.anchor():
            with acting(council.bob):
                council.ifx.transfer(key("vault").address, 100 * MILLION - amount)
            council.open_vote(proposal)
            assert council.governor.quorum(council.snapshot(proposal)) == 20 * MILLION
            assert council.vote(proposal, council.bob) == amount
            set_time(council.deadline(proposal) + 1)
            assert council.state(proposal) == state


def test_supply_and_share_of_the_quorum_are_those_of_the_snapshot(council: Council, proposal: Proposal) -> None:
    council.open_vote(proposal)
    advance(1)
    with acting(council.timelock):
        council.governor.updateQuorumNumerator(2000)
    with acting(council.bob):
        council.ifx.burn(100 * MILLION)
    advance(1)
    governor = council.governor
    assert governor.quorum(council.snapshot(proposal)) == 20 * MILLION
    assert governor.quorum(now() - 1) == 80 * MILLION
    assert (governor.quorumNumerator(), governor.quorumNumerator(council.snapshot(proposal))) == (2000, QUORUM_BPS)
    assert governor.quorumDenominator() == 10_000
    with boa.reverts("IFX: time not past"):
        governor.quorum(now())


def test_a_quorum_that_rises_after_the_snapshot_takes_no_victory_away(council: Council, proposal: Proposal) -> None:
    with acting(council.bob):
        council.ifx.transfer(key("vault").address, 50 * MILLION)
    council.open_vote(proposal)
    council.vote(proposal, council.bob)
    with acting(council.timelock):
        council.governor.updateQuorumNumerator(2000)
    set_time(council.deadline(proposal) + 1)
    assert council.governor.quorum(now() - 1) == 100 * MILLION
    assert council.state(proposal) == SUCCEEDED


def test_votes_are_counted_once_and_in_their_column(council: Council, proposal: Proposal) -> None:
    council.open_vote(proposal)
    for voter, support in ((council.alice, AGAINST), (council.bob, FOR), (council.carol, ABSTAIN)):
        assert not council.governor.hasVoted(proposal.id, voter.address)
        council.vote(proposal, voter, support)
        assert council.governor.hasVoted(proposal.id, voter.address)
        with boa.reverts("Governor: voted already"):
            council.vote(proposal, voter, support)
    assert council.governor.proposalVotes(proposal.id) == (300 * MILLION, 100 * MILLION, MILLION - 1)
    with acting(key("vault")):
        with boa.reverts("Governor: no votes at the snapshot"):
            council.governor.castVote(proposal.id, FOR)
        with boa.reverts("Governor: support is 0, 1 or 2"):
            council.governor.castVote(proposal.id, 3)


def test_events_are_those_that_front_ends_read(council: Council, proposal: Proposal) -> None:
    council.propose(proposal)
    (created,) = council.governor.get_logs()
    assert type(created).__name__ == "ProposalCreated"
    targets, values, calls = proposal.lists
    assert (created.proposalId, created.proposer, created.description) == (proposal.id, council.alice.address, "why")
    assert (created.targets, created.values, created.calldatas, created.signatures) == (targets, values, calls, [""])
    assert (created.voteStart, created.voteEnd) == (council.snapshot(proposal), council.deadline(proposal))
    set_time(council.snapshot(proposal) + 1)
    with acting(council.alice):
        council.governor.castVoteWithReason(proposal.id, FOR, "slots are short")
    (cast,) = council.governor.get_logs()
    assert (cast.voter, cast.proposalId, cast.support) == (council.alice.address, proposal.id, FOR)
    assert (cast.weight, cast.reason) == (300 * MILLION, "slots are short")
    set_time(council.deadline(proposal) + 1)
    council.governor.queue(*proposal.key)
    queued = council.governor.get_logs()[-1]
    assert (type(queued).__name__, queued.proposalId, queued.etaSeconds) == (
        "ProposalQueued",
        proposal.id,
        now() + WAIT,
    )
    advance(WAIT)
    council.governor.execute(*proposal.key)
    assert type(council.governor.get_logs()[-1]).__name__ == "ProposalExecuted"


def test_ids_and_modes_are_openzeppelin_s(council: Council, proposal: Proposal) -> None:
    council.propose(proposal)
    words = encode(["address[]", "uint256[]", "bytes[]", "bytes32"], list(proposal.key))
    assert proposal.id == int.from_bytes(keccak(words), "big") == council.governor.hashProposal(*proposal.key)
    governor = council.governor
    assert governor.COUNTING_MODE() == "support=bravo&quorum=for,abstain"
    assert (governor.CLOCK_MODE(), governor.clock()) == (council.ifx.CLOCK_MODE(), council.ifx.clock())
    assert (governor.name(), governor.version()) == tuple(governor.eip712Domain()[1:3]) == ("Inferix Governor", "1")
    assert governor.proposalNeedsQueuing(proposal.id)
    assert (governor.token(), governor.timelock()) == (council.ifx.address, council.timelock.address)


RULES = [
    ("setVotingDelay", "votingDelay", DAY, 30 * DAY, "Governor: voting delay out of bounds"),
    ("setVotingPeriod", "votingPeriod", 3 * DAY, 30 * DAY, "Governor: voting period out of bounds"),
    ("setProposalThreshold", "proposalThreshold", MILLION // 100, 20 * MILLION, "Governor: threshold out of bounds"),
    ("updateQuorumNumerator", "quorumNumerator", 100, 2000, "Governor: quorum out of bounds"),
]


@pytest.mark.parametrize(("setter", "view", "low", "high", "reason"), RULES)
def test_only_the_timelock_changes_the_rules_within_bounds(
    council: Council, setter: str, view: str, low: int, high: int, reason: str
) -> None:
    change = getattr(council.governor, setter)
    for other in (council.alice, key("deployer"), council.guardian, council.governor):
        with acting(other), boa.reverts("Governor: not the timelock"):
            change(low)
    with acting(council.timelock):
        for value in (low, high):
            change(value)
            assert getattr(council.governor, view)() == value
        for value in (low - 1, high + 1):
            with boa.reverts(reason):
                change(value)


def test_a_vote_changes_a_rule_for_later_proposals(council: Council, proposal: Proposal) -> None:
    change = Proposal([council.call(council.governor, "setVotingPeriod", 3 * DAY)])
    set_time(council.queue(change))
    council.propose(proposal)
    deadline = council.deadline(proposal)
    council.governor.execute(*change.key)
    assert council.deadline(proposal) == deadline == now() + DELAY + PERIOD
    later = council.setting("slot", 32)
    council.propose(later)
    assert council.deadline(later) == now() + DELAY + 3 * DAY


def test_rules_at_deployment_are_bounded_too(council: Council) -> None:
    deploy = deployer("governance/Governor.vy").deploy
    good = [DELAY, PERIOD, THRESHOLD, QUORUM_BPS]
    for place, wrong in enumerate((DAY - 1, 3 * DAY - 1, 0, 99)):
        rules = [*good[:place], wrong, *good[place + 1 :]]
        with boa.reverts(RULES[place][4]):
            deploy(council.ifx, council.staking, council.timelock, *rules)
    with boa.reverts("Governor: no token"):
        deploy("0x" + "00" * 20, council.staking, council.timelock, *good)
    with boa.reverts("Governor: no staking"):
        deploy(council.ifx, "0x" + "00" * 20, council.timelock, *good)
    with boa.reverts("Governor: no timelock"):
        deploy(council.ifx, council.staking, "0x" + "00" * 20, *good)


def test_a_pause_neither_stops_nor_prolongs_a_vote(council: Council, proposal: Proposal) -> None:
    council.propose(proposal)
    with acting(council.guardian):
        council.parameters.pause()
    set_time(council.snapshot(proposal) + 1)
    council.vote(proposal, council.alice)
    set_time(council.deadline(proposal) + 1)
    council.governor.queue(*proposal.key)
    with acting(council.guardian), boa.reverts("Governor: not the proposer"):
        council.governor.cancel(*proposal.key)
