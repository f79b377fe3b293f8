"""The configuration: what a file means, and the problems of an invalid one."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from culld.config import Config, Embed, Level, built_in_config, find_config, find_state, load_config
from culld.config.messages import known_keys
from culld.errors import ConfigError
from culld.records import BrakeLimit, CopyPolicy, Defect, Mode, Policy, RejectFlag, Sidecars, SidecarStyle, Threshold

MINIMAL = """\
watch:
  - path: ~/Pictures/Import
quarantine: ~/Pictures/Quarantine
"""

CONTRACT = """\
watch:
  - path: ~/Pictures/Import
quarantine: ~/Pictures/Quarantine
state: ~/.local/state/culld        # optional; under systemd $STATE_DIRECTORY
policy:
  mode: enforce                     # or observe: tag, never move
  defects:
    blur:  {tag: 0.5, reject: 0.97}
    under: {tag: 0.6, reject: never}
    over:  {tag: 0.6, reject: never}
"""

HOME = {"HOME": "/home/ann"}

Load = Callable[..., Config]
Complaints = Callable[[str | bytes], list[str]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a configuration of this text, from `tmp_path`."""

    def load_text(text: str | bytes, environ: dict[str, str] = HOME) -> Config:
        file = tmp_path / "config.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_config(file, environ)

    return load_text


@pytest.fixture
def complaints(load: Load, tmp_path: Path) -> Complaints:
    """Return the problems of a configuration of this text, without the name of the file."""

    def complaints_of(text: str | bytes) -> list[str]:
        with pytest.raises(ConfigError) as raised:
            load(text)
        return [problem.removeprefix(f"{tmp_path}/config.yaml:") for problem in raised.value.problems]

    return complaints_of


def no_curve(defect: Defect, precision: float) -> float:
    """A model whose card gives no number for any precision."""
    raise LookupError((defect, precision))


def policy_of(config: Config) -> Policy:
    """The policy of a configuration that names no precision."""
    return config.policies(no_curve).default


