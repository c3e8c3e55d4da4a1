"""What we ship is permissively licensed; pymavlink and psycopg are LGPL, used unmodified: the only exceptions."""

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

LOCK: Final = Path(__file__).resolve().parents[2] / "requirements.lock"
PERMISSIVE: Final = re.compile(
    r"\b(MIT|BSD|Apache|ISC|PSF|Python Software Foundation|HPND|Zlib|Unlicense|0BSD|CNRI-Python|MIT-CMU)\b",
    re.IGNORECASE,
)
EXCEPTIONS: Final = {
    "certifi": "MPL",  # pyproj asks for it: a list of certificates, used as data and unmodified
    "pymavlink": "LGPL",
    "psycopg": "LGPL",
    "psycopg-binary": "LGPL",
    "psycopg-pool": "LGPL",
}


def test_every_shipped_package_is_permissively_licensed() -> None:
    wrong = []
    for name in re.findall(r"^([a-z0-9_.-]+)==", LOCK.read_text(), re.MULTILINE):
        try:
            said = _licence_of(name)
        except PackageNotFoundError:
            continue  # locked for another platform or Python
        if name in EXCEPTIONS:
            assert EXCEPTIONS[name] in said or "Lesser General Public" in said, f"{name} says {said!r}"
        elif not PERMISSIVE.search(said):
            wrong.append(f"{name}: {said[:120]!r}")
    assert not wrong, "\n".join(wrong)


def _licence_of(name: str) -> str:
    metadata = distribution(name).metadata
    words = [value for field in ("License-Expression", "License") for value in metadata.get_all(field) or []]
    words += [line for line in metadata.get_all("Classifier") or [] if line.startswith("License")]
    if not any(words):
        files = distribution(name).files or []
        texts = [file.locate() for file in files if "LICEN" in file.name.upper()]
        words += [Path(str(text)).read_text(errors="replace")[:400] for text in texts]
    return " ".join(words)
