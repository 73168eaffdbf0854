# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
# pragma nonreentrancy on
"""
@title Escape
@license AGPL-3.0-only
@author Inferix
@notice The way out for work that was checked in the lane of a manager that fell silent before it proposed a batch. A day
        after the receipt's anchor was sealed the worker (of a rejection, anybody) proposes a batch of that one leaf and
        shows at once what it rests on: the worker's acceptance, and all that an answer to a dispute shows (Committees). It
        waits the same window as any batch and falls by the same disputes, but stands alone: in no lane's order, on a bond
        of its proposer instead of a manager's.
@custom:security What votes do not say (how much work it was, a charge under the order's price) is no more decided here than for a manager's batch: who would lose by too small a charge proposes it. The lane's own batch goes before (`prove_duplicate`).
@custom:kill None: it goes on while the protocol is paused; the day, the window and the 72 hours, on the protocol's clock, do not.
"""

from ..interfaces import IBatches
from ..interfaces import ICommittees
from ..interfaces import IEscape
from ..interfaces import IIFX
from ..interfaces import IIfxDollar
from ..interfaces import INodeRegistry
from ..modules import bonds
from ..modules import eip712
from ..modules import governed
from ..modules import lease
from ..modules import leaves

implements: IEscape
initializes: governed
initializes: eip712
initializes: bonds[governed := governed]


exports: governed.parameters


interface Courts:
    def disputes() -> address: view


# How long a manager has to propose what its lane's seeds decided, on the protocol's clock [s]: in a pause no lane proposes
PATIENCE: public(constant(uint256)) = 86_400
# After an order's deadline, on the protocol's clock: later its reserve is free, and a charge would be other clients' [s]
UNPROPOSED_AFTER: public(constant(uint256)) = 72 * 3_600
# How often the same leaf may fall and be proposed again
MAX_TRIES: constant(uint256) = 16

ACCEPTANCE_TYPEHASH: constant(bytes32) = keccak256("Acceptance(bytes32 task,uint8 attempt,uint32 node,uint16 draw)")

REJECTED: constant(uint8) = 2
FINAL: constant(uint8) = 2
CANCELLED: constant(uint8) = 3
BPS: constant(uint256) = 10_000
# Bonds are stored in gwei
UNIT: constant(uint256) = 10**9


_REGISTRY: immutable(INodeRegistry)
_IFX: immutable(IIFX)
_IFX_DOLLAR: immutable(IIfxDollar)
_BATCHES: immutable(IBatches)
_COMMITTEES: immutable(ICommittees)


# commitment => bond in gwei << 160 | proposer; nothing once it is paid
_words: HashMap[bytes32, uint256]


@deploy
def __init__(
    parameters: address,
    registry: address,
    staking: address,
    ifx: address,
    ifx_dollar: address,
    batches: address,
    committees: address,
):
    """
    @notice Needs no wiring.
    """
    governed.__init__(parameters)
    eip712.__init__(registry)
    bonds.__init__(registry, staking, ifx)
    assert empty(address) not in [ifx_dollar, batches, committees], "Escape: empty address"
    _REGISTRY = INodeRegistry(registry)
    _IFX = IIFX(ifx)
    _IFX_DOLLAR = IIfxDollar(ifx_dollar)
    _BATCHES = IBatches(batches)
    _COMMITTEES = ICommittees(committees)


@external
def propose(
    manager: uint32,
    coin: uint8,
    leaf: IBatches.BatchLeaf,
    draw: uint16,
    acceptance: Bytes[65],
    votes: ICommittees.Votes,
) -> bytes32:
    """
    @notice Proposes a batch of one leaf and takes its bond, by allowance. Anybody.
    @param manager In whose lane the receipt was anchored.
    @param coin Index of the account's coin.
    @param draw Of the worker's acceptance.
    @param acceptance Its signature.
    @return The batch's commitment.
    """
    self._check_caller(manager, leaf)
    self._check_acceptance(leaf, draw, acceptance)
    assert leaf.outcome != lease.LEASED, "Escape: a lease"
    assert staticcall _COMMITTEES.check_votes(manager, leaf, abi_encode(votes)) != 0, "Escape: no votes"
    self._check_payable(coin, leaf.account, votes.order)
    header: IBatches.BatchHeader = self._header(manager, coin, leaf)
    commitment: bytes32 = keccak256(abi_encode(header))
    for i: uint256 in range(MAX_TRIES):
        # A commitment never comes back: what fell is proposed again as the follower of what fell.
        status: uint8 = (staticcall _BATCHES.batch(commitment)).status
        if status == 0:
            break
        assert status == CANCELLED, "Escape: proposed before"
        header.previous = commitment
        commitment = keccak256(abi_encode(header))
    units: uint256 = (self._bond(leaf.charge) + UNIT - 1) // UNIT
    assert units < 1 << 96, "Escape: bond too large"
    self._words[commitment] = units << 160 | convert(msg.sender, uint256)
    extcall _BATCHES.propose_alone(header)
    bonds._take(0, units * UNIT)
    log IEscape.Escaped(commitment=commitment, proposer=msg.sender, bond=units * UNIT, leaf=leaf)
    return commitment


