# SPDX-License-Identifier: Apache-2.0
"""``make bench-gas``: gas of every call of the steady state, beside its bound; gas of a task, beside peers.

The calls are those of the gas tests, measured on titanoboa's py-evm under the rules of Prague; no chain is needed.
"""

import csv
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks import sale
from benchmarks.table import SECTION, Row, Sheet, percent, show, times, whole
from devnet.processes import ROOT, exit_on_sigterm
from inferix.errors import Corrupt
from inferix.models.parameters import DEFAULTS
from keepers.anchor import MESSAGES_AT_ONCE

PEERS: Final = Path(__file__).parent / "peers.csv"
SNAPSHOT: Final = ROOT / "tests" / "gas" / "snapshot.json"
REPORT: Final = ROOT / "out" / "bench" / "gas.json"
JOBS: Final = (5, 200)  # tasks a job


@dataclass(frozen=True, slots=True)
class Peer:
    """What one task costs elsewhere. ``buys``: what is had for it; ``source``: whose code at which commit."""

    network: str
    path: str
    transactions: int
    gas: int
    buys: str
    source: str


@dataclass(frozen=True, slots=True)
class CallGas:
    """One call. ``limit``: gas a unit that it was designed to use at most; ``why``: what puts it over that."""

    name: str
    gas: int
    committed: int | None
    units: int = 1
    limit: int | None = None
    why: str = ""

    @property
    def over(self) -> int | None:
        """Gas a unit beyond the bound, rounded up; negative below it."""
        return None if self.limit is None else -((self.limit * self.units - self.gas) // self.units)


def load_peers(text: str) -> list[Peer]:
    """The rows of peers.csv; lines that begin with # are comments. Raises Corrupt."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    try:
        return [_peer(row) for row in csv.DictReader(lines, strict=True)]
    except (ValueError, TypeError, KeyError, csv.Error) as error:
        raise Corrupt(f"peers.csv is malformed: {error}") from error


def _peer(row: Mapping[str, Any]) -> Peer:
    words = {name: str(row[name]) for name in ("network", "path", "buys", "source")}
    return Peer(transactions=int(row["transactions"]), gas=int(row["gas"]), **words)


def calls(figures: Mapping[str, int], snapshot: Mapping[str, int], bounds: Sequence[Any]) -> list[CallGas]:
    """Every call with its bound. ``bounds``: as in tests/gas/bounds.py. Raises Corrupt for a bound of no call."""
    limits = {bound.figure: bound for bound in bounds}
    strange = limits.keys() - figures.keys()
    if strange:
        raise Corrupt(f"bounds of calls that are not measured: {', '.join(sorted(strange))}")
    found = []
    for name, gas in figures.items():
        bound = limits.get(name)
        more = {} if bound is None else {"units": bound.units, "limit": bound.limit, "why": bound.why}
        found.append(CallGas(name, gas, snapshot.get(name), **more))
    return found


def call_rows(found: Sequence[CallGas]) -> list[Row]:
    """The first table."""
    rows: list[Row] = []
    for call in found:
        each = whole(call.gas) if call.units == 1 else f"{call.gas / call.units:,.1f}"
        limit, beyond = ("-", "-") if call.limit is None else (whole(call.limit), f"{call.over:+,}")
        rows.append((call.name, whole(call.gas), _committed(call), str(call.units), each, limit, beyond))
    return rows


def _committed(call: CallGas) -> str:
    if call.committed is None:
        return "none"
    return "same" if call.committed == call.gas else whole(call.committed)


def messages_a_task() -> int:
    """What a render task has anchored: acceptance, receipt and its committee's votes."""
    return 2 + DEFAULTS["committee"]


def tasks_an_anchor() -> int:
    """How many render tasks the keeper can put into one anchor."""
    return MESSAGES_AT_ONCE // messages_a_task()


def as_sent(part: Mapping[str, float], figures: Mapping[str, int]) -> dict[str, float]:
    """Gas of a task by step with the anchors that keepers send: full ones; they claim as designed."""
    return {**part, "anchor": figures["anchor and seal"] / tasks_an_anchor()}


def step_rows(parts: Sequence[Mapping[str, float]]) -> list[Row]:
    """The second table: gas of a task by step and its share, a column for each of ``parts``."""
    totals = [sum(part.values()) for part in parts]
    rows: list[Row] = []
    for step in parts[0]:
        shares = [(part[step], percent(part[step] / total)) for part, total in zip(parts, totals, strict=True)]
        rows.append((step, *(f"{gas:,.1f}  {share:>6}" for gas, share in shares)))
    return [*rows, SECTION, ("all in", *(f"{total:,.0f}         " for total in totals))]


def peer_rows(peers: Sequence[Peer], ours: Sequence[float]) -> list[Row]:
    """The third table: what peers use, as a multiple of ours at each size of job."""
    return [
        (peer.network, peer.path, whole(peer.gas), *(times(peer.gas / each) for each in ours), peer.buys)
        for peer in peers
    ]


def main() -> int:
    """Measure, print, write out/bench/gas.json."""
    exit_on_sigterm()
    try:
        measured = measure()
    except KeyboardInterrupt:
        print("\nstopped; nothing is left running")
        return 130
    peers = load_peers(PEERS.read_text())
    for sheet in sheets(measured, peers):
        show(sheet)
    _write(measured, peers)
    return 0


@dataclass(frozen=True, slots=True)
class Measured:
    """``parts``: gas of a task by step for each size of job, as designed; ``sent``: as keepers send it;
    ``without_mint``: of a purchase in the licence sale, what is not the licence's mint."""

    calls: list[CallGas]
    parts: list[dict[str, float]]
    sent: list[dict[str, float]]
    without_mint: dict[str, int]

    def all_in(self) -> list[float]:
        """Gas of a task for each size of job, as keepers send it."""
        return [sum(part.values()) for part in self.sent]


class Told(dict[str, int]):
    """Figures; says each when it is measured."""

    def __init__(self) -> None:
        super().__init__()
        self._started = time.monotonic()

    def __setitem__(self, name: str, gas: int) -> None:
        super().__setitem__(name, gas)
        print(f"{time.monotonic() - self._started:7.1f} s  {name}: {gas:,}", flush=True)


def measure() -> Measured:
    """Runs all that the gas tests measure."""
    print("the contracts are compiled and deployed on an EVM in this process", flush=True)
    figures = Told()
    # Only here: they bring the compiler and an EVM along.
    from tests.gas.bounds import BOUNDS
    from tests.gas.parts import PARTS, alone
    from tests.gas.sale import Counter
    from tests.gas.scenario import all_in_parts

    for part in PARTS:
        with alone():
            part(figures).run()
    with alone():
        counter = Counter(figures)
        counter.run()
    parts = [all_in_parts(figures, size) for size in JOBS]
    sent = [as_sent(part, figures) for part in parts]
    found = calls(figures, json.loads(SNAPSHOT.read_text()), BOUNDS)
    return Measured(found, parts, sent, counter.without_mint)


def steady_state(tasks_a_job: int) -> dict[str, float]:
    """Gas of a task by step as keepers send it, from the committed snapshot, which the gas tests hold true."""
    from tests.gas.scenario import all_in_parts  # only here: it brings the compiler along

    figures: dict[str, int] = json.loads(SNAPSHOT.read_text())
    return as_sent(all_in_parts(figures, tasks_a_job), figures)


def sheets(measured: Measured, peers: Sequence[Peer]) -> list[Sheet]:
    """Four tables."""
    reasons = [f"{call.name}, beyond its bound: {call.why}" for call in measured.calls if call.why]
    calls_sheet = Sheet(
        "Gas of every call in steady state, beside the bound that it was designed to",
        ("call", "gas", "committed", "units", "gas a unit", "bound", "beyond"),
        call_rows(measured.calls),
        ["committed: tests/gas/snapshot.json; bound and beyond: gas a unit", *reasons],
    )
    peers_sheet = Sheet(
        "The same beside peers: their gas, and how many times ours, as sent, it is",
        ("network", "path", "gas", *(f"at {size}" for size in JOBS), "what it buys"),
        peer_rows(peers, measured.all_in()),
        [
            "not the same task: peers' withdrawals are left out, our claim is in; ours is final after a window",
            "sources: benchmarks/peers.csv",
        ],
        words=(1, 5),
    )
    figures = {call.name: call.gas for call in measured.calls}
    sale_sheet = sale.sale_sheet(figures, measured.without_mint, sale.load_sales(sale.PEERS.read_text()))
    return [calls_sheet, _step_sheet(measured), peers_sheet, sale_sheet]


def _step_sheet(measured: Measured) -> Sheet:
    sizes = [f"{how}, {size} tasks a job" for how in ("designed", "as sent") for size in JOBS]
    return Sheet(
        "Gas of one verified and settled task, by step",
        ("step", *sizes),
        step_rows([*measured.parts, *measured.sent]),
        [
            "both: orders in fifties, batches of 1000 with records, claims every 100 tasks, 8,640 slots an epoch",
            "both: claims by claim_chunk; designed: an anchor for 100 tasks",
            f"as sent: at most {MESSAGES_AT_ONCE} messages an anchor, at least {messages_a_task()} a task: "
            f"{tasks_an_anchor()} tasks an anchor",
        ],
    )


def _write(measured: Measured, peers: Sequence[Peer]) -> None:
    rows = zip(JOBS, measured.parts, measured.sent, strict=True)
    tasks = {size: {"designed": _summed(part), "as_sent": _summed(sent)} for size, part, sent in rows}
    report = {
        "calls": [asdict(call) for call in measured.calls],
        "tasks_a_job": tasks,
        "purchases_without_mint": measured.without_mint,
        "tasks_an_anchor": tasks_an_anchor(),
        "peers": [asdict(peer) for peer in peers],
    }
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    print(f"\non disk: {REPORT.relative_to(ROOT)}")


def _summed(part: Mapping[str, float]) -> dict[str, float]:
    return {**part, "all_in": sum(part.values())}


if __name__ == "__main__":
    sys.exit(main())
