# SPDX-License-Identifier: Apache-2.0
"""The machine finds planted bugs: else its silence would say nothing about the contracts."""

from collections.abc import Callable
from pathlib import Path

import boa
import pytest

from tests.contracts import system
from tests.contracts.disputes import court
from tests.contracts.work import network
from tests.stateful import (
    realm,
    selling,
    test_canaries,
    test_lanes,
    test_life,
    test_machine,
    test_misfits,
    test_pool,
    test_realm,
    test_rights,
    test_sale,
    test_strikes,
    test_terms,
)
from tests.stateful import world as worlds
from tests.stateful.life import Watched
from tests.stateful.mutants.planted import MUTANTS, Mutant, planted
from tests.stateful.soak import search

FEW, MANY = 200, 1_800  # generated acts, before and after the written ones
WRITTEN: dict[Callable[[Watched], None], tuple[str, ...]] = {
    test_machine.test_leases_agree_from_order_to_payment: ("Leases", "Batches"),
    test_machine.test_escapes_agree_from_votes_to_bond: ("Escape",),
    test_machine.test_receipts_on_chain_agree_whether_their_lane_anchors_them_or_not: ("Orders",),
    test_machine.test_held_up_books_are_overtaken_and_who_posted_them_answers_all_the_same: ("Accounts", "Objections"),
    test_machine.test_late_books_agree_from_the_posters_bond_to_its_fine: ("Accounts", "Objections"),
    test_machine.test_claims_to_a_balance_agree_from_silence_to_payment: ("BalanceClaims", "IfxDollar"),
    test_machine.test_objections_to_outcomes_agree_from_the_bond_to_the_last_void_leaf: ("Objections", "Batches"),
    test_machine.test_what_nobody_decides_agrees_and_leaves_that_nobody_shows_stand: ("Objections",),
    test_machine.test_contradictions_agree_from_the_bond_to_the_jail: ("Contradictions",),
    test_machine.test_disputes_about_data_agree_whether_it_is_shown_or_not: ("Availability",),
    test_life.test_a_life_from_order_to_slash_agrees_and_makes_every_call_of_money: (
        "Accounts",
        "Batches",
        "BurnMintWork",
        "FeeBurner",
        "IfxDollar",
        "PenaltyPool",
        "Staking",
    ),
    test_life.test_delegations_agree_from_the_first_share_to_an_exit_after_a_slash: ("Delegation", "Staking"),
    test_strikes.test_three_times_false_within_thirty_days_agree_to_the_last_wei: ("Strikes",),
    test_lanes.test_cancelled_orders_agree_before_they_are_posted_and_while_they_run: ("Orders",),
    test_lanes.test_jobs_agree_from_the_call_to_the_heirs_batch: ("Orders",),
    test_lanes.test_double_votes_agree_whichever_of_its_keys_the_node_signed_with: ("Disputes", "NodeRegistry"),
    test_lanes.test_many_claims_at_once_agree_with_one_by_one: ("Accounts",),
    test_terms.test_prices_agree_and_stake_answers_for_the_dearest_of_48_days: ("NodeRegistry", "Staking"),
    test_terms.test_speeds_agree_whoever_was_asked_to_measure: ("NodeRegistry",),
    test_terms.test_sealing_keys_agree_whichever_key_of_the_node_sets_them: ("NodeRegistry",),
    test_misfits.test_leaves_that_are_not_so_agree_from_the_proposal_to_the_jail: ("Committees", "Disputes"),
    test_misfits.test_a_leaf_of_a_job_that_was_taken_over_is_as_ordered_and_lost_by_its_votes: ("Disputes", "Orders"),
    test_canaries.test_canaries_agree_whatever_the_receipt_says_and_whether_it_is_opened: ("Committees",),
    test_rights.test_permits_agree_whoever_used_them: ("IfxDollar",),
    test_rights.test_bans_of_owners_agree_with_those_of_their_other_nodes: ("NodeRegistry",),
    test_rights.test_pauses_agree_whoever_is_the_guardian_now: ("Parameters",),
    test_pool.test_fees_are_burned_in_a_pool_whoever_trades_there: ("FeeBurner", "PoolMarket"),
    test_realm.test_what_vests_agrees_at_every_boundary_second_and_votes_from_its_wallet: ("Vesting",),
    test_realm.test_the_fund_agrees_from_a_grant_to_the_sweep: ("CommunityFund",),
    test_realm.test_votes_agree_as_ifx_is_moved_lent_and_burned: ("IFX",),
    test_realm.test_proposals_agree_to_the_second_and_change_what_the_model_reads: ("Governor", "Timelock"),
    test_realm.test_threshold_and_quorum_agree_to_the_wei: ("Governor",),
    test_realm.test_roles_agree_from_the_vote_to_what_they_let_people_do: ("Timelock",),
    test_sale.test_sales_agree_from_the_whitelist_to_the_end_of_the_lock: ("NodeLicence", "NodeSale"),
    test_sale.test_buybacks_agree_from_the_list_to_the_sweep: ("Buyback", "NodeSale"),
}
"""The same machine in acts that are written down, for calls that chance comes by once in thousands; and the contracts that
each is about."""


def plant(mutant: Mutant, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on a world is deployed with the bug."""
    deployer = planted(mutant, folder)
    for module in (system, network, court, worlds, realm, selling):
        monkeypatch.setattr(module, "deployer", deployer)


def test_every_planted_bug_is_in_what_some_written_acts_are_about() -> None:
    about = {contract for contracts in WRITTEN.values() for contract in contracts}
    assert {Path(mutant.compiled).stem for mutant in MUTANTS} <= about


def test_every_planted_bug_changes_what_is_there() -> None:
    for mutant in MUTANTS:
        assert (system.CONTRACTS / mutant.file).read_text().count(mutant.old) == 1, mutant.name


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_found(mutant: Mutant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(mutant, tmp_path / "contracts", monkeypatch)
    with boa.swap_env(boa.Env()):
        found = find(Watched(), Path(mutant.compiled).stem)
    print(f"{mutant.name}: {found}")


def find(world: Watched, contract: str) -> str:
    """What found the bug, and how it showed; first the acts that are about the contract. Raises AssertionError where nothing did."""
    near = [written for written, contracts in WRITTEN.items() if contract in contracts]
    found = _written(world, near)
    if found:
        return found
    few = search(world, acts=FEW)
    if few.failure:
        return f"{few.acts} generated acts: {few.failure}"
    found = _written(world, [written for written in WRITTEN if written not in near])
    if found:
        return found
    many = search(world, acts=MANY, first=few.next_seed)
    assert many.failure, f"not found in {few.acts + many.acts} generated acts, nor in those that are written down"
    return f"{few.acts + many.acts} generated acts: {many.failure}"


def _written(world: Watched, tests: list[Callable[[Watched], None]]) -> str:
    for written in tests:
        try:
            written(world)
        except AssertionError as error:
            return f"{written.__name__}: {error}"
    return ""
