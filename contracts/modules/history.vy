# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title history
@license AGPL-3.0-only
@author Inferix
@notice Hashes of blocks that a seed was promised to be made of. The chain itself tells the last 256; where it has the history
        contract of EIP-2935, that one tells the last 8,191, a day's on Ethereum. All seeds are made here: for a chain with a better
        beacon this module alone is another, whose value for a block nobody knows before the block after it.
@custom:kill Stateless.
"""


# @dev Where EIP-2935 puts it on every chain
HISTORY: constant(address) = 0x0000F90827F1C53a10cb7A02335B175320002935
# @dev Blocks that the chain itself looks back
NEAR: constant(uint256) = 256


@internal
@view
def _hash(number: uint256) -> bytes32:
    """
    @dev Hash of an earlier block; zero where nobody can tell it any more.
    """
    if block.number <= number + NEAR:
        return blockhash(number)
    # A chain without it answers nothing, as it does itself about what it does not reach; of before its time it has a zero.
    answer: Bytes[32] = raw_call(
        HISTORY, abi_encode(number), max_outsize=32, is_static_call=True, revert_on_failure=False
    )[1]
    return convert(answer, bytes32)
