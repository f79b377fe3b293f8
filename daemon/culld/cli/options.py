"""The options of every command; the module of a command is imported only to run the command."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.cli.archive_options import add_archive
from culld.cli.compare_options import add_compare
from culld.cli.config_option import add_config
from culld.cli.enhance_options import add_enhance
from culld.cli.model_options import add_model_actions
from culld.cli.segment_options import add_segment
from culld.cli.web_options import add_web
from culld.explain.method import Method
from culld.records import Defect, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

_AGO = re.compile(r"(\d+) ?([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_MOST_SHOWN = 40


def add_options(command: str, parser: argparse.ArgumentParser) -> None:
    """Add the options of a command, and name the module that runs it as the default of `module`."""
    parser.set_defaults(module=command)
    _OPTIONS[command](parser)


def parse_since(text: str) -> datetime:
    """Return the moment `2h` ago, or a date or time such as `2026-05-01` or `2026-05-01T18:30` (local), in UTC.

    Raises argparse.ArgumentTypeError for any other text, and for a moment outside of the calendar.
    """
    ago = _AGO.fullmatch(text)
    try:
        if ago:
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        shown = text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
        raise argparse.ArgumentTypeError(f"{shown!r}: write 30m, 2h, 7d, or a date such as 2026-05-01") from error


def parse_share(text: str) -> float:
    """Return a share above 0 and up to 1; raises argparse.ArgumentTypeError for any other text."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: write a share above 0 and up to 1, such as 0.98")
    return value


def parse_library(text: str) -> str:
    """Return the name of a library, 1 to 40 letters, digits and _; raises argparse.ArgumentTypeError otherwise."""
    if not re.fullmatch(r"[A-Za-z0-9_]{1,40}", text):
        raise argparse.ArgumentTypeError(f"{text!r}: write a short name of letters, digits and _")
    return text


def _add_since(parser: argparse.ArgumentParser, meaning: str) -> None:
    parser.add_argument("--since", type=parse_since, metavar="T", help=meaning)


def _add_init(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, metavar="FILE", help="the file to write (~/.config/culld/config.yaml)")
    parser.add_argument(
        "--quarantine", type=Path, metavar="DIR", help="folder for rejected photos (beside the first watched folder)"
    )
    parser.add_argument("--yes", action="store_true", help="write the file in spite of the notes, without a question")
    parser.add_argument(
        "folders", nargs="*", type=Path, metavar="FOLDER", help="folders to watch (asked for on a terminal)"
    )


def _add_once(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument(
        "--rejudge",
        action="store_true",
        help="also judge photos again that were judged before, such as after an update",
    )
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="files or folders below the watched folders (all if none)"
    )


