# SPDX-License-Identifier: Apache-2.0
"""All parts of the model together."""

from dataclasses import dataclass

from tests.stateful.model.availability import Availability
from tests.stateful.model.basics import Ground
from tests.stateful.model.books import Books
from tests.stateful.model.buyback import Buyback
from tests.stateful.model.claims import Claims
from tests.stateful.model.contradictions import Contradictions
from tests.stateful.model.courts import Courts
from tests.stateful.model.credit import Credit
from tests.stateful.model.delegation import Delegations
from tests.stateful.model.escape import Escapes
from tests.stateful.model.governance import Governance
from tests.stateful.model.keys import Keys
from tests.stateful.model.lanes import Lanes
from tests.stateful.model.licences import Licences
from tests.stateful.model.objections import Objections
from tests.stateful.model.pool import Markets
from tests.stateful.model.roots import Roots
from tests.stateful.model.sale import Sale
from tests.stateful.model.stake import Stakes
from tests.stateful.model.terms import Terms
from tests.stateful.model.vesting import Vesting
from tests.stateful.model.votes import Votes
from tests.stateful.model.work import Work


@dataclass
class Model:
    """The money of the protocol."""

    ground: Ground
    credit: Credit
    stakes: Stakes
    work: Work
    books: Books
    courts: Courts
    delegations: Delegations
    escapes: Escapes
    claims: Claims
    roots: Roots
    availability: Availability
    objections: Objections
    contradictions: Contradictions
    markets: Markets
    votes: Votes
    vesting: Vesting
    governance: Governance
    licences: Licences
    sale: Sale
    buyback: Buyback
    keys: Keys
    lanes: Lanes
    terms: Terms
