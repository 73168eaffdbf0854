# SPDX-License-Identifier: Apache-2.0
"""IFX: the cap on what is ever minted, votes and their past, permit and delegation by signature."""

import boa
import pytest
from eth_account.signers.local import LocalAccount
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.system import IFX, TGE, Contract, System, acting, advance, deployer, key, now, set_time

ISSUANCE = 462_500_000 * IFX
ZERO = "0x" + "00" * 20


def sign(
    token: Contract, signer: LocalAccount, kind: str, fields: list[tuple[str, str, object]]
) -> tuple[int, bytes, bytes]:
    """An EIP-712 signature (v, r, s) in the token's own domain."""
    domain = {
        "name": "Inferix",
        "version": "1",
        "chainId": boa.env.evm.chain.chain_id,
        "verifyingContract": token.address,
    }
    types = {kind: [{"name": name, "type": solidity} for name, solidity, _ in fields]}
    signed = signer.sign_typed_data(domain, types, {name: value for name, _, value in fields})
    return signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


def delegation(
    token: Contract, signer: LocalAccount, delegatee: str, nonce: int, expiry: int
) -> tuple[int, bytes, bytes]:
    fields = [("delegatee", "address", delegatee), ("nonce", "uint256", nonce), ("expiry", "uint256", expiry)]
    return sign(token, signer, "Delegation", fields)


def test_allocation_and_issuance_make_the_cap(system: System) -> None:
    assert system.ifx.totalSupply() == system.ifx.minted() == TGE
    assert system.ifx.mintable() == ISSUANCE
    assert TGE + ISSUANCE == system.ifx.cap() == 10**27
    assert (system.ifx.name(), system.ifx.symbol(), system.ifx.decimals()) == ("Inferix", "IFX", 18)


def test_allocation_leaves_room_for_the_issuance() -> None:
    holder = key("holder").address
    deploy = deployer("token/IFX.vy").deploy
    deploy([holder], [10**27 - ISSUANCE])
    with boa.reverts("IFX: no room for the issuance"):
        deploy([holder], [10**27 - ISSUANCE + 1])
    with boa.reverts("IFX: over the cap"):
        deploy([holder], [10**27 + 1])
    with boa.reverts("IFX: holders and amounts differ in number"):
        deploy([holder], [])


def test_minter_mints_its_allowance_and_no_wei_more(system: System) -> None:
    receiver = key("receiver").address
    with acting(system.burn_mint_work):
        system.ifx.mint(receiver, ISSUANCE)
        with boa.reverts("IFX: over the allowance"):
            system.ifx.mint(receiver, 1)
    assert system.ifx.minted() == system.ifx.cap()
    with acting(receiver):
        system.ifx.burn(ISSUANCE)
    assert system.ifx.totalSupply() == TGE
    assert system.ifx.minted() == system.ifx.cap()
    with acting(system.burn_mint_work), boa.reverts("IFX: over the allowance"):
        system.ifx.mint(receiver, 1)


def test_nobody_else_mints_or_wires_again(system: System) -> None:
    for other in (system.deployer, system.governor, system.foundation):
        with acting(other), boa.reverts("IFX: not the minter"):
            system.ifx.mint(other, 1)
    with acting(system.deployer), boa.reverts("IFX: wired already"):
        system.ifx.wire(system.deployer)
    with acting(system.governor), boa.reverts("IFX: not the deployer"):
        system.ifx.wire(system.governor)


def test_base_ownership_is_not_exported(system: System) -> None:
    names = {entry.get("name") for entry in system.ifx.abi}
    assert names.isdisjoint({"set_minter", "is_minter", "transfer_ownership", "renounce_ownership", "owner"})


def test_transfer_moves_and_refuses_more_than_the_balance(system: System) -> None:
    holder, receiver = key("holder"), key("receiver")
    system.give_ifx(holder.address, 5)
    with acting(holder):
        assert system.ifx.transfer(receiver.address, 5)
        with boa.reverts("erc20: transfer amount exceeds balance"):
            system.ifx.transfer(receiver.address, 1)
    assert system.ifx.balanceOf(receiver.address) == 5


