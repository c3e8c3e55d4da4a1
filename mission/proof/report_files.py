"""The report for programs: CSV of tasks and sorties, GeoJSON of what was asked for, flown and not seen."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from mission.model import Programme, TaskKind
from mission.plan import SortieState
from mission.proof.flown import Track
from mission.proof.proving import Proof, SortieProof, TaskProof
from mission.proof.words import Language, column_word, kind_word, reason_of, state_word, word

FORMULA_MARKS: Final = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so would be a formula to a spreadsheet."""
_TASK_COLUMNS: Final = [
    "task_id",
    "name_zh",
    "name_en",
    "kind",
    "visit_count",
    "planned_count",
    "due_count",
    "done_count",
    "planned_ratio",
    "covered_ratio",
    "watched_ratio",
    "longest_gap_s",
    "least_overlap_s",
    "revisit_s",
    "longest_revisit_s",
    "is_kept",
    "is_in_scope",
]
_SORTIE_COLUMNS: Final = [
    "sortie_id",
    "airframe_name",
    "state",
    "planned_from_at",
    "planned_until_at",
    "flown_from_at",
    "flown_until_at",
    "planned_m",
    "flown_m",
    "off_m",
    "is_in_scope",
    "reason",
]


def write_csv(proof: Proof, *, language: Language = "en", sortie_id: int | None = None) -> bytes:
    """Return two tables, tasks and sorties, one after the other with an empty line between; UTF-8 with a mark for spreadsheets.

    In English the headings are the fields' names, for programs; in Chinese words, for people. Times are UTC in both.
    """
    sorties = [one for one in proof.sorties if sortie_id in (None, one.sortie_id)]
    wanted = {task_id for one in sorties for task_id in one.task_ids}
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column_word(column, language) for column in _TASK_COLUMNS])
    for task in proof.tasks:
        if sortie_id is None or task.task_id in wanted:
            writer.writerow(_row(task, _TASK_COLUMNS, {}, language))
    writer.writerow([])
    writer.writerow([column_word(column, language) for column in _SORTIE_COLUMNS])
    for one in sorties:
        said = {
            "planned_from_at": _time(one.planned.start_us),
            "planned_until_at": _time(one.planned.end_us),
            "flown_from_at": _time(one.flown.start_us if one.flown else None),
            "flown_until_at": _time(one.flown.end_us if one.flown else None),
            "reason": reason_of(one, language),
        }
        writer.writerow(_row(one, _SORTIE_COLUMNS, said, language))
    return "\ufeff".encode() + text.getvalue().encode()


def _row(
    one: TaskProof | SortieProof, columns: Sequence[str], said: Mapping[str, str], language: Language
) -> list[str]:
    return [_cell(said[column] if column in said else getattr(one, column), language) for column in columns]


def write_geojson(
    proof: Proof, programme: Programme, tracks: Sequence[Track], *, sortie_id: int | None = None
) -> bytes:
    """Return what was asked for, the ground that was not seen, and the flown tracks, as features of [lon, lat]."""
    proofs = {one.sortie_id: one for one in proof.sorties if sortie_id in (None, one.sortie_id)}
    wanted = {task_id for one in proofs.values() for task_id in one.task_ids}
    shapes = {task.task_id: task.geometry for task in programme.tasks}
    features: list[dict[str, Any]] = []
    for task in proof.tasks:
        if task.task_id in shapes and (sortie_id is None or task.task_id in wanted):
            said = msgspec.to_builtins(task)
            unseen = said.pop("unseen")
            features.append(_feature("task", shapes[task.task_id], said))
            if unseen is not None:
                features.append(_feature("unseen", unseen, {"task_id": task.task_id}))
    for track in tracks:
        if track.sortie_id in proofs and len(track.at_us) > 1:
            places = [
                [round(lon, 7), round(lat, 7), round(alt, 1)]
                for lat, lon, alt in zip(
                    track.lat_deg.tolist(), track.lon_deg.tolist(), track.alt_home_m.tolist(), strict=True
                )
            ]
            line = {"type": "LineString", "coordinates": places}
            features.append(_feature("flown", line, msgspec.to_builtins(proofs[track.sortie_id])))
    return msgspec.json.encode({"type": "FeatureCollection", "features": features}) + b"\n"


def _feature(what: str, geometry: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": {"what": what, **properties}}


def _cell(value: object, language: Language) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1.0 else f"{value:.1f}"
    text = _zh(value) if language == "zh" else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA_MARKS) else text


def _zh(value: object) -> str:
    if isinstance(value, bool):
        return word("yes" if value else "no", "zh")
    if isinstance(value, TaskKind):
        return kind_word(value, "zh")
    return state_word(value, "zh") if isinstance(value, SortieState) else str(value)


def _time(at_us: int | None) -> str:
    return "" if at_us is None else datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
