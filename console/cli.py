"""The command `skybeat`: finds its sub-commands by their files and loads only the one that is asked for."""

import importlib
import pkgutil
import sys
from pathlib import Path
from typing import NoReturn

import click

import console.commands
from infra.disk import complaint
from infra.errors import GroundError
from infra.logs import configure_logs
from telemetry.model.errors import SkybeatError


class CommandsByFile(click.Group):
    """A group whose commands are the modules of `console.commands`: `import_.py` is `skybeat import`, `fault_proxy.py` fault-proxy."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, sorted."""
        del ctx
        return sorted(
            info.name.rstrip("_").replace("_", "-") for info in pkgutil.iter_modules(console.commands.__path__)
        )

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command; None when there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        word = cmd_name.replace("-", "_")
        keyword = f"{word}_" if (Path(console.commands.__path__[0]) / f"{word}_.py").exists() else word
        command = importlib.import_module(f"console.commands.{keyword}").command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=CommandsByFile, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="skybeat", prog_name="skybeat")
def skybeat() -> None:
    """Drones and officers live on one map, beside their stations' coverage.

    \b
    Example:
      skybeat demo
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    configure_logs("warning", for_people=True)  # standard output is the commands'; what runs on chooses its own


def main() -> None:
    """Run the command line; an error of ours is one line and exit status 1."""
    try:
        skybeat(standalone_mode=True)
    except (SkybeatError, GroundError) as error:
        _fail(str(error))
    except OSError as error:
        _fail(complaint("the file or folder", Path(), error, other="choose one that this account may use"))


def _fail(message: str) -> NoReturn:
    click.echo(f"skybeat: {message}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
