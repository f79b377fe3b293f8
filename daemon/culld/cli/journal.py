"""`culld journal rebuild`: the journal made again, after it was lost, out of what lies in quarantine."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from culld.cli import config_option, exit_codes
from culld.records import display_path

if TYPE_CHECKING:
    import argparse


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer `journal` with its actions."""
    parser = subparsers.add_parser("journal", help="make the journal again after it was lost")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    rebuilding = actions.add_parser("rebuild", help="take over every photo in quarantine that the journal lacks")
    config_option.add_option(rebuilding)
    rebuilding.add_argument("--json", action="store_true", help="print the counts as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Rebuild, while no daemon runs; what the journal knows stays as it is."""
    from culld.app.rebuild import rebuild  # noqa: PLC0415
    from culld.app.startup import open_journal_without_replay, require_quarantine  # noqa: PLC0415
    from culld.files.locks import state_lock  # noqa: PLC0415

    _, config = config_option.load(args)
    with state_lock(config.state), open_journal_without_replay(config) as journal:
        if journal.set_aside is not None:
            print(f"the damaged journal is kept as {display_path(journal.set_aside)}", file=sys.stderr)
        require_quarantine(config, journal)
        found = rebuild(config.quarantine, journal)
    for problem in found.problems:
        print(problem, file=sys.stderr)
    if args.json:
        print(json.dumps({"photos": found.photos, "adopted": found.adopted, "problems": list(found.problems)}))
    else:
        print(f"{found.photos} photos are in quarantine; {found.adopted} of them were not in the journal, and are now")
    return exit_codes.SOME_FAILED if found.problems else exit_codes.FINE