class TestMeaning:
    """What a valid file means."""

    def test_the_smallest_file_of_the_contract_is_valid(self, load: Load) -> None:
        """The file that the design promises gives the rules it states."""
        config = load(CONTRACT)

        expected = Policy(
            Mode.ENFORCE,
            Threshold(0.5, 0.97),
            Threshold(0.6, None),
            Threshold(0.6, None),
            policy_of(config).digest,
            brake=BrakeLimit(0.6, 200),
        )
        assert expected == policy_of(config)
        assert [Path("/home/ann/Pictures/Import")] == [watch.path for watch in config.watch]
        assert Path("/home/ann/Pictures/Quarantine") == config.quarantine
        assert Path("/home/ann/.local/state/culld") == config.state

    def test_without_a_mode_nothing_may_be_moved(self, load: Load) -> None:
        """The default mode is observe."""
        assert policy_of(load(MINIMAL)).mode == Mode.OBSERVE

    def test_every_key_is_read(self, load: Load) -> None:
        """A value that differs from the default arrives, for every key."""
        config = load(
            "watch: [{path: /a, mode: enforce}, {path: /b}]\nquarantine: /q\nstate: /s\n"
            "policy: {mode: observe, defects: {blur: {tag: 0, reject: 1}, "
            "under: {reject: 0.9}, over: {reject: 0.98} }, protect: {rated: 4}, brake: {max_share: never}}\n"
            "settle: {quiet: 500ms}\nrescan: 2h\nkeep_history: forever\n"
            "batch: {wait: 0s, size: 1}\nworkers: 3\nmodel: {path: /m}\n"
            "tags: {embed: never, prefix: '', sidecar: needed, sidecar_name: adobe, reject_flags: [rating, pick]}\n"
            "log: {level: debug}\n"
            "limits: {pixels: 5, file_size: 200MB, memory: 1GiB, time: 7s}\n"
        )

        assert [(Path("/a"), Mode.ENFORCE), (Path("/b"), None)] == [(watch.path, watch.mode) for watch in config.watch]
        assert (Path("/q"), Path("/s"), Path("/m")) == (config.quarantine, config.state, config.model.path)
        rules = policy_of(config)
        assert (Threshold(0, 1), Threshold(0.6, 0.9), Threshold(0.6, 0.98)) == (rules.blur, rules.under, rules.over)
        assert (4, None) == (rules.protect.rated, rules.brake)
        assert (timedelta(seconds=0.5), timedelta(hours=2), None) == (
            config.settle.quiet,
            config.rescan,
            config.keep_history,
        )
        assert (timedelta(0), 1, 3) == (config.batch.wait, config.batch.size, config.workers)
        assert (config.tags.embed, config.tags.prefix, config.log.level) == (Embed.NEVER, "", Level.DEBUG)
        assert (SidecarStyle.ADOBE, (RejectFlag.RATING, RejectFlag.PICK)) == (
            config.tags.sidecar_name,
            config.tags.reject_flags,
        )
        assert config.tags.sidecar is Sidecars.NEEDED
        limits = config.limits
        assert (limits.pixels, limits.file_size, limits.memory, limits.time) == (
            5,
            200_000_000,
            2**30,
            timedelta(seconds=7),
        )

    def test_an_empty_section_equals_a_missing_one(self, load: Load) -> None:
        """A section whose keys are all commented out keeps the defaults."""
        assert load(MINIMAL) == load(MINIMAL + "policy:\n  defects:\n    blur:\nsettle:\nlimits: # nothing\n")

    def test_one_threshold_leaves_the_other_at_its_default(self, load: Load) -> None:
        """Naming only `reject` keeps `tag`, and the other defects."""
        rules = policy_of(load(MINIMAL + "policy: {defects: {blur: {reject: 0.9}}}"))

        assert (Threshold(0.5, 0.9), Threshold(0.6, None)) == (rules.blur, rules.over)

    def test_a_precision_becomes_a_number_by_the_card(self, load: Load) -> None:
        """Only the defects that ask for it, and never below `tag`: what is moved is always tagged as well."""
        config = load(
            MINIMAL + "policy: {defects: {blur: {reject: {precision: 0.99}}, over: {reject: {precision: 0.5}}}}"
        )

        rules = config.policies(lambda defect, precision: {Defect.BLUR: precision - 0.1}.get(defect, 0.2)).default

        assert (Threshold(0.5, 0.89), Threshold(0.6, None), Threshold(0.6, 0.6)) == (
            rules.blur,
            rules.under,
            rules.over,
        )

    def test_without_the_number_for_a_precision_there_is_no_policy(self, load: Load) -> None:
        """A policy that silently never rejects would be the worst answer."""
        config = load(MINIMAL + "policy: {defects: {blur: {reject: {precision: 0.99}}}}")

        with pytest.raises(LookupError):
            config.policies(no_curve)

    def test_a_policy_without_a_precision_asks_no_card(self, load: Load) -> None:
        """So a policy of plain numbers needs no model."""
        assert load(MINIMAL).policies(no_curve).default.blur == Threshold(0.5, 0.97)

    def test_a_relative_path_starts_at_the_folder_of_the_file(self, load: Load, tmp_path: Path) -> None:
        """So a checkout can carry its own configuration."""
        config = load("watch: [{path: photos/in}]\nquarantine: ./photos/bad\nstate: photos/../state\n")

        assert (tmp_path / "photos/in", tmp_path / "photos/bad", tmp_path / "state") == (
            config.watch[0].path,
            config.quarantine,
            config.state,
        )

    @pytest.mark.parametrize(
        ("environ", "expected"),
        [
            (HOME, "/home/ann/.local/state/culld"),
            (HOME | {"XDG_STATE_HOME": "/home/ann/s"}, "/home/ann/s/culld"),
            (HOME | {"XDG_STATE_HOME": "relative"}, "/home/ann/.local/state/culld"),
            (HOME | {"STATE_DIRECTORY": "/var/lib/culld:/var/lib/other"}, "/var/lib/culld"),
            (HOME | {"STATE_DIRECTORY": "/var/lib/culld", "XDG_STATE_HOME": "/x"}, "/var/lib/culld"),
            (HOME | {"STATE_DIRECTORY": ""}, "/home/ann/.local/state/culld"),
        ],
    )
    def test_the_state_lies_where_the_system_wants_it(self, load: Load, environ: dict[str, str], expected: str) -> None:
        """The folder of systemd comes before that of the user, and a relative XDG path counts as none."""
        assert Path(expected) == load(MINIMAL, environ).state

    def test_a_quarantine_inside_a_watched_folder_is_allowed(self, load: Load) -> None:
        """The scanner passes over it, so it needs no folder beside."""
        assert Path("/a/bad") == load("watch: [{path: /a}]\nquarantine: /a/bad\n").quarantine

    def test_a_folder_may_be_called_like_a_date(self, load: Load, tmp_path: Path) -> None:
        """YAML would read the name as a date."""
        config = load("watch: [{path: 2026-01-02}]\nquarantine: q\n")

        assert tmp_path / "2026-01-02" == config.watch[0].path

    @pytest.mark.parametrize(("written", "expected"), [("'~'", "/home/ann"), ("~/s", "/home/ann/s"), ("~root/s", None)])
    def test_a_tilde_is_a_home(self, load: Load, written: str, expected: str | None) -> None:
        """One's own by $HOME, another's by what the system knows of that user."""
        named = Path(expected) if expected else Path("~root").expanduser().resolve() / "s"

        assert load(f"watch: [{{path: /a}}]\nquarantine: /q\nstate: {written}\n").state == named

    @pytest.mark.parametrize(
        ("written", "expected"), [("1500", 1500), ("1.5kB", 1500), ("1KiB", 1024), ("1 TB", 10**12)]
    )
    def test_a_size_counts_bytes(self, load: Load, written: str, expected: int) -> None:
        """A bare number is bytes; kB and KiB differ as they should."""
        assert load(MINIMAL + f"limits: {{file_size: {written}}}").limits.file_size == expected

    def test_without_any_file_the_defaults_serve(self, load: Load) -> None:
        """What only reads (`culld score`) needs no file."""
        assert policy_of(built_in_config(HOME)) == policy_of(load(MINIMAL))

    def test_a_byte_order_mark_is_passed_over(self, load: Load) -> None:
        """Some editors write one."""
        assert load(MINIMAL) == load(b"\xef\xbb\xbf" + MINIMAL.encode())

    def test_auto_runs_at_most_four_workers(self, load: Load) -> None:
        """One for each CPU this process may use, but never more than four."""
        assert min(4, len(os.sched_getaffinity(0))) == load(MINIMAL).worker_count
        assert load(MINIMAL + "workers: 9").worker_count == 9

    def test_a_config_cannot_be_changed(self, load: Load) -> None:
        """What was checked stays as it was checked."""
        with pytest.raises(ValueError, match="frozen"):
            load(MINIMAL).rescan = timedelta(0)


