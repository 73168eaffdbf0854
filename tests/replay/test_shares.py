# SPDX-License-Identifier: Apache-2.0
"""Where a lane's bond is too small for all that waits, no client fills it alone, and nobody waits for ever."""

from random import Random

from eth_utils.crypto import keccak

from inferix.models.anchor import BatchLeaf
from inferix.models.roles import BatchStatus, Outcome
from inferix.replay.settlement import draft_batches, open_charges
from inferix.replay.shares import Waiting, in_turn
from keepers.settle import cap_of, decide_propose
from tests.replay.chain import COIN, MANAGER, Chain, address

CAP = 1_000


def outcome(account: int, charge: int, since: int) -> Waiting:
    """An outcome of ``account`` that has waited since ``since``."""
    leaf = BatchLeaf(
        task=keccak(text=f"{account} {charge} {since}"),
        attempt=0,
        node=1,
        account=account,
        work=charge,
        charge=charge,
        outcome=Outcome.ACCEPTED if charge else Outcome.REJECTED,
        result=bytes(32),
        votes=bytes(32),
        voters=bytes(32),
        anchor=1,
    )
    return Waiting(since, leaf)


def charged(found: list[Waiting]) -> dict[int, int]:
    """Account -> what of it is chosen."""
    return {account: sum(each.leaf.charge for each in found if each.leaf.account == account) for account in (1, 2, 3)}


def test_what_fits_is_proposed_whosever_it_is() -> None:
    waiting = [outcome(1, 100, since) for since in range(9)] + [outcome(2, 100, 9)]
    assert in_turn(waiting, {}, CAP) == waiting
    assert in_turn(waiting, {}, CAP - 1) != waiting


def test_one_client_gets_a_tenth_while_others_wait() -> None:
    waiting = [outcome(1, 20, since) for since in range(100)] + [outcome(2, 30, 100), outcome(3, 70, 101)]
    assert charged(in_turn(waiting, {}, CAP)) == {1: 100, 2: 30, 3: 70}
    assert charged(in_turn(waiting, {1: 90}, CAP)) == {1: 0, 2: 30, 3: 70}, "with what is open already"
    assert charged(in_turn(waiting, {1: 80}, CAP)) == {1: 20, 2: 30, 3: 70}


def test_a_client_alone_takes_all_of_it_the_longest_waiting_first() -> None:
    waiting = [outcome(1, 20, since) for since in range(100)]
    assert in_turn(waiting, {}, CAP) == waiting[:50]
    assert in_turn(waiting, {2: 900}, CAP) == waiting[:5], "the others only hold what they have"
    assert charged(in_turn([*waiting, outcome(2, 0, 0)], {}, CAP))[1] == CAP, "who pays nothing is not held up"


def test_an_outcome_over_the_share_comes_when_its_client_has_nothing_open() -> None:
    waiting = [outcome(1, 400, 0), outcome(1, 400, 1), *(outcome(2, 50, since) for since in range(2, 30))]
    assert charged(in_turn(waiting, {}, CAP)) == {1: 400, 2: 100, 3: 0}
    assert charged(in_turn(waiting, {1: 400}, CAP)) == {1: 0, 2: 100, 3: 0}


def test_smaller_ones_do_not_pass_by_what_waits_for_room() -> None:
    waiting = [outcome(2, 10, 0), outcome(1, 400, 1), outcome(3, 10, 2)]
    assert charged(in_turn(waiting, {4: 700}, CAP)) == {1: 0, 2: 10, 3: 0}
    assert charged(in_turn(waiting, {4: 580}, CAP)) == {1: 400, 2: 10, 3: 10}


def test_what_no_room_is_ever_enough_for_holds_up_nobody_and_is_tried_when_it_is_alone() -> None:
    huge, small = outcome(1, CAP + 1, 0), outcome(2, 10, 1)
    assert in_turn([huge, small], {}, CAP) == [small]
    assert in_turn([huge], {}, CAP) == [huge]
    assert in_turn([small], {3: CAP}, CAP) == [small], "the contract says why not"


def test_everything_comes_in_the_end_in_whatever_order_it_is_told() -> None:
    random = Random(5)
    left = [outcome(random.choice([1, 1, 1, 2, 3]), random.randrange(1, 300), since) for since in range(200)]
    while left:
        chosen = in_turn(left, {}, CAP)
        assert sum(each.leaf.charge for each in chosen) <= CAP
        random.shuffle(left)
        assert in_turn(left, {}, CAP) == chosen
        left = [each for each in left if each not in chosen]


def crowded() -> Chain:
    """Six frames of the first account done before three of the second's."""
    chain = Chain()
    chain.start()
    chain.emit("ToppedUp", account=2, owner=address(0), coin=COIN, amount=10**8, credit=100 * 10**9)
    for account in (1, 1, 2):
        for state in chain.network.jobs[chain.order(account=account)].tasks:
            chain.run(state)
    return chain


def test_a_lane_s_draft_shares_the_bond_and_the_rest_follows() -> None:
    chain = crowded()
    (whole,) = draft_batches(chain.network, MANAGER)
    each = max(leaf.charge for leaf in whole.leaves)
    cap = sum(leaf.charge for leaf in whole.leaves) - 1
    (draft,) = draft_batches(chain.network, MANAGER, cap)
    first = [leaf for leaf in draft.leaves if leaf.account == 1]
    assert len(first) == 1 and each > cap // 10, "one, though it is over a tenth"
    assert len([leaf for leaf in draft.leaves if leaf.account == 2]) == 1
    commitment = chain.propose(draft)
    assert open_charges(chain.network, MANAGER) == {1: first[0].charge, 2: draft.header["charge"] - first[0].charge}
    chain.wait(86_400)
    chain.emit("BatchFinalized", commitment=commitment, epoch=0)
    assert chain.network.batches[commitment].status is BatchStatus.FINAL
    assert open_charges(chain.network, MANAGER) == {}


def test_the_cap_is_half_of_what_is_bonded_and_not_frozen() -> None:
    chain = crowded()
    node, bond = chain.network.nodes[MANAGER], chain.network.parameters["manager_bond"]
    node.bonded, node.frozen = 4 * 10**20, 10**20
    assert cap_of(chain.network, MANAGER, 10**20) == 3 * bond // 2
    node.frozen = node.bonded + 1
    assert cap_of(chain.network, MANAGER, 10**20) == 0
    (draft,) = draft_batches(chain.network, MANAGER, 0)
    assert len(draft.leaves) == 1, "the contract says why not"
    assert decide_propose(chain.network, MANAGER, 600, 0) is not None
