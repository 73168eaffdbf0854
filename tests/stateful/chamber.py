# SPDX-License-Identifier: Apache-2.0
"""Acts of holders of IFX: they move it, lend their votes, propose, vote, queue, execute and cancel."""

from typing import Any

from eth_abi.abi import encode as abi_encode
from eth_utils import keccak

from inferix.lists import StandardTree
from tests.stateful.bench import Bench
from tests.stateful.model.governance import Call, Proposal
from tests.stateful.realm_facts import role
from tests.stateful.world import World, parameter

LISTS = ["address[]", "uint256[]", "bytes[]", "bytes32"]
DATA = bytes(32)  # digest of an airdrop's document, which no contract looks at
Fields = list[tuple[str, str, Any]]


def tree(rows: tuple[tuple[str, int], ...]) -> StandardTree:
    """Of an airdrop's list."""
    return StandardTree(["address", "uint256"], rows)


def sign(world: World, contract: str, signer: Any, kind: str, fields: Fields) -> Any:
    """In the domain that a contract says is its own."""
    _, name, version, chain, address, _, _ = world.read(contract, "eip712Domain")
    domain = {"name": name, "version": version, "chainId": chain, "verifyingContract": address}
    types = {kind: [{"name": field, "type": solidity} for field, solidity, _ in fields]}
    return signer.sign_typed_data(domain, types, {field: value for field, _, value in fields})


def signed_permit(
    world: World, token: str, signer: Any, terms: tuple[str, str, int], nonce: int, until: int
) -> tuple[int, int, bytes, bytes]:
    """The last arguments of a call with a permit over (owner, spender, units) until a second."""
    names = [("owner", "address"), ("spender", "address"), ("value", "uint256")]
    fields = [(name, kind, value) for (name, kind), value in zip(names, terms, strict=True)]
    signed = sign(
        world, token, signer, "Permit", [*fields, ("nonce", "uint256", nonce), ("deadline", "uint256", until)]
    )
    return until, signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