def _add_score(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--plot", type=Path, metavar="O.png", help="of one clip: draw its scores over time to this PNG")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="photos or clips, or folders with photos")


def _add_status(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="one JSON object")
    shown.add_argument("--watch", action="store_true", help="refresh each second until Ctrl-C")


def _add_log(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("-n", "--limit", type=int, default=50, metavar="N", help="maximum number of decisions (50)")
    _add_since(parser, "only decisions made since then: 2h, 7d, 2026-05-01")
    parser.add_argument("--verdict", type=Verdict, choices=list(Verdict), help="only decisions with this verdict")


def _add_why(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument(
        "--picture",
        type=Path,
        metavar="OUT.png",
        help="also write the photo under the heat map of its main defect, and beside it under its regions",
    )
    parser.add_argument("path", type=Path, metavar="PHOTO", help="current or original path of the photo")


def _add_explain(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("photo", type=Path, metavar="PHOTO", help="the photo to explain; it is only read")
    parser.add_argument(
        "--head",
        choices=[defect.value for defect in Defect],
        help="the defect to explain (default: the most probable one of blur, under and over)",
    )
    parser.add_argument(
        "--method", choices=[each.value for each in Method], default=Method.HIRESCAM.value, help="how the map is made"
    )
    parser.add_argument("--out", type=Path, metavar="P.png", help="write the photo under its heat map to this PNG")
    parser.add_argument("--json", action="store_true", help="one JSON object, with the map")


def _add_report(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object per defect, camera and rule")
    _add_since(parser, "only decisions made since then: 30d")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="also write a bar chart as PNG")


def _add_restore(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--all", action="store_true", help="all photos in quarantine")
    _add_since(parser, "photos quarantined since then: 2h, 7d, 2026-05-01")
    parser.add_argument(
        "--untag", action="store_true", help="also undo, bit for bit, what culld wrote to photos that were not moved"
    )
    parser.add_argument(
        "--undecided", action="store_true", help="do not count restored photos as wrong rejects (culld report)"
    )
    parser.add_argument("--dry-run", action="store_true", help="only print what would be restored")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="photos or folders, by current or original path"
    )


def _add_journal(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    rebuild = actions.add_parser("rebuild", help="import every photo in quarantine that the journal lacks")
    add_config(rebuild)
    rebuild.add_argument("--json", action="store_true", help="print the counts as JSON")


def _add_policy(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="validate a configuration file and print its thresholds")
    check.add_argument("file", type=Path, metavar="FILE", help="the configuration file to validate")

    simulate = actions.add_parser("simulate", help="replay a policy on past decisions, and list the changes")
    simulate.add_argument("file", type=Path, metavar="NEW", help="the configuration file with that policy")
    _add_since(simulate, "only photos judged since then: 30d")
    simulate.add_argument(
        "--json", action="store_true", help="one JSON object per photo that would be moved or restored"
    )
    simulate.add_argument("--apply", action="store_true", help="carry the changes out; culld must not be running")
    simulate.set_defaults(module="policy_simulate")

    suggest = actions.add_parser("suggest", help="propose thresholds from your restores and deletions; changes no file")
    add_config(suggest)
    suggest.add_argument(
        "--precision",
        type=parse_share,
        default=0.98,
        metavar="P",
        help="share of right rejects to reach (0.98)",
    )
    _add_since(suggest, "only decisions made since then: 90d")
    suggest.add_argument("--json", action="store_true", help="one JSON object per defect")
    suggest.set_defaults(module="policy_suggest")


def _add_service(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, text in (
        ("install", "write the unit for this culld and its configuration, and start it"),
        ("uninstall", "stop the service and remove its unit; photos, configuration and state stay"),
        ("status", "print the status from systemd"),
    ):
        action = actions.add_parser(name, help=text)
        scope = action.add_mutually_exclusive_group()
        scope.add_argument(
            "--user", dest="scope", action="store_const", const="user", help="for the current user (default)"
        )
        scope.add_argument(
            "--system",
            dest="scope",
            action="store_const",
            const="system",
            help="for the machine, run by the user culld",
        )
        action.add_argument(
            "--library", type=parse_library, metavar="NAME", help="instance name; its config is /etc/culld/NAME.yaml"
        )
        if name != "status":
            action.add_argument("--dry-run", action="store_true", help="only print the steps")
        if name == "install":
            add_config(action)
            action.add_argument("--web", action="store_true", help="also serve the review page, on this machine only")
        action.set_defaults(scope="user")


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="one JSON object per line: name, health, what, fix")
    shown.add_argument("-v", "--verbose", action="store_true", help="print also each check that found no problem")


def _add_completion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))


def _add_manual(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("section", choices=("1", "5"))


_OPTIONS: Final[dict[str, Callable[[argparse.ArgumentParser], None]]] = {
    "init": _add_init,
    "run": add_config,
    "once": _add_once,
    "score": _add_score,
    "status": _add_status,
    "log": _add_log,
    "why": _add_why,
    "explain": _add_explain,
    "compare": add_compare,
    "enhance": add_enhance,
    "segment": add_segment,
    "archive": add_archive,
    "report": _add_report,
    "restore": _add_restore,
    "web": add_web,
    "resume": add_config,
    "journal": _add_journal,
    "policy": _add_policy,
    "service": _add_service,
    "doctor": _add_doctor,
    "model": add_model_actions,
    "completion": _add_completion,
    "manual": _add_manual,
}
