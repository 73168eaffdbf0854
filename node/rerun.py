# SPDX-License-Identifier: Apache-2.0
"""A vote to judge: which tiles are rendered again for it.

They are the tiles that the vote's measurement lists, as far as they are those that its verifier's draw gives. What it
does not list, or lists beside the draw, or has not published, the draw gives all the same: withholding neither convicts
nor saves. By which rule a difference speaks against the vote: `inferix.proofs.rerun`.
"""

from inferix.models.document import Bytes32
from inferix.models.work import PanelDuty


class Rerun(PanelDuty):
    """``case``: the contradiction; ``outcome``: what the vote says; ``seed``: what its committee's tiles were drawn
    from; ``verifier``: whose vote it is; ``measured``: digest of what it says that it measured."""

    verifier: int
    measured: Bytes32

    @property
    def name(self) -> tuple[Bytes32, int, int]:
        """Whose measurement of what counts: task, attempt, verifier."""
        return self.task.id, self.attempt, self.verifier