def test_spender_moves_and_burns_within_its_allowance(system: System) -> None:
    holder, spender = key("holder"), key("spender")
    system.give_ifx(holder.address, 10)
    with acting(holder):
        system.ifx.approve(spender.address, 5)
    with acting(spender):
        system.ifx.transferFrom(holder.address, spender.address, 3)
        system.ifx.burn_from(holder.address, 2)
        with boa.reverts("erc20: insufficient allowance"):
            system.ifx.transferFrom(holder.address, spender.address, 1)
        with boa.reverts("erc20: insufficient allowance"):
            system.ifx.burn_from(holder.address, 1)
    assert (system.ifx.balanceOf(holder.address), system.ifx.totalSupply()) == (5, TGE - 2)


def test_permit_approves_once_and_refuses_others_signatures(system: System) -> None:
    holder, spender = key("holder"), key("spender").address
    fields = [("owner", "address", holder.address), ("spender", "address", spender), ("value", "uint256", 7)]
    fields += [("nonce", "uint256", 0), ("deadline", "uint256", now())]
    signature = sign(system.ifx, holder, "Permit", fields)
    with boa.reverts("erc20: invalid signature"):
        system.ifx.permit(holder.address, spender, 7, now(), *sign(system.ifx, key("other"), "Permit", fields))
    system.ifx.permit(holder.address, spender, 7, now(), *signature)
    assert system.ifx.allowance(holder.address, spender) == 7
    with boa.reverts("erc20: invalid signature"):
        system.ifx.permit(holder.address, spender, 7, now(), *signature)
    advance(1)
    with boa.reverts("erc20: expired deadline"):
        system.ifx.permit(holder.address, spender, 7, now() - 1, *signature)


def test_only_delegated_balances_vote(system: System) -> None:
    holder, delegatee = key("holder"), key("delegatee").address
    system.give_ifx(holder.address, 10)
    assert system.ifx.getVotes(holder.address) == 0
    with acting(holder):
        system.ifx.delegate(delegatee)
        names = [type(event).__name__ for event in system.ifx.get_logs()]
        assert names == ["DelegateChanged", "DelegateVotesChanged"]
        assert system.ifx.getVotes(delegatee) == 10
        system.ifx.transfer(key("receiver").address, 4)
        assert system.ifx.getVotes(delegatee) == 6
        system.ifx.burn(1)
        assert system.ifx.getVotes(delegatee) == 5
        system.ifx.delegate(ZERO)
    assert system.ifx.getVotes(delegatee) == 0


def test_votes_move_with_a_transfer_between_delegators(system: System) -> None:
    giver, taker = key("giver"), key("taker")
    system.give_ifx(giver.address, 10)
    for person in (giver, taker):
        with acting(person):
            system.ifx.delegate(person.address)
    with acting(giver):
        system.ifx.transfer(taker.address, 3)
        system.ifx.transfer(giver.address, 2)
    assert (system.ifx.getVotes(giver.address), system.ifx.getVotes(taker.address)) == (7, 3)


def test_past_votes_to_the_second(system: System) -> None:
    holder = key("holder")
    with acting(holder):
        system.ifx.delegate(holder.address)
    start = now()
    history = [10, 25, 25, 40]
    for amount in history:
        advance(10)
        system.give_ifx(holder.address, amount - system.ifx.getVotes(holder.address))
    set_time(start + 100)
    assert system.ifx.getPastVotes(holder.address, start + 9) == 0
    for step, amount in enumerate(history, 1):
        assert system.ifx.getPastVotes(holder.address, start + 10 * step) == amount
        assert system.ifx.getPastVotes(holder.address, start + 10 * step + 9) == amount
    assert system.ifx.getPastTotalSupply(start) == TGE
    with boa.reverts("IFX: time not past"):
        system.ifx.getPastVotes(holder.address, now())
    assert system.ifx.getPastVotes(holder.address, now() - 1) == 40
    assert (system.ifx.clock(), system.ifx.CLOCK_MODE()) == (now(), "mode=timestamp")


