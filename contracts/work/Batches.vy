# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title Batches
@license AGPL-3.0-only
@author Inferix
@notice Outcomes of tasks, a root at a time. Each manager has a lane of anchors (modules/anchors.vy) and a lane of batches,
        in which each batch names the one before it. A batch is proposed, waits a window in which Disputes can cancel it
        and Objections void single leaves, and becomes final in its lane's order; only then do its charges and work count,
        in the epoch in which `finalize` is mined. What the open batches of a lane charge stays under half its bond.
        A batch of one leaf that Escape proposes stands alone: in no lane's order, on a bond of its own.
        A batch of leases says so by its coin, marked, and has no work: its charges are counted apart.
@custom:security A batch is known by its commitment for ever: a cancelled one never comes back, and an old final one can
                 still be shown beside a new one that repeats its task.
@custom:kill Guardian: `Parameters.pause` stops `propose` and, as the protocol's clock stands still, every window. Anchors,
             seals, disputes and what is due go on.
"""

from ..interfaces import IBatches
from ..interfaces import IMarket
from ..interfaces import IMerkleSum
from ..interfaces import IStaking
from ..modules import anchors
from ..modules import governed
from ..modules import lanes
from ..modules import lease
from ..modules import leaves
from ..modules import managers
from ..modules import merkle_sum
from ..modules import totals

implements: IBatches
initializes: governed
initializes: managers
initializes: anchors
initializes: lanes
initializes: totals[governed := governed]


exports: (
    governed.parameters,
    governed.wired,
    anchors.seal,
    anchors.seed,
    anchors.sealed_at,
    anchors.is_anchored,
    totals.genesis,
    totals.epoch_length,
    totals.final_charge,
    totals.final_charge_of,
    totals.epoch_totals,
)


interface MarketOwner:
    def market() -> address: view


MAX_LEAVES: public(constant(uint32)) = 1_000
RECORD_BYTES: constant(uint256) = 12
# How long a look at a manager's bond is good for [s]. Its status is looked at every time; stake on its way out
# stays slashable for longer than any window, and a price moves at most 20 % an epoch.
BOND_TERM: public(constant(uint256)) = 3_600



_STAKING: immutable(IStaking)


disputes: public(address)
objections: public(address)
escape: public(address)

# commitment => charge << 128 | work that was voided
_voided: HashMap[bytes32, uint256]
# commitment => index // 256 => bitmap of void leaves
_voids: HashMap[bytes32, HashMap[uint256, uint256]]


@deploy
def __init__(parameters: address, registry: address, staking: address, genesis_: uint256):
    """
    @notice Starts epoch 0.
    @param genesis_ A multiple of the epoch's length within one length before now [s].
    """
    governed.__init__(parameters)
    managers.__init__(registry, staking)
    _STAKING = IStaking(staking)
    totals.__init__(genesis_)


@external
def wire(disputes: address, objections: address, escape: address):
    """
    @notice Names the courts and who proposes without a manager. The deployer, once.
    """
    governed._wire_once()
    assert empty(address) not in [disputes, objections, escape], "Batches: empty address"
    self.disputes = disputes
    self.objections = objections
    self.escape = escape


@external
def anchor(manager: uint32, root: bytes32, data: bytes32):
    """
    @notice Anchors a root over new messages, and seals the anchor before it. The manager's operator.
    @param data Digest of the document that holds the messages.
    """
    managers._check_active(manager)
    word: anchors.Anchors = anchors._read(manager)
    if block.timestamp >= word.checked_at + BOND_TERM:
        managers._check_bonded(manager)
        word.checked_at = block.timestamp
    anchors._anchor(manager, word, root, data)


@external
def propose(header: IBatches.BatchHeader, records: Bytes[12000]):
    """
    @notice Proposes a batch of outcomes at the end of the manager's lane. The manager's operator, not while paused.
    @param records 12 bytes a leaf: node, charge, outcome, tail of the task's id.
    """
    governed._check_running()
    managers._check_active(header.manager)
    assert header.count != 0 and header.count <= MAX_LEAVES, "Batches: count of leaves"
    assert lease._coin(header.coin) != 0, "Batches: no coin"
    assert header.coin < lease.MARK or header.work == 0, "Batches: work among leases"
    assert header.root != empty(bytes32), "Batches: empty root"
    if header.records == empty(bytes32):
        # Then the leaves are in the document alone, as governance allows where bytes are too dear.
        assert len(records) == 0 and governed._parameter(keccak256("root_only")) == 1, "Batches: no records"
    else:
        assert len(records) == RECORD_BYTES * convert(header.count, uint256), "Batches: length of records"
        assert keccak256(records) == header.records, "Batches: records differ from the header"
    commitment: bytes32 = keccak256(abi_encode(header))
    assert lanes._entries[commitment] == 0, "Batches: proposed before"
    row: lanes.Row = lanes._read(header.manager)
    if block.timestamp >= row.checked_at + BOND_TERM:
        row.limit = self._limit(header.manager)
        row.checked_at = block.timestamp
    assert header.sequence == row.batches + 1, "Batches: not the next of its lane"
    assert header.previous == lanes._commitment(header.manager, row.batches), "Batches: wrong previous batch"
    assert row.batches - row.final < lanes.MAX_OPEN, "Batches: too many open batches"
    row.open += convert(header.charge, uint256)
    assert row.open <= row.limit, "Batches: open charges over half the bond"
    if row.batches == row.final:
        extcall _STAKING.hold(header.manager)
    row.batches = header.sequence
    lanes._write(header.manager, row)
    lanes._commitments[header.manager][header.sequence % lanes.RING] = commitment
    lanes._write_entry(
        commitment,
        lanes.Entry(
            manager=header.manager,
            sequence=header.sequence,
            proposed_at=governed._clock(),
            charge=convert(header.charge, uint256),
            disputes=0,
            has_voids=False,
            is_cancelled=False,
            epoch=0,
        ),
    )
    log IBatches.Proposed(commitment=commitment, header=header)


@external
def propose_alone(header: IBatches.BatchHeader):
    """
    @notice Proposes a batch outside the order of the lane whose seeds it rests on. Escape, which has checked its one leaf.
    """
    assert msg.sender == self.escape, "Batches: not Escape"
    commitment: bytes32 = keccak256(abi_encode(header))
    assert lanes._entries[commitment] == 0, "Batches: proposed before"
    lanes._write_entry(
        commitment,
        lanes.Entry(
            manager=header.manager,
            sequence=0,
            proposed_at=governed._clock(),
            charge=convert(header.charge, uint256),
            disputes=0,
            has_voids=False,
            is_cancelled=False,
            epoch=0,
        ),
    )
    log IBatches.Proposed(commitment=commitment, header=header)


@external
def finalize(header: IBatches.BatchHeader):
    """
    @notice Makes the oldest open batch of a lane, or one that stands alone, final when its window is over and no dispute
            on it is open. Anybody.
    """
    commitment: bytes32 = keccak256(abi_encode(header))
    entry: lanes.Entry = lanes._read_entry(commitment)
    assert lanes._status(entry) == lanes.PROPOSED, "Batches: not proposed"
    assert entry.disputes == 0, "Batches: dispute open"
    assert governed._clock() >= self._window_end(entry), "Batches: window not over"
    charge: uint256 = convert(header.charge, uint256)
    work: uint256 = convert(header.work, uint256)
    if header.sequence != 0:
        self._pass(header.manager, header.sequence, charge)
    epoch: uint256 = totals._epoch()
    entry.epoch = epoch + 1
    lanes._write_entry(commitment, entry)
    if entry.has_voids:
        voided: uint256 = self._voided[commitment]
        charge -= merkle_sum._high(voided)
        work -= merkle_sum._low(voided)
    totals._count(header.manager, header.coin, epoch, charge, work)
    log IBatches.BatchFinalized(commitment=commitment, epoch=convert(epoch, uint32))


@external
def cancel(commitment: bytes32):
    """
    @notice Cancels a proposed batch and all later ones of its lane, whose next batch follows the one before it; of one
            that stands alone, nothing else. Disputes.
    """
    assert msg.sender == self.disputes, "Batches: not Disputes"
    first: lanes.Entry = lanes._read_entry(commitment)
    manager: uint32 = first.manager
    assert lanes._status(first) == lanes.PROPOSED, "Batches: not proposed"
    if first.sequence == 0:
        first.is_cancelled = True
        lanes._write_entry(commitment, first)
        log IBatches.BatchCancelled(commitment=commitment)
        return
    row: lanes.Row = lanes._read(manager)
    for i: uint32 in range(row.batches - first.sequence + 1, bound=511):
        cancelled: bytes32 = lanes._commitment(manager, first.sequence + i)
        entry: lanes.Entry = lanes._read_entry(cancelled)
        entry.is_cancelled = True
        lanes._write_entry(cancelled, entry)
        row.open -= entry.charge
        log IBatches.BatchCancelled(commitment=cancelled)
    row.batches = first.sequence - 1
    lanes._write(manager, row)
    if row.final == row.batches:
        extcall _STAKING.release_hold(manager)


@external
def open_dispute(commitment: bytes32):
    """
    @notice Counts a dispute, which holds up the batch; within its window only. Disputes or Objections.
    """
    self._check_court()
    entry: lanes.Entry = lanes._read_entry(commitment)
    assert lanes._status(entry) == lanes.PROPOSED, "Batches: not proposed"
    assert governed._clock() < self._window_end(entry), "Batches: window over"
    self._set_disputes(commitment, entry, entry.disputes + 1)


@external
def close_dispute(commitment: bytes32):
    """
    @notice Takes one dispute off the count, of a cancelled batch too. Disputes or Objections.
    """
    self._check_court()
    entry: lanes.Entry = lanes._read_entry(commitment)
    assert entry.disputes != 0, "Batches: no dispute open"
    self._set_disputes(commitment, entry, entry.disputes - 1)


@external
def void_leaf(header: IBatches.BatchHeader, leaf: IBatches.BatchLeaf, index: uint256, proof: DynArray[bytes32, 64]):
    """
    @notice Takes a leaf's charge and work out of a proposed batch; a final one is closed. Objections.
    """
    assert msg.sender == self.objections, "Batches: not Objections"
    commitment: bytes32 = keccak256(abi_encode(header))
    entry: lanes.Entry = lanes._read_entry(commitment)
    assert lanes._status(entry) == lanes.PROPOSED, "Batches: not proposed"
    assert self._is_in(header, leaf, index, proof), "Batches: no such leaf"
    assert not self._is_void(commitment, index), "Batches: leaf void already"
    self._voids[commitment][index >> 8] |= 1 << (index & 255)
    self._voided[commitment] += merkle_sum._pack(convert(leaf.charge, uint256), convert(leaf.work, uint256))
    entry.has_voids = True
    lanes._write_entry(commitment, entry)
    log IBatches.LeafVoided(
        commitment=commitment, index=index, task=leaf.task, charge=leaf.charge, work=leaf.work
    )


@external
@view
def lane(manager: uint32) -> IBatches.Lane:
    """
    @notice A manager's lane; empty before its first anchor and batch.
    """
    word: anchors.Anchors = anchors._read(manager)
    row: lanes.Row = lanes._read(manager)
    return IBatches.Lane(
        anchors=word.anchors,
        sealed=word.sealed,
        block=convert(word.at, uint40),
        root=anchors._roots[manager],
        seed=anchors._seed(manager, word.sealed),
        batches=row.batches,
        final=row.final,
        open_charge=convert(row.open, uint96),
        previous=lanes._commitment(manager, row.batches),
    )


@external
@view
def batch(commitment: bytes32) -> IBatches.Batch:
    """
    @notice A batch; status 0 when there is none.
    """
    entry: lanes.Entry = lanes._read_entry(commitment)
    voided: uint256 = self._voided[commitment]
    return IBatches.Batch(
        proposed_at=convert(entry.proposed_at, uint40),
        status=lanes._status(entry),
        disputes=convert(entry.disputes, uint16),
        voided_charge=convert(merkle_sum._high(voided), uint96),
        voided_work=convert(merkle_sum._low(voided), uint96),
    )


@external
@view
def final_epoch(commitment: bytes32) -> uint256:
    """
    @notice The epoch in which a batch became final.
    """
    entry: lanes.Entry = lanes._read_entry(commitment)
    assert entry.epoch != 0, "Batches: not final"
    return entry.epoch - 1


@external
@view
def is_void(commitment: bytes32, index: uint256) -> bool:
    """
    @notice Whether a panel voided this leaf.
    """
    return self._is_void(commitment, index)


@external
@view
def verify(
    header: IBatches.BatchHeader, leaf: IBatches.BatchLeaf, index: uint256, proof: DynArray[bytes32, 64]
) -> bool:
    """
    @notice Whether this is a leaf of a batch that was proposed, whatever became of it.
    """
    return lanes._entries[keccak256(abi_encode(header))] != 0 and self._is_in(header, leaf, index, proof)


@internal
def _pass(manager: uint32, sequence: uint32, charge: uint256):
    # A lane's oldest open batch becomes final.
    row: lanes.Row = lanes._read(manager)
    assert sequence == row.final + 1, "Batches: not the oldest open one of its lane"
    row.final = sequence
    row.open -= charge
    lanes._write(manager, row)
    if row.final == row.batches:
        extcall _STAKING.release_hold(manager)


@internal
@view
def _check_court():
    assert msg.sender in [self.disputes, self.objections], "Batches: not Disputes or Objections"


@internal
@view
def _window_end(entry: lanes.Entry) -> uint256:
    return entry.proposed_at + governed._parameter(keccak256("batch_window"))


@internal
def _set_disputes(commitment: bytes32, entry: lanes.Entry, count: uint256):
    changed: lanes.Entry = entry
    changed.disputes = count
    lanes._write_entry(commitment, changed)
    log IBatches.DisputeCounted(commitment=commitment, open=convert(count, uint16))


@internal
@view
def _limit(manager: uint32) -> uint256:
    # What the open batches may charge: half of what is bonded and not frozen, in nano-USD.
    managers._check_bonded(manager)
    price: uint256 = staticcall IMarket(staticcall MarketOwner(_STAKING.address).market()).price()
    stake: uint256 = staticcall _STAKING.bonded(manager) - staticcall _STAKING.frozen(manager)
    return min(stake * price // 10**18 // 2, lanes.MAX_LIMIT)


@internal
@view
def _is_in(
    header: IBatches.BatchHeader, leaf: IBatches.BatchLeaf, index: uint256, proof: DynArray[bytes32, 64]
) -> bool:
    # Of no tree does a leaf beyond the count exist: a batch that hides one cannot answer for its data.
    if index >= convert(header.count, uint256):
        return False
    root: IMerkleSum.SumNode = IMerkleSum.SumNode(
        hash=header.root,
        sum=merkle_sum._pack(convert(header.charge, uint256), convert(header.work, uint256)),
    )
    return merkle_sum._verify(root, leaves._batch(leaf), index, proof)


@internal
@view
def _is_void(commitment: bytes32, index: uint256) -> bool:
    return self._voids[commitment][index >> 8] >> (index & 255) & 1 == 1
