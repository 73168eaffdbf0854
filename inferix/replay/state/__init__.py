# SPDX-License-Identifier: Apache-2.0
"""The state that the reducer keeps: one dataclass a noun of docs/protocol.md, section 2."""

from inferix.replay.state.courts import (
    AnyDispute,
    Case,
    Contradiction,
    Dispute,
    Hearing,
    Objection,
    RootDispute,
    RootName,
)
from inferix.replay.state.jobs import Attempt, AttemptStatus, Job, JobStatus, TakeOver, TaskState
from inferix.replay.state.lanes import Anchor, Batch, Lane, Refused
from inferix.replay.state.money import Account, AccountsRoot, BalanceClaim, Epoch, Fine, Presence, Record
from inferix.replay.state.nodes import Exit, FinalRoster, Node, Seat, Terms

__all__ = [
    "Account",
    "AccountsRoot",
    "Anchor",
    "AnyDispute",
    "Attempt",
    "AttemptStatus",
    "BalanceClaim",
    "Batch",
    "Case",
    "Contradiction",
    "Dispute",
    "Epoch",
    "Exit",
    "FinalRoster",
    "Fine",
    "Hearing",
    "Job",
    "JobStatus",
    "Lane",
    "Node",
    "Objection",
    "Presence",
    "Record",
    "Refused",
    "RootDispute",
    "RootName",
    "Seat",
    "TakeOver",
    "TaskState",
    "Terms",
]
