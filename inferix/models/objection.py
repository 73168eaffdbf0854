# SPDX-License-Identifier: Apache-2.0
"""Documents about objections: what a challenger says, and what a panel's member found."""

from typing import Annotated

from pydantic import Field

from inferix.models.anchor import AccountLeaf, NodeLeaf, RosterLeaf
from inferix.models.document import Bytes32, Document, Value
from inferix.models.job import U32
from inferix.models.result import Measurement
from inferix.models.roles import RootKind

MAX_SAYS = 500


class LeafClaim(Document):
    """Which leaf the chain gives at a place of a root: the reason of an objection, and what a panel's vote rests on.

    ``of``, ``index``, ``root``: as RootName has them; ``right``: None where there should be no leaf. Whoever comes to
    the same leaf names the same document.
    """

    kind: RootKind
    of: U32
    index: U32
    root: Bytes32
    place: U32
    right: RosterLeaf | AccountLeaf | NodeLeaf | None


class OutcomesClaim(Document):
    """Why the outcomes at these places of a batch are not what the rules give, in words."""

    batch: Bytes32
    places: list[U32]
    says: Annotated[str, Field(max_length=MAX_SAYS)]


class VoteClaim(Document):
    """Why the tiles of a vote, named by its digest, say otherwise when they are rendered again, in words."""

    vote: Bytes32
    says: Annotated[str, Field(max_length=MAX_SAYS)]


class Checked(Value):
    """One outcome checked again. ``measurement``: None where the rules alone decide it."""

    place: U32
    is_false: bool
    says: Annotated[str, Field(max_length=MAX_SAYS)]
    measurement: Measurement | None


class OutcomesFinding(Document):
    """What a panel's member found of the outcomes that an objection names, and the seed drew."""

    objection: Bytes32
    checked: list[Checked]
