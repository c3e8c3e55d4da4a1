"""Every setting, from SKYBEAT_* environment variables over their defaults."""

import os
import ssl
from pathlib import Path
from typing import Annotated, Final, Literal

import platformdirs
from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from infra.errors import SettingsError

PREFIX: Final = "SKYBEAT_"
ROOT_DATA_DIR: Final = Path("/var/lib/skybeat")


_NO_PASSPHRASE: Final = ""  # so that an encrypted key is refused instead of asked for on the terminal


def default_data_dir() -> Path:
    """Return where an installation keeps what it must not lose: /var/lib/skybeat for root, else the user's data folder."""
    if os.geteuid() == 0:
        return ROOT_DATA_DIR
    return Path(platformdirs.user_data_dir("skybeat", appauthor=False))


class Settings(BaseSettings):
    """What an administrator may set; an empty variable counts as unset. Secrets never have a default."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore")

    data_dir: Path = Field(default_factory=default_data_dir)
    """Database, journal, keys and the city: kept over restarts."""
    database_url: SecretStr | None = None
    """The owner's URL of an own PostgreSQL; unset: the embedded server under data_dir."""
    database_writer_url: SecretStr | None = None
    """The recorder's URL; unset: database_url with SET ROLE skybeat_writer."""
    database_app_url: SecretStr | None = None
    """The console's URL; unset: database_url with SET ROLE skybeat_app."""
    postgres_bin: Path | None = None
    """Folder of another PostgreSQL's binaries for the embedded server (15 or newer)."""

    host: str = "127.0.0.1"
    port: int = Field(default=8420, ge=0, le=65535)
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False
    public_origin: str | None = None
    """The origin that browsers see behind a proxy, as https://console.example.org; unset: that of host and port."""

    session_idle_s: int = Field(default=12 * 3600, ge=60, le=30 * 86_400)
    """A console session ends when nobody used it for so long."""
    session_absolute_s: int = Field(default=24 * 3600, ge=60, le=30 * 86_400)
    """A console session ends at this age in any case."""

    ingest_host: str = "127.0.0.1"
    ingest_port: int = Field(default=8421, ge=0, le=65535)
    """Where phones report to."""
    mavlink_links: str = "udpin:127.0.0.1:14550"
    """Links to open at start, comma-separated; each URL may end in "#group" (its link group, default "main")."""
    links: str = ""
    """Further links of any protocol, as jt808+tcpin:0.0.0.0:8808 or nmea+serial:/dev/ttyUSB0?baud=9600#car7, comma-separated."""

    forward: str = ""
    """Ground stations that watch beside us, as udpout:10.0.0.5:14550#field, tcpin:127.0.0.1:5762?devices=main/1#desk, comma-separated."""

    terrain: Path | None = None
    """A raster of the ground's heights (.asc or .npz) that sorties are planned over; unset: the ground is taken as flat."""

    journal_max_bytes: int = Field(default=2 << 30, ge=16 << 20)
    raw_retention_days: int = Field(default=90, ge=1, le=3650)
    """How long positions are kept row by row."""
    minute_retention_days: int = Field(default=730, ge=1, le=36_500)
    """How long roll-ups of one minute are kept."""
    quarter_hour_retention_days: int = Field(default=3650, ge=1, le=36_500)
    """How long roll-ups of 15 minutes, trips and stops are kept."""
    raw_log_days: int = Field(default=7, ge=0, le=90)
    """How long received bytes are kept for `skybeat reprocess`; 0 keeps none."""
    raw_log_max_bytes: int = Field(default=8 << 30, ge=16 << 20)
    """How much room received bytes may take: beyond it the oldest go early."""
    flight_log_days: int = Field(default=90, ge=0, le=3650)
    """How long the logs of flights (.tlog) are kept; 0 writes none."""
    flight_log_max_bytes: int = Field(default=8 << 30, ge=16 << 20)
    """How much room the logs of flights may take: beyond it the oldest go early."""
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(str.lower)] = "info"


def load_settings() -> Settings:
    """Read the environment. Raises SettingsError naming each wrong variable, its value and what is allowed."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError(_complaint(error)) from error


def _complaint(error: ValidationError) -> str:
    wrong = []
    for detail in error.errors(include_url=False):
        name, said = str(detail["loc"][0]), detail["msg"]
        wrong.append(f"{PREFIX}{name.upper()}={detail['input']!r} is not allowed: {said[0].lower()}{said[1:]}")
    return "; ".join(wrong) + "; correct or unset it"


def check_certificate(settings: Settings) -> None:
    """Raise SettingsError when the certificate and its key are named but cannot be used."""
    if settings.tls_cert is None or settings.tls_key is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            settings.tls_cert, settings.tls_key, password=_NO_PASSPHRASE
        )
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        said = error.strerror if isinstance(error, OSError) and error.strerror else error
        message = (
            f"{PREFIX}TLS_CERT={settings.tls_cert} and {PREFIX}TLS_KEY={settings.tls_key} cannot be used ({said}): "
            "name a PEM certificate and its own key without a passphrase, readable by this account"
        )
        raise SettingsError(message) from error
