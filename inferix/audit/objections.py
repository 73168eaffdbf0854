# SPDX-License-Identifier: Apache-2.0
"""Objections: what the rules alone show to be right or wrong, no panel may decide otherwise."""

from inferix.audit.report import Report
from inferix.errors import InferixError
from inferix.models.event import ChainEvent
from inferix.models.roles import ObjectionKind, ObjectionStatus
from inferix.replay import Network
from inferix.replay.leaves import is_managers, why_false
from inferix.replay.roots import wrong_leaves
from inferix.replay.state import Batch, Objection


class Objections:
    """Takes the events of objections in order, after the network has."""

    def __init__(self, network: Network, report: Report) -> None:
        self._network = network
        self._report = report
        self._is_right: dict[bytes, bool] = {}  # by their id, where the rules alone tell

    def after_LeafObjected(self, event: ChainEvent) -> None:
        objection = self._network.objections[event.args["id"]]
        try:
            wrong = wrong_leaves(self._network, objection.root)
        except InferixError:
            return  # named with the root itself
        self._is_right[objection.id] = any(row.place in objection.places for row in wrong)

    def after_OutcomesObjected(self, event: ChainEvent) -> None:
        """Pixels are for panels; what the rules alone show to be false, no panel may let stand. Nor may one punish a
        manager where all that it alone wrote is right."""
        objection = self._network.objections[event.args["id"]]
        batch = self._network.batches[objection.subject]
        if not objection.places or not batch.leaves:
            return
        false = [self._is_false(objection, batch, place) for place in objection.places]
        if all(false):
            self._is_right[objection.id] = True
        elif objection.is_managers and not any(false):
            self._is_right[objection.id] = False

    def _is_false(self, objection: Objection, batch: Batch, place: int) -> bool:
        if place >= len(batch.leaves):
            return False
        judged = is_managers if objection.is_managers else why_false
        return bool(judged(self._network, batch, batch.leaves[place]))

    def after_ObjectionClosed(self, event: ChainEvent) -> None:
        objection = self._network.objections[event.args["id"]]
        verdicts = {ObjectionStatus.UPHELD: True, ObjectionStatus.REJECTED: False}
        right = self._is_right.get(objection.id)
        if right is None or objection.status not in verdicts:
            return
        status = objection.status.name.lower()
        says = f"the objection to {self._named(objection)} is {'right' if right else 'wrong'}, and was {status}"
        self._report.check("verdicts", verdicts[objection.status] is right, says)

    def _named(self, objection: Objection) -> str:
        if objection.kind is ObjectionKind.OUTCOMES:
            batch = self._network.batches[objection.subject]
            return f"batch {batch.manager}/{batch.sequence}"
        return f"leaf {objection.places[0]} of {objection.kind.name.lower()} root {objection.index}"
