# pragma version 0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Lanes
@notice Anchors and seals by the real module, and any log that a test asks for: what keepers of one lane need of a chain.
"""

from contracts.interfaces import IBatches
from contracts.modules import anchors

initializes: anchors

exports: (anchors.seal, anchors.seed)


event OrdersPosted:
    poster: indexed(address)
    records: Bytes[6750]


@external
def anchor(manager: uint32, root: bytes32, data: bytes32):
    anchors._anchor(manager, anchors._read(manager), root, data)


@external
def post(records: Bytes[6750]):
    log OrdersPosted(poster=msg.sender, records=records)


@external
def emit_log(topics: DynArray[bytes32, 4], data: Bytes[20000]):
    if len(topics) == 1:
        raw_log([topics[0]], data)
    elif len(topics) == 2:
        raw_log([topics[0], topics[1]], data)
    elif len(topics) == 3:
        raw_log([topics[0], topics[1], topics[2]], data)
    else:
        raw_log([topics[0], topics[1], topics[2], topics[3]], data)


@external
@view
def lane(manager: uint32) -> IBatches.Lane:
    word: anchors.Anchors = anchors._read(manager)
    lane: IBatches.Lane = empty(IBatches.Lane)
    lane.anchors = word.anchors
    lane.sealed = word.sealed
    lane.block = convert(word.at, uint40)
    return lane


@external
@view
def called_out(manager: uint32) -> (uint256, uint256):
    """
    @notice Nobody is called out here.
    """
    return 0, 0
