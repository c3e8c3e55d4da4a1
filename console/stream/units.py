"""What browsers are told of units apart from where they are: the units of each scope, packed once a scope."""

from console.auth.policy import Scope
from console.sources import LiveSource
from console.wire import UnitDevice, UnitMeta, UnitsChanged, encode_message
from infra.clock import Clock


class UnitTexts:
    """The registry's units as browsers see them, read again when the registry is another one.

    A duty status that changed alone is read for those who join; browsers that are there have it from their frames.
    """

    def __init__(self, bridge: LiveSource, clock: Clock) -> None:
        self._bridge = bridge
        self._clock = clock
        self._metas: list[UnitMeta] = []
        self._read: tuple[int, int] = (-1, -1)
        self._told = bridge.registry.version
        self._texts: dict[Scope, str] = {}

    def is_news(self) -> bool:
        """Tell whether the registry's units are others than those told last."""
        return self._bridge.registry.version != self._told

    def tell(self) -> None:
        """Take the registry as it is as what everybody is told now."""
        self._told = self._bridge.registry.version

    def metas(self, scope: Scope) -> list[UnitMeta]:
        """Return the units of a scope with the devices that speak for them now."""
        self._refresh()
        units = self._bridge.registry.units
        return [meta for meta in self._metas if meta.unit_id in units and scope.sees(units[meta.unit_id])]

    def text(self, scope: Scope) -> str:
        """Return the message `units` of a scope."""
        self._refresh()
        text = self._texts.get(scope)
        if text is None:
            text = self._texts[scope] = encode_message(UnitsChanged(units=self.metas(scope)))
        return text

    def _refresh(self) -> None:
        registry = self._bridge.registry
        if (registry.version, registry.duty_version) == self._read:
            return
        self._read = (registry.version, registry.duty_version)
        self._texts.clear()
        speakers = self._speakers()
        self._metas = [
            UnitMeta(
                unit_id=unit.unit_id,
                call_sign=unit.call_sign,
                kind=unit.kind,
                service=unit.service,
                duty_status=unit.duty_status,
                station_id=unit.station_id,
                name_zh=unit.name_zh,
                name_en=unit.name_en,
                covert=unit.covert,
                equipment=list(unit.equipment),
                devices=speakers.get(unit.unit_id, []),
            )
            for unit in registry.units.values()
        ]

    def _speakers(self) -> dict[int, list[UnitDevice]]:
        registry, now_us = self._bridge.registry, self._clock.now_us()
        speakers: dict[int, list[UnitDevice]] = {}
        for device in registry.devices.values():
            unit_id = registry.unit_of(device.device_id, now_us)
            if unit_id is not None and not device.revoked:
                speakers.setdefault(unit_id, []).append(
                    UnitDevice(
                        device_id=device.device_id,
                        protocol=device.protocol,
                        label=device.label,
                        report_interval_s=device.report_interval_s,
                    )
                )
        return speakers
