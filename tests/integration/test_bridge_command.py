"""The bridge alone tells where it listens and stops in good order."""

import os
import signal
import subprocess
import sys
from pathlib import Path


def test_the_bridge_alone_says_where_phones_and_vehicles_report(server_folder: Path) -> None:
    environment = os.environ | {
        "SKYBEAT_DATA_DIR": str(server_folder / "bridge"),
        "SKYBEAT_INGEST_PORT": "0",
        "SKYBEAT_MAVLINK_LINKS": "udpin:127.0.0.1:0#north",
    }
    command = [sys.executable, "-m", "telemetry"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as bridge:
        assert bridge.stdout is not None
        said = [bridge.stdout.readline().strip() for _ in range(3)]
        bridge.send_signal(signal.SIGTERM)
        assert bridge.wait(20) == 0
    assert said[0].startswith("phones report to http://127.0.0.1:")
    assert said[1:] == ["links: udpin:127.0.0.1:0#north", "Ctrl-C ends it"]
