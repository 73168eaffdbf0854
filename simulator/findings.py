# SPDX-License-Identifier: Apache-2.0
"""What a run says, in sentences; every figure in them is computed from the run."""

from collections.abc import Iterator

from deploy.plan import SHARES
from inferix.economy import BPS, BUDGET, PARTS
from inferix.models.parameters import DEFAULTS
from inferix.models.roles import Role
from inferix.units import NANO_PER_USD, WEI_PER_IFX, NanoUsd
from simulator import cheating
from simulator.collusion import LIMITS, most_below
from simulator.fleet import HONEST
from simulator.machines import load_machines
from simulator.results import Results
from simulator.settings import PPM, Job
from simulator.washing import WASHERS, Market, break_even, outside_price, wash
from simulator.world import World


def sentences(results: Results) -> list[str]:
    """All of them, in the order of docs/economy.md."""
    return [
        *(line for name, world in results.worlds.items() for line in _scenario(name, world)),
        *_fleet(),
        *_emission(results),
        *_washing(results),
        *_reference(results),
        *_cheating(results),
        *_settings(results),
        *_collusion(results),
    ]


def _usd(nano: int, digits: int = 2) -> str:
    return f"{nano / NANO_PER_USD:,.{digits}f} USD"


def _ifx(wei: int) -> str:
    return f"{wei / WEI_PER_IFX:,.0f} IFX"


def _percent(ppm: int) -> str:
    return f"{ppm * 100 / PPM:,.1f} %"


def _scenario(name: str, world: World) -> Iterator[str]:
    last = world.rows[-1]
    first = world.scenario.ifx_price
    grown = last.supply - sum(SHARES.values()) * WEI_PER_IFX
    yield (
        f"{name}: after {len(world.rows)} epochs an IFX costs {_usd(last.price, 4)} (first {_usd(first, 4)}); "
        f"{_ifx(last.total_minted)} were minted, {last.total_minted * 100 / BUDGET:.1f} % of the budget, and "
        f"{_ifx(last.total_burned)} burned: the supply {'grew' if grown >= 0 else 'fell'} by {_ifx(abs(grown))}."
    )
    for group in world.groups:
        if group.behaviour != HONEST:
            verb = "gained" if group.profit > 0 else "lost"
            slashed = f", {_usd(group.slashed_worth, 0)} of it by slashes" if group.slashed_worth else ""
            yield f"{name}: the {group.behaviour} machines {verb} {_usd(abs(group.profit), 0)}{slashed}."
    whale = world.whales
    if whale.spent:
        verb = "gained" if whale.received > whale.spent else "lost"
        yield f"{name}: the whale paid {whale.spent / 1e6:,.0f} USD and got {whale.received / 1e6:,.0f}: it {verb}."
    under, topped = sum(row.under for row in world.rows), sum(row.topped_up for row in world.rows)
    if under:
        yield f"{name}: {under:,} times the price took a machine's stake under 80 %; {_ifx(topped)} topped these up."
    stuck = next((row.epoch for row in world.rows if row.uncollected > NANO_PER_USD), None)
    if stuck is not None:
        yield f"{name}: from epoch {stuck} on fees wait that the market is too small for: nothing is minted."


