"""`skybeat webhook`: where changes of incidents are told to. A secret is printed once and never again."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import click
import psycopg

from console.webhooks.post import receiver_of
from console.webhooks.signature import SECRET_BYTES, secret_text
from infra.clock import SYSTEM_CLOCK, utc_of
from infra.database import owner_connection
from infra.prepare import using_ready_urls
from infra.settings import Settings, load_settings
from infra.vault import Vault
from telemetry.model.errors import ConflictError, NotFoundError


@click.group("webhook")
def command() -> None:
    """Tell changes of incidents to other programs: signed as standardwebhooks.com says, retried for a day.

    A message holds an incident's numbers, states and times, and the units sent; no caller, no words, no place.

    \b
    Examples:
      skybeat webhook add https://calls.example.org/hooks/skybeat --label "county centre"
      skybeat webhook list
    """  # noqa: D301 - \b is click's mark for "do not wrap"


@command.command()
@click.argument("url")
@click.option("--label", default="", help="Your own name of the receiver.")
@click.option("--inside", is_flag=True, help="The receiver stands in your own network, at a private address.")
def add(url: str, label: str, inside: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Tell a receiver every change from now on, and print the secret that proves our messages, once.

    The URL must be https (http only to this machine). Without --inside it must stand at a public address, with it at a
    private one; whichever it is, redirects are not followed.

    \b
    Examples:
      skybeat webhook add https://calls.example.org/hooks/skybeat --label "county centre"
      skybeat webhook add https://calls.police.lan/hook --inside
    """  # noqa: D301 - as above
    receiver_of(url, inside=inside)
    settings = load_settings()
    secret = secrets.token_bytes(SECRET_BYTES)
    sealed = Vault.open(settings.data_dir).seal(secret)
    with _owner(settings) as connection:
        row = connection.execute(
            "insert into public.webhook (label, url, inside, secret_sealed, created_at) values (%s, %s, %s, %s, %s)"
            " on conflict (url) do nothing returning webhook_id",
            (label, url, inside, sealed, utc_of(SYSTEM_CLOCK.now_us())),
        ).fetchone()
    if row is None:
        message = "this URL is a webhook already: see `skybeat webhook list`, or remove it first to get a new secret"
        raise ConflictError(message)
    click.echo(f"webhook {row[0]} is told every change of an incident from now on")
    click.echo(f"secret (shown this once): {secret_text(secret)}")


@command.command("list")
def list_webhooks() -> None:
    """List the receivers, what waits for each and what was given up.

    \b
    Example:
      skybeat webhook list
    """  # noqa: D301 - as above
    with _owner(load_settings()) as connection:
        rows = connection.execute(
            "select w.webhook_id, w.url, w.label, w.disabled_reason,"
            " count(d.*) filter (where d.delivered_at is null and d.given_up_at is null) as waiting_count,"
            " count(d.*) filter (where d.given_up_at is not null) as given_up_count"
            " from public.webhook w left join public.webhook_delivery d using (webhook_id)"
            " group by w.webhook_id order by w.webhook_id"
        ).fetchall()
    for webhook_id, url, label, disabled_reason, waiting_count, given_up_count in rows:
        state = f"off: {disabled_reason}" if disabled_reason else f"{waiting_count} wait, {given_up_count} given up"
        click.echo(f"{webhook_id:>6}  {url}  {label}  {state}")
    click.echo(f"{len(rows)} webhooks")


@command.command()
@click.argument("webhook_id", type=int)
def remove(webhook_id: int) -> None:
    """Tell a receiver nothing more and forget what waits for it.

    \b
    Example:
      skybeat webhook remove 1
    """  # noqa: D301 - as above
    with _owner(load_settings()) as connection:
        row = connection.execute(
            "delete from public.webhook where webhook_id = %s returning webhook_id", (webhook_id,)
        ).fetchone()
    if row is None:
        message = f"there is no webhook {webhook_id}: see `skybeat webhook list`"
        raise NotFoundError(message)
    click.echo(f"webhook {webhook_id} is removed")


@contextmanager
def _owner(settings: Settings) -> Iterator[psycopg.Connection]:
    with using_ready_urls(settings) as urls, owner_connection(urls.owner) as connection:
        yield connection
