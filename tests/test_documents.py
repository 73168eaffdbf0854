# SPDX-License-Identifier: Apache-2.0
"""What documents say of tests is so, and no number of the contracts is left out of them."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ECONOMY = (ROOT / "docs" / "economy.md").read_text(encoding="utf-8")

NUMBER = re.compile(r"^(\w+): (?:public\()?constant\((u?int\d+)(?:\[\d+\])?\)\)? = (.+)$", re.MULTILINE)
MASK = re.compile(r"2\*\*\d+ - 1|<<|>>|2\*\*255|max_value")
UNITS = {"BPS", "IFX_WEI", "NANO", "NANO_PER_CENT", "SCALE", "UNIT", "_DAY", "_NANO_PER_CENT"}
LAYOUT = {
    *("CHUNK", "CHUNK_HEIGHT", "MAX_CHUNKS", "ORDER_BYTES", "PROBE_BYTES", "RECEIPT_BYTES", "RECORD_BYTES", "TIMES"),
    *("VOTE_BYTES", "_BYTE", "_CELLS", "_CELL_BITS", "_CELL_SHIFT", "_COUNT_BITS", "_DONE", "_FLAGS", "_LAST"),
    *("_MARK", "_OFFSETS", "_TIME_BITS", "_WORK_BITS", "NEVER", "NOW", "ONCE"),
}
OF_AN_EIP = {"NEAR", "_MAX_S"}


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


def test_every_number_that_no_vote_changes_is_in_the_economy_document() -> None:
    """But units, masks, the layout of words and bytes, what an EIP fixes; of uint8 are kinds and states."""
    found = {
        f"{path.stem}.{name}"
        for path in (ROOT / "contracts").rglob("*.vy")
        for name, kind, value in NUMBER.findall(path.read_text(encoding="utf-8"))
        if kind != "uint8" and not MASK.search(value) and name not in UNITS | LAYOUT | OF_AN_EIP
    }
    assert len(found) > 80
    named = set(re.findall(r"`(\w+\.\w+)`", ECONOMY.split("## What no vote changes")[1].split("\n## ")[0]))
    assert named == found, sorted(named ^ found)


def test_regression_every_decision_is_in_the_list_of_documents() -> None:
    listed = re.findall(r"\(decisions/([^)]+\.md)\)", (ROOT / "docs" / "README.md").read_text(encoding="utf-8"))
    assert listed == sorted(path.name for path in (ROOT / "docs" / "decisions").glob("*.md"))


def test_every_link_of_a_document_to_a_file_of_the_project_leads_somewhere() -> None:
    documents = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    broken = [
        f"{document.relative_to(ROOT)}: {link}"
        for document in (*documents, *(ROOT / "docs").rglob("*.md"))
        for link in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
        if "://" not in link and not (document.parent / link).exists()
    ]
    assert not broken


def test_regression_tables_that_are_made_stand_on_a_page_of_their_own() -> None:
    said, figures = (
        (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("proof-of-rendering.md", "proof-figures.md")
    )
    assert "<!-- tables:" not in said
    assert figures.count("<!-- tables:") == figures.count("<!-- end of tables -->") == 4
    anchors = {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.*)$", figures, re.M)
    }
    assert set(re.findall(r"\]\(proof-figures\.md#([^)]+)\)", said)) <= anchors
