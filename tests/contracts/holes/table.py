# SPDX-License-Identifier: Apache-2.0
"""Holes in contracts/, each beside the test of docs/security.md that shows its attack: with the hole that test fails."""

from dataclasses import dataclass

from tests.stateful.mutants.planted import Mutant


@dataclass(frozen=True)
class Hole(Mutant):
    """``test``: the attack's, as pytest names it."""

    test: str


COMMITTEES, EVIDENCE, DRAWS = "work/Committees.vy", "modules/evidence.vy", "modules/draws.vy"
SUMS, CONVICTIONS, FRAUDS, DISPUTES = (
    "modules/merkle_sum.vy",
    "modules/convictions.vy",
    "modules/fraud_proofs.vy",
    "work/Disputes.vy",
)
PANELS, SEATS, VERDICTS = "work/Panels.vy", "modules/seats.vy", "modules/verdicts.vy"
BATCHES, ANCHORS, TOTALS, LANES = "work/Batches.vy", "modules/anchors.vy", "modules/totals.vy", "modules/lanes.vy"
ACCOUNTS, ROOTS, ROSTERS, ESCAPE = "work/Accounts.vy", "modules/roots.vy", "work/Rosters.vy", "work/Escape.vy"
PARAMETERS, LICENCE, SALE = "governance/Parameters.vy", "licences/NodeLicence.vy", "licences/NodeSale.vy"
DOLLAR, COINS, STAKING = "token/IfxDollar.vy", "modules/coins.vy", "nodes/Staking.vy"
BALANCES, PAYMENTS = "token/BalanceClaims.vy", "modules/payments.vy"
REGISTRY, BURNER, MARKET = "nodes/NodeRegistry.vy", "issuance/FeeBurner.vy", "issuance/PoolMarket.vy"
REFERENCE, EPOCHS = "issuance/ReferenceMarket.vy", "issuance/BurnMintWork.vy"

TESTS = "tests/contracts/"
ATTACKS, VOTES = TESTS + "disputes/test_attacks.py::", TESTS + "disputes/test_votes.py::"
SHOWN, PROOFS = TESTS + "disputes/test_evidence.py::", TESTS + "disputes/test_fraud_proofs.py::"
CASES, ESCAPES = TESTS + "disputes/test_panels.py::", TESTS + "disputes/test_escape.py::"
SEALS, LEASES = TESTS + "work/test_anchors.py::", TESTS + "disputes/test_lease_attacks.py::"
POSTED, BATCHED = TESTS + "work/test_accounts.py::", TESTS + "work/test_batches.py::"
PAID, BURNED = TESTS + "token/test_ifx_dollar.py::", TESTS + "issuance/test_fee_burner.py::"
CLOSED, SOLD = TESTS + "issuance/test_burn_mint_work.py::", TESTS + "licences/test_node_sale_money.py::"
LICENCES, STAKED = TESTS + "licences/test_node_licence.py::", TESTS + "nodes/test_staking.py::"
CLAIMED = TESTS + "work/test_balance_claims.py::"
REGISTERED, DELEGATED = TESTS + "nodes/test_node_registry.py::", TESTS + "nodes/test_delegation_attacks.py::"