class TestDigest:
    """The name by which every decision remembers its policy."""

    def test_formatting_and_unrelated_keys_do_not_change_it(self, load: Load) -> None:
        """Only meaning counts: neither comments nor order nor how a number is written."""
        same = "policy: {defects: {over: {reject: never, tag: .60}}, mode: enforce} # other\nrescan: 3h\n"

        assert policy_of(load(CONTRACT)).digest == policy_of(load(MINIMAL + same)).digest

    @pytest.mark.parametrize(
        "change",
        [("mode: enforce", "mode: observe"), ("tag: 0.5", "tag: 0.51"), ("reject: never", "reject: 1")],
    )
    def test_any_meaning_changes_it(self, load: Load, change: tuple[str, str]) -> None:
        """Another threshold or mode is another policy."""
        assert policy_of(load(CONTRACT)).digest != policy_of(load(CONTRACT.replace(*change))).digest

    def test_the_mode_of_a_folder_counts(self, load: Load) -> None:
        """The policy of a folder with its own mode is that of a file with that mode."""
        folders = "watch: [{path: /a, mode: observe}, {path: /b, mode: enforce}, {path: /c}]\nquarantine: /q\n"

        found = load(folders + "policy: {mode: enforce}").policies(no_curve)

        observing, enforcing = (policy_of(load(MINIMAL + f"policy: {{mode: {mode}}}")) for mode in Mode)
        assert {observing.mode, enforcing.mode} == {Mode.OBSERVE, Mode.ENFORCE}
        expected = {policy.mode: policy for policy in (observing, enforcing)}
        assert found.default == expected[Mode.ENFORCE]
        assert found.by_root == {
            Path("/a"): expected[Mode.OBSERVE],
            Path("/b"): expected[Mode.ENFORCE],
            Path("/c"): expected[Mode.ENFORCE],
        }

    def test_a_file_that_makes_no_copies_has_the_digest_of_earlier_versions(self, load: Load) -> None:
        """Journals hold it, and the brake and the review page compare with it."""
        assert policy_of(load(CONTRACT)).digest == "d330b8e6a330"
        assert policy_of(load(CONTRACT + "  enhance: never\n")).digest == "d330b8e6a330"
        assert len({policy_of(load(CONTRACT + f"  enhance: {copies}\n")).digest for copies in CopyPolicy}) == 3

    def test_copies_of_a_folder_count(self, load: Load) -> None:
        """A folder with its own value has the policy of a file with that value."""
        folders = "watch: [{path: /a, enhance: never}, {path: /b}]\nquarantine: /q\n"

        found = load(folders + "policy: {enhance: rejects}").policies(no_curve)

        plain, repairing = (policy_of(load(MINIMAL + f"policy: {{enhance: {each}}}")) for each in ("never", "rejects"))
        assert found.by_root == {Path("/a"): plain, Path("/b"): repairing}
        assert repairing.enhance is CopyPolicy.REJECTS

    def test_a_file_that_judges_no_clips_has_the_digest_of_earlier_versions(self, load: Load) -> None:
        """`never` is the default; the two thresholds are a part of the meaning."""
        off = ("never", "{tag: never}", "{tag: never, reject: never}", "")
        on = ("{tag: 0.5}", "{tag: 0.6}", "{tag: 0.5, reject: 0.9}")

        assert {policy_of(load(CONTRACT + f"  clips: {each}\n")).digest for each in off} == {"d330b8e6a330"}
        assert len({policy_of(load(CONTRACT + f"  clips: {each}\n")).digest for each in on} | {"d330b8e6a330"}) == 4

    def test_clips_of_a_folder_count(self, load: Load) -> None:
        """A folder may have thresholds of its own, or none; `auto` has those of the policy."""
        folders = (
            "watch: [{path: /a, clips: never}, {path: /b, clips: {tag: 0.3, reject: 0.9}}, {path: /c, clips: auto}]\n"
            "quarantine: /q\npolicy: {clips: {tag: 0.5, reject: never}}\n"
        )

        found = load(folders).policies(no_curve)

        assert found.default.clips == Threshold(0.5, None)
        assert [policy.clips for policy in found.by_root.values()] == [None, Threshold(0.3, 0.9), Threshold(0.5, None)]
        assert found.by_root[Path("/a")] == policy_of(load(MINIMAL))

    def test_it_is_twelve_hex_digits(self, load: Load) -> None:
        """Short enough for a log line."""
        digest = policy_of(load(MINIMAL)).digest

        assert (12, set()) == (len(digest), set(digest) - set("0123456789abcdef"))


