"""Mission handshakes of real flights: what a real ArduCopter and a QuadPlane in simulation said to other ground stations, said to ours."""

from collections.abc import Iterator
from pathlib import Path

from telemetry.model.mission_items import MissionItem, MissionList
from telemetry.sources.mavlink import mission_messages as messages
from telemetry.sources.mavlink.download import WIDEST, Download
from telemetry.sources.mavlink.exchange import Ended
from telemetry.sources.mavlink.frame import Frame, FrameReader, values
from telemetry.sources.mavlink.mission_messages import Target
from telemetry.sources.mavlink.patience import Patience
from telemetry.sources.mavlink.tables import MESSAGES
from telemetry.sources.mavlink.upload import Upload

TARGET = Target(1, 1, MissionList.MISSION, 255)
CONVERSATION = messages.SPOKEN | {messages.CLEAR_ALL, messages.REQUEST_LIST}


def conversation(path: Path) -> Iterator[tuple[int, Frame]]:
    """The log's mission frames with the time that each was written down at."""
    data = path.read_bytes()
    for frame in FrameReader().feed(data):
        if frame.msg_id in CONVERSATION:
            at = data.index(frame.raw)
            yield int.from_bytes(data[at - 8 : at], "big"), frame


def said(frame: Frame) -> messages.MissionSaid:
    return messages.read(frame.msg_id, MESSAGES[frame.msg_id].codec.unpack(frame.payload))


def test_a_real_arducopter_that_found_an_item_out_of_order_gets_our_mission_as_it_got_theirs(test_data: Path) -> None:
    frames = list(conversation(test_data / "mavlink" / "phoenix_mission1_2018-09-17.tlog"))
    theirs = [values(frame) for _, frame in frames if frame.system_id == 255 and frame.msg_id == messages.ITEM_INT]
    items: dict[int, MissionItem] = {}
    for _, frame in frames:
        if frame.system_id == 255 and frame.msg_id == messages.ITEM_INT:
            items[said(frame).number] = said(frame).item or MissionItem(command=0)
    upload = Upload([items[seq] for seq in sorted(items)], TARGET, Patience())
    upload.begin(frames[0][0])
    assert upload.outbox.pop().fields["count"] == 5
    results = []
    for at_us, frame in frames:
        if frame.system_id == 1 and upload.ended is None:
            if frame.msg_id == messages.ACK:
                results.append(said(frame).number)
            upload.take(said(frame), at_us)
    assert results == [messages.INVALID_SEQUENCE, messages.ACCEPTED]
    assert upload.ended == Ended(touched=True)
    ours = [ask.fields for ask in upload.outbox]
    assert [fields["seq"] for fields in ours] == [0, 1, 1, 2, 3, 4]  # theirs answered a request that came twice twice
    compared = ("seq", "command", "frame", "x", "y", "z", "param1", "param2", "param3", "param4", "autocontinue")
    assert [tuple(fields[name] for name in compared) for fields in ours] == [
        tuple(fields[name] for name in compared) for fields in theirs[1:]
    ]


def test_a_mission_that_somebody_else_read_is_read_by_us_too_item_by_item(test_data: Path) -> None:
    download = Download(TARGET, Patience(), widest=WIDEST)
    began = False
    for at_us, frame in conversation(test_data / "mavlink" / "uavlogviewer_vtol.tlog"):
        if not began:
            download.begin(at_us)
            began = True
        if frame.system_id == 1:
            download.take(said(frame), at_us)
    assert download.total == 14
    assert download.items[1].command == 22
    assert (download.items[1].lat_e7, download.items[1].lon_e7, download.items[1].alt_m) == (
        -353_628_800,
        1_491_652_224,
        20.0,
    )
    assert (download.items[3].command, download.items[3].param1) == (115, 640.0)
