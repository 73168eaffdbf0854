# SPDX-License-Identifier: Apache-2.0
"""What a client accepts, and the spec and order that follow from it and a quote."""

import secrets
from dataclasses import dataclass
from typing import Any

from inferix.messages import Order
from inferix.models.job import JobSpec, QuoteRequest
from inferix.replay.orders import MIN_CAP_PER_TASK
from inferix.units import NanoIbm, NanoUsd, fee_of

POST_WITHIN = 3_600
"""Seconds from the newest final block on, which may be a quarter of an hour old; as long as a quote stands."""


@dataclass(frozen=True)
class Terms:
    """``price``: highest nano-USD per IBM, 0 takes the quote's high end; ``cap``: the most that the order may cost,
    nano-USD, 0 is twice the quote; times in seconds."""

    price: int = 0
    cap: int = 0
    attempts: int = 4
    frames_per_task: int = 1
    attempt_seconds: int = 3_600
    deadline_seconds: int = 86_400


def spec_of(request: QuoteRequest, quote: dict[str, Any], terms: Terms) -> JobSpec:
    """The request, split and priced. Assembling a film counts as a quarter of a frame."""
    return JobSpec(
        request=request,
        work=quote["work"],
        assemble_work=max(1, quote["work"] // 4),
        frames_per_task=terms.frames_per_task,
        attempt_seconds=terms.attempt_seconds,
        quote_signature=quote["signature"],
        quote_expires=quote["expires"],
        low_price=quote["low_price"],
        high_price=quote["high_price"],
    )


def order_of(spec: JobSpec, terms: Terms, account: int, now: int) -> Order:
    """The order to sign, at the block clock's ``now``."""
    tasks = spec.tasks(bytes(32))
    price = terms.price or spec.high_price
    fee = fee_of(NanoIbm(sum(task.work for task in tasks)), NanoUsd(price))
    return Order(
        account=account,
        nonce=secrets.randbelow(2**31),
        manager=spec.request.manager,
        spec=spec.digest(),
        cap=terms.cap or max(MIN_CAP_PER_TASK * len(tasks), 2 * fee),
        price=price,
        attempts=terms.attempts,
        deadline=now + terms.deadline_seconds,
        post_by=now + POST_WITHIN,
    )
