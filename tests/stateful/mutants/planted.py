# SPDX-License-Identifier: Apache-2.0
"""Bugs to plant into a copy of contracts/: the file, the text as it is, the text with the bug."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import Any

import boa

from tests.contracts import system


@dataclass(frozen=True)
class Mutant:
    """``compiled``: the contract that the changed file is a part of."""

    name: str
    file: str
    old: str
    new: str
    compiled: str


def planted(mutant: Mutant, folder: Path) -> Callable[..., Any]:
    """What takes the place of `deployer`, so that a world is deployed with the bug. Raises AssertionError where contracts/
    no longer says what the bug changes, or says it twice."""
    copytree(system.CONTRACTS, folder)
    file = folder / mutant.file
    text = file.read_text()
    assert text.count(mutant.old) == 1, f"{mutant.file} says {text.count(mutant.old)} times: {mutant.old}"
    file.write_text(text.replace(mutant.old, mutant.new))
    healthy = system.deployer

    def deployer(path: str, root: Path = system.CONTRACTS) -> Any:
        return boa.load_partial(str(folder / path)) if path == mutant.compiled else healthy(path, root)

    return deployer


STAKING, DOLLAR, BATCHES = "nodes/Staking.vy", "token/IfxDollar.vy", "work/Batches.vy"
LEASES, STRIKES = "work/Leases.vy", "work/Strikes.vy"
ACCOUNTS, ISSUANCE = "work/Accounts.vy", "issuance/BurnMintWork.vy"
COINS, CLAIMS = "modules/coins.vy", "modules/claims.vy"
ORDERS, DISPUTES, FRAUDS = "work/Orders.vy", "work/Disputes.vy", "modules/fraud_proofs.vy"
COMMITTEES = "work/Committees.vy"
DELEGATION, STAKES = "nodes/Delegation.vy", "modules/stakes.vy"
BALANCES = "token/BalanceClaims.vy"
POOLS, LEAVING = "modules/pools.vy", "modules/leaving.vy"
AVAILABILITY, OBJECTIONS, CONTRADICTIONS = "work/Availability.vy", "work/Objections.vy", "work/Contradictions.vy"
POOLED, BURNER, PENALTIES = "issuance/PoolMarket.vy", "issuance/FeeBurner.vy", "nodes/PenaltyPool.vy"

VESTING, FUND, GOVERNOR, TIMELOCK = (
    "token/Vesting.vy",
    "token/CommunityFund.vy",
    "governance/Governor.vy",
    "governance/Timelock.vy",
)
REGISTRY, LICENCE, PARAMETERS = "nodes/NodeRegistry.vy", "licences/NodeLicence.vy", "governance/Parameters.vy"
SALE, PROCEEDS, BUYBACK = "licences/NodeSale.vy", "modules/proceeds.vy", "licences/Buyback.vy"

MUTANTS = [
    Mutant(
        "a lease is paid to whoever says that it was ordered",
        LEASES,
        'assert staticcall _COMMITTEES.check_lease(item.header.manager, leaf, order), "Leases: no lease"',
        'assert len(order) == 135, "Leases: no lease"',
        LEASES,
    ),
    Mutant("a lease is paid twice", LEASES, "self.is_paid[leaf.task] = True", "pass", LEASES),
    Mutant(
        "leases are paid out of the fees of work",
        BATCHES,
        "totals._count(header.manager, header.coin, epoch, charge, work)",
        "totals._count(header.manager, lease._coin(header.coin), epoch, charge, work)",
        BATCHES,
    ),
    Mutant(
        "a slash spares what is unbonding",
        "modules/stakes.vy",
        "from_exit: uint256 = taken * exit.unbonding // total",
        "from_exit: uint256 = 0 * total",
        STAKING,
    ),
    Mutant(
        "rewards are rounded up",
        CLAIMS,
        "vested = min((grown - leaf.start) // stream.vesting_time, vesting)",
        "vested = min((grown - leaf.start + stream.vesting_time - 1) // stream.vesting_time, vesting)",
        ACCOUNTS,
    ),
    Mutant(
        "a withdrawal does not count against the epoch's allowance",
        COINS,
        "self._books[index].withdrawn = withdrawn + amount",
        "self._books[index].withdrawn = withdrawn",
        DOLLAR,
    ),
    Mutant(
        "a lane may charge more than half its bond",
        BATCHES,
        'assert row.open <= row.limit, "Batches: open charges over half the bond"',
        "row.limit = max(row.limit, row.open)",
        BATCHES,
    ),
    Mutant(
        "a claim is not remembered",
        CLAIMS,
        "self._claimed[leaf.node] = word & _SHARED | claimed + forfeited",
        "self._claimed[leaf.node] = word & _SHARED | claimed + forfeited - due + min(due, 1)",
        ACCOUNTS,
    ),
    Mutant(
        "charges are released twice",
        COINS,
        "self._books[index].released = released + paid",
        "self._books[index].released = released",
        DOLLAR,
    ),
    Mutant(
        "a freeze freezes nothing",
        STAKING,
        "stake.frozen += taken",
        "stake.frozen += taken - taken",
        STAKING,
    ),
    Mutant(
        "a cancelled batch goes on filling its lane",
        BATCHES,
        "row.open -= entry.charge",
        "row.open -= entry.charge - entry.charge",
        BATCHES,
    ),
    Mutant(
        "an epoch is closed twice",
        ISSUANCE,
        "self.closed = index + 1",
        "self.closed = index + (1 if amount == 0 else 0)",
        ISSUANCE,
    ),
    Mutant(
        "a slash spares what delegators have on its way out",
        STAKES,
        "from_leaving: uint256 = taken * leaving // total",
        "from_leaving: uint256 = 0 * total",
        STAKING,
    ),
    Mutant(
        "who joins takes part in the claim at once",
        "modules/pools.vy",
        "if opened.first == 0 or opened.first > root:",
        "if opened.first == 0:",
        DELEGATION,
    ),
    Mutant(
        "undelegated stake goes on voting",
        DELEGATION,
        "self._count_votes(node, msg.sender, position, pool, delegated - amount)",
        "assert amount <= delegated",
        DELEGATION,
    ),
    Mutant(
        "what is requested stays free",
        DOLLAR,
        "self._write_request(account, request >> 136, block.timestamp, requested)",
        "self._write_request(account, request >> 136, block.timestamp, request & _LANE)",
        DOLLAR,
    ),
    Mutant(
        "a claim pays what was withdrawn while it stood",
        BALANCES,
        "min(min(claim.left, held.requested), held.credit - min(claim.used, held.credit))",
        "claim.left",
        BALANCES,
    ),
    Mutant(
        "a claim whose request was taken back is dropped at once",
        BALANCES,
        "assert governed._clock() >= convert(claim.claimed_at, uint256) + WINDOW",
        "assert claim.requested_at != (staticcall _IFX_DOLLAR.account(account)).requested_at"
        " or governed._clock() >= convert(claim.claimed_at, uint256) + WINDOW",
        BALANCES,
    ),
    Mutant(
        "a claim's bond goes back with each payment",
        BALANCES,
        "claim.bond = 0",
        "claim.bond = bond",
        BALANCES,
    ),
    Mutant(
        "a bond about data is given back twice",
        AVAILABILITY,
        "dispute: IDisputes.Dispute = dispute_words._end(id, status)",
        "dispute: IDisputes.Dispute = dispute_words._read(id)",
        AVAILABILITY,
    ),
    Mutant(
        "an anchor that was not served stands",
        AVAILABILITY,
        "self._cancelled[self._root_id(root)] = True",
        "self._cancelled[self._root_id(root)] = False",
        AVAILABILITY,
    ),
    Mutant(
        "nothing is burned where nobody decides",
        OBJECTIONS,
        "bonds._forfeit(objection.node, objection.bond, objection.challenger)",
        "bonds._give_back(objection.challenger, objection.node, objection.bond)",
        OBJECTIONS,
    ),
    Mutant(
        "a void leaf is charged all the same",
        BATCHES,
        "charge -= merkle_sum._high(voided)",
        "charge -= 0 * merkle_sum._high(voided)",
        BATCHES,
    ),
    Mutant(
        "a hold is not lifted",
        CONTRADICTIONS,
        "extcall _STAKING.release_hold(opened.verifier)",
        "assert opened.verifier != 0",
        CONTRADICTIONS,
    ),
    Mutant(
        "a false vote costs a bond alone",
        CONTRADICTIONS,
        "bonds._slash(opened.verifier, opened.share, opened.challenger)",
        "bonds._slash(opened.verifier, 0 * opened.share, opened.challenger)",
        CONTRADICTIONS,
    ),
    Mutant(
        "delegators are paid as if the owner had nothing at work",
        DELEGATION,
        "// ((own + earning) * BPS)",
        "// (earning * BPS)",
        DELEGATION,
    ),
    Mutant(
        "who leaves after a slash bears none of it",
        LEAVING,
        "shares = amount * all // unbonding",
        "shares = amount",
        DELEGATION,
    ),
    Mutant(
        "who joins after a slash pays as before it",
        DELEGATION,
        "shares = amount * pool.shares // delegated",
        "shares = amount",
        DELEGATION,
    ),
    Mutant(
        "who holds up what all are paid puts up no part of it",
        OBJECTIONS,
        "objection.bond = self._accounts_bond()",
        "objection.bond = bonds._amount()",
        OBJECTIONS,
    ),
    Mutant(
        "accounts are overtaken as soon as somebody objects",
        ACCOUNTS,
        "assert governed._clock() >= state.posted_at + term",
        "assert governed._clock() + term >= state.posted_at",
        ACCOUNTS,
    ),
    Mutant(
        "nobody answers for accounts that were overtaken",
        OBJECTIONS,
        "return staticcall _ACCOUNTS.is_undecided(objection.index)",
        "pass",
        OBJECTIONS,
    ),
    Mutant(
        "late accounts need no bond",
        ACCOUNTS,
        "        self._check_stake(node)\n",
        "",
        ACCOUNTS,
    ),
    Mutant(
        "false accounts cost who is no manager a part of a small stake",
        "modules/penalties.vy",
        "role != MANAGER",
        "role > MANAGER",
        OBJECTIONS,
    ),
    Mutant(
        "a case counts thrice",
        STRIKES,
        'assert not self.is_counted[id], "Strikes: counted before"',
        "assert id != empty(bytes32)",
        STRIKES,
    ),
    Mutant(
        "who is struck out keeps what is more than it needs",
        STRIKES,
        "extcall _STAKING.slash(first.node, max_value(uint256), 0)",
        "extcall _STAKING.slash(first.node, staticcall _STAKING.required(first.node), 0)",
        STRIKES,
    ),
    Mutant(
        "a purchase takes more of a pool than its share",
        POOLED,
        'assert spent * BPS <= units * governed._parameter(keccak256("swap_share_bps"))',
        'assert spent * BPS <= units * 10 * governed._parameter(keccak256("swap_share_bps"))',
        POOLED,
    ),
    Mutant(
        "a pool sells however far it was moved",
        POOLED,
        "return min(seen.spot, seen.mean) * BPS // highest",
        "return max(seen.spot, seen.mean) * BPS // highest",
        POOLED,
    ),
    Mutant(
        "a mean is as short as somebody likes",
        POOLED,
        "assert block.timestamp >= newest.time + WINDOW",
        "assert block.timestamp >= newest.time",
        POOLED,
    ),
    Mutant(
        "an epoch's price jumps to its mean",
        POOLED,
        "self.price = max(1, min(max(target, self.price - step), self.price + step))",
        "self.price = max(1, target + 0 * step)",
        POOLED,
    ),
    Mutant(
        "what was spent still waits to be burned",
        BURNER,
        "self.to_burn[coin] = waiting + share - spent",
        "self.to_burn[coin] = waiting + share",
        BURNER,
    ),
    Mutant(
        "a purchase is held to no price",
        BURNER,
        '(BPS - governed._parameter(keccak256("swap_slippage_bps"))) // BPS',
        '(BPS - governed._parameter(keccak256("swap_slippage_bps"))) // (BPS * BPS)',
        BURNER,
    ),
    Mutant(
        "a tenth of the penalties never reaches the verifiers",
        PENALTIES,
        "assert extcall IFX.transfer(self.accounts, amount)",
        "assert extcall IFX.transfer(self.accounts, amount - amount // 10)",
        PENALTIES,
    ),
    Mutant(
        "what vests is rounded up",
        VESTING,
        "(amount - at_once) * passed // max(terms.linear, 1)",
        "((amount - at_once) * passed + terms.linear - 1) // max(terms.linear, 1)",
        VESTING,
    ),
    Mutant(
        "a beneficiary who hands over goes on voting",
        VESTING,
        "extcall IVestingWallet(self._schedules[schedule].wallet).delegate(msg.sender)",
        "assert self._schedules[schedule].wallet != empty(address)",
        VESTING,
    ),
    Mutant("an airdrop pays twice", FUND, "self.is_claimed[airdrop][account] = True", "pass", FUND),
    Mutant(
        "a grant takes what an airdrop promised",
        FUND,
        "balanceOf(self) - self.reserved",
        "balanceOf(self) - 0 * self.reserved",
        FUND,
    ),
    Mutant(
        "votes stay where tokens were taken from",
        "token/IFX.vy",
        "self._after_move(owner, to, amount)",
        "self._move_votes(empty(address), self.delegates[to], amount)",
        "token/IFX.vy",
    ),
    Mutant(
        "what moves after the snapshot votes",
        GOVERNOR,
        "self._votes_of(voter, proposals._records[id].snapshot)",
        "self._votes_of(voter, block.timestamp - 1)",
        GOVERNOR,
    ),
    Mutant(
        "votes against count for the quorum",
        "modules/ballots.vy",
        "sums[1] + sums[2] >= quorum",
        "sums[0] + sums[1] + sums[2] >= quorum",
        GOVERNOR,
    ),
    Mutant(
        "the timelock executes what has expired",
        TIMELOCK,
        'assert self._is_pending(id), "Timelock: expired"',
        'assert id != empty(bytes32), "Timelock: expired"',
        TIMELOCK,
    ),
    Mutant("a price in wrapped native is rounded down", PROCEEDS, "scaled += rate - 1", "scaled += rate - rate", SALE),
    Mutant(
        "a wallet's cap counts purchases, not licences",
        SALE,
        "self._bought[role][msg.sender] = bought + (count << offset)",
        "self._bought[role][msg.sender] = bought + (1 << offset)",
        SALE,
    ),
    Mutant(
        "what the treasury has of the proceeds is forgotten",
        PROCEEDS,
        "self.released[coin] += units",
        "self.released[coin] = units",
        SALE,
    ),
    Mutant(
        "IFX that a licence was paid is paid again",
        BUYBACK,
        "// LINEAR - request.received",
        "// LINEAR - 0 * request.received",
        BUYBACK,
    ),
    Mutant(
        "who was banned is paid for a licence",
        BUYBACK,
        "self._check_not_banned(request.owner, licence if is_first else 0)",
        "self._check_not_banned(self, licence if is_first else 0)",
        BUYBACK,
    ),
    Mutant(
        "a part in wrapped native is paid whatever the price was",
        BUYBACK,
        "min(part, staticcall _SALE.native_for(request.paid * NATIVE_BPS // BPS))",
        "max(part, staticcall _SALE.native_for(request.paid * NATIVE_BPS // BPS))",
        BUYBACK,
    ),
    Mutant(
        "of many claims the first one alone is looked at",
        CLAIMS,
        'assert root.hash == first.hash and root.sum == first.sum, "claims: not in the root"',
        'assert root.hash != empty(bytes32), "claims: not in the root"',
        ACCOUNTS,
    ),
    Mutant(
        "neighbours are paid as often as somebody asks",
        CLAIMS,
        "self._claimed[leaf.node] = word & _SHARED | claimed + forfeited",
        "self._claimed[leaf.node] = word & _SHARED | forfeited",
        ACCOUNTS,
    ),
    Mutant(
        "anybody takes an order back with any signature",
        ORDERS,
        'assert signer == owner, "Orders: not signed by the account\'s owner"',
        'assert signer != self, "Orders: not signed by the account\'s owner"',
        ORDERS,
    ),
    Mutant(
        "a manager that has anchored loses its jobs",
        ORDERS,
        'assert word != 0 and word & _LOW_32 == anchors, "Orders: not called out"',
        'assert word != 0, "Orders: not called out"',
        ORDERS,
    ),
    Mutant(
        "two votes on two results convict",
        FRAUDS,
        'assert vote_a.result == vote_b.result, "Disputes: votes on two results"',
        "pass",
        DISPUTES,
    ),
    Mutant(
        "who tells of a double vote has it all",
        FRAUDS,
        "EQUIVOCATION_REWARD_BPS: constant(uint256) = 1_000",
        "EQUIVOCATION_REWARD_BPS: constant(uint256) = 10_000",
        DISPUTES,
    ),
    Mutant(
        "a node takes a key that another had",
        REGISTRY,
        'assert self._bindings[operator] == 0, "NodeRegistry: operator already used"',
        "pass",
        REGISTRY,
    ),
    Mutant(
        "who asks less answers for less at once",
        REGISTRY,
        "min(before, standing._LOW_64) << 176",
        "0 * before << 176",
        REGISTRY,
    ),
    Mutant(
        "who cannot have worked for a price answers for it",
        STAKING,
        "return stakes._read_stake(node).qualified != stakes.NEVER",
        "return node != 0",
        STAKING,
    ),
    Mutant(
        "who was asked once measures as often as it likes",
        REGISTRY,
        "self.measured_by[node] = 0",
        "pass",
        REGISTRY,
    ),
    Mutant(
        "a dearer worker is not weighed by its price",
        REGISTRY,
        "    # A dearer worker earns more, and needs the stake for it.\n    extcall self.staking.refresh(node)",
        "    pass",
        REGISTRY,
    ),
    Mutant(
        "anybody has a node's secrets sealed to itself",
        REGISTRY,
        "    self._check_holder(node)\n    self._sealing_keys[node] = sealing_key",
        "    self._sealing_keys[node] = sealing_key",
        REGISTRY,
    ),
    Mutant(
        "the foundation is paid its part again and again",
        "modules/foundation_part.vy",
        "self.foundation_due[coin] = 0",
        "pass",
        BURNER,
    ),
    Mutant(
        "a ban reaches who is not banned",
        "modules/standing.vy",
        'assert self.is_banned[self._owners[node]], "NodeRegistry: not banned"',
        "pass",
        REGISTRY,
    ),
    Mutant(
        "who pays for what was not its fault is bound by no cap",
        FRAUDS,
        "fair = fair and leaf.charge <= order.cap",
        "fair = fair and order.cap != 0",
        DISPUTES,
    ),
    Mutant(
        "a leaf is paid in whatever coin",
        FRAUDS,
        "fair = fair and staticcall _IFX_DOLLAR.coin_at(header.coin) == paid_in",
        "fair = fair and paid_in != empty(address)",
        DISPUTES,
    ),
    Mutant(
        "who delivered is convicted by its own receipt",
        COMMITTEES,
        "if anchor >= leaf.anchor:",
        "if anchor > leaf.anchor:",
        COMMITTEES,
    ),
    Mutant(
        "a manager that keeps an opening back has lied about the rejection",
        "modules/evidence.vy",
        "if canary == empty(bytes32) or leaf.outcome == REJECTED:",
        "if canary == empty(bytes32):",
        COMMITTEES,
    ),
    Mutant(
        "a permit has to be of who gets the credit, not of who pays",
        DOLLAR,
        "msg.sender, self, amount, deadline, v, r, s,",
        "owner, self, amount, deadline, v, r, s,",
        DOLLAR,
    ),
    Mutant(
        "who may take all of somebody's licences may for ever",
        "modules/holdings.vy",
        "self.isApprovedForAll[msg.sender][operator] = approved",
        "self.isApprovedForAll[msg.sender][operator] = True",
        LICENCE,
    ),
    Mutant(
        "a licence is handed to whatever contract",
        LICENCE,
        "holdings._notify(msg.sender, owner, to, token_id, data)",
        "pass",
        LICENCE,
    ),
    Mutant(
        "anybody names the guardian",
        PARAMETERS,
        "    self._check_governor()\n    self.guardian = guardian_",
        "    self.guardian = guardian_",
        PARAMETERS,
    ),
    Mutant(
        "who schedules may cancel, and who cancels may not",
        TIMELOCK,
        "access_control._check_role(timelock_controller.CANCELLER_ROLE, msg.sender)",
        "access_control._check_role(timelock_controller.PROPOSER_ROLE, msg.sender)",
        TIMELOCK,
    ),
]
