"""`culld archive duplicates`: print the groups of copies in an archive; nothing is moved."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.filesize import decimal

from culld.archive.duplicates import check_out, find_duplicates, write_groups
from culld.archive.near_duplicates.groups import Kind
from culld.archive.nodes.ray_session import require_extra
from culld.cli import exit_codes
from culld.records import display_path

if TYPE_CHECKING:
    import argparse

    from culld.archive.duplicates import Group, Member, Ranked

_MOST_SHOWN: Final = 50


def run(args: argparse.Namespace) -> int:
    """Print groups as text or JSON lines, or write them all to a file and print the counts."""
    require_extra()
    if args.out:
        check_out(args.out)
    with Console(stderr=True).status("comparing the photos"):  # shown on a terminal only
        copies, similar = find_duplicates(args.folder)
    shown = (copies, similar) if args.similar else (copies,)
    if args.out:
        write_groups(args.out, shown)
    elif args.json:
        for group in _first(shown, args.limit):
            print(json.dumps(_as_json(group)))
    else:
        _print(shown, args.limit or _MOST_SHOWN)
    if not args.json:
        print(_summary(copies, similar, similar_shown=args.similar))
    return exit_codes.FINE


def _first(found: tuple[Ranked, ...], limit: int | None) -> islice[Group]:
    return islice(chain.from_iterable(each.groups(limit) for each in found), limit)


def _print(found: tuple[Ranked, ...], limit: int) -> None:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for group in _first(found, limit):
        print("\n".join([*block(group, width), ""]))
    if (more := sum(map(len, found)) - limit) > 0:
        print(f"and {more} more groups: add --limit N, --json or --out FILE")


def block(group: Group, width: int | None = None) -> list[str]:
    """Return a group as lines, each at most `width` columns wide: the first photo is marked by a star."""
    lines = [f"{len(group.members)} {'copies of one shot' if group.kind is Kind.COPY else 'similar shots'}"]
    for number, member in enumerate(group.members):
        lines += [f"{' ' if number else '*'} {display_path(member.path)}", f"    {_facts(member)}"]
    return [_fitted(line, width) for line in lines]


def _facts(member: Member) -> str:
    known = [
        f"{member.width}x{member.height}" if member.width and member.height else "",
        decimal(member.size) if member.size is not None else "",
        f"{member.taken_at:%Y-%m-%d %H:%M:%S}" if member.taken_at else "",
        f"sharpness {member.sharpness:.3g}" if member.sharpness is not None else "",
        f"blur {member.blur:.2f}" if member.sharpness is None and member.blur is not None else "",
        "same bytes as the first" if member.same_bytes else "",
    ]
    return ", ".join(filter(None, known))


def _fitted(text: str, width: int | None) -> str:
    """Return text of at most `width` columns; of a longer one the middle is left out, since a path ends with a name."""
    if width is None or cell_len(text) <= width:
        return text
    head = set_cell_size(text, (width - 3) // 3)
    tail = text[len(head) :]
    while cell_len(tail) > width - 3 - cell_len(head):
        tail = tail[1:]
    return f"{head}...{tail}"


def _summary(copies: Ranked, similar: Ranked, *, similar_shown: bool) -> str:
    text = "no copies"
    if len(copies):
        text = f"{_counted(len(copies), 'copies')} with {copies.photos} photos; all but the first of each take "
        text += decimal(copies.spare_bytes)
    hint = "" if similar_shown or not len(similar) else " (--similar lists them)"
    return f"{text}; {_counted(len(similar), 'similar shots')}{hint}"


def _counted(groups: int, members: str) -> str:
    return f"{groups} {'group' if groups == 1 else 'groups'} of {members}"


def _as_json(group: Group) -> dict[str, object]:
    photos = [
        {**asdict(each), "path": display_path(each.path), "taken_at": each.taken_at and each.taken_at.isoformat()}
        for each in group.members
    ]
    return {"kind": str(group.kind), "photos": photos}