class Chamber:
    """Each act on contracts and model at once; true where both let it through."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.world = bench, bench.world

    @property
    def voters(self) -> list[Any]:
        """Keys of those who vote: clients, investors, foundation, owners of a manager, a worker, a verifier, a stranger."""
        world = self.world
        owners = [nodes[0].owner for nodes in (world.managers, world.workers, world.verifiers)]
        return [*world.clients, *world.investors, world.founder, *owners, world.stranger]

    # -- IFX

    def _sign(self, contract: str, signer: Any, kind: str, fields: Fields) -> Any:
        return sign(self.world, contract, signer, kind, fields)

    def delegate(self, who: Any, to: str) -> bool:
        """Oneself, another, or nobody."""
        ask = lambda: self.bench.model.votes.delegate(who.address, to)  # noqa: E731
        return self.bench.both(who, ask, "ifx", "delegate", to)

    def delegate_signed(self, who: Any, to: str, off: int = 0, late: int = 0) -> bool:
        """Carried by a stranger; with a nonce so far off, so many seconds after the signature's end."""
        nonce, until = self.bench.model.votes.nonces.get(who.address, 0) + off, self.world.now - late
        fields = [("delegatee", "address", to), ("nonce", "uint256", nonce), ("expiry", "uint256", until)]
        signed = self._sign("ifx", who, "Delegation", fields)
        words = (signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big"))
        ask = lambda: self.bench.model.votes.delegate_signed(who.address, to, nonce, until)  # noqa: E731
        return self.bench.both(self.world.stranger, ask, "ifx", "delegateBySig", to, nonce, until, *words)

    def permit(self, who: Any, spender: Any, amount: int, late: int = 0) -> bool:
        """An allowance [wei] that anybody carries."""
        nonce, until = self.bench.model.votes.nonces.get(who.address, 0), self.world.now - late
        terms = (who.address, spender.address, amount)
        words = signed_permit(self.world, "ifx", who, terms, nonce, until)
        ask = lambda: self.bench.model.votes.permit(*terms, nonce, until)  # noqa: E731
        return self.bench.both(self.world.stranger, ask, "ifx", "permit", *terms, *words)

    def transfer(self, who: Any, to: str, amount: int) -> bool:
        """Wei."""
        ask = lambda: self.bench.model.votes.transfer(who.address, to, amount)  # noqa: E731
        return self.bench.both(who, ask, "ifx", "transfer", to, amount)

    def transfer_from(self, spender: Any, who: Any, to: str, amount: int) -> bool:
        """Wei."""
        ask = lambda: self.bench.model.votes.transfer_from(spender.address, who.address, to, amount)  # noqa: E731
        return self.bench.both(spender, ask, "ifx", "transferFrom", who.address, to, amount)

    def burn(self, who: Any, amount: int) -> bool:
        """Wei."""
        ask = lambda: self.bench.model.ground.ifx.burn(who.address, amount)  # noqa: E731
        return self.bench.both(who, ask, "ifx", "burn", amount)

    def burn_from(self, spender: Any, who: Any, amount: int) -> bool:
        """Wei."""
        ask = lambda: self.bench.model.votes.burn_from(spender.address, who.address, amount)  # noqa: E731
        return self.bench.both(spender, ask, "ifx", "burn_from", who.address, amount)

    # -- proposals

    def _encoded(self, call: Call) -> tuple[str, bytes]:
        addresses, said = self.world.addresses, call.arguments
        target = addresses.get(call.target, call.target)
        match call.function:
            case "set":
                said = (parameter(said[0]), said[1])
            case "open_airdrop":
                said = (tree(said[0]).root, DATA, *said[1:])
            case "cancel":
                said = self.key(self.bench.model.governance.proposals[said[0]])
            case "grantRole" | "revokeRole" | "renounceRole":
                said = (role(said[0]), said[1])
        if call.target not in addresses:
            return target, b"\1\2\3\4"
        return target, self.world.interfaces[call.target].encode(call.function, said)

    def _lists(self, calls: tuple[Call, ...]) -> tuple[list[str], list[int], list[bytes]]:
        found = [self._encoded(call) for call in calls]
        return [target for target, _ in found], [0] * len(found), [data for _, data in found]

    def key(self, item: Proposal) -> tuple[Any, ...]:
        """What names it in every call after the first."""
        return *self._lists(item.calls), keccak(text=item.words)

    def propose(self, who: Any, calls: tuple[Call, ...], words: str = "", only: str | None = None) -> Proposal | None:
        """With words of its own, where none are given; ``only``: whom they leave it to."""
        model = self.bench.model.governance
        words = words or f"proposal {len(model.proposals)}" + (f"#proposer={only.lower()}" if only else "")
        lists = self._lists(calls)
        id = int.from_bytes(keccak(abi_encode(LISTS, [*lists, keccak(text=words)])), "big")
        ask = lambda: model.propose(who.address, id, words, calls, only)  # noqa: E731
        return model.proposals[id] if self.bench.both(who, ask, "council", "propose", *lists, words) else None

    def cast(self, who: Any, item: Proposal, said: int) -> bool:
        """0 against, 1 for, 2 abstain; with a reason, for every other."""
        ask = lambda: self.bench.model.governance.cast(who.address, item.id, said)  # noqa: E731
        reason = ("castVoteWithReason", item.id, said, "why") if said % 2 else ("castVote", item.id, said)
        return self.bench.both(who, ask, "council", *reason)

    def cast_signed(self, who: Any, item: Proposal, said: int, signer: Any = None) -> bool:
        """Carried by a stranger; ``signer``: somebody else signs."""
        nonce = self.bench.model.governance.nonces.get(who.address, 0)
        fields = [("proposalId", "uint256", item.id), ("support", "uint8", said)]
        fields += [("voter", "address", who.address), ("nonce", "uint256", nonce)]
        signature = bytes(self._sign("council", signer or who, "Ballot", fields).signature)
        is_signed = signer is None or signer.address == who.address
        model = self.bench.model.governance
        ask = lambda: model.cast_signed(who.address, item.id, said, is_signed=is_signed)  # noqa: E731
        arguments = (item.id, said, who.address, signature)
        return self.bench.both(self.world.stranger, ask, "council", "castVoteBySig", *arguments)

    def queue(self, item: Proposal) -> bool:
        """Anybody."""
        ask = lambda: self.bench.model.governance.queue(item.id)  # noqa: E731
        return self.bench.both(self.world.stranger, ask, "council", "queue", *self.key(item))

    def execute(self, item: Proposal, *, directly: bool = False, who: Any = None) -> bool:
        """Anybody, by Governor or by the timelock itself."""
        who = who or self.world.stranger
        sender = who.address if directly else self.world.addresses["council"]
        ask = lambda: self.bench.model.governance.execute(sender, item.id)  # noqa: E731
        if not directly:
            return self.bench.both(who, ask, "council", "execute", *self.key(item))
        return self.bench.both(who, ask, "timelock", "executeBatch", *self._operation(item))

    def _operation(self, item: Proposal) -> tuple[Any, ...]:
        """What names it at the timelock."""
        *lists, words = self.key(item)
        salt = int(self.world.addresses["council"], 16) << 96 ^ int.from_bytes(words, "big")
        return (*lists, bytes(32), salt.to_bytes(32, "big"))

    def drop(self, who: Any, item: Proposal) -> bool:
        """At the timelock itself."""
        id = self.world.read("timelock", "hashOperationBatch", *self._operation(item))
        ask = lambda: self.bench.model.governance.drop(who.address, item.id)  # noqa: E731
        return self.bench.both(who, ask, "timelock", "cancel", id)

    def set_role(self, who: Any, function: str, name: str, account: str) -> bool:
        """ "grantRole", "revokeRole" or "renounceRole", at the timelock itself."""
        model = self.bench.model.governance
        asks = {
            "grantRole": lambda: model.give_role(who.address, name, account),
            "revokeRole": lambda: model.give_role(who.address, name, account, given=False),
            "renounceRole": lambda: model.renounce(who.address, name, account),
        }
        return self.bench.both(who, asks[function], "timelock", function, role(name), account)

    def cancel(self, who: Any, item: Proposal) -> bool:
        """Whoever tries."""
        address = getattr(who, "address", who)
        ask = lambda: self.bench.model.governance.cancel(address, item.id)  # noqa: E731
        return self.bench.both(who, ask, "council", "cancel", *self.key(item))