@external
def close(commitment: bytes32, winner: address) -> bool:
    """
    @notice Ends the bond of a batch that fell. Disputes.
    @param winner Who showed the lie, and gets half; nobody: the batch gave way to its lane's, and all goes back.
    @return Whether there was a bond.
    """
    assert msg.sender == staticcall Courts(_BATCHES.address).disputes(), "Escape: not Disputes"
    word: uint256 = self._words[commitment]
    if word == 0:
        return False
    proposer: address = self._end(commitment, word)
    if winner == empty(address):
        bonds._give_back(proposer, 0, (word >> 160) * UNIT)
    else:
        bonds._forfeit(0, (word >> 160) * UNIT, winner)
    log IEscape.EscapeClosed(
        commitment=commitment, proposer=proposer, winner=proposer if winner == empty(address) else winner
    )
    return True


@external
def release(commitment: bytes32):
    """
    @notice Pays the bond of a final batch back to its proposer; where a panel voided the leaf, or a court that names no
            winner cancelled the batch, it is burned. Anybody.
    """
    word: uint256 = self._words[commitment]
    assert word != 0, "Escape: no bond"
    status: uint8 = (staticcall _BATCHES.batch(commitment)).status
    assert status in [FINAL, CANCELLED], "Escape: not final"
    proposer: address = self._end(commitment, word)
    winner: address = proposer
    if status == CANCELLED or staticcall _BATCHES.is_void(commitment, 0):
        winner = empty(address)
        extcall _IFX.burn((word >> 160) * UNIT)
    else:
        bonds._give_back(proposer, 0, (word >> 160) * UNIT)
    log IEscape.EscapeClosed(commitment=commitment, proposer=proposer, winner=winner)


@external
@view
def proposer(commitment: bytes32) -> address:
    """
    @notice Whose bond stands behind a batch; nobody's where there is none, or no more.
    """
    return self._proposer(self._words[commitment])


@external
@view
def bond(charge: uint64) -> uint256:
    """
    @notice What a leaf of this charge [nano-USD] needs now [wei].
    """
    return self._bond(charge)


@external
@view
def bond_of(commitment: bytes32) -> uint256:
    """
    @notice What stands behind a batch [wei].
    """
    return (self._words[commitment] >> 160) * UNIT


@internal
@view
def _check_caller(manager: uint32, leaf: IBatches.BatchLeaf):
    # The manager had its time; who is paid says for what, and everybody that work was rejected.
    sealed_at: uint256 = staticcall _BATCHES.sealed_at(manager, leaf.anchor)
    assert sealed_at != 0, "Escape: no seed"
    assert governed._passed(sealed_at) >= PATIENCE, "Escape: its manager may still propose it"
    if leaf.outcome != REJECTED and msg.sender != staticcall _REGISTRY.owner_of(leaf.node):
        assert msg.sender == staticcall _REGISTRY.operator_of(leaf.node), "Escape: not the worker"


@internal
@view
def _check_acceptance(leaf: IBatches.BatchLeaf, draw: uint16, signature: Bytes[65]):
    # The worker took the attempt. An address is its node's for ever: a key that was replaced since still counts.
    struct_hash: bytes32 = keccak256(abi_encode(ACCEPTANCE_TYPEHASH, leaf.task, leaf.attempt, leaf.node, draw))
    signer: address = eip712._recover(struct_hash, signature)
    assert (
        leaf.node != 0 and staticcall _REGISTRY.node_of_operator(signer) == leaf.node
    ), "Escape: not signed by the worker"


@internal
@view
def _check_payable(coin: uint8, account: uint32, order: Bytes[135]):
    # In the account's coin, and out of what is reserved for this order. Committees has checked the record. Nothing here is
    # a lease: marked as one, a charge would never be burned.
    assert coin < lease.MARK, "Escape: marked as leases"
    paid_in: address = (staticcall _IFX_DOLLAR.account(account)).coin
    assert staticcall _IFX_DOLLAR.coin_at(coin) == paid_in, "Escape: not the account's coin"
    deadline: uint256 = convert(slice(order, 61, 5), uint256)
    # The protocol's clock is asked only of what is late by the block's, which is never behind it.
    assert (
        block.timestamp < deadline + UNPROPOSED_AFTER or governed._passed(deadline) < UNPROPOSED_AFTER
    ), "Escape: too long after the deadline"


@internal
@pure
def _header(manager: uint32, coin: uint8, leaf: IBatches.BatchLeaf) -> IBatches.BatchHeader:
    record: uint256 = (
        convert(leaf.node, uint256) << 64
        | convert(leaf.charge, uint256) << 24
        | convert(leaf.outcome, uint256) << 16
        | convert(leaf.task, uint256) & 65535
    )
    return IBatches.BatchHeader(
        manager=manager,
        sequence=0,
        coin=coin,
        count=1,
        charge=convert(leaf.charge, uint96),
        work=convert(leaf.work, uint96),
        root=leaves._batch(leaf).hash,
        # The leaf itself is in the log: there is nothing to serve.
        data=empty(bytes32),
        records=keccak256(slice(convert(record, bytes32), 20, 12)),
        previous=empty(bytes32),
    )


@internal
@view
def _bond(charge: uint64) -> uint256:
    # Twice what it may cost others, the charge and the IFX minted for it, and a dispute's bond.
    multiple: uint256 = governed._parameter(keccak256("mint_multiple_bps"))
    cost: uint256 = convert(charge, uint256) * (BPS + multiple) // BPS
    return bonds._in_ifx(2 * cost + governed._parameter(keccak256("dispute_bond")))


@internal
def _end(commitment: bytes32, word: uint256) -> address:
    self._words[commitment] = 0
    return self._proposer(word)


@internal
@pure
def _proposer(word: uint256) -> address:
    return convert(convert(word & (2**160 - 1), uint160), address)
