"""The report to print: one HTML page of a day or of a sortie, without scripts, images or anything from elsewhere."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import shapely

from mission.model import Programme, Task, Window
from mission.plan import SortieState
from mission.proof.proving import Proof, SortieProof, TaskProof
from mission.proof.words import (
    NOTHING,
    Language,
    clock,
    day,
    kept_word,
    kilometres,
    kind_word,
    metres,
    minutes,
    percent,
    reason_of,
    state_word,
    word,
)
from telemetry.model.geodesy import local_plane

MAP_PX: Final = 280.0
MARGIN_PX: Final = 8.0
_STYLE: Final = """
body{font:14px/1.45 "Noto Sans SC",Inter,sans-serif;color:#141c23;margin:24px auto;max-width:1000px}
h1{font-size:20px;margin:0}h2{font-size:16px;margin:24px 0 8px}h3{font-size:14px;margin:16px 0 4px}
p{margin:4px 0;color:#3f4c57}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{border-bottom:1px solid #d6dde2;padding:6px 8px;text-align:left;vertical-align:top}th{font-weight:500;color:#3f4c57}
tr{break-inside:avoid}.sorties td:not(:last-child){white-space:nowrap}
.no{color:#8c5200;font-weight:600}.task{break-inside:avoid;display:flex;gap:24px;margin:16px 0}.task>div{flex:1}
.task h3{margin-top:0}svg{flex:none;border:1px solid #d6dde2}.sorties th:last-child{min-width:9em}
@media print{@page{margin:14mm}body{margin:0;max-width:none;font-size:11px}th,td{padding:4px 6px}svg{max-width:220px;height:auto}}
"""


def write(proof: Proof, programme: Programme, *, language: Language, sortie_id: int | None = None) -> bytes:
    """Return the page, of the whole day or of one sortie with its tasks. Times stand in the programme's time zone."""
    zone = ZoneInfo(programme.zone)
    sorties = [one for one in proof.sorties if sortie_id in (None, one.sortie_id)]
    wanted = {task_id for one in sorties for task_id in one.task_ids}
    tasks = [one for one in proof.tasks if sortie_id is None or one.task_id in wanted]
    title = word("title" if sortie_id is None else "sortie_title", language)
    head = f"{title} · {day(proof.window.start_us, zone)}" + ("" if sortie_id is None else f" · {sortie_id}")
    about = f"{word('as_of', language)} {day(proof.made_us, zone)} {clock(proof.made_us, zone)} ({programme.zone})"
    is_whole = all(one.is_in_scope for one in proof.sorties)
    total = f"{word('total', language)} {minutes(proof.flown_s)} · {kilometres(proof.flown_m)}"
    total += "" if is_whole else f" · {word('in_scope', language)}"
    heights = f"{word('terrain', language)} {proof.terrain}" if proof.terrain else word("flat", language)
    shapes = {task.task_id: task for task in programme.tasks}
    parts = [
        f"<h1>{escape(head)}</h1>",
        *(f"<p>{escape(line)}</p>" for line in (about, total, heights, word("limits", language))),
        f"<h2>{word('tasks', language)}</h2>",
        _table(_task_heads(language), (_task_cells(one, language) for one in tasks), kind="tasks"),
        *(_task_part(one, shapes.get(one.task_id), zone, language) for one in tasks),
        f"<h2>{word('sorties', language)}</h2>",
        _table(
            _sortie_heads(language),
            (_sortie_cells(one, proof.made_us, zone, language) for one in sorties),
            kind="sorties",
        ),
    ]
    lang = "zh-CN" if language == "zh" else "en"
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{escape(head)}</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    ).encode()


def _task_heads(language: Language) -> list[str]:
    names = ("task", "kind", "visits", "covered", "watched", "longest_gap", "overlap", "revisit", "kept")
    return [word(name, language) for name in names]


def _task_cells(one: TaskProof, language: Language) -> list[str]:
    covered = NOTHING
    if one.planned_ratio is not None:
        covered = f"{percent(one.covered_ratio)} / {percent(one.planned_ratio)}"
    revisit = NOTHING
    if one.revisit_s is not None or one.longest_revisit_s is not None:
        revisit = f"{minutes(one.longest_revisit_s)} / {minutes(one.revisit_s)}"
    done = NOTHING if one.done_count is None else str(one.done_count)
    kept = escape(kept_word(one, language))
    return [
        escape(_name(one, language)),
        escape(kind_word(one.kind, language)),
        f"{done} / {one.planned_count} / {one.visit_count}",
        covered,
        percent(one.watched_ratio),
        minutes(one.longest_gap_s),
        minutes(one.least_overlap_s),
        revisit,
        f'<span class="no">{kept}</span>' if one.is_kept is False else kept,
    ]


def _task_part(one: TaskProof, task: Task | None, zone: ZoneInfo, language: Language) -> str:
    """Return a task's map, gaps and reasons; nothing where there is nothing to tell."""
    drawing = _drawing(one, task, language) if task is not None and one.covered_ratio is not None else ""
    legend = f"<p>{escape(word('map', language))}</p>" if drawing else ""
    gaps = _list(word("gaps", language), (_span(gap, zone) for gap in one.gaps))
    said = [
        (f"{one.rule_id} {one.reason_zh}", one.remedy_zh)
        if language == "zh"
        else (f"{one.rule_id} {one.reason_en}", one.remedy_en)
        for one in one.refusals
    ]
    remedy = word("remedy", language)
    reasons = _list(word("reasons", language), (f"{reason} — {remedy}: {what}" for reason, what in said))
    if not (drawing or gaps or reasons):
        return ""
    return f'<section class="task">{drawing}<div><h3>{escape(_name(one, language))}</h3>{legend}{gaps}{reasons}</div></section>'


def _drawing(one: TaskProof, task: Task, language: Language) -> str:
    """Return what was asked for, with what was not seen hatched, as SVG with north up."""
    asked = shapely.from_geojson(_json(task.geometry))
    west, south, east, north = shapely.total_bounds(np.array([asked], object))
    plane = local_plane((south + north) / 2.0, (west + east) / 2.0)

    def planar(lonlat: Any) -> Any:  # noqa: ANN401 - shapely has no types
        return np.column_stack(plane.to_plane(lonlat[:, 1], lonlat[:, 0]))

    shape = shapely.transform(asked, planar)
    if task.width_m or shape.area == 0.0:
        shape = shapely.buffer(shape, (task.width_m or 30.0) / 2.0)
    unseen = (
        shapely.Polygon() if one.unseen is None else shapely.transform(shapely.from_geojson(_json(one.unseen)), planar)
    )
    low_x, low_y, high_x, high_y = shape.bounds
    scale = (MAP_PX - 2.0 * MARGIN_PX) / max(high_x - low_x, high_y - low_y, 1.0)
    width_px, height_px = ((high - low) * scale + 2.0 * MARGIN_PX for low, high in ((low_x, high_x), (low_y, high_y)))

    def path(geometry: Any) -> str:  # noqa: ANN401 - shapely has no types
        rings = [ring for part in shapely.get_parts(geometry) if part.geom_type == "Polygon" for ring in _rings(part)]
        return "".join(
            "M"
            + " ".join(f"{MARGIN_PX + (x - low_x) * scale:.1f},{MARGIN_PX + (high_y - y) * scale:.1f}" for x, y in ring)
            + "Z"
            for ring in rings
        )

    label = escape(f"{_name(one, language)}: {word('map', language)}", quote=True)
    hatch = (
        '<pattern id="h" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="6" height="6" fill="#fff"/><path d="M0 0V6" stroke="#8c5200" stroke-width="2"/></pattern>'
    ).replace('"h"', f'"h{one.task_id}"')
    return (
        f'<svg width="{width_px:.0f}" height="{height_px:.0f}" viewBox="0 0 {width_px:.0f} {height_px:.0f}" role="img" aria-label="{label}"><defs>{hatch}</defs>'
        f'<path d="{path(shape)}" fill="#bcd9ee" fill-rule="evenodd"/>'
        f'<path d="{path(unseen)}" fill="url(#h{one.task_id})" fill-rule="evenodd"/>'
        f'<path d="{path(shape)}" fill="none" stroke="#0a64a8" stroke-width="1.5"/></svg>'
    )


def _sortie_heads(language: Language) -> list[str]:
    names = ("drone", "state", "planned_time", "flown_time", "length", "off", "reason")
    return [word(name, language) for name in names]


def _sortie_cells(one: SortieProof, made_us: int, zone: ZoneInfo, language: Language) -> list[str]:
    is_ahead = one.state is SortieState.PLANNED and one.planned.start_us > made_us
    return [
        escape(f"{one.airframe_name} #{one.sortie_id}"),
        escape(word("ahead", language) if is_ahead else state_word(one.state, language)),
        _span(one.planned, zone),
        NOTHING if one.flown is None else _span(one.flown, zone),
        f"{NOTHING if one.flown is None else kilometres(one.flown_m)} / {kilometres(one.planned_m)}",
        metres(one.off_m),
        escape(reason_of(one, language)),
    ]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, kind: str) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table class="{kind}">' + f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _list(title: str, lines: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<p>{escape(title)}</p><ul>{items}</ul>" if items else ""


def _span(window: Window, zone: ZoneInfo) -> str:
    return f"{clock(window.start_us, zone)}–{clock(window.end_us, zone)}"


def _name(one: TaskProof, language: Language) -> str:
    return (one.name_zh or one.name_en) if language == "zh" else (one.name_en or one.name_zh)


def _rings(part: Any) -> list[Any]:  # noqa: ANN401 - shapely has no types
    return [shapely.get_coordinates(ring) for ring in (part.exterior, *part.interiors)]


def _json(geometry: dict[str, Any]) -> str:
    return msgspec.json.encode(geometry).decode()
