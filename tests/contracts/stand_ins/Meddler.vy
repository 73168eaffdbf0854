# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title Meddler
@notice A call's target that calls others while it is called, and remembers whether they let it.
"""


other: public(address)
call: public(Bytes[4096])
tried: public(bool)
succeeded: public(bool)


@external
def prepare(other: address, call: Bytes[4096]):
    self.other = other
    self.call = call


@external
@payable
def meddle():
    self.tried = True
    self.succeeded = raw_call(self.other, self.call, revert_on_failure=False)


@external
def fail():
    raise "Meddler: no"


@external
@payable
def __default__():
    pass
