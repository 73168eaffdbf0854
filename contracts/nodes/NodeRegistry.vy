# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title NodeRegistry
@license AGPL-3.0-only
@author Inferix
@notice Nodes: who owns one, which hot key signs for it, what it may do, how fast it is, what it asks. Its address is the
        verifying contract of the protocol's EIP-712 domain.
@custom:kill None: registering and leaving must always work. The governor may jail a node.
"""

from ..interfaces import INodeLicence
from ..interfaces import INodeRegistry
from ..interfaces import IStaking
from ..modules import courts
from ..modules import eip712
from ..modules import governed
from ..modules import standing

implements: INodeRegistry
initializes: eip712
initializes: governed
initializes: courts
initializes: standing[courts := courts, governed := governed]


exports: (
    governed.parameters,
    governed.wired,
    standing.licences,
    courts.is_court,
    standing.is_banned,
    standing.is_licence_banned,
    standing.set_status,
    standing.apply_ban,
    standing.terms,
    standing.dearest,
    standing.owner_of,
    standing.operator_of,
)


WORKER: constant(uint8) = 1
MANAGER: constant(uint8) = 3

MAX_NODES_PER_LICENCE: constant(uint256) = 10

staking: public(IStaking)

node_count: public(uint32)
# node => manager by which its owner wants it measured anew
measured_by: public(HashMap[uint32, uint32])
_sealing_keys: HashMap[uint32, bytes32]
_classes: HashMap[uint32, bytes32]
# operator => node << 40 | when it ceased to be the operator
_bindings: HashMap[address, uint256]
_nodes_of: HashMap[uint256, DynArray[uint32, 10]]


@deploy
def __init__(parameters: address):
    """
    @notice Starts without nodes.
    """
    governed.__init__(parameters)
    eip712.__init__(self)


@external
def wire(licences: address, staking: address, courts_: DynArray[address, 8]):
    """
    @notice Names the contracts that it works with. The deployer, once.
    """
    governed._wire_once()
    standing.licences = INodeLicence(licences)
    self.staking = IStaking(staking)
    courts._name(courts_)


@external
def register(licence: uint256, operator: address, sealing_key: bytes32, price: uint64) -> uint32:
    """
    @notice Registers a node under a licence of the caller.
    @param operator Hot key that signs for the node; never used by another node.
    @param sealing_key X25519 public key to which job keys are sealed.
    @param price nano-USD per IBM, workers only.
    @return Id of the node, from 1.
    """
    assert msg.sender == staticcall standing.licences.ownerOf(licence), "NodeRegistry: not the licence's owner"
    assert not standing.is_banned[msg.sender], "NodeRegistry: banned"
    assert not standing.is_licence_banned[licence], "NodeRegistry: licence banned"
    role: uint8 = staticcall standing.licences.role_of(licence)
    self._check_price(role, price)
    node: uint32 = self.node_count + 1
    self.node_count = node
    self._take_place(licence, role, node)
    standing._owners[node] = msg.sender
    standing._terms[node] = (
        licence << 144 | convert(price, uint256) << 80 | convert(standing.ACTIVE, uint256) << 8 | convert(role, uint256)
    )
    self._bind(node, operator)
    self._sealing_keys[node] = sealing_key
    log INodeRegistry.NodeRegistered(
        node=node,
        owner=msg.sender,
        operator=operator,
        role=role,
        licence=convert(licence, uint32),
        sealing_key=sealing_key,
        price=price,
    )
    return node


@external
def set_operator(node: uint32, operator: address):
    """
    @notice Replaces the hot key. What the old one signed still binds the node. Owner only.
    """
    assert msg.sender == standing._owners[node], "NodeRegistry: not the owner"
    # Else the next key would escape a ban of the operator.
    assert standing._stored_status(node) != standing.BANNED, "NodeRegistry: banned"
    old: address = standing._operators[node]
    self._bindings[old] |= block.timestamp
    self._bind(node, operator)
    log INodeRegistry.OperatorChanged(node=node, operator=operator)


@external
def set_sealing_key(node: uint32, sealing_key: bytes32):
    """
    @notice Replaces the key to which job keys are sealed. Owner or operator.
    """
    self._check_holder(node)
    self._sealing_keys[node] = sealing_key
    log INodeRegistry.SealingKeyChanged(node=node, sealing_key=sealing_key)


@external
def set_price(node: uint32, price: uint64):
    """
    @notice Sets a worker's price [nano-USD per IBM] for the next roster; its stake stands for the old one for 48 days where
            that was higher. Owner or operator.
    """
    self._check_holder(node)
    terms: uint256 = standing._terms[node]
    self._check_price(convert(terms & standing._BYTE, uint8), price)
    self._set_terms(node, terms & ~standing._PRICE_MASK | convert(price, uint256) << 80)
    log INodeRegistry.PriceChanged(node=node, price=price)
    # A dearer worker earns more, and needs the stake for it.
    extcall self.staking.refresh(node)


@external
def request_benchmark(node: uint32, manager: uint32):
    """
    @notice Has the node measured anew, once, by this manager; 0 takes the request back. Owner or operator.
    """
    self._check_holder(node)
    self.measured_by[node] = manager
    log INodeRegistry.BenchmarkRequested(node=node, manager=manager)


@external
def attest_benchmark(node: uint32, ib: uint32, device_class: bytes32):
    """
    @notice Records a node's measured speed and device class. The operator of a bonded manager only: any for a node without
            a speed, else the one whom the node's owner asked. Nobody moves a stranger's required stake.
    @param ib Inferix Bench [micro-IB].
    """
    manager: uint32 = self._node_of(msg.sender)
    assert manager != 0 and standing._operators[manager] == msg.sender, "NodeRegistry: not an operator"
    assert convert(standing._terms[manager] & standing._BYTE, uint8) == MANAGER, "NodeRegistry: not a manager"
    assert staticcall self.staking.is_bonded(manager), "NodeRegistry: manager not bonded"
    assert standing._owners[node] != empty(address), "NodeRegistry: no such node"
    assert ib != 0, "NodeRegistry: no speed"
    if standing._terms[node] & standing._IB_MASK != 0:
        assert self.measured_by[node] == manager, "NodeRegistry: not asked to measure it anew"
        self.measured_by[node] = 0
    self._set_terms(node, standing._terms[node] & ~standing._IB_MASK | convert(ib, uint256) << 48)
    self._classes[node] = device_class
    log INodeRegistry.BenchmarkAttested(node=node, manager=manager, ib=ib, device_class=device_class)
    # Stake put in before the first benchmark counts from now on; a faster worker needs more.
    extcall self.staking.refresh(node)


@external
def retire(node: uint32):
    """
    @notice Takes the node out of work for good; its stake can then be unbonded. Owner only.
    """
    assert msg.sender == standing._owners[node], "NodeRegistry: not the owner"
    terms: uint256 = standing._terms[node]
    assert terms & standing._RETIRED_BIT == 0, "NodeRegistry: retired already"
    standing._terms[node] = terms | standing._RETIRED_BIT
    log INodeRegistry.StatusChanged(node=node, status=standing._status(node))


@external
@view
def node(id: uint32) -> INodeRegistry.Node:
    """
    @notice A node with everything known of it.
    """
    terms: uint256 = standing._terms[id]
    return INodeRegistry.Node(
        owner=standing._owners[id],
        operator=standing._operators[id],
        role=convert(terms & standing._BYTE, uint8),
        licence=convert(terms >> 144 & standing._LOW_32, uint32),
        status=standing._status(id),
        ib=convert(terms >> 48 & standing._LOW_32, uint32),
        price=convert(terms >> 80 & standing._LOW_64, uint64),
        device_class=self._classes[id],
        sealing_key=self._sealing_keys[id],
    )


@external
@view
def node_of_operator(operator: address) -> uint32:
    """
    @notice The node whose operator this address is or was.
    """
    return self._node_of(operator)


@external
@view
def operator_until(operator: address) -> uint256:
    """
    @notice When this address ceased to be its node's operator [s]; 0 while it is.
    """
    return self._bindings[operator] & standing._LOW_40


@external
@view
def nodes_of(licence: uint256) -> DynArray[uint32, 10]:
    """
    @notice Nodes that hold, or last held, a place of this licence.
    """
    return self._nodes_of[licence]


@external
@view
def in_use(licence: uint256) -> bool:
    """
    @notice True while a node of this licence is not retired, or has stake of its owner left.
    """
    for node: uint32 in self._nodes_of[licence]:
        if self._holds_place(node):
            return True
    return False


@external
@view
def domain_separator() -> bytes32:
    """
    @notice EIP-712 domain separator of the protocol's messages.
    """
    return eip712._domain_separator()


@external
@view
def eip712Domain() -> (
    bytes1, String[7], String[1], uint256, address, bytes32, DynArray[uint256, 1]
):
    """
    @notice The same domain in parts (EIP-5267).
    """
    return (0x0f, "Inferix", "1", chain.id, self, empty(bytes32), [])


@internal
@view
def _check_holder(node: uint32):
    assert msg.sender in [standing._owners[node], standing._operators[node]], "NodeRegistry: not the owner or operator"


@internal
def _set_terms(node: uint32, terms: uint256):
    # A price or a speed. Who asks less, or is slower from now on, has stake for what it was: else it would cheat while it is
    # dear and be fined when it is cheap. Not where it cannot have worked: a stranger's false speed is its mistake. Whatever
    # the change: what is only noted as it falls is gone by way of a price that nobody has the stake for.
    old: uint256 = standing._terms[node]
    changed: uint256 = terms
    if staticcall self.staking.could_work(node):
        before: uint256 = max(standing._minute(old), standing._dearest(old))
        until: uint256 = block.timestamp // standing._DAY + standing._ANSWERS_FOR
        changed = terms & standing._BELOW_DEAREST | min(before, standing._LOW_64) << 176 | until << 240
    standing._terms[node] = changed


@internal
@view
def _check_price(role: uint8, price: uint64):
    if role == WORKER:
        assert convert(price, uint256) >= governed._parameter(
            keccak256("price_floor")
        ), "NodeRegistry: price under the floor"
    else:
        assert price == 0, "NodeRegistry: only workers have a price"


@internal
def _take_place(licence: uint256, role: uint8, node: uint32):
    # The first free place of the licence: a new one, or that of a node which has left with all its stake.
    places: uint256 = MAX_NODES_PER_LICENCE if role == WORKER else 1
    taken: DynArray[uint32, 10] = self._nodes_of[licence]
    if len(taken) < places:
        self._nodes_of[licence].append(node)
        return
    for i: uint256 in range(len(taken), bound=10):
        if not self._holds_place(taken[i]):
            self._nodes_of[licence][i] = node
            return
    raise "NodeRegistry: no place left on the licence"


@internal
@view
def _holds_place(node: uint32) -> bool:
    if standing._terms[node] & standing._RETIRED_BIT == 0:
        return True
    # The owner's stake: else a delegator who stays would hold the licence in use for ever.
    return staticcall self.staking.own(node) + staticcall self.staking.unbonding(node) != 0


@internal
def _bind(node: uint32, operator: address):
    assert operator != empty(address), "NodeRegistry: no operator"
    # One key, one node, for ever: else a double vote could be signed by a key that has moved on.
    assert self._bindings[operator] == 0, "NodeRegistry: operator already used"
    self._bindings[operator] = convert(node, uint256) << 40
    standing._operators[node] = operator


@internal
@view
def _node_of(operator: address) -> uint32:
    return convert(self._bindings[operator] >> 40, uint32)
