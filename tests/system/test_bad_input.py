"""Invalid policies: one clear message each, and no file is changed."""

from __future__ import annotations

import subprocess

import pytest

from harness import factories
from harness.daemon_process import COMMAND, POLICY, House

BOMB = "a: &a [1]\nb: &b [*a, *a]\n" + POLICY
TABLE = [
    ("blur > 0.5 and wind", 2, "policy.rules[0].when: column 16: wind is not known; known are blur, under, over,"),
    ("blur >", 2, "policy.rules[0].when: column 7: not understood (invalid syntax)"),
    ("__import__('os').system('id')", 2, "is not allowed in a condition; write, for example, blur > 0.8 and"),
]
FILES = [
    (POLICY.replace("tag: 0.5", "tag: 0.98"), 2, "policy.defects.blur: tag 0.98 is above reject 0.97; tag must be at"),
    (POLICY.replace("  - path: inbox", "  - path: inbox\n  - path: inbox/sub"), 2, "watch[1].path: "),
    (POLICY.replace("quarantine: quarantine", "quarantine: ."), 2, "lies above the watched folder"),
    (POLICY.replace("quarantine: quarantine", "quarantine: inbox"), 2, "quarantine: "),
    (
        POLICY.replace("quarantine: quarantine", "quarantine: /proc/culld"),
        3,
        "the quarantine /proc/culld cannot be made",
    ),
    (POLICY.replace("quarantine: quarantine", "quarantine: culld.yaml/q"), 3, "culld.yaml/q cannot be made"),
    (
        POLICY.replace("reject: 0.97}\n    under", "reject: {precision: 0.9999999}}\n    under"),
        2,
        "the model reaches a",
    ),
    (BOMB, 2, "the alias *a is not allowed; write the value out"),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [(POLICY + f"  rules: [{{name: mine, action: keep, when: {when!r}}}]\n", code, said) for when, code, said in TABLE]
    + FILES,
)
def test_an_invalid_policy_is_reported_in_one_line(house: House, text: str, code: int, expected: str) -> None:
    """With the key and what to write, and the photo stays where it is."""
    house.drop("a.jpg", factories.encoded(factories.blurred(factories.picture(1))))
    house.config.write_text(text)

    done = subprocess.run(
        [COMMAND, "once", "--config", house.config], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout) == (code, "")
    said = [line for line in done.stderr.splitlines() if expected in line]
    assert len(said) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert (house.inbox / "a.jpg").exists()


@pytest.mark.slow
def test_a_quarantine_inside_a_watched_folder_does_not_loop(house: House) -> None:
    """What lies there is not new."""
    house.config.write_text(POLICY.replace("quarantine: quarantine", "quarantine: inbox/rejected"))
    house.drop("a.jpg", factories.encoded(factories.blurred(factories.picture(1))))

    assert house.culld("once") == "1 quarantined\n"
    assert house.culld("once") == "nothing new\n"
    assert set(house.photos(house.inbox)) == {"rejected/a.jpg"}
