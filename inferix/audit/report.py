# SPDX-License-Identifier: Apache-2.0
"""What an audit came to."""

from dataclasses import dataclass, field

KINDS = (
    *("anchors", "seeds", "draws", "votes", "rosters", "batches", "leaves"),
    *("leases", "accounts", "epochs", "verdicts", "machines"),
)


@dataclass
class Report:
    """How many claims of each kind were checked and what was false. ``unknown``: what nobody can tell any more, because
    what it rests on is not served, or was judged by a calibration that this code does not come with."""

    checked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    problems: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def check(self, kind: str, true: bool | None, says: str) -> None:
        """Counts one claim; None where it cannot be told, which is not counted."""
        if true is None:
            self.unknown.append(f"{kind}: {says}")
            return
        self.checked[kind] += 1
        if not true:
            self.problems.append(f"{kind}: {says}")
