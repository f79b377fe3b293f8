"""`culld archive simulate`: by columns and alone it says what `decide` says about each photo with its neighbours."""

from __future__ import annotations

import io
import json
import os
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from culld.app.model_files import load_model, resolve_policies
from culld.archive.parquet.folder import ArchiveFolder, Manifest
from culld.archive.scoring.shards import deleted_row, write_rows
from culld.archive.simulate import SimulateRequest, simulate_archive
from culld.archive.simulation.layout import layout_of
from culld.archive.simulation.outcomes import OUTCOMES, Group, Kind, Outcome, Simulation
from culld.archive.simulation.parts import Roots, Tables, judged_parts
from culld.archive.simulation.photo_columns import columns_for
from culld.archive.simulation.screen import NO_RULE
from culld.archive.simulation.whole_folders import whole_folders
from culld.cli import exit_codes, main
from culld.cli.archive_simulate import print_simulation
from culld.config import load_config
from culld.errors import ConfigError
from culld.records import Decision, Defect, RootedPath, Verdict
from culld.stages.decide.decide import decide
from culld.stages.decide.decider import metadata_read_with
from culld.stages.group import stacks
from culld.stages.group.grouping import Grouper
from harness.archive_rows import ROOT, Drawn, archive, draw, plan

if TYPE_CHECKING:
    from culld.records import Assessment, FolderPolicies, Policy

pytest.importorskip("pyarrow")

NOW = datetime(2026, 11, 1, tzinfo=UTC)
MODEL = load_model(None)[1].id
POLICIES = {
    "the default": "",
    "that rejects a third": "defects: {blur: {tag: 0.4, reject: 0.7}, under: {reject: 0.7}, focus: {reject: 0.9}}",
    "without protection": "defects: {over: {tag: 0.1, reject: 0.2}}, protect: {rated: never, edited: false,"
    " series: false, bursts: false, smaller_than: never, night_below: never}",
    "of the worst of a shot": "defects: {blur: {reject: 0.6}}, stack_verdict: worst, protect: {series: false}",
    "of the RAW": "defects: {blur: {reject: 0.6}}, stack_verdict: raw, protect: {bursts: false, night_below: 9}",
}  # fmt: skip
RULES = {
    "keep": ["blur > 0.9 and iso < 300", "camera == 'x100' or 'TRIP 3' in folder", "not (aperture > 2)"],
    "tag": ["name in ('img_0003.jpg', 'img_0007.jpg')", "faces >= 1 and face_blur < 0.3", "exposure_time * 2 > 0.5"],
    "quarantine": [
        "under - over > 0.2", "subject_sharp == False", "light_value < 5 and bias < 1", "raw and pictures == 2",
        "hour == 10 and age_days > 100 and focal_length in (35, 50)", "sharp_share < 0.2 or share_blur > 0.1",
        "series == 'burst' and blur > 0.2", "series_ev < -1", "camera not in ('M9', 'other')", "longest < 1000",
        "missed_focus / face_blur > 1", "extension == 'dng' and sharpness < 0.5",
    ],
}  # fmt: skip
Found = dict[str, tuple[Outcome, int, str]]
"""The outcome, the defects as bits and the rule of each photo, by its path."""


@dataclass(frozen=True)
class Given:
    """A policy as `simulate_archive` has it."""

    file: Path
    roots: dict[Path, Policy]
    policies: FolderPolicies

    def tables(self, folder: ArchiveFolder) -> Tables:
        """What judges the archive."""
        config = load_config(self.file, {})
        return Tables(layout_of(folder), Roots.of(config, self.policies, folder.manifest()), self.policies, NOW)


def given(tmp_path: Path, policy: str, watch: str = "") -> Given:
    """A configuration file with a policy; a watched folder with photos is only observed."""
    file = tmp_path / "policy.yaml"
    mode, folder = ("observe", watch) if watch else ("enforce", "/elsewhere")
    lines = (
        f"watch: [{{path: {folder}, mode: {mode}}}]",
        f"quarantine: {tmp_path}/q",
        f"state: {tmp_path}/state",
        f"policy: {{{policy}}}",
    )
    file.write_text("\n".join(lines) + "\n")
    policies = resolve_policies(load_config(file, {}))
    return Given(file, dict(policies.by_root), policies)


