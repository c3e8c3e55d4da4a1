"""Figures of responses and shift reports from incidents: for the screen, to print, as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

from console.api.models_incidents import FiguresReply, UnitShiftRow, UrgencyFigures
from console.wire_incident import IncidentView
from infra.clock import MICROSECONDS, utc_of
from mission.calls.incident import Dispatch, Incident, IncidentState, Urgency
from mission.calls.incident_board import figures_of, quantile_s, response_s
from telemetry.model.unit import Station, Unit

FORMULA_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r")
CSV_COLUMNS: Final = (
    *("number", "reported_at", "urgency", "category", "title", "place", "station", "state", "response_s", "target_s"),
    *("on_target", "units", "closed_at", "agency_id"),
)


def figures_reply(
    incidents: Sequence[Incident], still_open: Sequence[Incident], *, since_us: int, now_us: int
) -> FiguresReply:
    """Return the figures of these incidents, and how many of `still_open` wait for somebody to be sent."""
    seconds = sorted(found for incident in incidents if (found := response_s(incident)) is not None)
    to_send = [incident for incident in still_open if incident.state is IncidentState.NEW]
    oldest_us = min((incident.reported_us for incident in to_send), default=None)
    return FiguresReply(
        since_ms=since_us / 1000,
        response_p50_s=quantile_s(seconds, 0.5),
        response_p90_s=quantile_s(seconds, 0.9),
        open_count=len(still_open),
        to_send_count=len(to_send),
        oldest_to_send_ms=None if oldest_us is None else oldest_us / 1000,
        by_urgency=[_urgency_figures(incidents, urgency, now_us) for urgency in Urgency],
    )


def _urgency_figures(incidents: Sequence[Incident], urgency: Urgency, now_us: int) -> UrgencyFigures:
    figures = figures_of(incidents, urgency, now_us=now_us)
    return UrgencyFigures(
        urgency=int(urgency),
        count=figures.count,
        answered=figures.answered,
        p50_s=figures.p50_s,
        p90_s=figures.p90_s,
        on_target_ratio=figures.on_target_ratio,
    )


def unit_rows(views: Sequence[IncidentView], incidents: Sequence[Incident]) -> list[UnitShiftRow]:
    """Return what each unit did, of the dispatches that the views show, the busiest first."""
    shown = {sent.dispatch_id for view in views for sent in view.dispatches}
    by_unit: dict[int, list[Dispatch]] = {}
    for incident in incidents:
        for sent in incident.dispatches:
            if sent.dispatch_id in shown:
                by_unit.setdefault(sent.unit_id, []).append(sent)
    rows = [_unit_row(unit_id, sent) for unit_id, sent in by_unit.items()]
    return sorted(rows, key=lambda row: (-row.sent, row.unit_id))


def _unit_row(unit_id: int, dispatches: Sequence[Dispatch]) -> UnitShiftRow:
    seconds = [
        max(0.0, (sent.arrived_us - sent.queued_us) / MICROSECONDS)
        for sent in dispatches
        if sent.arrived_us is not None
    ]
    return UnitShiftRow(
        unit_id=unit_id,
        sent=len(dispatches),
        accepted=sum(sent.accepted_us is not None for sent in dispatches),
        declined=sum(sent.declined_us is not None for sent in dispatches),
        arrived=len(seconds),
        p50_s=median(seconds) if seconds else None,
    )


def shift_csv(views: Sequence[IncidentView], *, units: Mapping[int, Unit], stations: Mapping[int, Station]) -> bytes:
    """Return a shift as CSV in UTF-8 with a mark at its beginning (spreadsheets ask for it); callers are not in it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for view in views:
        station = None if view.station_id is None else stations.get(view.station_id)
        signs = [
            units[sent.unit_id].call_sign if sent.unit_id in units else str(sent.unit_id) for sent in view.dispatches
        ]
        writer.writerow(
            [
                view.number,
                _time(view.reported_ms),
                view.urgency,
                view.category.value,
                _plain(view.title),
                _plain(view.place_text),
                "" if station is None else station.number,
                view.state.value,
                "" if view.response_s is None else round(view.response_s, 1),
                round(view.target_s),
                "" if view.on_target is None else ("yes" if view.on_target else "no"),
                _plain("; ".join(signs)),
                "" if view.closed_ms is None else _time(view.closed_ms),
                "" if view.agency_id is None else view.agency_id,
            ]
        )
    return ("\ufeff" + text.getvalue()).encode()


def _plain(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_BEGINS) else text


def _time(at_ms: float) -> str:
    return utc_of(round(at_ms) * 1000).isoformat()
