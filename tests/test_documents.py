# SPDX-License-Identifier: Apache-2.0
"""What documents say of tests is so."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_test_that_the_security_document_names_exists() -> None:
    written = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^\s*(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    named = set(re.findall(r"`(test_\w+)`", SECURITY))
    assert len(named) > 100
    assert named <= written, sorted(named - written)


def test_every_file_that_the_security_document_names_exists() -> None:
    named = set(re.findall(r"`(tests/[\w/.]+)`", SECURITY)) | {
        f"docs/{path}" for path in re.findall(r"\]\(([\w/.-]+\.md)\)", SECURITY)
    }
    assert named
    assert all((ROOT / path).exists() for path in named), named
