"""`culld archive simulate`: print what a policy would do to the photos of an archive."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from culld.archive.simulate import SimulateRequest, simulate_archive
from culld.archive.simulation.outcomes import EXAMPLES, Kind, Outcome
from culld.cli import exit_codes
from culld.cli.progress import BAR_COLUMNS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from culld.archive.simulation.outcomes import Group, Simulation

_WIDE: Final = 1000
"""The columns of an output that is no terminal: no line is cut."""
_MOST_ROWS: Final = 20
_SHOWN: Final = (Outcome.KEPT, Outcome.TAGGED, Outcome.QUARANTINED)
_NAMES: Final = {
    Outcome.KEPT: "would be kept",
    Outcome.TAGGED: "would be tagged",
    Outcome.QUARANTINED: "would be quarantined",
    Outcome.UNREADABLE: "cannot be decoded",
    Outcome.FAILED: "could not be read",
}


def run(args: argparse.Namespace) -> int:
    """Simulate, with a progress bar on a terminal, and print the counts."""
    with _progress() as show:
        found = simulate_archive(SimulateRequest(args.policy, args.archive), os.environ, show)
    if args.json:
        print(json.dumps(_as_json(found)))
    else:
        terminal = sys.stdout.isatty()
        print_simulation(found, Console(highlight=False, markup=False, width=None if terminal else _WIDE))
    return exit_codes.FINE


def print_simulation(found: Simulation, console: Console) -> None:
    """Print the counts, one table for each kind of group, and examples; no line is wider than the console."""
    console.print(f"policy {found.policy[:12]} on {found.photos:,} photos")
    console.print(_totals(found))
    for kind in (Kind.RULE, Kind.DEFECT, Kind.CAMERA, Kind.MONTH):
        if groups := found.groups[kind]:
            console.print()
            console.print(_table(kind, groups))
    _print_examples(found, console)
    if found.missing.photos:
        console.print(
            f"\n{found.missing.photos:,} of {found.missing.of:,} photos have no row yet: score again to go on"
        )
    for note in found.notes:
        console.print(f"\nnote: {note}")


def _totals(found: Simulation) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_column(justify="right", no_wrap=True)
    for outcome, name in _NAMES.items():
        table.add_row(f"  {name}", f"{found.counts.get(outcome, 0):,}")
        if outcome is Outcome.TAGGED and found.protected:
            table.add_row("  rejected, but protected", f"{found.protected:,}")
    return table


def _table(kind: Kind, groups: dict[str, Group]) -> Table:
    """Return the largest groups; months all in order."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(f"by {kind}", no_wrap=True, overflow="ellipsis", min_width=12)
    for outcome in _SHOWN:
        table.add_column(outcome, justify="right", no_wrap=True)
    names = sorted(groups) if kind is Kind.MONTH else sorted(groups, key=lambda name: _weight(groups[name]))
    shown = names if kind is Kind.MONTH else names[:_MOST_ROWS]
    for name in shown:
        table.add_row(Text(name), *(f"{groups[name].counts.get(outcome, 0):,}" for outcome in _SHOWN))
    if len(shown) < len(names):
        table.add_row(f"and {len(names) - len(shown)} more", "", "", "")
    return table


def _weight(group: Group) -> tuple[int, int]:
    return -group.counts.get(Outcome.QUARANTINED, 0), -sum(group.counts.values())


def _print_examples(found: Simulation, console: Console) -> None:
    """Print a few photos of each rule: the path, and below it the outcome with its reason."""
    for name, group in sorted(found.groups[Kind.RULE].items(), key=lambda each: _weight(each[1])):
        moved = [each for each in group.examples if each.outcome is Outcome.QUARANTINED]
        shown = moved or group.examples[:EXAMPLES]
        console.print(f"\n{name}, for example", no_wrap=True, overflow="ellipsis")
        for each in shown:
            for line in (f"  {each.path}", f"    {each.outcome}: {each.reason}"):
                console.print(Text(line), no_wrap=True, overflow="ellipsis")


def _as_json(found: Simulation) -> dict[str, object]:
    return {
        "policy": found.policy,
        "photos": found.photos,
        "counts": {outcome: found.counts.get(outcome, 0) for outcome in Outcome},
        "protected": found.protected,
        "without_row": found.missing.photos,
        "groups": {
            kind: {name: _group_as_json(group) for name, group in groups.items()}
            for kind, groups in found.groups.items()
        },
        "notes": found.notes,
    }


def _group_as_json(group: Group) -> dict[str, object]:
    examples = [{"path": each.path, "outcome": each.outcome, "reason": each.reason} for each in group.examples]
    return {"counts": dict(group.counts), "examples": examples}


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int], object]]:
    """Show a progress bar on a terminal, else nothing."""
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    columns = (
        TextColumn("judging"),
        BarColumn(BAR_COLUMNS),
        TextColumn("{task.percentage:.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, all_: progress.update(task, completed=done, total=all_)