def decisions(drawn: Drawn, rows: list[dict[str, Any]], policy: Policy) -> dict[str, Decision]:
    """What the pipeline decides: the stacks of each folder by `group`, their series by `in_series`."""
    order = {row["path"]: number for number, row in enumerate(rows)}
    beside = {each.photo.place: names for each, names in drawn.photos}
    folders: defaultdict[Path, list[Assessment]] = defaultdict(list)
    for each, _ in sorted(drawn.photos, key=lambda pair: order[str(pair[0].photo.place.path)]):
        folders[each.photo.place.path.parent].append(each)

    def names(place: RootedPath) -> list[str]:
        found = beside[place]
        return [place.relative.name, *found.sidecars, *found.siblings, *found.blocking]

    found = {}
    for members in folders.values():
        for stack in Grouper().in_series(stacks.group(members, names)):
            metadata = metadata_read_with(stack)
            assert metadata is not None
            known = replace(stack, user_metadata=metadata)
            found[str(stack.primary.photo.place.path)] = decide(known, policy, now=NOW, restored=False)
    return found


def expected(drawn: Drawn, decided: dict[str, Decision]) -> Found:
    """The outcomes of decisions, and of the photos without a judgement."""
    by_verdict = {Verdict.KEEP: Outcome.KEPT, Verdict.TAG: Outcome.TAGGED, Verdict.UNREADABLE: Outcome.UNREADABLE}
    found: Found = {str(place.path): (Outcome.FAILED, 0, "") for place in drawn.failed}
    for path, decision in decided.items():
        kind = Outcome.QUARANTINED if decision.would_reject else by_verdict[decision.verdict]
        bits = sum(1 << list(Defect).index(defect) for defect in decision.defects)
        found[path] = (kind, bits, decision.rule)
    return found


def judged(folder: ArchiveFolder, policy: Given) -> Found:
    """The outcomes of the rows of an archive."""
    tables, found = policy.tables(folder), {}
    variables = {name for rule in policy.policies.default.named_rules for name in rule.when.variables}
    for table in whole_folders(tables.layout, columns_for(variables)):
        result = tables.judge(table).judged()
        for row, path in enumerate(table["path"].to_pylist()):
            rule = "" if result.rules[row] == NO_RULE else result.names[result.rules[row]]
            found[path] = (OUTCOMES[result.outcomes[row]], int(result.defects[row]), rule)
    return found


@pytest.mark.parametrize("policy", POLICIES)
def test_each_photo_has_the_outcome_that_decide_gives_it(policy: str, tmp_path: Path) -> None:
    """With siblings, ratings, sidecars, copies, and series across shards of seven photos."""
    drawn, policies = draw(5, folders=6), given(tmp_path, POLICIES[policy])
    rows = drawn.rows()
    wanted = decisions(drawn, rows, policies.policies.default)

    found = judged(archive(tmp_path / "out", rows, 7), policies)

    assert found == expected(drawn, wanted)
    spared = Counter(
        kind for each in wanted.values() for kind in ("bracket", "burst", "stack", "pano") if kind in each.reason
    )
    assert set(Counter(outcome for outcome, _, _ in found.values())) == set(Outcome)
    assert policy == "without protection" or spared.total() > 2


@pytest.mark.parametrize("seed", range(4))
def test_rules_over_columns_and_over_neighbours_are_decided_alike(seed: int, tmp_path: Path) -> None:
    """Three of those above, chosen by seed."""
    rng, drawn = random.Random(seed), draw(seed, folders=4)  # noqa: S311 (a test)
    chosen = [(action, rng.choice(RULES[action])) for action in rng.choices(list(RULES), [1, 1, 3], k=3)]
    rules = ", ".join(f'{{name: r{at}, when: "{when}", action: {action}}}' for at, (action, when) in enumerate(chosen))
    policies = given(tmp_path, f"defects: {{blur: {{reject: 0.7}}}}, rules: [{rules}]")
    rows = drawn.rows()

    found = judged(archive(tmp_path / "out", rows, 7), policies)

    assert found == expected(drawn, decisions(drawn, rows, policies.policies.default))


