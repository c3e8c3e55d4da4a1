"""See to a Chromium for the browser's tests: the one that is there, else Debian's when we may install packages."""

import os
import shutil
import subprocess
import sys
from typing import Final

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
PACKAGES: Final = ("chromium", "fonts-noto-cjk")


def main() -> None:
    """Install Chromium and a Chinese font when they are missing and we are root on Debian; else say what to do."""
    if any(shutil.which(name) for name in BROWSERS):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print("no Chromium here: the browser's tests will be skipped; install Debian's chromium to run them")
        return
    print(f"installing {' '.join(PACKAGES)} for the browser's tests", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run(["apt-get", *arguments], check=False, stdout=subprocess.DEVNULL, env=environment)
        if done.returncode != 0:
            sys.exit(f"apt-get {' '.join(arguments)} failed: install chromium by hand")


if __name__ == "__main__":
    main()
