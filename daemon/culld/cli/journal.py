"""`culld journal rebuild`: the journal made again, after it was lost, out of what lies in quarantine."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from culld.app.rebuild import rebuild_journal
from culld.cli import configuration, exit_codes

if TYPE_CHECKING:
    import argparse


def run(args: argparse.Namespace) -> int:
    """Rebuild, while no daemon runs; what the journal knows stays as it is."""
    _, config = configuration.load(args)
    found = rebuild_journal(config)
    for problem in found.problems:
        print(problem, file=sys.stderr)
    if args.json:
        print(json.dumps({"photos": found.photos, "adopted": found.adopted, "problems": list(found.problems)}))
    else:
        print(f"{found.photos} photos are in quarantine; {found.adopted} of them were not in the journal, and are now")
    return exit_codes.SOME_FAILED if found.problems else exit_codes.FINE
