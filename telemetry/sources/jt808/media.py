"""The media server to which terminals send live video (JT/T 1078): the one that an administrator named, and no other."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from telemetry.model.errors import InputError

_FORM: Final = re.compile(r"([a-z][a-z0-9+.-]{1,15})/([A-Za-z0-9.-]{1,253}):([0-9]{1,5})")
_PLACES: Final = frozenset({"phone", "device", "channel"})
_PLACE: Final = re.compile(r"\{([^{}]*)\}")


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """Where terminals send their video (`host`, `port`) and a template of where people watch it."""

    host: str
    port: int
    watch: str

    def url_of(self, *, phone: str, device_id: int, channel: int) -> str:
        """Return where a channel of a device is watched."""
        values = {"phone": phone, "device": str(device_id), "channel": str(channel)}
        return _PLACE.sub(lambda found: values[found[1]], self.watch)


def media_of(options: Mapping[str, str]) -> Media | None:
    """Return the media server of a link's options, None when none is named. Raises InputError: what, value, allowed.

    `media` is SCHEME/HOST:PORT; `watch` is a URL in which {phone}, {device} and {channel} are replaced, by default
    SCHEME://HOST/live/{phone}_{channel}.
    """
    said = options.get("media", "")
    if not said:
        return None
    match = _FORM.fullmatch(said)
    if match is None or not 1 <= int(match[3]) <= 65535:
        raise InputError(f"media={said[:80]}: give SCHEME/HOST:PORT, as rtmp/media.example:1078")
    watch = options.get("watch") or f"{match[1]}://{match[2]}/live/{{phone}}_{{channel}}"
    unknown = set(_PLACE.findall(watch)) - _PLACES
    if unknown:
        raise InputError(
            f"watch={watch[:80]}: {{{unknown.pop()}}} is unknown, {{phone}}, {{device}} and {{channel}} are allowed"
        )
    return Media(host=match[2], port=int(match[3]), watch=watch)
