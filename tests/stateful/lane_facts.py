# SPDX-License-Identifier: Apache-2.0
"""What must be the same everywhere of nodes' keys and terms, and of managers that are silent: as facts.py, for these."""

from typing import Any

from inferix.replay import Network as Mirror
from tests.stateful.model.whole import Model
from tests.stateful.world import World

NAMES = ("operator", "asks", "dearest", "called out", "taken over")
Facts = dict[tuple[Any, ...], Any]


def of_model(model: Model) -> Facts:
    """Everything that the model says of these contracts' state."""
    found = _of_nodes(model)
    found |= {("dearest", node.id): model.stakes.dearest(node) for node in model.stakes.nodes.values()}
    return found | _of_lanes(model)


def _of_nodes(model: Model) -> Facts:
    found: Facts = {}
    for node in model.stakes.nodes.values():
        found["operator", node.id] = node.operator
        found["asks", node.id] = (node.price, node.ib, node.device_class, node.sealing_key, node.measured_by)
    return found


def _of_lanes(model: Model) -> Facts:
    found: Facts = {("called out", id): called for id, called in model.lanes.called.items()}
    return found | {("taken over", *place): taken for place, taken in model.lanes.taken.items()}


def read(world: World, key: tuple[Any, ...]) -> Any:
    """The same fact as the contracts have it."""
    match key:
        case ("operator", id):
            return world.read("registry", "operator_of", id)
        case ("asks", id):
            node = world.read("registry", "node", id)
            terms = [node[name] for name in ("price", "ib", "device_class", "sealing_key")]
            return (*terms, world.read("registry", "measured_by", id))
        case ("dearest", id):
            return world.read("registry", "dearest", id)
        case ("called out", id):
            return tuple(world.read("orders", "called_out", id))
        case ("taken over", job, id):
            found = world.read("orders", "taken_over", job, id)
            return tuple(found[name] for name in ("manager", "from_anchors", "by_anchors"))
    raise AssertionError(key)


def of_mirror(mirror: Mirror) -> Facts:
    """The mirror's."""
    found: Facts = {}
    for node in mirror.nodes.values():
        found["operator", node.id] = node.operator
        found["asks", node.id] = (node.price, node.ib, node.device_class, node.sealing_key, node.measured_by)
    lanes = mirror.lanes.items()
    found |= {("called out", id): (lane.called_at, lane.called_anchors) for id, lane in lanes if lane.called_at}
    found["equivocations",] = mirror.equivocations
    taken = {place: (item.manager, item.from_anchors, item.by_anchors) for place, item in mirror.taken.items()}
    return found | {("taken over", *place): item for place, item in taken.items()}


def in_its_terms(model: Model) -> Facts:
    """The model's in the same terms."""
    return _of_nodes(model) | _of_lanes(model) | {("equivocations",): model.keys.proven}