def test_several_moves_in_one_second_are_one_checkpoint(system: System) -> None:
    holder = key("holder")
    with acting(holder):
        system.ifx.delegate(holder.address)
    moment = now()
    with acting(system.foundation):
        for _ in range(3):
            system.ifx.transfer(holder.address, 1)
    advance(1)
    assert system.ifx.getPastVotes(holder.address, moment) == 3
    assert system.ifx.eval(f"self._checkpoint_count[{holder.address}]") == 1


def test_past_supply_follows_mint_and_burn(system: System) -> None:
    start = now()
    advance(10)
    with acting(system.burn_mint_work):
        system.ifx.mint(system.foundation, 7)
    advance(10)
    with acting(system.foundation):
        system.ifx.burn(9)
    advance(10)
    supplies = [system.ifx.getPastTotalSupply(start + seconds) for seconds in (9, 10, 19, 20)]
    assert supplies == [TGE, TGE + 7, TGE + 7, TGE - 2]


def test_delegation_by_signature(system: System) -> None:
    holder, delegatee = key("holder"), key("delegatee").address
    system.give_ifx(holder.address, 10)
    signature = delegation(system.ifx, holder, delegatee, 0, now())
    system.ifx.delegateBySig(delegatee, 0, now(), *signature)
    assert (system.ifx.getVotes(delegatee), system.ifx.delegates(holder.address)) == (10, delegatee)
    with boa.reverts("IFX: invalid nonce"):
        system.ifx.delegateBySig(delegatee, 0, now(), *signature)
    late = delegation(system.ifx, holder, delegatee, 1, now())
    advance(1)
    with boa.reverts("IFX: signature expired"):
        system.ifx.delegateBySig(delegatee, 1, now() - 1, *late)


def test_delegation_by_a_malleated_or_broken_signature_is_refused(system: System) -> None:
    holder, delegatee = key("holder"), key("delegatee").address
    v, r, s = delegation(system.ifx, holder, delegatee, 0, now())
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = (order - int.from_bytes(s, "big")).to_bytes(32, "big")
    with boa.reverts("ecdsa: invalid signature `s` value"):
        system.ifx.delegateBySig(delegatee, 0, now(), 55 - v, r, high)
    with boa.reverts("ecdsa: invalid signature"):
        system.ifx.delegateBySig(delegatee, 0, now(), v, bytes(32), s)


PEOPLE = st.integers(0, 3)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("transfer"), PEOPLE, PEOPLE, st.integers(0, 50)),
        st.tuples(st.just("delegate"), PEOPLE, PEOPLE, st.just(0)),
        st.tuples(st.just("burn"), PEOPLE, PEOPLE, st.integers(0, 20)),
    ),
    max_size=15,
)


@pytest.mark.parametrize("seconds", [0, 1])
@settings(max_examples=25)
@given(moves=MOVES)
def test_votes_are_always_the_sum_of_the_delegated_balances(deployed: System, seconds: int, moves: list[tuple]) -> None:
    people = [key(f"voter {i}") for i in range(4)]
    ifx = deployed.ifx
    with boa.env.anchor():
        for person in people:
            deployed.give_ifx(person.address, 100)
        for verb, first, second, amount in moves:
            advance(seconds)
            with acting(people[first]):
                affordable = min(amount, ifx.balanceOf(people[first].address))
                if verb == "transfer":
                    ifx.transfer(people[second].address, affordable)
                elif verb == "delegate":
                    ifx.delegate(people[second].address)
                else:
                    ifx.burn(affordable)
        for person in people:
            backers = [each.address for each in people if ifx.delegates(each.address) == person.address]
            assert ifx.getVotes(person.address) == sum(ifx.balanceOf(each) for each in backers)
        moment = now()
        advance(1)
        assert ifx.getPastTotalSupply(moment) == ifx.totalSupply()
