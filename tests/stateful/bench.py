# SPDX-License-Identifier: Apache-2.0
"""One act at a time on world and model: both do it, or both refuse, and afterwards both are the same."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from inferix.messages import Cancel
from inferix.messages import Order as Message
from inferix.models.anchor import AccountLeaf, AccountsData, NodeLeaf
from inferix.models.job import JobSpec, LeaseSpec
from inferix.replay.accounting import accounts_data, accounts_tree, nodes_tree
from inferix.replay.settlement import outcome_leaf
from inferix.replay.state import AttemptStatus
from inferix.trees import split
from tests.contracts.work.network import flat
from tests.stateful import facts
from tests.stateful.floor import Floor
from tests.stateful.laws import Laws
from tests.stateful.model.basics import Refused
from tests.stateful.model.books import Order, Root, Try
from tests.stateful.model.whole import Model
from tests.stateful.start import holders, model_of
from tests.stateful.world import World

ALL_AFTER = 10  # steps after which every fact is read again


class Bench:
    """World and model side by side. ``steps``: how many acts were compared."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.model: Model = model_of(world)
        self.floor = Floor(world)
        self.documents: dict[int, AccountsData] = {}
        self.nonce = 0
        self.former: dict[int, list[Any]] = {}  # keys that nodes had before
        self.steps = 0
        self.returned = b""  # by the last call
        self._known = facts.facts(self.model)
        self._events = len(world.events)
        self._laws = Laws(world)
        self._laws.read(world.events)
        self._names = holders(world)

    # -- acting

    def sync(self) -> Model:
        """The model at the world's time, knowing what became of orders; ready for an act."""
        if self.model.ground.clock.now < self.world.now:
            self.model.votes.remember()
        self.model.ground.clock.now = self.world.now
        for job in self.world.mirror.jobs.values():
            order = self.model.books.orders.get(job.id)
            if order is None:
                continue
            order.ended_at = job.ended_at
            tried = [(state, attempt) for state in job.tasks for attempt in state.attempts if attempt.node]
            order.tries = [
                Try(outcome_leaf(self.world.mirror, *pair) if pair[1].status is AttemptStatus.ENDED else None)
                for pair in tried
            ]
        self.model.books.check_cancelled()
        return self.model

    def both(self, who: Any, ask: Callable[[], Any], name: str, function: str, *arguments: Any) -> bool:
        """The same act on both; whether it was let through."""
        self.sync()
        refusal = ""
        try:
            ask()
        except Refused as refused:
            refusal = str(refused)
        sent = self.world.send(who, name, function, *arguments)
        if sent.done and refusal:
            raise AssertionError(f"{name}.{function}{arguments} went through; it must not: {refusal}")
        if not sent.done and not refusal:
            raise AssertionError(f"{name}.{function}{arguments} must go through; the contract says: {sent.reason}")
        self.returned = sent.output
        return sent.done

    # -- comparing

    def compare(self, everything: bool = False) -> None:
        """Model, contracts and mirror say the same."""
        self.steps += 1
        model = self.sync()
        known, new = facts.facts(model), self.world.events[self._events :]
        self._laws.read(new)
        if everything or self.steps % ALL_AFTER == 0:
            asked = set(known)
        else:
            asked = {key for key, value in known.items() if self._known.get(key) != value}
            asked |= facts.named(new, known) | {("minted",), ("clock",)}
        self._events = len(self.world.events)
        self._known = known
        for key in sorted(asked, key=repr):
            found = facts.read(self.world, key)
            assert found == known[key], f"{self._print(key)}: contract {found}, model {known[key]}"
        theirs, ours = facts.mirrored(self.world.mirror, model)
        for key in theirs.keys() | ours.keys():
            assert theirs.get(key) == ours.get(key), f"{key}: mirror {theirs.get(key)}, model {ours.get(key)}"
        facts.check_laws(model)

    def _print(self, key: Any) -> str:
        return " ".join(self._names.get(part, str(part)) for part in key)

    def parts(self, whole: Callable[[Model], int], split_up: Callable[[Model], int]) -> None:
        """Doing it in parts brings nobody more than doing it at once; on copies of the model."""
        self.sync()
        amounts = []
        for act in (whole, split_up):
            copy = deepcopy(self.model)
            try:
                amounts.append(act(copy))
            except Refused:
                return
        assert amounts[1] <= amounts[0], "more in parts than at once"

    # -- orders

    def order(self, client: int, coin: str, terms: dict[str, int], signer: Any = None) -> None:
        """An order over ``terms``: frames and work or a lease's node, manager, cap, price, attempts, days."""
        world, person = self.world, self.world.clients[client]
        account = self.model.credit.account_of(person.address, world.addresses[coin])
        if account is None:
            return
        manager = world.managers[terms["manager"]].id
        spec: JobSpec | LeaseSpec = (
            LeaseSpec(node=terms["node"], terms=bytes(32))
            if terms["price"] == 0
            else self.floor.spec(manager, terms["frames"], terms["work"])
        )
        self.nonce += 1
        message = Message(
            account=account.id,
            nonce=self.nonce,
            manager=manager,
            spec=world.store(spec),
            cap=terms["cap"],
            price=terms["price"],
            attempts=terms["attempts"],
            deadline=world.now + 1 + terms["days"] * 86_400,
            post_by=world.now + 600,
        )
        if self.floor.post_order(person, message, signer or person):
            self._book(message, spec, is_signed=signer is None)
        else:
            assert self.sync().ground.clock.paused

    def _book(self, message: Message, spec: JobSpec | LeaseSpec, *, is_signed: bool) -> None:
        """A posted order counts where the model says so, for the mirror too."""
        model, job = self.sync(), self.world.mirror.jobs[message.digest(self.world.domain)]
        assert not model.ground.clock.paused
        tasks = spec.tasks(job.id)
        fees = [-(-task.work * message.price // 10**9) for task in tasks]
        # A cap under what its tasks may cost would let them be paid out of other clients' credit.
        is_cancelled = (message.account, message.nonce) in model.books.cancelled
        reserved = is_signed and not is_cancelled and message.cap <= model.books.free(message.account)
        stands = reserved and message.cap >= max(10**7 * len(tasks), sum(fees))
        assert (job.status != "void") is stands, f"order {job.status} ({job.reason}), the model: {stands}"
        if reserved:
            work = {task.id: task.work for task in tasks}
            terms = (message.cap, job.posted_at, message.deadline, work, not stands, message.nonce)
            order = Order(job.id, message.account, *terms)
            model.books.orders[job.id] = order

    def cancel(self, account: int, nonce: int, who: Any, signer: Any = None) -> bool:
        """Takes an order back; ``signer``: who signed that, where another sends it."""
        ask = lambda: self.model.books.cancel((signer or who).address, account, nonce)  # noqa: E731
        if signer is None:
            return self.both(who, ask, "orders", "cancel", account, nonce)
        signature = Cancel(account=account, nonce=nonce).sign(self.world.domain, bytes(signer.key))
        return self.both(who, ask, "orders", "cancel_signed", account, nonce, signature)

    # -- books

    def data(self, epoch: int) -> AccountsData:
        """The books of a closed epoch as keepers make them; the model's must be the same."""
        model = self.sync()
        data = accounts_data(self.world.mirror, epoch)
        used = {leaf.account: (leaf.spent, leaf.reserved) for leaf in data.accounts}
        assert used == model.books.used(epoch), f"accounts: keepers {used}, model {model.books.used(epoch)}"
        nodes = {leaf.node: (leaf.matured, leaf.vesting, leaf.start) for leaf in data.nodes}
        assert nodes == model.books.rewards(epoch), f"rewards: keepers {nodes}, model {model.books.rewards(epoch)}"
        return data

    def post_books(self, poster: int, epoch: int, more: int = 0) -> bool:
        """Posts an epoch's books; ``more``: nano-USD that the root's total is off."""
        model, world = self.sync(), self.world
        if not model.work.epochs:
            return False
        epoch = min(epoch, len(model.work.epochs) - 1)
        data = self.data(epoch)
        accounts, nodes = accounts_tree(data).root, nodes_tree(data).root
        (spent, reserved), (matured, vesting) = split(accounts.sum), split(nodes.sum)
        root = Root(
            epoch,
            {leaf.account: (leaf.spent, leaf.reserved) for leaf in data.accounts},
            {leaf.node: (leaf.matured, leaf.vesting, leaf.start) for leaf in data.nodes},
            model.ground.clock.protocol,
            model.ground.epoch_end(epoch) + model.ground.parameters["claim_horizon"],
            model.ground.parameters["worker_vesting"],
            (accounts.hash, nodes.hash),
        )
        digest = world.store(data)
        arguments = (epoch, accounts.hash, spent + more, reserved, nodes.hash, matured, vesting, digest)
        operator = world.nodes[poster].operator
        done = self.both(operator, lambda: model.books.post(poster, root, spent + more), "accounts", "post", *arguments)
        if done:
            self.documents[epoch] = data
        return done

    def finalize_books(self) -> bool:
        """Anybody makes the waiting root final."""
        return self.both(self.world.stranger, self.model.books.finalize, "accounts", "finalize")

    def account_proof(self, id: int) -> tuple[AccountLeaf, list[bytes]] | None:
        """An account's leaf in the newest final root."""
        newest = self.model.books.newest
        data = self.documents[newest.epoch] if newest else None
        leaf = next((leaf for leaf in data.accounts if leaf.account == id), None) if data else None
        return (leaf, flat(accounts_tree(data).proof(id))) if data and leaf else None

    def node_proof(self, id: int) -> tuple[NodeLeaf, list[bytes]] | None:
        """A node's leaf in it."""
        newest = self.model.books.newest
        data = self.documents[newest.epoch] if newest else None
        leaf = next((leaf for leaf in data.nodes if leaf.node == id), None) if data else None
        return (leaf, flat(nodes_tree(data).proof(id))) if data and leaf else None

    def withdraw(self, id: int) -> bool:
        """Anybody pays an account what it asked for."""
        found = self.account_proof(id)
        if found is None:
            return False
        leaf, proof = found
        books = self.sync().books
        ask = lambda: self.model.credit.withdraw(id, leaf.spent + leaf.reserved, books.cut_off)  # noqa: E731
        return self.both(self.world.stranger, ask, "ifx_dollar", "withdraw", id, leaf.spent, leaf.reserved, proof)

    def claim(self, id: int) -> bool:
        """Anybody pays a node what it earned."""
        found = self.node_proof(id)
        if found is None:
            return False
        leaf, proof = found
        terms = (leaf.node, leaf.matured, leaf.vesting, leaf.start)
        return self.both(self.world.stranger, lambda: self.model.books.claim(id), "accounts", "claim", terms, proof)

    def claim_many(self, ids: Sequence[int], wrong: str = "") -> bool:
        """Anybody pays many nodes, one of them perhaps twice; ``wrong``: a leaf with another amount, or without its proof."""
        found = [each for id in ids if (each := self.node_proof(id))]
        leaves, proofs = [leaf.model_dump() for leaf, _ in found], [proof for _, proof in found]
        if wrong == "amount" and leaves:
            leaves[-1]["matured"] += 1
        proofs = proofs[1:] if wrong == "proof" else proofs
        is_right = not (wrong and found)
        ask = lambda: self.model.books.claim_each([leaf.node for leaf, _ in found], is_right=is_right)  # noqa: E731
        return self._pays(ask, "claim_many", leaves, proofs)

    def claim_chunk(self, first: int, height: int, wrong: str = "") -> bool:
        """Anybody pays neighbours from a place on; ``wrong``: a leaf with another amount, left out, or moved on."""
        newest = self.sync().books.newest
        if newest is None:
            return False
        tree = nodes_tree(self.documents[newest.epoch])
        leaves = {leaf.node: leaf for leaf in self.documents[newest.epoch].nodes}
        places = range(first, min(first + (1 << height), max(leaves) + 1))
        known = [at for at in places if at in leaves]
        if not known:
            return False
        empty = NodeLeaf(node=0, matured=0, vesting=0, start=0)
        shown = [leaves.get(at, empty).model_dump() for at in places]
        if wrong == "amount":
            shown[known[-1] - first]["matured"] += 1
        elif wrong == "left out":
            shown[known[-1] - first] = empty.model_dump() | {"vesting": int(known[-1] == 0)}
        elif wrong == "moved":
            shown.insert(0, shown[0] | {"node": first + 1})
        is_right = not wrong and first % (1 << height) == 0 and height < len(tree.levels)
        ask = lambda: self.model.books.claim_each(known, is_right=is_right)  # noqa: E731
        return self._pays(ask, "claim_chunk", first, height, shown, flat(tree.proof(first)[height:]))

    def _pays(self, ask: Callable[[], int], function: str, *arguments: Any) -> bool:
        """What the contract returns is what the model pays."""
        paid: list[int] = []
        done = self.both(self.world.stranger, lambda: paid.append(ask()), "accounts", function, *arguments)
        assert not done or int.from_bytes(self.returned, "big") == paid[0], "another sum is returned"
        return done
