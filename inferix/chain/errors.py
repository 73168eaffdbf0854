# SPDX-License-Identifier: Apache-2.0
"""What a chain or its endpoints refuse.

ChainError
  + ChainUnavailable   (Unavailable)    no endpoint answers within the patience; has retry_after
  + RangeTooLarge      (LimitExceeded)  an endpoint refuses that many blocks or logs at once: ask for fewer
  + BlockUnknown       (NotFound)       the endpoint does not have that block (yet)
  + CallReverted       (Refused)        the contract refuses; ``reason`` is its text
  + RpcError                            an endpoint's answer that is none of these; ``code`` of JSON-RPC
  + Reorganised        (Conflict)       blocks that were read are no longer those of the chain
  + WrongChain         (Misconfigured)  another chain, database or deployment than the settings say
  + LaneBusy           (Unavailable)    too many transactions of this account wait to be mined
  + FeeTooHigh         (Unavailable)    the chain asks more per gas than the settings allow
  + InsufficientFunds  (LimitExceeded)  the account cannot pay for gas: fund it
  + SpendCapReached    (LimitExceeded)  the account has spent what the settings allow a day
  + GivenUp            (Refused)        this action failed on chain too often: a person looks at it
"""

from inferix.errors import Conflict, InferixError, LimitExceeded, Misconfigured, NotFound, Refused, Unavailable


class ChainError(InferixError):
    """Root of what goes wrong with the chain."""


class ChainUnavailable(ChainError, Unavailable):
    """No endpoint answers what is asked, or all of them ask us to wait ``retry_after`` seconds."""


class RangeTooLarge(ChainError, LimitExceeded):
    """An endpoint refuses so many blocks or logs in one request."""


class LaneBusy(ChainError, Unavailable):
    """An account has as many transactions waiting as it may have: decide again when one is mined."""


class FeeTooHigh(ChainError, Unavailable):
    """The chain asks more per gas than the settings allow: wait, or raise the limit."""


class InsufficientFunds(ChainError, LimitExceeded):
    """An account cannot pay for gas."""


class SpendCapReached(ChainError, LimitExceeded):
    """An account has spent what the settings allow it in 24 hours."""


class GivenUp(ChainError, Refused):
    """An action failed on chain as often as it may."""


class BlockUnknown(ChainError, NotFound):
    """The endpoint does not have that block."""


class CallReverted(ChainError, Refused):
    """A contract refuses a call. ``reason``: its text, such as ``batches: too early``; empty when it gave none."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the contract refuses: {reason or 'no reason given'}")
        self.reason = reason


class RpcError(ChainError):
    """An endpoint answers with an error of its own. ``code``: of JSON-RPC."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(f"JSON-RPC error {code}: {message}")
        self.code = code
        self.text = message
        self.data = data


class Reorganised(ChainError, Conflict):
    """Blocks that were read are no longer part of the chain: read again."""


class WrongChain(ChainError, Misconfigured):
    """An endpoint, a database or a deployment belongs to another chain than the settings say."""