def test_rows_in_any_order_and_in_parts_are_judged_alike(tmp_path: Path) -> None:
    """A folder whose rows are in many files belongs to one part; two processes judge the parts."""
    drawn, policies = draw(1, folders=4), given(tmp_path, POLICIES["that rejects a third"])
    rows = drawn.rows()
    random.Random(1).shuffle(rows)  # noqa: S311 (a test)
    folder = archive(tmp_path / "out", rows, 20)
    wanted = expected(drawn, decisions(drawn, rows, policies.policies.default))

    assert judged(folder, policies) == wanted
    found = Simulation("")
    for _, part in judged_parts(policies.tables(folder), 2, 60):
        found.add(part)
    assert found.counts == Counter(outcome for outcome, _, _ in wanted.values())
    assert found.groups[Kind.RULE]["policy.defects.blur.reject"].counts[Outcome.QUARANTINED] == sum(
        each[::2] == (Outcome.QUARANTINED, "policy.defects.blur.reject") for each in wanted.values()
    )


def test_only_the_last_row_of_a_photo_counts_and_a_late_sibling_belongs_to_its_shot(tmp_path: Path) -> None:
    """A second scan read a photo again, found one gone, and a RAW whose JPEG was there before."""
    drawn, policies = draw(3, folders=2), given(tmp_path, POLICIES["of the worst of a shot"])
    early = Drawn([each for each in drawn.photos if not each[0].photo.place.path.name.endswith("dng")])
    late = Drawn([each for each in drawn.photos if each[0].photo.place.path.name.endswith("dng")])
    again, gone = early.photos[0], early.photos[1][0].photo.place
    alone = Drawn([(each, replace(beside, siblings=())) for each, beside in early.photos])
    folder = archive(tmp_path / "out", [{**row, "blur": 0.5} for row in alone.rows()], 9)

    second = [*Drawn([again]).rows(), *late.rows()]
    plan(folder, 2, [[row["path"].encode() for row in second]], (os.fsencode(gone.path),))
    write_rows(folder.deleted(2), [deleted_row(gone)], 2)
    write_rows(folder.shard(2, 0), second, 2)

    halved = [(replace(each, result=replace(each.result, blur=0.5)) if hasattr(each.result, "blur") else each, beside)
              for each, beside in early.photos[2:]]  # fmt: skip
    now = Drawn([again, *halved, *late.photos])
    wanted = expected(now, decisions(now, now.rows(), policies.policies.default))
    assert judged(folder, policies) == wanted


def request_of(tmp_path: Path, policy: str = "", watch: str = "", **archived: Any) -> SimulateRequest:
    """A request for a small archive."""
    archive(tmp_path / "out", draw(2, folders=2).rows(), 16, **{"model": MODEL, **archived})
    return SimulateRequest(given(tmp_path, policy, watch).file, tmp_path / "out")


def test_a_simulation_counts_by_defect_camera_month_and_rule_with_examples(tmp_path: Path) -> None:
    """Each example has the reason of its decision; the counts of months add up."""
    found = simulate_archive(request_of(tmp_path, "defects: {blur: {reject: 0.7}}"), {})

    assert found.photos == len(draw(2, folders=2).rows())
    months = [sum(group.counts.values()) for group in found.groups[Kind.MONTH].values()]
    assert (sum(months), set(found.groups[Kind.CAMERA])) == (found.photos, {"X100", "M9", "unknown"})
    rejected = [each for each in found.groups[Kind.DEFECT]["blur"].examples if each.outcome is Outcome.QUARANTINED]
    assert len(rejected) == 3
    assert all("is at least 0.7 (policy.defects.blur.reject)" in each.reason for each in rejected)
    assert found.protected > 0
    assert found.notes == []


