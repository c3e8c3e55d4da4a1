"""Every command and sub-command of `skybeat` explains itself with an example."""

from collections.abc import Iterator

import click

from console.cli import skybeat


def commands_of(group: click.Group, name: str) -> Iterator[tuple[str, click.Command]]:
    """Yield the group and all below it, each with its words."""
    context = click.Context(group)
    yield name, group
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands_of(command, f"{name} {word}")
        else:
            yield f"{name} {word}", command


def test_every_help_shows_an_example_of_its_own_command() -> None:
    found = dict(commands_of(skybeat, "skybeat"))
    assert {"skybeat demo", "skybeat device rotate", "skybeat force import", "skybeat user link"} <= found.keys()
    without = [
        name
        for name, command in found.items()
        if "Example" not in (said := command.get_help(click.Context(command, info_name=name))) or name not in said
    ]
    assert without == []
