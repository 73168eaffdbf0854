# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title Receiver
@notice Test only: a contract that takes licences, refuses them, or makes one call of the test's choice while it gets one.
"""


received: public(uint256)
last: public(uint256)
refuses: bool
target: address
call: Bytes[1024]


@external
def refuse():
    self.refuses = True


@external
def set_call(target: address, call: Bytes[1024]):
    self.target = target
    self.call = call


@external
@payable
def act(target: address, call: Bytes[1024]) -> Bytes[32]:
    return raw_call(target, call, max_outsize=32)


@external
def onERC721Received(operator: address, owner: address, licence: uint256, data: Bytes[1024]) -> bytes4:
    self.received += 1
    self.last = licence
    if self.target != empty(address):
        target: address = self.target
        self.target = empty(address)
        raw_call(target, self.call)
    if self.refuses:
        return empty(bytes4)
    return method_id("onERC721Received(address,address,uint256,bytes)", output_type=bytes4)