GIVEN = ("watch", "quarantine")
"""Keys of the smallest file."""

RENAMED = [
    ("history: 30d", "4: history: unknown key; history is now keep_history"),
    (
        "limits: {seconds: 5}",
        "4: limits.seconds: unknown key; limits.seconds is now limits.time, written as a duration",
    ),
    ("policy: {stacks: best}", "4: policy.stacks: unknown key; policy.stacks is now policy.stack_verdict"),
    (
        "policy: {protect: {night: 3}}",
        "4: policy.protect.night: unknown key; policy.protect.night is now policy.protect.night_below",
    ),
    (
        "policy: {brake: {photos: 50}}",
        "4: policy.brake.photos: unknown key; policy.brake.photos is now policy.brake.window",
    ),
    (
        "policy: {brake: {share: never}}",
        "4: policy.brake.share: unknown key; policy.brake.share is now policy.brake.max_share",
    ),
    ("tags: {marks: []}", "4: tags.marks: unknown key; tags.marks is now tags.reject_flags"),
]
"""Keys of earlier versions, each with the start of its problem."""

WRONG = [
    ("quarantne: /q", "4: quarantne: unknown key; did you mean `quarantine`?"),
    ("mode: enforce", "4: mode: unknown key here; did you mean `watch[].mode` or `policy.mode`?"),
    ("colour: red", "4: colour: unknown key; known here are watch, quarantine,"),
    ("policy: enforce", "4: policy: 'enforce' stands where a section belongs; its keys are mode, defects"),
    ("policy: {mode: enforced}", "4: policy.mode: 'enforced' is not allowed; write enforce or observe"),
    ("policy:\n  defects:\n    blur: {rejct: 1}", "6: policy.defects.blur.rejct: unknown key; did you mean `reject`?"),
    (
        "policy: {defects: {blur: {reject: no}}}",
        "4: policy.defects.blur.reject: no is not a number; write a number from 0 to 1",
    ),
    ("policy: {defects: {blur: {reject: null}}}", "4: policy.defects.blur.reject: nothing is not a number"),
    ("policy: {defects: {blur: {reject: .nan}}}", "4: policy.defects.blur.reject: nan is not a number"),
    ("policy: {defects: {blur: {reject: '1'}}}", "4: policy.defects.blur.reject: '1' is not a number"),
    ("policy: {defects: {blur: {reject: {precision: 2}}}}", "4: policy.defects.blur.reject: 2 is out of range"),
    (
        "policy: {defects: {blur: {tag: 97}}}",
        "4: policy.defects.blur.tag: 97 is out of range; write a number from 0 to 1, such as 0.97 (97 percent is 0.97)",
    ),
    ("policy: {defects: {blur: {tag: -1}}}", "4: policy.defects.blur.tag: -1 is out of range; write a number"),
    ("policy: {defects: {blur: {tag: never}}}", "4: policy.defects.blur.tag: 'never' is not a number"),
    ("policy: {defects: {blur: {tag: 0.98}}}", "4: policy.defects.blur: tag 0.98 is above reject 0.97; tag must be"),
    (
        "tags: {reject_flags: rating}",
        "4: tags.reject_flags: 'rating' is not a list; write [] or some of [rating, pick, digikam, label]",
    ),
    (
        "tags: {reject_flags: [stars]}",
        "4: tags.reject_flags[0]: 'stars' is not allowed; write rating or pick or digikam or label",
    ),
    (
        "policy: {protect: {rated: true}}",
        "4: policy.protect.rated: yes is not allowed; write a number of stars from 1 to 5",
    ),
    (
        "policy: {protect: {rated: 6}}",
        "4: policy.protect.rated: 6 is out of range; write a number of stars from 1 to 5",
    ),
    ("policy: {protect: {edited: 1}}", "4: policy.protect.edited: 1 is not allowed; write true or false"),
    (
        "policy: {protect: {night_below: dark}}",
        "4: policy.protect.night_below: 'dark' is not a number; write a light value from",
    ),
    (
        "policy: {brake: {max_share: 1}}",
        "4: policy.brake.max_share: 1 is out of range; write a share above 0 and below 1",
    ),
    (
        "policy: {brake: {max_share: 60}}",
        "4: policy.brake.max_share: 60 is out of range; write a share above 0 and below 1, such as 0.6 (60 perc",
    ),
    (
        "policy: {protect: {night_below: -21}}",
        "4: policy.protect.night_below: -21 is out of range; write a light value",
    ),
    (
        "policy: {protect: {night_below: .inf}}",
        "4: policy.protect.night_below: inf is not a number; write a light value",
    ),
    (
        "policy: {protect: {smaller_than: 0}}",
        "4: policy.protect.smaller_than: 0 is out of range; write a number of pixels from 1 to 100000, such as 640",
    ),
    (
        "policy: {protect: {smaller_than: small}}",
        "4: policy.protect.smaller_than: 'small' is not allowed; write a number of pixels",
    ),
    ("policy: {protect: {rated: null}}", "4: policy.protect.rated: nothing is not allowed; write a number of stars"),
    ("policy: {brake: {max_share: null}}", "4: policy.brake.max_share: nothing is not a number; write a share above 0"),
    (
        "policy: {brake: {window: 3}}",
        "4: policy.brake.window: 3 is out of range; write a whole number from 10 to 1",
    ),
    ("policy: {rules: keep}", "4: policy.rules: 'keep' is not a list; write one `- name: ...` for each"),
    (
        "policy: {rules: [{name: ' ', when: raw, action: tag}]}",
        "4: policy.rules[0].name: ' ' is not allowed; write a few words on one line",
    ),
    (
        'policy: {rules: [{name: "a\\eb", when: raw, action: tag}]}',
        "4: policy.rules[0].name: 'a\\x1bb' is not allowed; write a few words on one line",
    ),
    ("policy: {rules: [{name: 7, when: raw, action: tag}]}", "4: policy.rules[0].name: 7 is not allowed; write a few"),
    ("policy: {rules: [{name: a, when: raw}]}", "4: policy.rules[0].action: `action` is missing"),
    (
        "policy: {rules: [{name: a, when: bluur > 1, action: keep}]}",
        "4: policy.rules[0].when: column 1: bluur is not known; did you mean blur?",
    ),
    ("policy: {rules: [{name: a, when: true, action: keep}]}", "4: policy.rules[0].when: yes is no condition; write"),
    (
        "policy: {rules: [{name: a, when: raw, action: drop}]}",
        "4: policy.rules[0].action: 'drop' is not allowed; write",
    ),
    (
        "policy:\n  rules:\n    - {name: a, when: raw, action: keep}\n    - {name: a, when: not raw, action: tag}",
        "5: policy.rules: two rules are called 'a'; give each a name of its own",
    ),
    ("alert: {command: mail}", "4: alert.command: 'mail' is no command; write a list, such as"),
    ("alert: {webhook: 'file:///etc/passwd'}", "4: alert.webhook: 'file:///etc/passwd' is no address; write one that"),
    (
        "alert: {webhook: 'http:///hook'}",
        "4: alert.webhook: 'http:///hook' is no address that can be reached: it names no",
    ),
    (
        "alert: {webhook: 'http://a:99999/'}",
        "4: alert.webhook: 'http://a:99999/' is no address that can be reached: Port",
    ),
    ("alert: {webhook: 'http://a:0/'}", "4: alert.webhook: 'http://a:0/' is no address that can be reached: a port is"),
    ("alert: {webhook: 'http://a:b/'}", "4: alert.webhook: 'http://a:b/' is no address that can be reached: Port"),
    ("alert: {webhook: 'http://[::1/'}", "4: alert.webhook: 'http://[::1/' is no address that can be reached: Invalid"),
    (
        "alert: {webhook: 'http://a..b/'}",
        "4: alert.webhook: 'http://a..b/' is no address that can be reached: encoding",
    ),
    (
        "alert: {webhook: 'http://u:p@a/'}",
        "4: alert.webhook: 'http://u:p@a/' is no address that can be reached: a user",
    ),
    ("alert: {webhook: 'http://b\u00fccher.de/'}", "4: alert.webhook: 'http://b\u00fccher.de/' has a letter that an"),
    ("alert: {webhook: 'http://a/ b'}", "4: alert.webhook: 'http://a/ b' has a letter that an address cannot have"),
    ("version: 2", "4: version: the file is written for a newer culld (its version 2, known here 1); upgrade culld"),
    ("version: '1'", "4: version: '1' is no version; write 1, or leave the line out"),
    *RENAMED,
    ("limits: {time: 60}", "4: limits.time: 60 is not a duration; write a duration from 1s to 1h, such as 500ms"),
    ("rescan: 3", "4: rescan: 3 is not a duration; write a duration from 1s to 7d, such as 500ms"),
    (
        "keep_history: always",
        "4: keep_history: 'always' is not a duration; write a duration from 1d to 36500d, such as 500ms",
    ),
    ("rescan: 3w", "4: rescan: '3w' is not a duration"),
    ("rescan: 0s", "4: rescan: 0s is out of range; write a duration from 1s to 7d"),
    ("rescan: 999999999d", "4: rescan: 999999999d is out of range"),
    ("batch: {size: 0}", "4: batch.size: 0 is out of range; write a whole number from 1 to 1024"),
    ("batch: {size: yes}", "4: batch.size: yes is not allowed"),
    ("workers: null", "4: workers: nothing is not allowed; write a whole number from 1 to 64, or auto"),
    ("workers: 1.5", "4: workers: 1.5 is not allowed; write a whole number from 1 to 64, or auto"),
    ("workers: 65", "4: workers: 65 is out of range; write a whole number from 1 to 64, or auto"),
    ("keep_history: null", "4: keep_history: nothing is not a duration; write a duration from 1d to 36500d, such as"),
    ("model: {path: null}", "4: model.path: nothing is not a path; write the path of a folder"),
    (
        "limits: {pixels: 20000000000}",
        "4: limits.pixels: 20000000000 is out of range; write a whole number from 1 to 1",
    ),
    ("workers: many", "4: workers: 'many' is not allowed; write a whole number from 1 to 64, or auto"),
    ("limits: {memory: 1MB}", "4: limits.memory: 1MB is too little; write a size of at least 256MB"),
    ("limits: {file_size: big}", "4: limits.file_size: 'big' is not a size"),
    ("limits: {file_size: true}", "4: limits.file_size: yes is not a size"),
    ("tags: {embed: yes}", "4: tags.embed: yes is not allowed; write defects or never"),
    ("tags: {prefix: ' a'}", "4: tags.prefix: ' a' is not allowed; write up to 32 characters without"),
    ('tags: {prefix: "a\\nb"}', "4: tags.prefix: 'a\\nb' is not allowed; write up to 32 characters without"),
    ('tags: {prefix: "\\ud800"}', "4: tags.prefix: '\\ud800' is not allowed; write up to 32 characters without"),
    (
        f"tags: {{prefix: {'x' * 33}}}",
        f"4: tags.prefix: '{'x' * 33}' is not allowed; write up to 32 characters without",
    ),
    ("tags: {prefix: 7}", "4: tags.prefix: 7 is not allowed; write up to 32 characters without ; , | < > &"),
    ("tags: {embed: null}", "4: tags.embed: nothing is not allowed; write defects or never"),
    ('tags: {embed: "\\ud800"}', "4: tags.embed: '\\ud800' is not allowed; write defects or never"),
    ("tags: {prefix: 'a;b'}", "4: tags.prefix: 'a;b' is not allowed"),
    (
        "tags: {sidecar: adobe}",
        "4: tags.sidecar: 'adobe' is the name of a sidecar; write `sidecar_name: adobe` instead",
    ),
    ("tags: {sidecar: maybe}", "4: tags.sidecar: 'maybe' is not allowed; write always or needed or never"),
    ("watch[0]: x", "4: watch[0]: unknown key; did you mean `watch`?"),
    ("log: {level: loud}", "4: log.level: 'loud' is not allowed; write debug or info or warning or error"),
    ("model: {path: 7}", "4: model.path: 7 is not a path; write the path of a folder"),
    ('state: "a\\0b"', "4: state: 'a\\x00b' is not a path"),
    ("state: ~nobody-of-this-name/x", "4: state: '~nobody-of-this-name/x' names a user who does not exist"),
    ("watch: []", "4: watch: given twice, first on line 1; keep one of them"),
    ("? [a, b]\n: 1", "4: a key must be a word"),
    ("state: !!python/name:os.system x", "4: state: the tag tag:yaml.org,2002:python/name:os.system is not allowed"),
    ("workers: !!int x", "4: workers: the tag tag:yaml.org,2002:int is not allowed here"),
    ("workers: !!bool x", "4: workers: the tag tag:yaml.org,2002:bool is not allowed here"),
    ("on: 1", "4: on: unknown key; known here are"),
]


