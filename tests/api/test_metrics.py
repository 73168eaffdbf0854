# SPDX-License-Identifier: Apache-2.0
"""What a monitoring system reads."""

import re

from inferix.models.roles import Outcome
from tests.api.conftest import Api

LINE = re.compile(r'^inferix_[a-z_]+(\{[a-z]+="[a-z_]+"(,[a-z]+="[a-z_]+")*\})? \d+$')


def test_figures_in_the_text_format(api: Api) -> None:
    chain = api.chain
    chain.run(chain.state(chain.order(), 0), Outcome.REJECTED)
    answer = api.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert all(LINE.match(line) or line.startswith(("# HELP inferix_", "# TYPE inferix_")) for line in lines)
    assert 'inferix_attempts_total{outcome="rejected"} 1' in lines
    assert 'inferix_nodes{role="worker",status="active"} 3' in lines
    assert 'inferix_cases{end="open"} 0' in lines
    assert f"inferix_block {chain.network.block}" in lines
    assert 'inferix_false_cases_ppm{end="counted"} 0' in lines
    assert 'inferix_false_cases_ppm{end="upper"} 1000000' in lines, "nothing is known of no case"


def test_the_network_tells_how_verification_has_judged(api: Api) -> None:
    found = api.http.get("/network").json()["verification"]
    assert (found["cases"], found["false"], found["false_at_most_ppm"]) == (0, 0, 1_000_000)
