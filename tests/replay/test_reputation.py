# SPDX-License-Identifier: Apache-2.0
"""What a record is worth: reputation from outcomes, presence from the turns that were taken, fixed at an epoch's close."""

from inferix.models.job import case_id
from inferix.models.roles import Outcome, RosterKind
from inferix.replay.accounting import accounts_data, epoch_rewards, roster_leaves
from tests.replay.chain import WORKERS, Chain


def test_a_worker_without_a_fault_has_all_of_it(chain: Chain) -> None:
    chain.finish(chain.order())
    chain.settle()
    chain.close_epoch(1_000)
    reputation = chain.network.epochs[0].record.reputation
    assert reputation and set(reputation.values()) == {1_000}


def test_a_rejection_costs_reward_and_draws_and_a_cleared_case_gives_them_back(chain: Chain) -> None:
    job = chain.order()
    state = chain.state(job, 0)
    chain.run(state, Outcome.REJECTED)
    chain.finish(job)
    cheat, case = state.attempts[0].node, case_id(state.task.id, 0)
    chain.settle()
    chain.anchor(*map(chain.answer, WORKERS))
    chain.close_epoch(10**9)
    record = chain.network.epochs[0].record
    good = sum(item.attempts[-1].node == cheat for item in chain.network.jobs[job].tasks)
    assert record.reputation[cheat] == 500 + 500 * good // (good + 1)
    weights = {leaf.node: leaf.weight for leaf in roster_leaves(chain.network, RosterKind.WORKERS)}
    assert weights[cheat] == 6_000 * record.reputation[cheat]
    assert {weights[node] for node in WORKERS if node != cheat} == {6_000 * 1_000}
    paid = epoch_rewards(chain.network, chain.network.epochs[0])
    present = [node for node in WORKERS if node != cheat and node not in record.absent]
    assert all(paid.workers[node] > paid.workers.get(cheat, 0) for node in present) or good

    chain.emit("CaseFrozen", case=case, task=state.task.id, attempt=0, node=cheat, amount=0)
    chain.emit("CaseCleared", case=case, reason=4)
    assert chain.network.epochs[0].record is record  # what was shared stays
    chain.emit("EpochClosed", epoch=1, work=0, charge=0, burned=0, minted=0, pooled=0)
    assert chain.network.epochs[1].record.reputation.get(cheat, 1_000) == 1_000


def test_faults_are_forgotten_after_ten_epochs(chain: Chain) -> None:
    job = chain.order()
    state = chain.state(job, 0)
    chain.run(state, Outcome.REJECTED)
    chain.finish(job)
    chain.settle()
    chain.close_epoch(0)
    for epoch in range(1, 11):
        chain.emit("EpochClosed", epoch=epoch, work=0, charge=0, burned=0, minted=0, pooled=0)
    cheat = state.attempts[0].node
    assert chain.network.epochs[9].record.reputation[cheat] < 1_000
    assert cheat not in chain.network.epochs[10].record.reputation


def test_who_lets_its_turns_pass_is_not_paid_for_its_presence(chain: Chain) -> None:
    job = chain.order()
    state = chain.state(job, 0)
    while state.current is None or not chain.network.drawn:
        chain.anchor()
        chain.wait(60)  # every turn of the first draws has its whole time
        chain.anchor(chain.acceptance(state, skip=(2,)))
    (tally,) = chain.network.drawn.values()
    taker = state.attempts[0].node
    assert taker != 2 and tally[taker] == [1, 1]
    chain.anchor(*map(chain.answer, WORKERS))
    chain.close_epoch(10**9)
    record = chain.network.epochs[0].record
    assert record.absent == {node for node, (drawn, taken) in tally.items() if taken < drawn}
    assert record.presence.capacity == dict.fromkeys(WORKERS, 6_000)
    paid = epoch_rewards(chain.network, chain.network.epochs[0])
    assert paid.workers.keys() & record.absent == set()
    assert taker in paid.workers


def test_accounts_say_what_the_workers_could_have_done(chain: Chain) -> None:
    chain.finish(chain.order())
    chain.settle()
    chain.close_epoch(0)
    data = accounts_data(chain.network, 0)
    minutes = (259_200 - 10) / 60  # they registered ten seconds after the epoch began
    assert data.apparent == 3 * int(6_000 * 1_000 * minutes)