class TestProblems:
    """The problems of an invalid file."""

    @pytest.mark.parametrize(("added", "expected"), WRONG)
    def test_a_mistake_is_reported_with_line_key_and_allowed_values(
        self, complaints: Complaints, added: str, expected: str
    ) -> None:
        """One wrong value gives one line with the line number, the key and the allowed values."""
        problems = complaints(MINIMAL + added)

        assert [line.startswith(expected) for line in problems] == [True], problems

    @pytest.mark.parametrize(
        "key", [key for key in known_keys(Config) if not key.startswith(GIVEN) and "[]." not in key]
    )
    def test_the_problem_of_every_key_names_the_allowed_values(self, complaints: Complaints, key: str) -> None:
        """A mapping where none belongs, or one with a key that is not known, for each key outside of lists."""
        opened = "".join(f"{name}: {{" for name in key.removesuffix("[]").split("."))

        (problem,) = complaints(MINIMAL + opened + "x: 1" + "}" * opened.count("{"))

        assert problem.startswith(f"4: {key.removesuffix('[]')}")
        assert re.search(r"; (write|known here are) ", problem)
        assert "another value" not in problem

    def test_all_mistakes_are_reported_at_once_in_the_order_of_the_lines(self, complaints: Complaints) -> None:
        """All mistakes of a file are reported in one run, wherever they were found."""
        problems = complaints(
            "watch:\n  - path: /a\n  - path: /a/b\n    mod: observe\nquarantine: /a\nsettle: {quiet: 1}\nsettle:\n"
            "policy:\n  defects:\n    blur: {tag: x, reject: y}\n"
        )

        assert [": ".join(line.split(": ")[:2]) for line in problems] == [
            "3: watch[1].path",
            "4: watch[1].mod",
            "5: quarantine",
            "6: settle.quiet",
            "7: settle",
            "10: policy.defects.blur.tag",
            "10: policy.defects.blur.reject",
        ]

    def test_a_missing_key_is_reported_on_the_line_of_its_section(self, complaints: Complaints) -> None:
        """There is no line of its own to point at."""
        problems = complaints("policy:\n  mode: observe\nwatch:\n  - mode: observe\n")

        assert [
            problems[0],
            problems[1].split(";")[0],
        ] == ["1: quarantine: `quarantine` is missing; it has no default", "4: watch[0].path: `path` is missing"]

    def test_the_mode_of_a_folder_is_checked_like_that_of_the_policy(self, complaints: Complaints) -> None:
        """And `auto` is offered, which takes the mode of the policy."""
        problems = complaints("watch: [{path: /a, mode: 3}]\nquarantine: /q")

        assert problems == ["1: watch[0].mode: 3 is not allowed; write enforce or observe, or auto"]

    @pytest.mark.parametrize(
        ("folders", "expected"),
        [
            (
                "watch: [{path: /a}, {path: /a}]\nquarantine: /q",
                "1: watch[1].path: /a is the folder of watch[0].path again",
            ),
            ("watch: [{path: /a}, {path: /a/b}]\nquarantine: /q", "1: watch[1].path: /a/b lies in /a of watch[0].path"),
            ("watch: [{path: /a/b}, {path: /a}]\nquarantine: /q", "1: watch[1].path: /a holds /a/b of watch[0].path"),
            ("watch: [{path: /a}]\nquarantine: /a", "2: quarantine: /a is the watched folder /a; choose one beside it"),
            ("watch: [{path: /a/b}]\nquarantine: /a", "2: quarantine: /a lies above the watched folder /a/b"),
            ("watch: [{path: /a}]\nquarantine: /q\nstate: /a/s", "3: state: /a/s lies in the watched folder /a"),
            ("watch: [{path: /a}]\nquarantine: /q\nstate: /q/s", "3: state: /q/s lies in the quarantine"),
            (
                "watch: [{path: /home}]\nquarantine: /q",
                "1: state: /home/ann/.local/state/culld lies in the watched folder",
            ),
        ],
    )
    def test_folders_that_would_feed_on_each_other_are_refused(
        self, complaints: Complaints, folders: str, expected: str
    ) -> None:
        """A photo must belong to one watched folder, and what culld writes to none."""
        problems = complaints(folders)

        assert [line.startswith(expected) for line in problems] == [True], problems

    def test_two_names_of_one_folder_are_one_folder(self, complaints: Complaints, tmp_path: Path) -> None:
        """A symbolic link does not hide that a folder is given twice."""
        (tmp_path / "photos").mkdir()
        (tmp_path / "link").symlink_to("photos")

        assert "again" in complaints("watch: [{path: photos}, {path: link}]\nquarantine: q")[0]

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            ("", "1: the file is empty"),
            ("# only words\n", "1: the file is empty"),
            ("watch:\n\t- path: x\n", "2: a tab stands here; YAML is indented with spaces only"),
            ("watch: [\n", "2: expected the node content"),
            ("watch: \x00\n", "1: a control character stands here"),
            ("a: 1\n--- \nb: 2\n", "2: but found another document"),
            (b"# caf\xe9\nwatch: x", "1: not UTF-8"),
            ("just words", "1: 'just words' stands where a section belongs"),
            ("- a\n- b\n", "1: ['a', 'b'] stands where a section belongs"),
            ("a: &x [1]\nb: *x\n", "2: the alias *x is not allowed"),
            ("[" * 100_000, "1: nested too deeply"),
            ("a: " + "{b: " * 100, "1: nested too deeply"),
            ("watch: [{path: a}, 3]\nquarantine: q", "1: watch[1]: 3 stands where a section belongs"),
            ("watch: []\nquarantine: q", "1: watch: no folder is given; write at least one"),
            ("watch:\nquarantine: q", "1: watch: nothing is not a list"),
            ("watch: a\nquarantine: q", "1: watch: 'a' is not a list; write one `- path: FOLDER`"),
        ],
    )
    def test_a_file_that_is_no_configuration_gets_one_clear_line(
        self, complaints: Complaints, content: str | bytes, expected: str
    ) -> None:
        """Whatever the bytes are, the answer is a sentence and a line number."""
        problems = complaints(content)

        assert [line.startswith(expected) for line in problems] == [True], problems

    def test_a_file_that_unfolds_without_end_is_refused_at_its_first_alias(self, complaints: Complaints) -> None:
        """The billion laughs: nine lines that stand for a billion words."""
        laughs = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))

        assert complaints(laughs) == ["2: the alias *a0 is not allowed; write the value out"]

    def test_a_large_file_is_not_even_parsed(self, load: Load, tmp_path: Path) -> None:
        """More than a million bytes are no configuration."""
        with pytest.raises(ConfigError, match="larger than 1 MB"):
            load(MINIMAL + "#" * 1_000_000)

    def test_a_folder_or_a_missing_file_is_named(self, tmp_path: Path) -> None:
        """The text names the path and what stands in the way."""
        for path, expected in {tmp_path: "Is a directory", tmp_path / "none.yaml": "No such file"}.items():
            with pytest.raises(ConfigError) as raised:
                load_config(path, HOME)
            assert f"{path}: cannot be read ({expected}" in str(raised.value)

    def test_a_long_value_is_cut_in_the_message(self, complaints: Complaints) -> None:
        """A mistake must not flood the log."""
        assert len(complaints(MINIMAL + "rescan: " + "x" * 5000)[0]) < 250


