# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title Accounts
@license AGPL-3.0-only
@author Inferix
@notice One pair of roots a closed epoch: what each account spent and has reserved, and what each node has earned. All sums
        are cumulative, so only the newest final root counts, and none may be smaller than the one before. Both are
        held to what the contracts counted themselves: charges of final batches, IFX minted.
        Nodes' owners claim by modules/claims.vy.
        A root that objections hold up longer than a panel needs is overtaken by the next one: it becomes final no more,
        and who posted it answers for it all the same.
@custom:kill Courts cancel a waiting root; the final one before it goes on paying. Nothing stops claims.
"""

from ..interfaces import IAccounts
from ..interfaces import IBurnMintWork
from ..interfaces import IMerkleSum
from ..interfaces import IStaking
from ..modules import bonds
from ..modules import claims
from ..modules import courts
from ..modules import governed
from ..modules import leaves
from ..modules import managers
from ..modules import merkle_sum
from ..modules import roots

implements: IAccounts
initializes: courts
initializes: governed
initializes: bonds[governed := governed]
initializes: managers
initializes: roots
initializes: claims[roots := roots]


exports: (
    governed.parameters,
    governed.wired,
    courts.is_court,
    claims.claimed,
    claims.claim,
    claims.claim_many,
    claims.claim_chunk,
    claims.claimable,
    claims.set_shared,
)


# After this, any node with a bond may post the root that no manager posted [s]
ANYBODY_AFTER: public(constant(uint256)) = 7 * 86400


_EPOCHS: immutable(IBurnMintWork)
_STAKING: immutable(IStaking)


# Index of a root that another overtook, until a court drops it => its epoch + 1
_overtaken: HashMap[uint256, uint256]


@deploy
def __init__(
    parameters: address,
    registry: address,
    staking: address,
    ifx: address,
    epochs: address,
    penalty_pool: address,
    delegation: address,
):
    """
    @notice Starts without a root.
    @param epochs BurnMintWork, which mints what is claimed here.
    """
    governed.__init__(parameters)
    bonds.__init__(registry, staking, ifx)
    managers.__init__(registry, staking)
    claims.__init__(registry, ifx, penalty_pool, delegation)
    assert epochs != empty(address), "Accounts: empty address"
    _EPOCHS = IBurnMintWork(epochs)
    _STAKING = IStaking(staking)


@external
def wire(courts_: DynArray[address, 8]):
    """
    @notice Names the courts. The deployer, once.
    """
    governed._wire_once()
    courts._name(courts_)


@external
def post(
    epoch: uint32,
    accounts_root: bytes32,
    spent: uint96,
    reserved: uint96,
    nodes_root: bytes32,
    matured: uint96,
    vesting: uint96,
    data: bytes32,
):
    """
    @notice Posts the roots of a closed epoch; they wait a window. The operator of a bonded manager; a week after the epoch's
            end, of any bonded node without delegators whose stake is worth `root_bond`, which a false root costs it. What
            disputes hold up longer than an answer and a panel take is overtaken by a manager's, of its epoch or a later one.
    @param data Digest of the document that holds the leaves of both.
    """
    node: uint32 = managers._check_any_caller()
    end: uint256 = staticcall _EPOCHS.epoch_end(convert(epoch, uint256))
    is_manager: bool = managers._is_manager(node)
    if not is_manager:
        # On the protocol's clock: in a pause no epoch is closed, so no manager posts.
        assert governed._passed(end) >= ANYBODY_AFTER, "managers: not a manager"
        self._check_stake(node)
    state: roots.State = roots._read_state()
    if state.pending != 0:
        state = self._settle(state)
        if state.pending != 0:
            # Of a small stake one root is enough.
            assert is_manager, "Accounts: another root waits"
            self._overtake(epoch, state)
            state.disputes = 0
    self._check_sums(epoch, spent, matured, vesting, state)
    state.count += 1
    state.pending = state.count
    state.posted_at = governed._clock()
    roots._write_state(state)
    place: uint256 = 1 - state.place
    roots._accounts_roots[place] = accounts_root
    roots._nodes_roots[place] = nodes_root
    roots._data[place] = data
    roots._write_ledger(
        place,
        roots.Ledger(
            spent=convert(spent, uint256),
            reserved=convert(reserved, uint256),
            epoch=convert(epoch, uint256),
            manager=convert(node, uint256),
        ),
    )
    roots._write_stream(
        place,
        roots.Stream(
            matured=convert(matured, uint256),
            vesting=convert(vesting, uint256),
            until=end + governed._parameter(keccak256("claim_horizon")),
            vesting_time=governed._parameter(keccak256("worker_vesting")),
        ),
    )
    log IAccounts.AccountsPosted(
        epoch=epoch,
        index=convert(state.count, uint32),
        manager=node,
        accounts_root=accounts_root,
        spent=spent,
        reserved=reserved,
        nodes_root=nodes_root,
        matured=matured,
        vesting=vesting,
        data=data,
    )


@external
def finalize():
    """
    @notice Makes the waiting root final when its window is over and no dispute on it is open. Anybody.
    """
    state: roots.State = roots._read_state()
    assert state.pending != 0, "Accounts: no root waits"
    assert state.disputes == 0, "Accounts: dispute open"
    assert self._is_due(state), "Accounts: window not over"
    roots._write_state(self._settle(state))


@external
def cancel(index: uint32):
    """
    @notice Drops this root while it waits, or after it was overtaken. A court.
    """
    epoch: uint256 = self._overtaken[convert(index, uint256)]
    if epoch != 0:
        courts._check_court()
        self._overtaken[convert(index, uint256)] = 0
        epoch -= 1
    else:
        state: roots.State = self._check_waiting(index)
        epoch = roots._read_ledger(1 - state.place).epoch
        state.pending = 0
        state.disputes = 0
        roots._write_state(state)
    log IAccounts.AccountsCancelled(epoch=convert(epoch, uint32), index=index)


@external
def open_dispute(index: uint32):
    """
    @notice Counts a dispute, which holds up the waiting root; within its window only. A court.
    """
    state: roots.State = self._check_waiting(index)
    assert not self._is_due(state), "Accounts: window over"
    state.disputes += 1
    roots._write_state(state)
    log IAccounts.AccountsDisputeCounted(index=index, open=convert(state.disputes, uint16))


@external
def close_dispute(index: uint32):
    """
    @notice Takes one dispute off the count; of an overtaken root nobody counts. A court.
    """
    if self._overtaken[convert(index, uint256)] != 0:
        courts._check_court()
        return
    state: roots.State = self._check_waiting(index)
    assert state.disputes != 0, "Accounts: no dispute open"
    state.disputes -= 1
    roots._write_state(state)
    log IAccounts.AccountsDisputeCounted(index=index, open=convert(state.disputes, uint16))


@external
@view
def newest() -> IAccounts.Root:
    """
    @notice The newest final root; empty before the first.
    """
    state: roots.State = roots._read_state()
    if state.newest == 0:
        return empty(IAccounts.Root)
    root: IAccounts.Root = self._root(state.place)
    root.index = convert(state.newest, uint32)
    root.final_at = convert(state.final_at, uint40)
    return root


@external
@view
def pending() -> IAccounts.Root:
    """
    @notice The root that waits; empty when none does.
    """
    state: roots.State = roots._read_state()
    if state.pending == 0:
        return empty(IAccounts.Root)
    root: IAccounts.Root = self._root(1 - state.place)
    root.index = convert(state.pending, uint32)
    root.posted_at = convert(state.posted_at, uint40)
    root.disputes = convert(state.disputes, uint16)
    return root


@external
@view
def is_undecided(index: uint32) -> bool:
    """
    @notice Whether a root waits, or was overtaken and not dropped since: a court may still decide about it.
    """
    return index != 0 and (
        roots._read_state().pending == convert(index, uint256) or self._overtaken[convert(index, uint256)] != 0
    )


@external
@view
def added() -> uint256:
    """
    @notice Rewards that the waiting root adds to the newest final one [wei]; 0 when none waits.
    """
    state: roots.State = roots._read_state()
    if state.pending == 0:
        return 0
    stream: roots.Stream = roots._read_stream(1 - state.place)
    rewards: uint256 = stream.matured + stream.vesting
    if state.newest != 0:
        stream = roots._read_stream(state.place)
        # Cumulative, and held to what was minted
        rewards -= stream.matured + stream.vesting
    return rewards


@external
@view
def cut_off() -> uint256:
    """
    @notice End of the epoch of the newest final root [s]; 0 before the first.
    """
    state: roots.State = roots._read_state()
    if state.newest == 0:
        return 0
    return staticcall _EPOCHS.epoch_end(roots._read_ledger(state.place).epoch)


@external
@view
def verify_account(account: uint32, spent: uint96, reserved: uint96, proof: DynArray[bytes32, 64]) -> bool:
    """
    @notice Whether the newest final root says this of an account.
    """
    state: roots.State = roots._read_state()
    if state.newest == 0:
        return False
    ledger: roots.Ledger = roots._read_ledger(state.place)
    return merkle_sum._verify(
        IMerkleSum.SumNode(
            hash=roots._accounts_roots[state.place], sum=merkle_sum._pack(ledger.spent, ledger.reserved)
        ),
        leaves._account(IAccounts.AccountLeaf(account=account, spent=spent, reserved=reserved)),
        convert(account, uint256),
        proof,
    )


@internal
@view
def _check_stake(node: uint32):
    # What `penalties` takes of who is no manager, and of nobody else.
    assert staticcall _STAKING.delegated(node) == 0, "Accounts: others' stake"
    free: uint256 = staticcall _STAKING.bonded(node) - staticcall _STAKING.frozen(node)
    assert free >= bonds._in_ifx(governed._parameter(keccak256("root_bond"))), "Accounts: stake under the root bond"


@internal
@view
def _check_waiting(index: uint32) -> roots.State:
    # By its index: what waits may have been replaced since the court named it.
    courts._check_court()
    state: roots.State = roots._read_state()
    assert index != 0 and state.pending == convert(index, uint256), "Accounts: not the one that waits"
    return state


@internal
@view
def _check_sums(epoch: uint32, spent: uint96, matured: uint96, vesting: uint96, state: roots.State):
    # The root says what the contracts counted, and nothing in it is less than in the one before.
    charge: uint256 = 0
    minted: uint256 = 0
    charge, minted = staticcall _EPOCHS.totals_at(convert(epoch, uint256))
    assert convert(spent, uint256) == charge, "Accounts: spent is not what became final"
    assert convert(matured, uint256) + convert(vesting, uint256) == minted, "Accounts: rewards are not what was minted"
    if state.newest != 0:
        assert convert(epoch, uint256) > roots._read_ledger(state.place).epoch, "Accounts: not a newer epoch"
        assert convert(matured, uint256) >= roots._read_stream(state.place).matured, "Accounts: matured shrinks"


@internal
def _overtake(by: uint32, state: roots.State):
    # Of what was asked about data, all could be answered and expired by now, and every panel could have decided.
    term: uint256 = (
        governed._parameter(keccak256("accounts_window"))
        + governed._parameter(keccak256("answer_window"))
        + governed._parameter(keccak256("panel_window"))
    )
    assert governed._clock() >= state.posted_at + term, "Accounts: another root waits"
    epoch: uint256 = roots._read_ledger(1 - state.place).epoch
    assert convert(by, uint256) >= epoch, "Accounts: not a newer epoch"
    self._overtaken[state.pending] = epoch + 1
    log IAccounts.AccountsOvertaken(epoch=convert(epoch, uint32), index=convert(state.pending, uint32))


@internal
@view
def _is_due(state: roots.State) -> bool:
    return governed._clock() >= state.posted_at + governed._parameter(keccak256("accounts_window"))


@internal
def _settle(state: roots.State) -> roots.State:
    # Makes what waits final when it is due and undisputed; nothing otherwise. The caller writes the state.
    if state.pending == 0 or state.disputes != 0 or not self._is_due(state):
        return state
    settled: roots.State = state
    settled.newest = state.pending
    settled.pending = 0
    settled.final_at = block.timestamp
    settled.place = 1 - state.place
    log IAccounts.AccountsFinalized(epoch=convert(roots._read_ledger(settled.place).epoch, uint32))
    return settled


@internal
@view
def _root(place: uint256) -> IAccounts.Root:
    ledger: roots.Ledger = roots._read_ledger(place)
    stream: roots.Stream = roots._read_stream(place)
    return IAccounts.Root(
        index=0,
        epoch=convert(ledger.epoch, uint32),
        cut_off=convert(staticcall _EPOCHS.epoch_end(ledger.epoch), uint40),
        posted_at=0,
        final_at=0,
        manager=convert(ledger.manager, uint32),
        accounts_root=roots._accounts_roots[place],
        spent=convert(ledger.spent, uint96),
        reserved=convert(ledger.reserved, uint96),
        nodes_root=roots._nodes_roots[place],
        matured=convert(stream.matured, uint96),
        vesting=convert(stream.vesting, uint96),
        data=roots._data[place],
        disputes=0,
    )
