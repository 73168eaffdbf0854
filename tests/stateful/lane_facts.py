# SPDX-License-Identifier: Apache-2.0
"""What must be the same everywhere of nodes' keys and of managers that are silent: as facts.py, for these."""

from typing import Any

from inferix.replay import Network as Mirror
from tests.stateful.model.whole import Model
from tests.stateful.world import World

NAMES = ("operator", "called out", "taken over")
Facts = dict[tuple[Any, ...], Any]


def of_model(model: Model) -> Facts:
    """Everything that the model says of these contracts' state."""
    found: Facts = {("operator", node.id): node.operator for node in model.stakes.nodes.values()}
    found |= {("called out", id): called for id, called in model.lanes.called.items()}
    return found | {("taken over", *place): taken for place, taken in model.lanes.taken.items()}


def read(world: World, key: tuple[Any, ...]) -> Any:
    """The same fact as the contracts have it."""
    match key:
        case ("operator", id):
            return world.read("registry", "operator_of", id)
        case ("called out", id):
            return tuple(world.read("orders", "called_out", id))
        case ("taken over", job, id):
            found = world.read("orders", "taken_over", job, id)
            return tuple(found[name] for name in ("manager", "from_anchors", "by_anchors"))
    raise AssertionError(key)


def of_mirror(mirror: Mirror) -> Facts:
    """The mirror's."""
    found: Facts = {("operator", node.id): node.operator for node in mirror.nodes.values()}
    lanes = mirror.lanes.items()
    found |= {("called out", id): (lane.called_at, lane.called_anchors) for id, lane in lanes if lane.called_at}
    found["equivocations",] = mirror.equivocations
    taken = {place: (item.manager, item.from_anchors, item.by_anchors) for place, item in mirror.taken.items()}
    return found | {("taken over", *place): item for place, item in taken.items()}


def in_its_terms(model: Model) -> Facts:
    """The model's in the same terms."""
    return of_model(model) | {("equivocations",): model.keys.proven}
