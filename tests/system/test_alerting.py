"""The daemon and a webhook that does not answer as it should."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from harness import factories
from harness.daemon_process import POLICY, House

BLURRED = [factories.encoded(factories.blurred(factories.picture(i)), quality=92) for i in range(2)]


def let_a_day_pass(house: House) -> None:
    """Make the daily summary due."""
    with closing(sqlite3.connect(house.journal)) as db, db:
        db.execute("UPDATE note SET at = at - 2 * 86400 * 1000000 WHERE key = 'tidied'")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("answer", [b"no HTTP at all\r\n", b"HTTP/1.1 200 OK\r\nX: never ended"])
def test_a_webhook_that_answers_nonsense_or_not_at_all_stops_nothing(tmp_path: Path, answer: bytes) -> None:
    """Photos are judged while the summary is being posted, and the daemon stops on SIGTERM."""
    held: list[socket.socket] = []

    def serve() -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                connection, _ = listener.accept()
                held.append(connection)
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        webhook = f"alert: {{webhook: 'http://127.0.0.1:{listener.getsockname()[1]}/'}}\n"
        house = House(tmp_path / "house").build(POLICY + webhook)
        with house.daemon():
            house.drop("first.jpg", BLURRED[0])
            house.wait_until((house.quarantine / "first.jpg").exists, "the quarantine")
        let_a_day_pass(house)

        with house.daemon():
            house.wait_until(lambda: bool(held), "the summary")
            house.drop("second.jpg", BLURRED[1])
            house.wait_until((house.quarantine / "second.jpg").exists, "the quarantine")
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(30)
    for connection in held:
        connection.close()
