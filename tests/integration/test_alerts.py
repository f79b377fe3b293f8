"""Alerts, with a real command and a real web server."""

from __future__ import annotations

import json
import logging
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from culld.host.alerts import Alarm


def test_a_command_gets_the_alert_on_its_input(tmp_path: Path) -> None:
    """Nothing of it is read by a shell."""
    script = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    Alarm([sys.executable, "-c", script, str(tmp_path / "a; b")]).ring("brake", "on $(date)", moved=3)

    told = json.loads((tmp_path / "a; b").read_text())
    assert told == {"subject": "brake", "text": "on $(date)", "moved": 3}


def test_a_webhook_gets_the_alert(tmp_path: Path) -> None:
    """As JSON."""
    received: list[bytes] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        Alarm(webhook=f"http://127.0.0.1:{server.server_port}/hook").ring("brake", "on")
        thread.join(10)

    assert [json.loads(body) for body in received] == [{"subject": "brake", "text": "on"}]


@pytest.mark.parametrize(
    "alarm",
    [
        Alarm(["/no/such/program"]),
        Alarm([sys.executable, "-c", "raise SystemExit(3)"]),
        Alarm(webhook="http://127.0.0.1:1/hook"),
    ],
)
def test_an_alert_that_does_not_work_is_logged_and_hinders_nothing(
    alarm: Alarm, caplog: pytest.LogCaptureFixture
) -> None:
    """The photo is what matters."""
    with caplog.at_level(logging.WARNING):
        alarm.ring("brake", "on")

    assert len(caplog.records) == 1
