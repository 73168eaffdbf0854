# SPDX-License-Identifier: Apache-2.0
"""Gas of a call as if it were a transaction of its own, on titanoboa's py-evm under the rules of Prague.

titanoboa executes calls, not transactions: here each call begins with cold storage and fixed original values, and the
transaction's own price is added: 21,000, the calldata (4 or 16 a byte), the refund up to a fifth (EIP-3529), and at least
the floor of EIP-7623 (10 or 40 a byte).
"""

from typing import Any

import boa

INTRINSIC = 21_000
ZERO, NONZERO = 4, 16
FLOOR_ZERO, FLOOR_NONZERO = 10, 40
REFUND_QUOTIENT = 5


def _price(data: bytes, zero: int, nonzero: int) -> int:
    zeros = data.count(0)
    return zeros * zero + (len(data) - zeros) * nonzero


def transaction_gas(call: Any, *args: Any, sender: Any) -> int:
    """Gas used by one transaction.

    :param call: a bound external function of a boa contract.
    :param sender: who sends it; anything with an address, or an address.
    """
    sender = getattr(sender, "address", sender)
    contract = call.contract
    state = boa.env.evm.vm.state
    state._account_db.lock_changes()
    for warm in (sender, str(contract.address)):
        state.mark_address_warm(bytes.fromhex(warm.removeprefix("0x")))
    with boa.env.prank(sender):
        call(*args)
    computation = contract._computation
    data = call.prepare_calldata(*args)
    used = INTRINSIC + _price(data, ZERO, NONZERO) + computation.get_gas_used()
    used -= min(computation.get_gas_refund(), used // REFUND_QUOTIENT)
    return max(used, INTRINSIC + _price(data, FLOOR_ZERO, FLOOR_NONZERO))
