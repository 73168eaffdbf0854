# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title anchors
@license AGPL-3.0-only
@author Inferix
@notice Anchors and seeds, one lane per manager: `seed_k = keccak256(seed_{k-1}, blockhash(block_k + 1), root_k)`,
        seed_0 = the manager's id. The hash is of a block after the anchor's, so the root is fixed before it is known.
        An anchor waits for its seal; the next one seals it, or anybody does, from block_k + 2 on.
@custom:security The last 8,191 block hashes are in reach, 256 where a chain lacks EIP-2935. A seal that comes later
                 re-arms: the anchor's block becomes the present one, and its seed a new draw. Hence anybody may seal, and
                 whoever cares for a seed does.
                 The producer of block_k + 1 picks its hash among all that it can compute by changing what is in the block:
                 as many draws as it likes, for whoever it is in league with.
@custom:kill A manager that is frozen, jailed or banned cannot anchor; what is anchored can always be sealed.
"""

from ..interfaces import IBatches
from . import history


# Seeds that stay readable: 22 days of slots of 30 s. After that a slot is used again, which is what makes an anchor
# cheap; every dispute that needs a seed is over long before.
SEEDS: constant(uint32) = 65_536
# Times of seals in one word
TIMES: constant(uint32) = 6

_LOW_32: constant(uint256) = 2**32 - 1
_LOW_40: constant(uint256) = 2**40 - 1


# One word of a lane: checked_at << 104 | at << 64 | sealed << 32 | anchors
struct Anchors:
    anchors: uint32
    sealed: uint32
    # Block of the newest anchor
    at: uint256
    # When the manager's bond was last looked at [s]
    checked_at: uint256


# manager => word
_words: HashMap[uint32, uint256]
# manager => root of its newest anchor
_roots: HashMap[uint32, bytes32]
# manager => index mod SEEDS => seed
_seeds: HashMap[uint32, HashMap[uint32, bytes32]]
# manager => index mod SEEDS, over TIMES => when these were sealed, 40 bits each [s]
_times: HashMap[uint32, HashMap[uint32, uint256]]


@external
def seal(manager: uint32):
    """
    @notice Seals the waiting anchor of a lane, or re-arms it where its block hash is out of reach. Anybody.
    """
    word: Anchors = self._read(manager)
    assert word.anchors != word.sealed, "anchors: nothing to seal"
    assert block.number > word.at + 1, "anchors: too young to seal"
    block_hash: bytes32 = history._hash(word.at + 1)
    if block_hash == empty(bytes32):
        word.at = block.number
        log IBatches.Rearmed(manager=manager, index=word.anchors, block=convert(block.number, uint40))
    else:
        self._close(manager, word, block_hash)
        word.sealed = word.anchors
    self._write(manager, word)


@external
@view
def seed(manager: uint32, index: uint32) -> bytes32:
    """
    @notice Seed of an anchor; zero when it is not sealed yet or no longer kept (the last 65,536 are).
    """
    sealed: uint32 = self._read(manager).sealed
    if index > sealed or (index != 0 and sealed - index >= SEEDS):
        return empty(bytes32)
    return self._seed(manager, index)


@external
@view
def sealed_at(manager: uint32, index: uint32) -> uint256:
    """
    @notice When an anchor was sealed [s], which tells the roster that its seed draws from; 0 where there is no seed.
    """
    sealed: uint32 = self._read(manager).sealed
    if index == 0 or index > sealed or sealed - index >= SEEDS:
        return 0
    place: uint32 = index % SEEDS
    return self._times[manager][place // TIMES] >> convert(place % TIMES * 40, uint256) & _LOW_40


@external
@view
def is_anchored(manager: uint32, index: uint32, root: bytes32, block_hash: bytes32) -> bool:
    """
    @notice Whether `root` is the root of this sealed anchor: its seed commits to it, so no root is kept.
    @param block_hash Hash of the block after the anchor's, as it went into the seed.
    """
    sealed: uint32 = self._read(manager).sealed
    if index == 0 or index > sealed or sealed - index + 1 >= SEEDS:
        return False
    return self._seed(manager, index) == keccak256(abi_encode(self._seed(manager, index - 1), block_hash, root))


@internal
def _anchor(manager: uint32, word: Anchors, root: bytes32, data: bytes32):
    # Seals the lane's previous anchor first. The caller has checked the manager.
    assert root != empty(bytes32), "anchors: empty root"
    if word.anchors != word.sealed:
        assert block.number > word.at + 1, "anchors: the previous anchor is too young to seal"
        block_hash: bytes32 = history._hash(word.at + 1)
        assert block_hash != empty(bytes32), "anchors: block hash out of reach, seal first"
        self._close(manager, word, block_hash)
    index: uint32 = word.anchors + 1
    self._write(
        manager, Anchors(anchors=index, sealed=word.anchors, at=block.number, checked_at=word.checked_at)
    )
    self._roots[manager] = root
    log IBatches.Anchored(manager=manager, index=index, root=root, data=data)


@internal
def _close(manager: uint32, word: Anchors, block_hash: bytes32):
    index: uint32 = word.anchors
    seed: bytes32 = keccak256(abi_encode(self._seed(manager, index - 1), block_hash, self._roots[manager]))
    place: uint32 = index % SEEDS
    self._seeds[manager][place] = seed
    lane: uint256 = convert(place % TIMES * 40, uint256)
    times: uint256 = self._times[manager][place // TIMES] & ~(_LOW_40 << lane)
    self._times[manager][place // TIMES] = times | block.timestamp << lane
    log IBatches.Sealed(manager=manager, index=index, seed=seed)


@internal
@view
def _seed(manager: uint32, index: uint32) -> bytes32:
    # Callers have checked that it is sealed and kept.
    if index == 0:
        return convert(convert(manager, uint256), bytes32)
    return self._seeds[manager][index % SEEDS]


@internal
@view
def _read(manager: uint32) -> Anchors:
    word: uint256 = self._words[manager]
    return Anchors(
        anchors=convert(word & _LOW_32, uint32),
        sealed=convert(word >> 32 & _LOW_32, uint32),
        at=word >> 64 & _LOW_40,
        checked_at=word >> 104,
    )


@internal
def _write(manager: uint32, word: Anchors):
    self._words[manager] = (
        word.checked_at << 104 | word.at << 64 | convert(word.sealed, uint256) << 32 | convert(word.anchors, uint256)
    )
