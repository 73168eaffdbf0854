# SPDX-License-Identifier: Apache-2.0
"""Who this node is: its id, its keys, and the network that its signatures are for."""

from dataclasses import dataclass

from inferix.keystore import Keys
from inferix.messages import Domain, Message
from inferix.sealing import JobKey, open_key


@dataclass(frozen=True, slots=True)
class Identity:
    """One node of one network; ``repr`` shows no secret."""

    node: int
    domain: Domain
    keys: Keys

    @property
    def address(self) -> str:
        """The operator's checksummed address."""
        return self.keys.address

    def sign(self, message: Message) -> bytes:
        """65 bytes. Messages that bind the node go through `node.signer` instead, which remembers them."""
        return message.sign(self.domain, self.keys.operator)

    def open(self, sealed_key: bytes) -> JobKey:
        """The job key that was sealed to this node. Raises SealError when it was not."""
        return open_key(sealed_key, self.keys.sealing)
