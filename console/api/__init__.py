"""The HTTP interface, one router a noun; a router is found by its file and its models by the name `models...`."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import msgspec
from fastapi import APIRouter


def _modules() -> Iterator[ModuleType]:
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        yield importlib.import_module(f"{__name__}.{info.name}")


def routers() -> list[APIRouter]:
    """Return the routers of all files here that have one."""
    return [module.ROUTER for module in _modules() if hasattr(module, "ROUTER")]


def structs() -> dict[str, type[msgspec.Struct]]:
    """Return by name every struct that the files `models...` define or speak of."""
    found: dict[str, type[msgspec.Struct]] = {}
    for module in _modules():
        if module.__name__.rpartition(".")[2].startswith("models"):
            found |= {
                name: value
                for name, value in vars(module).items()
                if isinstance(value, type) and issubclass(value, msgspec.Struct) and value is not msgspec.Struct
            }
    return found
