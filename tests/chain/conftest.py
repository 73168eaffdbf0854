# SPDX-License-Identifier: Apache-2.0
"""ABIs as the compiler writes them, from the interfaces of the real contracts."""

from pathlib import Path
from typing import Any

import pytest
from vyper import compile_code

from inferix.chain.abi import Interface

INTERFACES = Path(__file__).parents[2] / "contracts/interfaces"


@pytest.fixture(scope="session")
def interface() -> Any:
    """``interface("Batches")``"""

    def load(name: str) -> Interface:
        source = (INTERFACES / f"I{name}.vyi").read_text()
        abi = compile_code(source, contract_path=f"I{name}.vyi", output_formats=["abi"])["abi"]
        return Interface(name, abi)

    return load
