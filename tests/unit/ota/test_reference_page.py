# SPDX-License-Identifier: Apache-2.0
"""The reference page names every state, reason to wait and code that the agent can show."""

from __future__ import annotations

from pathlib import Path

from smartcockpit.core.update.codes import Code, Phase, Waiting

PAGE = (Path(__file__).parents[3] / "docs/reference/updates.md").read_text()


def test_every_word_and_number_is_explained() -> None:
    words = [word.value for word in (*Phase, *Waiting) if word]
    assert [word for word in words if f"| `{word}` |" not in PAGE] == []
    assert [code.name for code in Code if code and f"| {int(code)} |" not in PAGE] == []
