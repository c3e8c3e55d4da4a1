"""Plans as files for other tools, and what became of them as reports: covered of planned, revisits kept, gaps, reasons."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final

from fastapi import Path, Query, Request, Response

from console.api.contract import account_of, database_scope, parts_of, router
from console.api.downloads import download
from console.audit import AuditAction
from console.auth.policy import Policy, policy
from console.patrols.evidence import tracks_of
from mission.formats.plan_files import FileMade, PlanFormat, find_sortie, write_plan
from mission.plan_store import KeptPlan
from mission.proof import report_files, report_html
from mission.proof.flown import Track
from mission.proof.proving import prove

ROUTER: Final = router("plans")
PlanId = Annotated[int, Path(ge=1, le=2**31 - 1)]
PRINTED_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""A report is one page with its styles in it; it asks nobody for anything."""
SortieId = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


class Language(StrEnum):
    """In which language names and reports are written."""

    ZH = "zh"
    EN = "en"


class ReportFormat(StrEnum):
    """In what a report is written."""

    HTML = "html"
    """One page to print, without scripts."""
    GEOJSON = "geojson"
    CSV = "csv"


REPORT_TYPES: Final = {
    ReportFormat.HTML: "text/html; charset=utf-8",
    ReportFormat.GEOJSON: "application/geo+json",
    ReportFormat.CSV: "text/csv; charset=utf-8",
}


@ROUTER.get("/api/plans/{plan_id}/export", response_class=Response)
@policy(Policy.SEE_PLANS)
async def export_plan(
    request: Request,
    plan_id: PlanId,
    *,
    file_format: Annotated[PlanFormat, Query(alias="format")],
    sortie_id: SortieId = None,
    language: Language = Language.EN,
) -> Response:
    """Return a plan, or one of its sorties, in a format of other tools; formats of one sortie come as a zip of all. Audited."""
    parts, account = parts_of(request), account_of(request)
    kept = await parts.patrols.plans.find(database_scope(account), plan_id)
    made = await asyncio.to_thread(
        write_plan, kept.plan, kept.programme, file_format, sortie_id=sortie_id, language=language.value
    )
    detail = {"plan_id": plan_id, "sortie_id": sortie_id, "format": file_format.value}
    await parts.audit.write(account, AuditAction.EXPORTED, subject=made.name, detail=detail)
    return download(made)


@ROUTER.get("/api/plans/{plan_id}/report", response_class=Response)
@policy(Policy.SEE_PLANS)
async def report_plan(
    request: Request,
    plan_id: PlanId,
    *,
    file_format: Annotated[ReportFormat, Query(alias="format")] = ReportFormat.HTML,
    sortie_id: SortieId = None,
    language: Language = Language.EN,
) -> Response:
    """Return what tracks prove of a plan, or of one of its sorties: covered of planned, revisits kept, gaps, reasons. Audited."""
    parts, account = parts_of(request), account_of(request)
    scope = database_scope(account)
    kept = await parts.patrols.plans.find(scope, plan_id)
    if sortie_id is not None:
        find_sortie(kept.plan, sortie_id)
    tracks = await tracks_of(parts.services.pool, scope, kept.plan, kept.programme)
    report = _Report(kept, tracks, parts.services.clock.now_us(), sortie_id)
    made = await asyncio.to_thread(report.write, file_format, language)
    detail = {"plan_id": plan_id, "sortie_id": sortie_id, "format": file_format.value}
    await parts.audit.write(account, AuditAction.EXPORTED, subject=made.name, detail=detail)
    if file_format is not ReportFormat.HTML:
        return download(made)
    headers = {"cache-control": "no-store", "content-security-policy": PRINTED_POLICY}
    return Response(made.data, 200, headers, made.media_type)


class _Report:
    """What is written of a plan's proof."""

    def __init__(self, kept: KeptPlan, tracks: Sequence[Track], now_us: int, sortie_id: int | None) -> None:
        self._kept, self._tracks, self._now_us, self._sortie_id = kept, tracks, now_us, sortie_id

    def write(self, file_format: ReportFormat, language: Language) -> FileMade:
        """Return the report as a file."""
        plan, programme, only = self._kept.plan, self._kept.programme, self._sortie_id
        proof = prove(plan, programme, self._tracks, now_us=self._now_us)
        name = f"report-{plan.plan_id}" if only is None else f"report-{plan.plan_id}-sortie-{only}"
        if file_format is ReportFormat.HTML:
            data = report_html.write(proof, programme, language=language.value, sortie_id=only)
        elif file_format is ReportFormat.CSV:
            data = report_files.write_csv(proof, language=language.value, sortie_id=only)
        else:
            data = report_files.write_geojson(proof, programme, self._tracks, sortie_id=only)
        return FileMade(name=f"{name}.{file_format.value}", media_type=REPORT_TYPES[file_format], data=data)