HOLES = [
    # -- votes: Committees, draws, merkle_sum
    Hole(
        "a vote is counted as often as its voter is named",
        COMMITTEES,
        "assert voter > previous,",
        "assert voter >= previous,",
        COMMITTEES,
        ATTACKS + "test_one_voter_three_times",
    ),
    Hole(
        "votes are good for every attempt",
        COMMITTEES,
        "VOTE_TYPEHASH, leaf.task, leaf.attempt, voter,",
        "VOTE_TYPEHASH, leaf.task, empty(uint8), voter,",
        COMMITTEES,
        ATTACKS + "test_replayed_votes_from_another_attempt",
    ),
    Hole(
        "draws go on until they hit who voted",
        COMMITTEES,
        "assert taken <= seats,",
        "assert taken <= draws.MAX_DRAWS,",
        COMMITTEES,
        ATTACKS + "test_foreign_committee",
    ),
    Hole(
        "the worker's own verifiers judge it",
        COMMITTEES,
        "if owner == draw.client or owner == draw.worker:",
        "if owner == draw.client:",
        COMMITTEES,
        ATTACKS + "test_a_voter_whose_owner_is_the_worker",
    ),
    Hole(
        "any roster since the seed is good",
        COMMITTEES,
        "roster.since != 0 and convert(roster.since, uint256) <= sealed_at",
        "roster.since != 0",
        COMMITTEES,
        VOTES + "test_the_roster_of_the_seed_counts",
    ),
    Hole(
        "any roster before the seed is good",
        COMMITTEES,
        "roster.until == 0 or convert(roster.until, uint256) > sealed_at",
        "roster.total != 0",
        COMMITTEES,
        VOTES + "test_a_replaced_roster_does_not_count",
    ),
    Hole(
        "a key that was given up votes on",
        COMMITTEES,
        "staticcall _REGISTRY.operator_until(signer) >= sealed_at",
        "staticcall _REGISTRY.operator_until(signer) != 0",
        COMMITTEES,
        VOTES + "test_a_key_replaced_before_the_seed_does_not_count",
    ),
    Hole(
        "a priced order is a lease",
        COMMITTEES,
        "assert is_lease == (terms >> 88 & (2**64 - 1) == 0),",
        "assert is_lease or terms >> 88 & (2**64 - 1) != 0,",
        COMMITTEES,
        LEASES + "test_attack_the_order_of_a_job_pays_for_no_lease",
    ),
    Hole(
        "a roster is known by its total alone",
        DRAWS,
        "assert found.root.hash == root and found.root.sum == merkle_sum._pack(total, 0),",
        "assert found.root.sum == merkle_sum._pack(total, 0),",
        COMMITTEES,
        ATTACKS + "test_a_member_that_no_roster_holds",
    ),
    Hole(
        "a leaf stands at places beyond its tree",
        SUMS,
        "assert index >> (len(proof) // 2) == 0,",
        "assert index >= 0,",
        COMMITTEES,
        SHOWN + "test_a_receipt_alone_in_its_anchor_is_shown_by_an_empty_proof",
    ),
    # -- what a leaf rests on: evidence
    Hole(
        "anybody signs a client's order",
        EVIDENCE,
        "assert client == self._signer(",
        "assert empty(address) != self._signer(",
        COMMITTEES,
        SHOWN + "test_attack_a_manager_invents_a_task_that_seats_its_own_verifiers",
    ),
    Hole(
        "a charge is a unit over its order",
        EVIDENCE,
        "assert charge <= cap,",
        "assert charge <= cap + 1,",
        COMMITTEES,
        SHOWN + "test_a_leaf_beyond_its_order_has_no_answer",
    ),
    Hole(
        "the order names a lane and any lane has its task",
        EVIDENCE,
        "job, convert(lane, uint32), manager, leaf.anchor\n",
        "job, manager, manager, leaf.anchor\n",
        COMMITTEES,
        SHOWN + "test_an_order_of_another_lane_has_no_answer_until_it_is_taken_over",
    ),
    Hole(
        "any worker signs for another",
        EVIDENCE,
        "leaf.node != 0 and staticcall _REGISTRY.node_of_operator(signer) == leaf.node",
        "leaf.node != 0 and staticcall _REGISTRY.node_of_operator(signer) != 0",
        COMMITTEES,
        SHOWN + "test_a_receipt_that_another_worker_signed_has_no_answer",
    ),
    Hole(
        "a receipt is in any anchor",
        EVIDENCE,
        "if not staticcall _BATCHES.is_anchored(manager, anchor, root, place.block_hash):",
        "if root == empty(bytes32):",
        COMMITTEES,
        SHOWN + "test_a_receipt_that_is_not_in_the_anchor_has_no_answer",
    ),
    Hole(
        "an anchor that nobody was served gives receipts",
        EVIDENCE,
        "return not staticcall _AVAILABILITY.is_cancelled(manager, anchor, root)",
        "return True",
        COMMITTEES,
        SHOWN + "test_an_anchor_that_was_not_served_gives_no_receipt",
    ),
    Hole(
        "the client is at fault for a canary",
        EVIDENCE,
        "if canary == empty(bytes32) or leaf.outcome == REJECTED:",
        "if canary == empty(bytes32) or leaf.outcome != ACCEPTED:",
        COMMITTEES,
        SHOWN + "test_a_canary_is_charged_to_nobody_whatever_its_votes_say",
    ),
    Hole(
        "a receipt is anchored before itself",
        COMMITTEES,
        "if anchor >= leaf.anchor:",
        "if anchor > leaf.anchor:",
        COMMITTEES,
        SHOWN + "test_what_is_no_earlier_receipt_proves_nothing",
    ),
    # -- lies that a contract sees: fraud_proofs, convictions
    Hole(
        "children are those of no node",
        FRAUDS,
        "assert merkle_sum._verify(convictions._root(header), node, index, proof),",
        "assert index >= 0,",
        DISPUTES,
        PROOFS + "test_made_up_children_are_no_proof",
    ),
    Hole(
        "a sum that runs over its lane is right",
        SUMS,
        "if (left | right) & OVERFLOW != 0:\n        return False\n    added: uint256 = unsafe_add(left, right)\n"
        "    return added & OVERFLOW == 0 and added == sum",
        "added: uint256 = unsafe_add(left, right)\n    return added == sum",
        DISPUTES,
        PROOFS + "test_attack_lanes_that_run_into_each_other_are_a_wrong_sum",
    ),
    Hole(
        "leaves out of order are no lie",
        FRAUDS,
        "assert not self._is_sorted(a.leaf, b.leaf) or self._is_repeated(a.leaf, b.leaf),",
        "assert self._is_repeated(a.leaf, b.leaf),",
        DISPUTES,
        PROOFS + "test_leaves_out_of_order_hide_duplicates",
    ),
    Hole(
        "whichever batch is shown second is the lie",
        FRAUDS,
        "return b.header.sequence > a.header.sequence",
        "return b.header.sequence != a.header.sequence",
        DISPUTES,
        PROOFS + "test_a_task_in_two_batches_of_a_lane",
    ),
    Hole(
        "of two lanes the later one is the lie",
        FRAUDS,
        "    if not self._is_in_lane(job, order.manager, b.header.manager, b.leaf.anchor):\n        return True\n"
        "    if not self._is_in_lane(job, order.manager, a.header.manager, a.leaf.anchor):\n        return False\n",
        "    if job != empty(bytes32):\n"
        "        return convictions._batch(second).proposed_at >= convictions._batch(first).proposed_at\n",
        DISPUTES,
        PROOFS + "test_a_copied_leaf_convicts_the_copy",
    ),
    Hole(
        "who crosses another lane's batch is a liar",
        FRAUDS,
        "assert max(one, two) - min(one, two) >= SEEN_AFTER,",
        "assert max(one, two) - min(one, two) >= 0,",
        DISPUTES,
        PROOFS + "test_attack_both_lanes_of_a_job_taken_over_charge_it_and_the_one_that_has_seen_the_other_falls",
    ),
    Hole(
        "a charge is in any coin",
        FRAUDS,
        "fair = fair and staticcall _IFX_DOLLAR.coin_at(header.coin) == paid_in",
        "fair = fair and paid_in != empty(address)",
        DISPUTES,
        PROOFS + "test_attack_a_charge_in_another_coin_is_not_taken_out_of_its_pool",
    ),
    Hole(
        "a manager pays for what stood alone in its lane",
        CONVICTIONS,
        "close(commitment, reporter):\n        return\n",
        "close(commitment, reporter):\n        pass\n",
        DISPUTES,
        ESCAPES + "test_what_the_lane_has_proposed_before_is_a_lie",
    ),
    Hole(
        "a worker that gives way loses its bond",
        ESCAPE,
        "if winner == empty(address):",
        "if winner == self:",
        ESCAPE,
        ESCAPES + "test_regression_a_worker_whose_batch_crossed_its_lanes_in_one_block_keeps_its_bond",
    ),
    # -- cases and panels: Panels, cases, appeals, seats, verdicts
    Hole(
        "an owner's second node clears or convicts its first",
        PANELS,
        "staticcall _REGISTRY.owner_of(redone.leaf.node) != staticcall _REGISTRY.owner_of(case.node)",
        "redone.leaf.node != case.node",
        PANELS,
        ATTACKS + "test_clear_with_the_same_owner",
    ),
    Hole(
        "a forged rejection freezes whoever it names",
        PANELS,
        "assert (staticcall _REGISTRY.terms(leaf.node)).role == WORKER,",
        "assert (staticcall _REGISTRY.terms(leaf.node)).role != 0,",
        PANELS,
        ATTACKS + "test_a_forged_rejection_freezes_no_other_manager_and_no_verifier",
    ),
    Hole(
        "any node accepts for the one that is late",
        PANELS,
        "assert staticcall _REGISTRY.node_of_operator(signer) == leaf.node,",
        "assert staticcall _REGISTRY.node_of_operator(signer) != 0,",
        PANELS,
        CASES + "test_a_manager_that_calls_a_node_late_which_never_accepted_takes_none_of_its_stake",
    ),
    Hole(
        "a case that was cleared is opened again",
        PANELS,
        "assert (staticcall _BATCHES.batch(old.commitment)).status == CANCELLED,",
        "assert old.commitment != empty(bytes32),",
        PANELS,
        ATTACKS + "test_double_freeze",
    ),
    Hole(
        "the accused withdraws what is left",
        "modules/cases.vy",
        "extcall _STAKING.hold(node)",
        "assert node != 0",
        PANELS,
        ATTACKS + "test_escape_by_unbonding_before_the_slash",
    ),
    Hole(
        "any member of the roster takes the next seat",
        SEATS,
        "assert draws._is_hit(share, position),",
        "assert position < total,",
        PANELS,
        ATTACKS + "test_seat_out_of_order",
    ),
    Hole(
        "who voted sits on the panel",
        SEATS,
        "return not self._is_named(node, convert(parties.voters, uint256))",
        "return node != 0",
        PANELS,
        ATTACKS + "test_a_panel_member_that_is_a_voter",
    ),
    Hole(
        "the accused is no party to its appeal",
        "modules/appeals.vy",
        "            staticcall _REGISTRY.owner_of(case.node),\n            staticcall _REGISTRY.owner_of(case.redone_by),\n",
        "            staticcall _REGISTRY.owner_of(case.redone_by),\n",
        PANELS,
        ATTACKS + "test_a_panel_member_that_is_a_party",
    ),
    Hole(
        "half of the votes convict",
        VERDICTS,
        "2 * convert(panel.upheld, uint256) > voted",
        "2 * convert(panel.upheld, uint256) >= voted",
        PANELS,
        CASES + "test_a_tie_acquits",
    ),
    # -- anchors, lanes, totals, rosters, roots
    Hole(
        "who seals picks the block",
        ANCHORS,
        '"anchors: too young to seal"\n    block_hash: bytes32 = history._hash(word.at + 1)',
        '"anchors: too young to seal"\n    block_hash: bytes32 = history._hash(block.number - 1)',
        BATCHES,
        SEALS + "test_attack_front_running_a_seal_or_waiting_with_it_brings_no_other_seed",
    ),
    Hole(
        "a seed says nothing of its root",
        ANCHORS,
        "keccak256(abi_encode(self._seed(manager, index - 1), block_hash, root))",
        "keccak256(abi_encode(self._seed(manager, index - 1), block_hash, self._roots[manager]))",
        BATCHES,
        SEALS + "test_seal_proves_the_root",
    ),
    Hole(
        "a cancelled batch leaves no trace",
        LANES,
        "    self._entries[commitment] = (\n        entry.epoch << 218",
        "    self._entries[commitment] = 0 if entry.is_cancelled else (\n        entry.epoch << 218",
        BATCHES,
        ATTACKS + "test_a_cancelled_batch_does_not_come_back",
    ),
    Hole(
        "a leaf stands beyond the count",
        BATCHES,
        "if index >= convert(header.count, uint256):",
        "if index > convert(header.count, uint256):",
        BATCHES,
        BATCHED + "test_a_leaf_beyond_the_count_does_not_exist",
    ),
    Hole(
        "the charges of an epoch are forgotten in the next",
        TOTALS,
        "self._past[coin][total.epoch] = merkle_sum._pack(total.epoch_charge, total.epoch_work)",
        "self._past[coin][total.epoch] = merkle_sum._pack(0, total.epoch_work)",
        BATCHES,
        BATCHED + "test_batch_counts_in_the_epoch_in_which_it_is_made_final",
    ),
    Hole(
        "a replaced roster stays in force",
        ROSTERS,
        "self._terms[kind][last] |= block.timestamp",
        "assert last != 0",
        ROSTERS,
        VOTES + "test_a_replaced_roster_does_not_count",
    ),
    Hole(
        "disputes about accounts are not counted",
        ROOTS,
        "disputes=word >> 176 & _LOW_16,",
        "disputes=word >> 177 & _LOW_16,",
        ACCOUNTS,
        POSTED + "test_dispute_holds_a_root_up_and_cancels_it",
    ),
    # -- Parameters, NodeLicence, NodeRegistry
    Hole(
        "pauses follow each other",
        PARAMETERS,
        "block.timestamp >= last.until + PAUSE_BREAK",
        "block.timestamp >= last.until",
        PARAMETERS,
        TESTS + "governance/test_parameters.py::test_next_pause_only_thirty_days_after_the_end",
    ),
    Hole(
        "windows run on in a pause",
        PARAMETERS,
        "return block.timestamp - last.earlier - (min(block.timestamp, last.until) - last.at)",
        "return block.timestamp - last.earlier",
        PARAMETERS,
        POSTED + "test_window_stands_still_while_paused",
    ),
    Hole(
        "a licence is sold a second early",
        LICENCE,
        "assert block.timestamp >= holdings._licences[licence] >> 160 & _TIME,",
        "assert block.timestamp + 1 >= holdings._licences[licence] >> 160 & _TIME,",
        LICENCE,
        LICENCES + "test_locked_for_a_year_to_the_second",
    ),
    Hole(
        "a licence is sold while its node is at work",
        LICENCE,
        "assert not staticcall self.registry.in_use(licence),",
        "assert licence != 0,",
        LICENCE,
        LICENCES + "test_licence_in_use_moves_only_after_unbonding",
    ),
    Hole(
        "any manager moves a worker's speed",
        REGISTRY,
        "assert self.measured_by[node] == manager,",
        "assert manager != 0,",
        REGISTRY,
        REGISTERED + "test_attack_a_manager_does_not_move_the_speed_of_a_stranger_s_worker",
    ),
    # -- money
    Hole(
        "a lane charges more than half its bond",
        BATCHES,
        "assert row.open <= row.limit,",
        "assert row.open <= 2 * row.limit,",
        BATCHES,
        BATCHED + "test_open_charges_stay_under_half_the_bond",
    ),
    Hole(
        "credit is what was sent, not what arrived",
        COINS,
        "received: uint256 = staticcall IERC20(coin).balanceOf(self) - before",
        "received: uint256 = amount + 0 * before",
        DOLLAR,
        PAID + "test_coin_with_a_fee_credits_what_arrived",
    ),
    Hole(
        "a root of the request's own second pays",
        DOLLAR,
        "assert staticcall self.accounts.cut_off() > request >> 96 & _TIME,",
        "assert staticcall self.accounts.cut_off() >= request >> 96 & _TIME,",
        DOLLAR,
        PAID + "test_root_must_be_cut_off_after_the_request_to_the_second",
    ),
    Hole(
        "what was burned counts in every epoch",
        EPOCHS,
        "self._burned = staticcall self.fee_burner.burned()\n        burned = self._burned - burned_before",
        "burned = staticcall self.fee_burner.burned() - burned_before",
        EPOCHS,
        CLOSED + "test_what_was_burned_counts_once_however_many_epochs_were_without_work",
    ),
    Hole(
        "the minter has an allowance without end",
        "token/IFX.vy",
        "assert amount <= self.mintable,",
        "assert amount <= self.mintable + 1,",
        "token/IFX.vy",
        TESTS + "token/test_ifx.py::test_minter_mints_its_allowance_and_no_wei_more",
    ),
    Hole(
        "anybody empties the penalty pool",
        "nodes/PenaltyPool.vy",
        "assert msg.sender == self.burn_mint_work,",
        "assert self.burn_mint_work != empty(address),",
        "nodes/PenaltyPool.vy",
        TESTS + "nodes/test_penalty_pool.py::test_nobody_else_releases_it",
    ),
    Hole(
        "delegations are as small as somebody likes",
        "nodes/Delegation.vy",
        "assert amount >= MINIMUM,",
        "assert amount != 0,",
        "nodes/Delegation.vy",
        DELEGATED + "test_dust_delegations_are_refused",
    ),
    Hole(
        "a rate moves by a fifth as often as its setter likes",
        "modules/proceeds.vy",
        "assert block.timestamp >= (word >> 112) + MOVE_BREAK,",
        "assert block.timestamp >= word >> 112,",
        SALE,
        SOLD + "test_the_setter_moves_the_rate_by_a_fifth_an_hour",
    ),
    # -- clocks in a pause
    Hole(
        "a claim to a balance counts a pause as silence",
        BALANCES,
        "governed._passed(newest_at) >= SILENCE",
        "block.timestamp >= newest_at + SILENCE",
        BALANCES,
        CLAIMED + "test_attack_a_pause_is_no_silence",
    ),
    Hole(
        "a request grows older in a pause",
        BALANCES,
        "governed._passed(old_at) >= UNPROPOSED_AFTER",
        "block.timestamp >= old_at + UNPROPOSED_AFTER",
        BALANCES,
        CLAIMED + "test_attack_a_pause_ages_no_request_in_which_charges_are_still_to_come",
    ),
    Hole(
        "a manager's day is over in a pause",
        ESCAPE,
        "governed._passed(sealed_at) >= PATIENCE",
        "block.timestamp >= sealed_at + PATIENCE",
        ESCAPE,
        ESCAPES + "test_attack_a_pause_takes_nothing_of_a_managers_day",
    ),
    Hole(
        "stake answers for what was asked before no longer in a pause",
        "modules/standing.vy",
        "_ANSWERS_FOR: constant(uint256) = 48",
        "_ANSWERS_FOR: constant(uint256) = 41",
        REGISTRY,
        STAKED + "test_attack_a_pause_in_which_nothing_is_proposed_outlasts_no_price_of_before",
    ),
    Hole(
        "a claim falls to a later charge with its bond back",
        BALANCES,
        "        self._claims[account].left = 0\n",
        "        payments._pay((staticcall _IFX_DOLLAR.account(account)).coin,"
        " (staticcall _IFX_DOLLAR.account(account)).owner, claim.bond)\n"
        "        self._claims[account] = empty(IBalanceClaims.Claim)\n",
        BALANCES,
        CLAIMED + "test_attack_a_liars_later_charge_takes_no_claim_out_of_the_way_of_its_proof",
    ),
    Hole(
        "a claim's bond goes by a charge that is not final yet",
        BALANCES,
        "    return False\n",
        "    return True\n",
        BALANCES,
        CLAIMED + "test_attack_a_clients_bond_is_not_taken_by_a_charge_that_never_becomes_final",
    ),
    # -- coins that take more, call back, or refuse somebody
    Hole(
        "the foundation is sent its part of fees beside everybody else's",
        BURNER,
        "foundation_part._keep(coin, rest - managers)",
        "payments._pay(coin, foundation_part.foundation, rest - managers)",
        BURNER,
        BURNED + "test_attack_a_coin_that_refuses_the_foundation_stops_no_burning_and_no_manager",
    ),
    Hole(
        "a coin that takes more on the way out is paid out of others' money",
        PAYMENTS,
        "balanceOf(self) + units >= before",
        "balanceOf(self) + 2 * units >= before",
        BALANCES,
        TESTS + "work/test_claim_coins.py::test_attack_a_coin_that_takes_more_on_the_way_out_eats_no_others_bonds",
    ),
    Hole(
        "a commission is paid out of others' in a coin that takes more",
        PAYMENTS,
        "balanceOf(self) + units >= before",
        "balanceOf(self) + 2 * units >= before",
        SALE,
        SOLD + "test_attack_a_coin_that_takes_more_on_the_way_out_eats_no_other_commission",
    ),
    Hole(
        "one payment is credited twice",
        DOLLAR,
        "@external\n@nonreentrant\ndef top_up(",
        "@external\ndef top_up(",
        DOLLAR,
        PAID + "test_coin_that_calls_back_cannot_have_one_payment_credited_twice",
    ),
    Hole(
        "fees are collected while they are collected",
        BURNER,
        "@external\n@nonreentrant\ndef collect(",
        "@external\ndef collect(",
        BURNER,
        BURNED + "test_coin_that_calls_back_cannot_collect_twice",
    ),
    Hole(
        "a manager is paid while fees are collected",
        BURNER,
        "@external\n@nonreentrant\ndef claim_manager(",
        "@external\ndef claim_manager(",
        BURNER,
        BURNED + "test_coin_that_calls_back_cannot_collect_twice",
    ),
    Hole(
        "a coin buys in a pool while it buys there",
        MARKET,
        "@external\n@nonreentrant\ndef buy(",
        "@external\ndef buy(",
        MARKET,
        TESTS + "issuance/test_pool_market.py::test_a_coin_that_calls_back_buys_once",
    ),
    Hole(
        "a coin buys at the reference market while it buys there",
        REFERENCE,
        "@external\n@nonreentrant\ndef buy(",
        "@external\ndef buy(",
        REFERENCE,
        TESTS + "issuance/test_reference_market.py::test_coin_that_calls_back_cannot_have_one_payment_counted_twice",
    ),
    Hole(
        "licences are bought while one is paid",
        SALE,
        "@external\n@nonreentrant\ndef buy(",
        "@external\ndef buy(",
        SALE,
        SOLD + "test_a_coin_cannot_buy_or_claim_again_while_it_is_paid",
    ),
    Hole(
        "a commission is claimed while a licence is paid",
        "modules/proceeds.vy",
        "@external\n@nonreentrant\ndef claim_commission(",
        "@external\ndef claim_commission(",
        SALE,
        SOLD + "test_a_coin_cannot_buy_or_claim_again_while_it_is_paid",
    ),
    Hole(
        "proceeds are released while a licence is paid",
        "modules/proceeds.vy",
        "@external\n@nonreentrant\ndef release(",
        "@external\ndef release(",
        SALE,
        SOLD + "test_a_coin_cannot_buy_or_claim_again_while_it_is_paid",
    ),
]
