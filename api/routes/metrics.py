# SPDX-License-Identifier: Apache-2.0
"""Figures for those who watch the network, in the text format of Prometheus. Counts start with the contracts.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from api.deps import ContextDep
from inferix.models.roles import NodeStatus, Role
from inferix.replay import Network
from inferix.replay.record import record_of
from inferix.replay.state import JobStatus

router = APIRouter(tags=["state"])
FORMAT = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(context: ContextDep) -> PlainTextResponse:
    """The newest mirrored block, nodes, jobs, outcomes, cases and how many of them accused falsely."""
    return PlainTextResponse("\n".join(_lines(await context.network())) + "\n", media_type=FORMAT)


def _lines(network: Network) -> Iterator[str]:
    yield from _gauge("block", "Newest mirrored block.", {"": network.block})
    yield from _gauge("block_time_seconds", "Its time, since 1970.", {"": network.time})
    yield from _gauge("nodes", "Registered nodes.", _nodes(network))
    running = sum(job.status is JobStatus.RUNNING for job in network.jobs.values())
    yield from _gauge("jobs_running", "Jobs that are not done.", {"": running})
    found = record_of(network)
    outcomes = {f'{{outcome="{name}"}}': count for name, count in found.outcomes.items()}
    yield from _gauge("attempts_total", "Attempts that ended.", outcomes, "counter")
    ends = {"open": found.open, "slashed": found.slashed, "cleared": found.cleared, "false": found.false}
    cases = {f'{{end="{name}"}}': count for name, count in ends.items()}
    yield from _gauge("cases", "Cases against rejected workers; false: the accusation was shown to be wrong.", cases)
    counted, at_most = found.false_ppm
    rates = {'{end="counted"}': counted, '{end="upper"}': at_most}
    yield from _gauge("false_cases_ppm", "Share of false ones, and the upper end of its 95 % interval.", rates)


def _nodes(network: Network) -> dict[str, int]:
    return {
        f'{{role="{role.name.lower()}",status="{status.name.lower()}"}}': sum(
            node.role is role and node.status is status for node in network.nodes.values()
        )
        for role in Role
        for status in NodeStatus
    }


def _gauge(name: str, says: str, values: dict[str, int], kind: str = "gauge") -> Iterator[str]:
    yield f"# HELP inferix_{name} {says}"
    yield f"# TYPE inferix_{name} {kind}"
    for labels, value in values.items():
        yield f"inferix_{name}{labels} {value}"