def test_a_photo_below_a_watched_folder_has_its_policy_and_is_named_below_it(tmp_path: Path) -> None:
    """The mode of the folder is observe, so its reasons say nothing of a move; `folder` begins below it."""
    rule = """defects: {blur: {reject: 0.7}}, rules: [{name: here, when: "folder == 'trip 0'", action: keep}]"""
    found = simulate_archive(request_of(tmp_path, rule, f"{ROOT}/2000"), {})

    assert found.groups[Kind.RULE]["policy.rules.here"].counts[Outcome.KEPT] > 20
    assert "policy.mode is observe" in found.notes[0]


def test_rules_on_regions_and_on_series_have_a_note(tmp_path: Path) -> None:
    """Archives hold no regions."""
    rules = "{name: a, when: share_blur > 0.5, action: keep}, {name: b, when: series == 'burst', action: tag}"
    found = simulate_archive(request_of(tmp_path, f"rules: [{rules}]"), {})

    assert found.notes == [
        "archives hold no regions: share_blur is unknown, so that a condition that depends on it does not apply",
        "a rule names series or series_ev: photos are compared with their neighbours, which takes longer",
    ]


def test_a_precision_needs_the_model_of_the_archive_and_a_probability_only_has_a_note(tmp_path: Path) -> None:
    """Because a precision is a threshold of one model."""
    plain = simulate_archive(request_of(tmp_path, model="other@1"), {})
    assert plain.notes == [
        f"the archive was scored by the model other@1, and the policy is for {MODEL}, whose scores may differ"
    ]

    file = given(tmp_path, "defects: {blur: {reject: {precision: 0.9}}}").file
    with pytest.raises(ConfigError, match=r"defects\.blur\.reject is a precision, which holds for one model only"):
        simulate_archive(SimulateRequest(file, tmp_path / "out"), {})


def test_an_archive_that_is_not_finished_is_simulated_as_far_as_it_is(tmp_path: Path) -> None:
    """The photos without a row are counted; one without any row has a note."""
    request = request_of(tmp_path)
    folder = ArchiveFolder(request.archive)
    every = simulate_archive(request, {}).photos
    folder.shard(1, 1).unlink()

    found = simulate_archive(request, {})
    assert (found.photos, found.missing.photos, found.missing.of) == (every - 16, 16, every)

    empty = ArchiveFolder(tmp_path / "empty")
    empty.path.mkdir()
    empty.open(Manifest(("/photos",), MODEL))
    assert simulate_archive(replace(request, archive=empty.path), {}).notes == [
        "the archive holds no row of a photo that is there"
    ]


def test_what_is_no_archive_or_damaged_has_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is that of a wrong use."""
    request = request_of(tmp_path)

    def refused(where: Path) -> str:
        assert main(["archive", "simulate", str(request.config_file), str(where)]) == exit_codes.USAGE
        return capsys.readouterr().err

    assert refused(tmp_path) == f"{tmp_path} is no archive: it has no archive.json; `culld archive score` makes one\n"
    shard = ArchiveFolder(request.archive).shard(1, 0)
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) // 2])
    assert refused(request.archive).startswith(f"{shard} cannot be read (")
    shard.write_bytes(ArchiveFolder(request.archive).plan(1).read_bytes())
    assert refused(request.archive).startswith(f"{shard} has schema ")
    manifest = request.archive / "archive.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "schema": 1}))
    assert refused(request.archive).startswith(f"{request.archive} has schema 1, and this culld writes ")
    request.config_file.write_text("watch: 3\n")
    assert "policy.yaml:1: watch" in refused(request.archive)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Long paths, reasons and names of rules are cut, not wrapped."""
    found = Simulation("0" * 64, {Outcome.QUARANTINED: 12_345_678})
    for kind in Kind:
        for name in ("short", "a camera with a name " * 9):
            found.groups[kind][name] = Group({Outcome.KEPT: 12_345_678, Outcome.QUARANTINED: 12_345_678})
    output = io.StringIO()

    print_simulation(found, Console(file=output, width=width, highlight=False, markup=False))

    lines = output.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert sum("a camera with" in line for line in lines) == len(Kind) + 1