def _fleet() -> Iterator[str]:
    machines = load_machines().values()
    reward = (
        DEFAULTS["price_default"] * DEFAULTS["mint_multiple_bps"] * PARTS[Role.WORKER] // (sum(PARTS.values()) * BPS)
    )
    parts = [(machine.rent_per_ibm * PPM // reward, machine.name) for machine in machines if machine.gpus == 1]
    low, high = min(parts), max(parts)
    yield (
        f"An IBM brings its worker {_usd(reward, 4)} whatever an IFX costs, so a machine earns its rent when paid for "
        f"{_percent(low[0])} ({low[1]}) to {_percent(high[0])} ({high[1]}) of its time."
    )


def _emission(results: Results) -> Iterator[str]:
    price = max(results.settings.experiments.prices)
    share = BUDGET // DEFAULTS["epochs"]
    fees = share * BPS // DEFAULTS["mint_multiple_bps"] * price // WEI_PER_IFX
    sold = DEFAULTS["burn_bps"] * PPM // DEFAULTS["mint_multiple_bps"]
    yield (
        f"The whole budget is minted only where fees come to {_ifx(share)} an epoch, {_usd(fees, 0)} at "
        f"{_usd(price, 4)}. Burning buys as many IFX as nodes sell, when they sell {_percent(sold)} of the mint."
    )


def _washing(results: Results) -> Iterator[str]:
    of, rules = results.settings.experiments, DEFAULTS
    price, pool = NanoUsd(max(of.prices)), max(of.pool_usd)
    market = Market(price, pool, of.others_usd)
    where = f"an IFX at {_usd(price, 4)} and {pool:,} USD in the pool"
    yield f"Washing {of.washing_usd:,} USD an epoch beside {of.others_usd:,} of others, with {where}, pays as follows."
    for washer in WASHERS:
        least = break_even(washer, of.washing_usd, market, rules)
        now = wash(washer, of.washing_usd, market, rules).profit_ppm
        pays = f"washing pays with m > {least / BPS:.3f}" if least else "washing pays with no m up to 5"
        verb = "gains" if now > 0 else "loses"
        yield f"As {washer.name}: {pays}; with m = 1 it {verb} {_percent(abs(now))} of its fees."
    share = BUDGET // rules["epochs"]
    limit = (of.washing_usd + of.others_usd) * NANO_PER_USD * WEI_PER_IFX // share
    yield (
        f"The even share, {_ifx(share)} in the first epoch, is a second limit: with these fees it holds the mint down "
        f"while an IFX costs less than m x {_usd(limit, 4)}."
    )


def _reference(results: Results) -> Iterator[str]:
    usd, price = results.settings.experiments.washing_usd, NanoUsd(DEFAULTS["price_default"] * 3)
    for washer in WASHERS[1:4]:
        ratio = outside_price(washer, usd, price, DEFAULTS)
        yield (
            f"As {washer.name}, while fees buy at the reference price: with m = 1 washing pays once an IFX sells "
            f"elsewhere for more than {ratio / PPM:.3f} times that price."
        )


def _cheating(results: Results) -> Iterator[str]:
    of = results.settings.experiments
    machine = load_machines()[of.machine]
    for job in of.jobs:
        stakes = cheating.at_stake(job, machine, NanoUsd(DEFAULTS["price_default"]), DEFAULTS)
        gain = cheating.gain(job, stakes, stakes.slash)
        audit = cheating.least_audit(job, stakes, stakes.slash)
        largest = cheating.largest_task(job, stakes, stakes.slash)
        size = "any task" if largest is None else f"tasks up to {float(largest) / 1_000:,.1f} IBM"
        pays = "cheating pays" if gain > 0 else "cheating does not pay"
        least = int(cheating.least_stake(job, stakes))
        needed = f"{_usd(least, 4)} must be at risk" if least else "losing the reward is enough"
        yield (
            f"{job.name} ({job.work / 1_000:g} IBM, {_percent(job.audit)} checked, {_percent(job.detection)} of their "
            f"cheats found out, {machine.name}): {pays}. To deter it, {needed}; a slash takes {_usd(stakes.slash)}, "
            f"with which {100 * float(audit):.3f} % checked are enough. It deters {size}."
        )


def _settings(results: Results) -> Iterator[str]:
    """Which settings of the governor's make cheating pay, each by itself."""
    of = results.settings.experiments
    machine, price = load_machines()[of.machine], NanoUsd(DEFAULTS["price_default"])
    for name, (low, high) in cheating.GOVERNED.items():
        says = []
        for job in of.jobs:

            def pays(value: int, job: Job = job, name: str = name) -> bool:
                return cheating.pays_with(job, machine, price, DEFAULTS, **{name: value})

            first, turn = cheating.turns(pays, low, high)
            where = ("always" if first else "never") if turn is None else f"{'under' if first else 'from'} {turn:,}"
            says.append(f"{job.name}: {where}")
        bounds = f"{low:,} to {high:,} by governance and {DEFAULTS[name]:,} now"
        yield f"`{name}`, {bounds}: cheating pays in {'; '.join(says)}."
    job = of.jobs[0]
    stakes = cheating.at_stake(job, machine, price, DEFAULTS)
    for needed, committee in cheating.COMMITTEES:
        rules = {**DEFAULTS, "votes_needed": needed, "committee": committee}
        least = cheating.least_collusion(job, stakes, stakes.slash, rules)
        yield f"{needed} votes of a committee of {committee}: cheating in {job.name} pays with {least} % of the roster."


def _collusion(results: Results) -> Iterator[str]:
    of, bond = results.settings.experiments, DEFAULTS["verifier_bond"]
    for roster in of.verifiers:
        for limit in LIMITS:
            most = {part: most_below(roster, limit, DEFAULTS, part) for part in ("committee", "seats", "panel", "both")}
            yield (
                f"Of {roster:,} verifiers one owner may have {most['committee']} (bonds of "
                f"{_usd(most['committee'] * bond, 0)}) before its chance to pass a forgery reaches 1 in "
                f"{limit.denominator:,} ({most['seats']} with the manager's help), {most['panel']} of a panel, "
                f"{most['both']} of both for one task."
            )
    machine = load_machines()[of.machine]
    for job in of.jobs:
        stakes = cheating.at_stake(job, machine, NanoUsd(DEFAULTS["price_default"]), DEFAULTS)
        least = cheating.least_collusion(job, stakes, stakes.slash, DEFAULTS)
        yield f"{job.name}: cheating pays for a worker who owns {least} % of a large roster of verifiers."
