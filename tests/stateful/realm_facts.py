# SPDX-License-Identifier: Apache-2.0
"""What must be the same of votes, vesting, the fund and governance; the model of them as a world stands at first."""

from collections.abc import Iterator
from typing import Any

from eth_utils import keccak

from tests.stateful.model.basics import Ground
from tests.stateful.model.delegation import Delegations
from tests.stateful.model.governance import ADMIN, BOUNDS, Governance
from tests.stateful.model.vesting import SHARES, Fund, Vesting
from tests.stateful.model.votes import NOBODY, Moment, Votes
from tests.stateful.model.whole import Model
from tests.stateful.world import World, parameter

Facts = dict[tuple[Any, ...], Any]
LATEST = 3  # moments of the past that are asked for


def model_of_realm(world: World, ground: Ground, delegations: Delegations) -> tuple[Votes, Vesting, Governance]:
    """Reads what there is: nobody has delegated, vested or proposed yet."""
    before = world.now - 1
    staked = {holder: world.read("staking", "getPastVotes", holder, before) for holder in ground.ifx.balances}
    first = Moment(
        before, world.read("ifx", "getPastTotalSupply", before), 0, {}, {w: v for w, v in staked.items() if v}
    )
    votes = Votes(ground, delegations, moments=[first])
    terms = [world.read("council", name) for name in ("votingDelay", "votingPeriod", "proposalThreshold")]
    wait, share = world.read("timelock", "getMinDelay"), world.read("council", "quorumNumerator")
    governance = Governance(ground, votes, Fund(ground), *terms, wait, [(0, share)])
    return votes, Vesting(ground, votes, world.foundation, world.read("vesting", "tge")), governance


# -- the model's


def of_model(model: Model) -> Facts:
    """Everything that the model says of these contracts' state; each key begins with "realm"."""
    return {("realm", *key): value for part in (_votes, _vesting, _governance) for key, value in part(model)}


def _votes(model: Model) -> Iterator[tuple[tuple[Any, ...], Any]]:
    votes = model.votes
    for who in votes.delegates.keys() | set(votes.delegates.values()) - {NOBODY}:
        yield ("held", who), (votes.held(who), votes.delegates.get(who, NOBODY), votes.nonces.get(who, 0))
    for pair, amount in votes.allowances.items():
        yield ("allowance", *pair), amount
    for moment, after in list(zip(votes.moments, votes.moments[1:], strict=False))[-LATEST:]:
        for who in moment.held.keys() | moment.staked.keys() | after.held.keys() | after.staked.keys():
            for at in (after.at - 1, after.at):
                if votes.past(who, after.at - 1) != votes.past(who, after.at):
                    yield ("past", who, at), votes.past(who, at)
        yield ("past supply", after.at), votes.past_supply(after.at)


def _vesting(model: Model) -> Iterator[tuple[tuple[Any, ...], Any]]:
    vesting, fund = model.vesting, model.governance.fund
    for id, schedule in vesting.schedules.items():
        fields = (schedule.beneficiary, schedule.wallet, schedule.share, schedule.amount, schedule.claimed)
        yield ("schedule", id), (*fields, vesting.free(schedule), schedule.proposed)
        yield ("voter", schedule.wallet), model.votes.delegates[schedule.wallet]
        seconds = [second + off for second in vesting.boundaries(schedule.share) for off in (-1, 0, 1)]
        yield ("vested", id, *seconds), [vesting.vested(schedule, second) for second in seconds]
    yield ("unallocated",), [vesting.unallocated(share) for share in SHARES]
    yield ("fund",), (fund.available, fund.reserved)
    for id, airdrop in fund.airdrops.items():
        people = tuple(account for account, _ in airdrop.rows)
        yield ("airdrop", id, *people), (airdrop.left, airdrop.until, [who in airdrop.claimed for who in people])


