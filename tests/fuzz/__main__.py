"""`make fuzz`: atheris searches each target for so many seconds from the seeds on; what breaks one is written down.

python -m tests.fuzz [--seconds 60] [--seed 1] [TARGET ...]
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

LONGEST_BYTES: Final = 4_096
HERE: Final = Path(__file__).resolve().parents[2]


def main() -> int:
    """Fuzz each target in a program of its own, since libFuzzer ends its; return how many broke."""
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--within", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("targets", nargs="*")
    chosen = parser.parse_args()
    if chosen.within:
        search(chosen.targets[0], chosen.seconds, chosen.seed)
        return 0
    broken = [name for name in chosen.targets or _names() if not _holds(name, chosen.seconds, chosen.seed)]
    sys.stdout.write(f"broken: {', '.join(broken) or 'none'}\n")
    return len(broken)


def _holds(name: str, seconds: int, seed: int) -> bool:
    """Search one target; tell how many inputs it took, or everything that was said about the one that broke it."""
    words = ["--within", "--seconds", str(seconds), "--seed", str(seed), name]
    command = [sys.executable, "-m", "tests.fuzz", *words]
    done = subprocess.run(command, cwd=HERE, check=False, stderr=subprocess.PIPE, text=True, errors="replace")
    told = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    sys.stdout.write(f"{name}: {told[1] if told else '?'} inputs in {seconds} s\n")
    if done.returncode:
        sys.stdout.write(done.stderr[-8_000:])
    sys.stdout.flush()
    return not done.returncode


def _names() -> list[str]:
    from tests.fuzz.targets import TARGETS

    return [target.name for target in TARGETS]


def search(name: str, seconds: int, seed: int) -> None:
    """Let atheris search one target; libFuzzer ends the program."""
    import atheris

    with atheris.instrument_imports(
        include=["telemetry", "infra.journal_segment", "mission.formats", "mission.air.taf", "mission.weather"]
    ):
        from tests.fuzz.targets import TARGETS
    target = next(target for target in TARGETS if target.name == name)
    with tempfile.TemporaryDirectory(prefix="skybeat-fuzz-") as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, data in enumerate(target.seeds()):
            (corpus / f"seed{number}").write_bytes(data)
        found = Path(tempfile.gettempdir()) / f"skybeat-fuzz-{name}-"
        options = [f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={LONGEST_BYTES}", "-verbosity=0"]
        options += ["-print_final_stats=1", f"-artifact_prefix={found}", "-timeout=20"]
        atheris.Setup([sys.argv[0], *options, str(corpus)], target.run)
        atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
