"""DJI's waylines: which lens films and photographs is the camera that the task asks for."""

import io
import re
import zipfile

import msgspec
import pytest

from mission.formats import wpml
from mission.formats.plan_files import PlanFormat, write_plan
from mission.formats.wpml_models import payload_of
from mission.model import Camera
from mission.plan import CameraAction
from telemetry.model.errors import InputError
from tests.flown_day import BANK, EAST, HAWK, HOMEWARD, LOOK, PLAN, PROGRAMME, SORTIE, WEST

BOTH = msgspec.structs.replace(HAWK, cameras=(Camera(name="M3TD"), Camera(name="ir", kind="thermal")))
HOT = msgspec.structs.replace(BANK, camera="thermal")
NEXT = msgspec.structs.replace(BANK, task_id=2)
STOP = msgspec.structs.replace(HOMEWARD, action=CameraAction.STOP_VIDEO)


def lenses(archive: bytes) -> list[list[tuple[str, str]]]:
    """Return of both files what records and by which lens."""
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        texts = [files.read(name).decode() for name in files.namelist()]
    pattern = r"Func>(\w+Record|takePhoto)<.*?payloadLensIndex>(\w+)<.*?useGlobalPayloadLensIndex>0<"
    return [re.findall(pattern, text) for text in texts]


def test_a_thermal_camera_that_a_task_asks_for_is_the_lens_that_records_until_the_film_ends_and_the_next_task_has_its_own() -> (
    None
):
    photo = msgspec.structs.replace(LOOK, task_id=2, action=CameraAction.PHOTO)
    sortie = msgspec.structs.replace(SORTIE, waypoints=(WEST, EAST, photo, STOP), task_ids=(1, 2))
    plan = msgspec.structs.replace(PLAN, sorties=(sortie,))
    programme = msgspec.structs.replace(PROGRAMME, airframes=(BOTH,), tasks=(HOT, NEXT))
    said = [("startRecord", "ir"), ("takePhoto", "ir"), ("takePhoto", "wide"), ("stopRecord", "ir")]
    assert lenses(write_plan(plan, programme, PlanFormat.KMZ).data) == [said, said]


def test_without_a_wish_the_first_camera_records_and_one_of_an_unknown_kind_is_left_to_the_drone() -> None:
    assert {lens for file in lenses(wpml.write(SORTIE, BOTH, tasks=(BANK,))) for _, lens in file} == {"wide"}
    own = msgspec.structs.replace(HAWK, cameras=(Camera(name="M3TD", kind="lidar"),))
    assert lenses(wpml.write(SORTIE, own)) == [[], []]


def test_a_camera_that_the_drone_has_not_is_told() -> None:
    with pytest.raises(InputError, match="has no camera 'thermal'"):
        wpml.write(SORTIE, HAWK, tasks=(HOT,))


def test_a_carried_camera_is_known_by_its_name() -> None:
    carrier = msgspec.structs.replace(HAWK, model="Matrice 350 RTK", cameras=(Camera(name="H20T"),))
    assert payload_of(carrier, None) == 43
