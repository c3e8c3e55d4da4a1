"""Files that are made for whoever asked and kept by no cache."""

from fastapi import Response

from mission.formats.plan_files import FileMade


def download(made: FileMade) -> Response:
    """Return a file for saving."""
    headers = {"cache-control": "no-store", "content-disposition": f'attachment; filename="{made.name}"'}
    return Response(made.data, 200, headers, made.media_type)
