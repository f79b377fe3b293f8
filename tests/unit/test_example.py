"""The example configuration: it shows every key there is, each with its default."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from culld.app.model_files import resolve_policies
from culld.cli import build_parser, policy
from culld.config import Config, load_config
from culld.config.messages import known_keys
from culld.errors import ConfigError

EXAMPLE = Path(__file__).resolve().parents[2] / "config.example.yaml"
HOME = {"HOME": "/home/ann"}


def keys_of(data: object, above: str = "") -> set[str]:
    """Every dotted key of plain values, `[]` standing for the items of a list of sections."""
    found = set()
    for name, value in data.items() if isinstance(data, dict) else ():
        is_list = isinstance(value, list) and any(isinstance(item, dict) for item in value)
        key = f"{above}{name}{'[]' if is_list else ''}"
        found.add(key)
        for inner in value if is_list else [value]:
            found |= keys_of(inner, f"{key}.")
    return found


def test_the_example_shows_every_key_and_no_other() -> None:
    """A key that is added to the schema must be explained in the example."""
    assert set(known_keys(Config)) == keys_of(yaml.safe_load(with_its_rule()))


def with_its_rule() -> str:
    """The example with the rule that it shows in a comment, since by default there is none."""
    text = EXAMPLE.read_text()
    shown = re.findall(r"^  #   (.*)$", text, re.MULTILINE)
    return text.replace("  rules: []", "  rules:\n" + "\n".join(f"    {line}" for line in shown))


def test_the_rules_of_the_example_are_valid(tmp_path: Path) -> None:
    """People copy them."""
    file = tmp_path / "config.yaml"
    file.write_text(with_its_rule())

    names = [rule.name for rule in load_config(file, HOME).policy.rules]
    assert names == ["grain is fine at night", "sharp subject before a soft ground"]


def test_every_value_of_the_example_is_the_default(tmp_path: Path) -> None:
    """Copying the example changes nothing that leaving a key out would not."""
    smallest = tmp_path / "config.yaml"
    smallest.write_text("watch:\n  - path: ~/Pictures/Import\nquarantine: ~/Pictures/Quarantine\n")

    assert load_config(smallest, HOME) == load_config(EXAMPLE, HOME)


def test_every_key_of_the_example_has_a_comment() -> None:
    """Above each key, or above its section."""
    lines = EXAMPLE.read_text().splitlines()
    sections = [number for number, line in enumerate(lines) if line and line[0] not in " #"]
    bare = []
    for start, end in zip(sections, [*sections[1:], len(lines)], strict=True):
        explained = lines[start - 1].startswith("#") or any("#" in line for line in lines[start:end])
        bare += [] if explained else [lines[start]]

    assert bare == []


def test_policy_check_prints_what_the_example_means(capsys: pytest.CaptureFixture[str]) -> None:
    """The thresholds, the folders and the digest by which decisions remember the policy."""
    arguments = build_parser(["policy"]).parse_args(["policy", "check", str(EXAMPLE)])

    assert policy.run(arguments) == 0
    printed = capsys.readouterr().out
    assert [line.split() for line in printed.splitlines()[1:4]] == [
        ["blur", "0.5", "0.97"],
        ["under", "0.6", "never"],
        ["over", "0.6", "never"],
    ]
    assert resolve_policies(load_config(EXAMPLE, HOME)).default.digest in printed


def test_policy_check_prints_where_copies_are_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For each folder; nothing for a folder without copies."""
    file = tmp_path / "config.yaml"
    file.write_text(
        f"watch: [{{path: {tmp_path}/a}}, {{path: {tmp_path}/b, enhance: never}}]\n"
        f"quarantine: {tmp_path}/q\nstate: {tmp_path}/s\npolicy: {{enhance: rejects}}\n"
    )

    assert policy.run(build_parser(["policy"]).parse_args(["policy", "check", str(file)])) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("watch")]
    assert ["enhance rejects" in line for line in lines] == [True, False]


def test_policy_check_passes_on_what_is_wrong(tmp_path: Path) -> None:
    """The command line gets the problems, prints them and exits with 2."""
    file = tmp_path / "config.yaml"
    file.write_text("watch: 3\n")
    arguments = build_parser(["policy"]).parse_args(["policy", "check", str(file)])

    with pytest.raises(ConfigError) as raised:
        policy.run(arguments)
    assert len(raised.value.problems) == 2
