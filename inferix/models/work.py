# SPDX-License-Identifier: Apache-2.0
"""What ``GET /node/work`` tells a node it may do now. Every item has a deadline on the block clock."""

from typing import Annotated, Literal

from pydantic import Field

from inferix.models.document import Bytes32, HexBytes, Value
from inferix.models.job import U32, U40, Task
from inferix.models.roles import Outcome

# As wide as the fields of the messages that are signed about them: a node is told nothing that it could not sign.
_U8 = Annotated[int, Field(ge=0, lt=2**8)]
_U16 = Annotated[int, Field(ge=0, lt=2**16)]


class TaskWork(Value):
    """Base of the items about one attempt. ``spec``: digest of the JobSpec; ``sealed_key``: the job key for it;
    ``machine``: by what its worker has to make the result (`inferix.machines`), as the roster says that it was drawn
    from; empty where that says nothing."""

    task: Task
    attempt: _U8
    spec: Bytes32
    deadline: U40
    sealed_key: HexBytes
    machine: str = ""


class Offer(TaskWork):
    """This node holds an open draw: fetch and decrypt the input, then sign an Acceptance or stay silent."""

    kind: Literal["offer"] = "offer"
    draw: _U16


class Run(TaskWork):
    """This node's acceptance is anchored: do the task and sign a Receipt before the deadline.

    ``results``: digests of the accepted results that an assemble task needs, in the order of the tasks; ``opening``:
    sealed, whether a bad result is wanted, as ``inferix.canaries`` has it, or empty.
    """

    kind: Literal["run"] = "run"
    results: list[Bytes32] = []
    opening: HexBytes = b""


class Named(Value):
    """A vote of this attempt that rejects: its tiles are looked at too. ``seed``: what they were drawn from, for
    ``verifier``; ``measured``: digest of its measurement, which says which of them differ."""

    verifier: U32
    measured: Bytes32
    seed: Bytes32


class Verify(TaskWork):
    """This node sits in the committee: check ``result`` of ``worker`` and sign a VoteCommitment.

    ``seed``: the sealed seed that draws this verifier's tiles; ``results`` as in Run; ``named``: of a second draw, the
    rejections of the first.
    """

    kind: Literal["verify"] = "verify"
    worker: U32
    result: Bytes32
    seed: Bytes32
    results: list[Bytes32] = []
    named: list[Named] = []


class Reveal(Value):
    """All commitments are in, or the time for them is over: show the Vote with its salt."""

    kind: Literal["reveal"] = "reveal"
    task: Bytes32
    attempt: _U8
    deadline: U40


class Open(Value):
    """The votes have decided on this node's result: show the CanaryOpening, which its manager has not."""

    kind: Literal["open"] = "open"
    task: Bytes32
    attempt: _U8
    deadline: U40


class PanelDuty(TaskWork):
    """This node sits in the panel of a case: check the attempt again on tiles of the panel's seed, and on those that
    the committee's rejections name; sign a PanelVote."""

    kind: Literal["panel"] = "panel"
    case: Bytes32
    worker: U32
    result: Bytes32
    seed: Bytes32
    outcome: Outcome
    results: list[Bytes32] = []
    named: list[Named] = []


class ObjectionDuty(Value):
    """This node sits in the panel of an objection: judge by the own replay of the chain, sign a PanelVote.

    ``sealed_key``: of the first named outcome's job; empty where none is needed.
    """

    kind: Literal["objection"] = "objection"
    objection: Bytes32
    deadline: U40
    sealed_key: HexBytes


class BenchmarkDuty(Value):
    """A keeper's challenge: render the sample scene with this seed, sign a Benchmark; timed by the keeper."""

    kind: Literal["benchmark"] = "benchmark"
    challenge: Bytes32
    scene: str
    seed: int
    deadline: U40


class ProbeDuty(Value):
    """A sealed seed to answer: sign a Probe."""

    kind: Literal["probe"] = "probe"
    manager: U32
    anchor: U32
    seed: Bytes32
    deadline: U40


Work = Offer | Run | Verify | Reveal | Open | PanelDuty | ObjectionDuty | BenchmarkDuty | ProbeDuty
