# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title courts
@license AGPL-3.0-only
@author Inferix
@notice Which contracts judge: they freeze and slash stakes, set a node's status, hold up roots and cancel them. Named when the
        protocol is wired, for good.
@custom:kill None: a court that could be taken away could be stopped in the middle of a case.
"""


is_court: public(HashMap[address, bool])


@internal
def _name(courts: DynArray[address, 8]):
    assert len(courts) != 0, "courts: none"
    for court: address in courts:
        assert court != empty(address), "courts: empty address"
        self.is_court[court] = True


@internal
@view
def _check_court():
    assert self.is_court[msg.sender], "courts: not a court"