class TestFinding:
    """Which file is used."""

    def test_the_first_that_is_named_or_there_is_used(self, tmp_path: Path) -> None:
        """In order: the option, the variable, the user's file, the system's."""
        system, user = tmp_path / "etc.yaml", tmp_path / "home/.config/culld/config.yaml"
        named, variable, xdg = tmp_path / "a.yaml", tmp_path / "b.yaml", tmp_path / "xdg/culld/config.yaml"
        for file in (system, user, named, variable, xdg):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(MINIMAL)
        home = {"HOME": str(tmp_path / "home")}
        everything = home | {"CULLD_CONFIG": str(variable), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}

        assert named == find_config(named, everything, system=system)
        assert variable == find_config(None, everything, system=system)
        assert xdg == find_config(None, everything | {"CULLD_CONFIG": ""}, system=system)
        assert user == find_config(None, home, system=system)
        assert system == find_config(None, {"HOME": str(tmp_path / "other")}, system=system)

    def test_a_file_that_was_named_is_never_replaced_by_another(self, tmp_path: Path) -> None:
        """A slip in the name must not put another policy in force."""
        system = tmp_path / "etc.yaml"
        system.write_text(MINIMAL)

        with pytest.raises(ConfigError, match=r"--config names this file, but it is not there"):
            find_config(tmp_path / "none.yaml", HOME, system=system)
        with pytest.raises(ConfigError, match=r"\$CULLD_CONFIG names this file, but it is not there"):
            find_config(None, HOME | {"CULLD_CONFIG": "/none.yaml"}, system=system)

    def test_without_any_file_the_message_names_the_paths_and_an_example(self, tmp_path: Path) -> None:
        """And the file that it suggests is valid."""
        with pytest.raises(ConfigError) as raised:
            find_config(None, {"HOME": str(tmp_path)}, system=tmp_path / "etc.yaml")

        message = str(raised.value)
        assert f"{tmp_path}/.config/culld/config.yaml" in message
        assert f"{tmp_path}/etc.yaml" in message
        file = tmp_path / "new.yaml"
        file.write_text(message.split("\n\n")[1])
        assert len(load_config(file, HOME).watch) == 1


