"""`culld journal rebuild`: rebuild a lost journal from the records in quarantine."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from culld.app.rebuild import rebuild_journal
from culld.cli import configuration, exit_codes

if TYPE_CHECKING:
    import argparse


def run(args: argparse.Namespace) -> int:
    """Rebuild while no daemon runs; existing rows stay unchanged. Return 1 if a record is unreadable."""
    _, config = configuration.load(args)
    found = rebuild_journal(config)
    for problem in found.problems:
        print(problem, file=sys.stderr)
    if args.json:
        print(json.dumps({"photos": found.photos, "adopted": found.adopted, "problems": list(found.problems)}))
    else:
        print(f"{found.photos} photos are in quarantine; {found.adopted} of them were added to the journal")
    return exit_codes.SOME_FAILED if found.problems else exit_codes.FINE
