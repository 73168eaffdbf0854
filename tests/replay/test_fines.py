# SPDX-License-Identifier: Apache-2.0
"""What the penalty pool hands over: shared by verification work, never among those who judged the slashed."""

from dataclasses import replace

from inferix.models.event import ChainEvent
from inferix.models.job import case_id
from inferix.models.roles import Outcome
from inferix.replay import apply
from inferix.replay.accounting import epoch_rewards
from inferix.replay.state import Fine
from tests.replay.chain import Chain


def slash(chain: Chain, node: int, amount: int) -> None:
    """As Staking and Panels log the end of a case: half of it burned, half pooled."""
    chain.emit("Staked", node=node, payer="0x" + "11" * 20, amount=amount)
    chain.emit("Slashed", node=node, amount=amount, burned=amount - amount // 2, pooled=amount // 2)


def test_a_fine_goes_to_verifiers_but_never_to_those_who_judged_it(chain: Chain) -> None:
    job = chain.order()
    state = chain.state(job, 0)
    chain.run(state, Outcome.REJECTED)
    chain.finish(job)
    chain.settle()
    attempt = state.attempts[0]
    case = case_id(state.task.id, 0)
    chain.emit("CaseFrozen", case=case, task=state.task.id, attempt=0, node=attempt.node, amount=1_000)
    slash(chain, attempt.node, 1_000)
    chain.emit("CaseSlashed", case=case, node=attempt.node, amount=1_000)
    chain.close_epoch(0, pooled=507)
    epoch = chain.network.epochs[0]
    judges = {node for item in state.attempts for node in item.votes}
    assert [(fine.amount, set(fine.barred)) for fine in epoch.fines] == [(500, judges)]
    barred = frozenset(sorted(judges)[1:])
    epoch = replace(epoch, fines=(replace(epoch.fines[0], barred=barred),))
    paid, unfined = (epoch_rewards(chain.network, each) for each in (epoch, replace(epoch, pooled=7, fines=())))
    more = {node: amount - unfined.verifiers[node] for node, amount in paid.verifiers.items()}
    assert more[min(judges)] > 0
    assert {more[node] for node in barred} == {0}
    assert sum(paid.verifiers.values()) + paid.dust == 507
    assert not paid.waiting


def test_regression_a_node_without_stake_is_fined_nothing_and_its_earlier_fine_stays_barred_to_who_judged_that(
    chain: Chain,
) -> None:
    """No slash is logged of it: the newest fine of the node was another's, and its judges were paid from it."""
    first, second = chain.order(), chain.order()
    for job in (first, second):
        chain.run(chain.state(job, 0), Outcome.REJECTED)
        task = chain.state(job, 0).task.id
        chain.emit("CaseFrozen", case=case_id(task, 0), task=task, attempt=0, node=5, amount=1_000)
    slash(chain, 5, 1_000)
    cases = [case_id(chain.state(job, 0).task.id, 0) for job in (first, second)]
    chain.emit("CaseSlashed", case=cases[0], node=5, amount=1_000)
    judges = chain.network.fines[0].barred
    assert judges
    chain.network.cases[cases[1]].seats.append(99)
    args = {"case": cases[1], "node": 5, "amount": 0}
    apply(chain.network, ChainEvent(chain.block, 0, chain.time, "test", "CaseSlashed", args, b"\1" * 32))
    assert [fine.barred for fine in chain.network.fines] == [judges]


def test_a_fine_that_everybody_judged_comes_back_with_the_dust_and_is_still_not_theirs(chain: Chain) -> None:
    for _ in range(3):  # so that each of them has checked something
        chain.finish(chain.order())
    chain.settle()
    chain.close_epoch(0, pooled=500)
    fine = Fine(1, 500, frozenset({5, 6, 7}))
    first = replace(chain.network.epochs[0], fines=(fine,))
    paid = epoch_rewards(chain.network, first)
    assert (sum(paid.verifiers.values()), paid.dust, paid.waiting) == (0, 500, (fine,))
    empty = replace(first, pooled=0, fines=())
    assert epoch_rewards(chain.network, empty, (fine,)).waiting == (fine,)
    again = epoch_rewards(chain.network, replace(first, pooled=530, fines=()), (fine,))
    assert (sum(again.verifiers.values()) <= 30, again.waiting) == (True, (fine,))
    seldom = replace(fine, barred=frozenset({5, 6}))
    later = epoch_rewards(chain.network, replace(first, pooled=500, fines=()), (seldom,))
    assert (later.verifiers, later.waiting) == ({5: 0, 6: 0, 7: 500} | {n: 0 for n in later.verifiers if n < 7}, ())


def test_a_fine_that_no_case_is_about_is_for_all_who_checked(chain: Chain) -> None:
    job = chain.order()
    chain.finish(job)
    chain.settle()
    slash(chain, 1, 1_000)
    chain.close_epoch(0, pooled=500)
    assert [fine.barred for fine in chain.network.epochs[0].fines] == [frozenset()]
    paid = epoch_rewards(chain.network, chain.network.epochs[0])
    assert sum(paid.verifiers.values()) + paid.dust == 500
    assert paid.dust < len(paid.verifiers)


def test_fines_wait_with_the_pool_for_an_epoch_with_work(chain: Chain) -> None:
    slash(chain, 1, 1_000)
    chain.close_epoch(0)
    assert (chain.network.epochs[0].fines, len(chain.network.fines)) == ((), 1)