@pytest.mark.parametrize("broken", ["policy: {mode: enforc}\n", "policy: {mode: [\n", "nonsense\n"])
def test_the_state_folder_is_found_in_a_broken_file(tmp_path: Path, broken: str) -> None:
    """`culld status` must work above all when a policy was saved with a mistake."""
    file = tmp_path / "config.yaml"
    file.write_text(MINIMAL + "state: elsewhere\n" + broken)

    assert find_state(file, HOME) == tmp_path / "elsewhere"


def test_an_unreadable_state_key_is_a_problem(tmp_path: Path) -> None:
    """A list is no folder."""
    file = tmp_path / "config.yaml"
    file.write_text(MINIMAL + "state: [1, 2]\n")

    with pytest.raises(ConfigError, match="state"):
        find_state(file, HOME)


@pytest.mark.parametrize(
    ("clips", "problem"),
    [
        ("{reject: 0.9}", "policy.clips: reject is given without tag, and clips are only looked at with one"),
        ("{tag: 0.9, reject: 0.5}", "policy.clips: tag 0.9 is above reject 0.5; tag must be at most reject"),
        ("{tag: 0}", "policy.clips.tag: 0 is out of range; write a share of the clip's time above 0 and up to 1"),
        ("{tag: 50}", "such as 0.5 (50 percent is 0.5), or never"),
        ("{tag: {precision: 0.9}}", "is not a number; write a share of the clip's time"),
        ("yes", "policy.clips: yes stands where a section belongs; its keys are tag, reject"),
    ],
)
def test_problems_of_clips_are_named(complaints: Complaints, clips: str, problem: str) -> None:
    """By key, with what is allowed."""
    (found,) = complaints(MINIMAL + f"policy:\n  clips: {clips}\n")

    assert problem in found


def test_a_wrong_key_below_the_clips_of_a_folder_is_named(complaints: Complaints) -> None:
    """Although the section may also be a word."""
    text = "watch: [{path: /a, clips: {taf: 0.5}}]\nquarantine: /q\n"

    assert complaints(text) == ["1: watch[0].clips.taf: unknown key; did you mean `tag`?"]
