# SPDX-License-Identifier: Apache-2.0
"""The protocol's enumerations; the numbers are those on chain."""

from enum import IntEnum, StrEnum


class Role(IntEnum):
    """What a node does; also the role of a draw (PANEL draws verifiers)."""

    WORKER = 1
    VERIFIER = 2
    MANAGER = 3


class Draw(IntEnum):
    """What a draw is for."""

    WORKER = 1
    VERIFIER = 2
    PANEL = 3


class NodeStatus(IntEnum):
    """Standing of a node in the registry."""

    ACTIVE = 1
    FROZEN = 2
    JAILED = 3
    BANNED = 4
    RETIRED = 5


class Outcome(IntEnum):
    """How an attempt ended; UNSERVED only in a vote: the drawn verifier got no data or no key; LEASED only of a lease,
    which nobody votes about."""

    ACCEPTED = 1
    REJECTED = 2
    LATE = 3
    CLIENT_FAULT = 4
    VOID = 5
    UNSERVED = 6
    LEASED = 7


class TaskKind(StrEnum):
    """What a task of a rendering job does; the one task of a lease."""

    RENDER = "render"
    ASSEMBLE = "assemble"
    LEASE = "lease"


class CaseStatus(IntEnum):
    """States of a slashing case."""

    FROZEN = 1
    SLASHABLE = 2
    APPEALED = 3
    SLASHED = 4
    CLEARED = 5


class ClearedBy(IntEnum):
    """Why a slashing case ended without a slash, as Panels says it."""

    BATCH_CANCELLED = 1
    REJECTED_AGAIN = 2
    NOT_REDONE = 3
    PANEL_REVERSED = 4
    UNDECIDED = 5
    LEAF_VOID = 6


class BatchStatus(IntEnum):
    """States of a batch."""

    PROPOSED = 1
    FINAL = 2
    CANCELLED = 3


class DisputeKind(IntEnum):
    """What a dispute asks for."""

    VOTES = 1
    DATA = 2


class RootKind(IntEnum):
    """What a dispute about data names: an anchor, a roster, or one of the two trees of an accounts root."""

    ANCHOR = 1
    ROSTER = 2
    ACCOUNTS = 3
    NODES = 4


class DisputeStatus(IntEnum):
    """States of a dispute; DROPPED: its batch fell for another reason."""

    OPEN = 1
    ANSWERED = 2
    UPHELD = 3
    DROPPED = 4


class ObjectionKind(IntEnum):
    """What an objection names: outcomes of a batch, or a leaf of a root of this RootKind."""

    OUTCOMES = 1
    ROSTER = 2
    ACCOUNT = 3
    NODE = 4


class ObjectionStatus(IntEnum):
    """States of an objection, and of a contradiction. UNDECIDED: half the bond is burned, and what an objection names
    falls, while a verifier keeps all; DROPPED: what an objection names fell otherwise."""

    OPEN = 1
    UPHELD = 2
    REJECTED = 3
    UNDECIDED = 4
    DROPPED = 5


class Lie(IntEnum):
    """What a proof shows of a batch at once."""

    WRONG_SUM = 3
    DUPLICATE = 4
    RECORD = 5
    ORDER = 6
    ANCHOR = 7


class RosterKind(IntEnum):
    """The two lists that draws are made from."""

    WORKERS = 1
    VERIFIERS = 2
