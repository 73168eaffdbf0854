# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title OddCoin
@notice Test only: a coin with one of the habits that real coins have.
        0 returns true, 1 returns nothing, 2 returns false, 3 keeps a tenth of what is moved, 4 takes a tenth more from the
        sender, 5 makes one call of the test's choice while it moves money. Nothing moves to whom its issuer has blocked. It
        takes licences, so that it can buy one.
"""


decimals: public(uint8)
habit: uint256
target: address
call: Bytes[1024]
blocked: address
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])


@deploy
def __init__(decimals_: uint8, habit_: uint256):
    self.decimals = decimals_
    self.habit = habit_


@external
def set_habit(habit: uint256):
    self.habit = habit


@external
def set_blocked(who: address):
    self.blocked = who


@external
def set_call(target: address, call: Bytes[1024]):
    self.habit = 5
    self.target = target
    self.allowance[self][target] = max_value(uint256)
    self.call = call


@external
def mint(to: address, amount: uint256):
    self.balanceOf[to] += amount


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    return True


@external
@raw_return
def transfer(to: address, amount: uint256) -> Bytes[32]:
    return self._move(msg.sender, to, amount)


@external
@raw_return
def transferFrom(owner: address, to: address, amount: uint256) -> Bytes[32]:
    self.allowance[owner][msg.sender] -= amount
    return self._move(owner, to, amount)


@external
@view
def onERC721Received(operator: address, owner: address, licence: uint256, data: Bytes[1024]) -> bytes4:
    return method_id("onERC721Received(address,address,uint256,bytes)", output_type=bytes4)


@internal
def _move(owner: address, to: address, amount: uint256) -> Bytes[32]:
    assert to != self.blocked, "blocked"
    if self.habit == 2:
        return abi_encode(False)
    self.balanceOf[owner] -= amount
    if self.habit == 3:
        self.balanceOf[to] += amount - amount // 10
    else:
        self.balanceOf[to] += amount
    if self.habit == 4:
        self.balanceOf[owner] -= amount // 10
    if self.habit == 5:
        self.habit = 0
        raw_call(self.target, self.call)
    if self.habit == 1:
        return b""
    return abi_encode(True)