def _governance(model: Model) -> Iterator[tuple[tuple[Any, ...], Any]]:
    governance = model.governance
    rules = (governance.delay, governance.period, governance.threshold, governance.shares[-1][1], governance.wait)
    yield ("rules",), rules
    yield ("governor",), (model.ground.own["timelock"], model.ground.guardian)
    for place, given in governance.roles.items():
        yield ("role", *place), given
    for name in BOUNDS:
        yield ("parameter", name), model.ground.parameters[name]
    for id, item in governance.proposals.items():
        times = (item.snapshot, item.deadline, item.eta)
        yield ("proposal", id), (governance.state(item), item.proposer, *times, *(item.sum(said) for said in range(3)))
        for who in item.ballots:
            yield ("ballot", id, who), True
        if item.snapshot < model.ground.clock.now:
            yield ("quorum", id, item.snapshot), governance.quorum(item)
    for who, nonce in governance.nonces.items():
        yield ("nonce", who), nonce


# -- the contracts'


def read(world: World, key: tuple[Any, ...]) -> Any:
    """The same fact as the contracts have it."""
    match key[1:]:
        case ("held", who):
            return tuple(world.read("ifx", name, who) for name in ("getVotes", "delegates", "nonces"))
        case ("allowance", owner, spender):
            return world.read("ifx", "allowance", owner, spender)
        case ("past", who, at):
            return tuple(world.read(token, "getPastVotes", who, at) for token in ("ifx", "staking"))
        case ("past supply", at):
            return world.read("ifx", "getPastTotalSupply", at)
        case ("rules",):
            names = ("votingDelay", "votingPeriod", "proposalThreshold", "quorumNumerator")
            return (*(world.read("council", name) for name in names), world.read("timelock", "getMinDelay"))
        case ("governor" | "role" | "parameter", *_):
            return _read_rights(world, key)
        case ("proposal", id):
            names = ("state", "proposalProposer", "proposalSnapshot", "proposalDeadline", "proposalEta")
            return (*(world.read("council", name, id) for name in names), *world.read("council", "proposalVotes", id))
        case ("ballot", id, who):
            return world.read("council", "hasVoted", id, who)
        case ("quorum", _, at):
            return world.read("council", "quorum", at)
        case ("nonce", who):
            return world.read("council", "nonces", who)
        case _:
            return _read_vesting(world, key)


def _read_rights(world: World, key: tuple[Any, ...]) -> Any:
    match key[1:]:
        case ("governor",):
            return world.read("parameters", "governor"), world.read("parameters", "guardian")
        case ("role", name, account):
            return world.read("timelock", "hasRole", role(name), account)
        case ("parameter", name):
            return world.read("parameters", "get", parameter(name))
    raise AssertionError(key)


def _read_vesting(world: World, key: tuple[Any, ...]) -> Any:
    match key[1:]:
        case ("schedule", id):
            found = world.read("vesting", "schedule", id)
            fields = [found[name] for name in ("beneficiary", "wallet", "share", "amount", "claimed")]
            return (*fields, *(world.read("vesting", name, id) for name in ("claimable", "proposed_beneficiary")))
        case ("voter", wallet):
            return world.read("ifx", "delegates", wallet)
        case ("vested", id, *seconds):
            return [world.read("vesting", "vested", id, second) for second in seconds]
        case ("unallocated",):
            return [world.read("vesting", "unallocated", share) for share in SHARES]
        case ("fund",):
            return world.read("community_fund", "available"), world.read("community_fund", "reserved")
        case ("airdrop", id, *people):
            found = world.read("community_fund", "airdrop", id)
            return (
                found["left"],
                found["until"],
                [world.read("community_fund", "is_claimed", id, who) for who in people],
            )
    raise AssertionError(key)


def role(name: str) -> bytes:
    """As the timelock knows it."""
    return bytes(32) if name == ADMIN else keccak(text=name)


def check(model: Model) -> None:
    """The laws of each part."""
    model.votes.check()
    model.vesting.check()
    model.governance.fund.check()
    model.governance.check()
