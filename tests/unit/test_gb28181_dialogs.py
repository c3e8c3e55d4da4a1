"""Subscriptions, commands and video: our own requests, repeated, refreshed, made anew, and what becomes of commands."""

import itertools

import pytest

from telemetry.model.batch import Quality
from telemetry.model.commands import (
    ConfirmAlarm,
    OpenVideo,
    RequestParameters,
    RequestPosition,
    SendText,
    SetParameters,
    SetReportInterval,
    TrackFaster,
)
from telemetry.model.decoding import Peer
from telemetry.model.errors import InputError, NotFoundError
from telemetry.model.events import (
    AlarmKind,
    DeviceAlarm,
    DeviceInfo,
    DeviceParameters,
)
from telemetry.sources.gb28181 import TAKES
from telemetry.sources.gb28181.manscdp import read_document
from telemetry.sources.gb28181.sip import Sip, parse, tag_of, uri_of, user_of, write_response
from tests.gb28181_scene import CAMERA, PEER, REALM, SERVER_ID, Scene, fix, message, registry, source

CHANNEL = "44010200491310000007"


def subscribes(scene: Scene, wanted: str = "MobilePosition") -> list[Sip]:
    return [sip for sip in scene.asked("SUBSCRIBE") if read_document(sip.body).command == wanted]


def test_a_camera_is_subscribed_to_at_its_own_interval_with_contact_and_event() -> None:
    scene = Scene()
    scene.start()
    (subscribe,) = subscribes(scene)
    assert subscribe.uri == f"sip:{CAMERA}@10.1.2.3:5060"
    assert subscribe.first("contact") == f"<sip:{SERVER_ID}@10.0.0.1:5060>"
    assert subscribe.first("event").startswith("presence;id=")
    assert subscribe.expires_s == 3600
    assert read_document(subscribe.body).text("Interval") == "5"
    (alarms,) = subscribes(scene, "Alarm")
    assert read_document(alarms.body).text("AlarmMethod") == "0"


def test_a_subscription_is_refreshed_in_its_dialog_at_half_of_its_life() -> None:
    scene = Scene()
    scene.start()
    for _ in range(1_810):
        scene.deliver(scene.camera.report([fix(scene.now_us)], scene.now_us))
        scene.run(1, step_s=1)
    first, second = subscribes(scene)
    assert (first.call_id, tag_of(first.first("from"))) == (second.call_id, tag_of(second.first("from")))
    assert tag_of(second.first("to"))
    assert second.cseq[0] == first.cseq[0] + 1
    assert second.uri == f"sip:{CAMERA}@10.1.2.3:5060"


def test_a_camera_that_lost_its_subscription_gets_another_dialog() -> None:
    scene = Scene()
    scene.start()
    scene.camera._subscription = None
    scene.command(RequestPosition(device_id=1, command_id=7))
    scene.run(1)
    first, refused, second = subscribes(scene)
    assert refused.call_id == first.call_id != second.call_id
    assert not tag_of(second.first("to"))
    assert scene.answers() == [(7, "delivered", "")]
    assert scene.camera.is_subscribed


def test_a_silent_subscription_is_asked_for_again() -> None:
    scene = Scene()
    scene.start()
    scene.camera._subscription = None
    scene.run(130, step_s=1)
    assert scene.camera.is_subscribed
    assert len(subscribes(scene)) == 3


def test_a_notify_before_the_answer_opens_the_dialog() -> None:
    scene = Scene()
    scene.deliver(scene.camera.start(scene.now_us))
    scene.now_us += 300_000
    output = scene.decoder.tick(scene.now_us)
    subscribe = next(
        reply.data
        for reply in output.replies
        if reply.data.startswith(b"SUBSCRIBE") and b"MobilePosition" in reply.data
    )
    ok, notify, *_ = [*scene.camera.feed(subscribe, scene.now_us)]
    scene.camera.take_acknowledged()
    (position,) = scene.camera.report([fix(scene.now_us)], scene.now_us)
    assert scene.ask(position) == b"200 OK"
    assert scene.ask(notify) == b"200 OK"
    scene.decoder.feed(ok, scene.now_us)
    assert len(scene.rows()) == 1
    assert scene.bad() == {}


def test_a_subscription_that_the_camera_ends_is_made_anew() -> None:
    scene = Scene()
    scene.start()
    (notify,) = scene.camera.report([fix(scene.now_us)], scene.now_us)
    head, _, body = notify.partition(b"\r\n\r\n")
    ended = b"\r\n".join(
        b"Subscription-State: terminated;reason=timeout" if line.startswith(b"Subscription-State") else line
        for line in head.split(b"\r\n")
    )
    assert scene.ask(ended + b"\r\n\r\n" + body) == b"200 OK"
    assert len(scene.rows()) == 1
    scene.run(6)
    first, second = subscribes(scene)
    assert first.call_id != second.call_id


def test_our_requests_are_repeated_on_udp_with_growing_pauses_for_32_s_and_never_on_tcp() -> None:
    for peer, times in ((PEER, 11), (Peer(transport="tcp", host="10.1.2.3", port=9, local_host="10.0.0.1"), 1)):
        scene = Scene(peer=peer)
        scene.deliver(scene.camera.start(scene.now_us))
        sent_us = []
        for _ in range(400):
            scene.now_us += 100_000
            replies = scene.decoder.tick(scene.now_us).replies
            sent_us += [scene.now_us for reply in replies if b"CmdType>DeviceInfo<" in reply.data]
        assert len(sent_us) == times
        pauses_s = [round((later - earlier) / 1e6, 1) for earlier, later in itertools.pairwise(sent_us)]
        assert pauses_s == [0.5, 1, 2, 4, 4, 4, 4, 4, 4, 4][: times - 1]


def test_a_camera_that_refuses_subscriptions_is_asked_ever_more_rarely_and_commands_are_told_so() -> None:
    scene = Scene()
    scene.deliver(scene.camera.start(scene.now_us))
    asked_us = []
    for _ in range(1_200):
        scene.now_us += 1_000_000
        for reply in scene.decoder.tick(scene.now_us).replies:
            request = parse(reply.data)
            if request.method == "SUBSCRIBE":
                asked_us.append(scene.now_us)
                scene.take(scene.decoder.feed(write_response(request, 489, "Bad Event"), scene.now_us))
    assert 6 <= len(asked_us) <= 12
    output = scene.decoder.send(SetReportInterval(device_id=1, command_id=3, interval_s=2), scene.now_us)
    scene.take(scene.decoder.feed(write_response(parse(output.replies[0].data), 489, "Bad Event"), scene.now_us))
    assert scene.answers() == [(3, "refused", "489 Bad Event")]


def test_faster_reports_are_asked_for_in_the_dialog_and_end_by_themselves() -> None:
    scene = Scene()
    scene.start()
    scene.command(TrackFaster(device_id=1, command_id=11, interval_s=1, duration_s=60))
    assert scene.camera.interval_us == 1_000_000
    scene.run(61, step_s=1)
    assert scene.camera.interval_us == 5_000_000
    scene.command(SetReportInterval(device_id=1, command_id=12, interval_s=30))
    assert scene.camera.interval_us == 30_000_000
    assert scene.answers() == [(11, "delivered", ""), (12, "delivered", "")]
    assert len({sip.call_id for sip in subscribes(scene)}) == 1


def test_locate_now_makes_the_camera_notify_at_once() -> None:
    scene = Scene()
    scene.start()
    heard = len(scene.heard)
    scene.command(RequestPosition(device_id=1, command_id=4))
    assert b"NOTIFY" in b"".join(scene.heard[heard:])
    assert scene.answers() == [(4, "delivered", "")]


def test_a_command_that_nobody_answers_is_refused_after_32_s() -> None:
    scene = Scene()
    scene.start()
    scene.decoder.send(ConfirmAlarm(device_id=1, command_id=5, alarm=AlarmKind.SOS), scene.now_us)
    for _ in range(40):
        scene.now_us += 1_000_000
        scene.outputs.append(scene.decoder.tick(scene.now_us))
    assert scene.answers() == [(5, "refused", "no answer in 32 s")]


def test_confirming_an_alarm_puts_it_back_on_the_camera_and_ends_a_fault_of_its_own() -> None:
    scene = Scene()
    scene.start()
    scene.command(ConfirmAlarm(device_id=1, command_id=5, alarm=AlarmKind.TAMPER))
    control = next(sip for sip in scene.asked("MESSAGE") if b"ResetAlarm" in sip.body)
    assert read_document(control.body).root == "Control"
    assert scene.answers() == [(5, "delivered", "")]
    assert [(event.alarm, event.active) for event in scene.events() if isinstance(event, DeviceAlarm)] == [
        (AlarmKind.TAMPER, False)
    ]


def test_settings_are_asked_for_and_changed_within_the_standards_ranges() -> None:
    scene = Scene()
    scene.start()
    scene.command(SetParameters(device_id=1, command_id=1, values={"HeartBeatInterval": "30", "Name": "巡逻<1>"}))
    control = next(sip for sip in scene.asked("MESSAGE") if b"DeviceConfig" in sip.body)
    parameters = read_document(control.body).element.find("BasicParam")
    assert parameters is not None
    assert {child.tag: child.text for child in parameters} == {"HeartBeatInterval": "30", "Name": "巡逻<1>"}
    scene.command(RequestParameters(device_id=1, command_id=2))
    told = (
        b"<Response><CmdType>ConfigDownload</CmdType><SN>9</SN><DeviceID>1</DeviceID><Result>OK</Result>"
        b"<BasicParam><Name>a</Name><Expiration>3600</Expiration></BasicParam></Response>"
    )
    assert scene.tell(told) == b"200 OK"
    assert [event.values for event in scene.events() if isinstance(event, DeviceParameters)] == [
        {"Name": "a", "Expiration": "3600"}
    ]
    for values in ({}, {"Volume": "1"}, {"HeartBeatInterval": "0"}, {"HeartBeatCount": "x"}, {"Name": ""}):
        with pytest.raises(InputError):
            scene.decoder.send(SetParameters(device_id=1, values=values), scene.now_us)


def test_what_the_protocol_cannot_do_is_said_in_words() -> None:
    scene = Scene()
    scene.start()
    with pytest.raises(InputError, match="no message for a person"):
        scene.decoder.send(SendText(device_id=1, text="hello"), scene.now_us)
    with pytest.raises(InputError, match="report interval"):
        scene.decoder.send(SetReportInterval(device_id=1, interval_s=0), scene.now_us)
    with pytest.raises(InputError, match="set media=HOST:PORT"):
        scene.decoder.send(OpenVideo(device_id=1), scene.now_us)
    with pytest.raises(NotFoundError, match="not registered"):
        scene.decoder.send(RequestPosition(device_id=2), scene.now_us)
    assert SendText not in TAKES


def catalogue(sn: int, total: int, *channels: str) -> bytes:
    items = "".join(
        f"<Item><DeviceID>{channel}</DeviceID><Name>n</Name><Status>ON</Status></Item>" for channel in channels
    )
    return (
        f"<Response><CmdType>Catalog</CmdType><SN>{sn}</SN><DeviceID>{CAMERA}</DeviceID><SumNum>{total}</SumNum>"
        f'<DeviceList Num="{len(channels)}">{items}</DeviceList></Response>'
    ).encode()


def channels_told(scene: Scene) -> list[set[str]]:
    return [
        {name.removeprefix("channel ") for name in event.fields if name != "channels"}
        for event in scene.events()
        if isinstance(event, DeviceInfo) and "channels" in event.fields
    ][1:]


def test_parts_of_a_catalogue_are_joined_by_their_number_until_all_have_come_or_ten_seconds_passed() -> None:
    scene = Scene()
    scene.start()
    scene.tell(catalogue(71, 3, "1", "2"))
    scene.tell(catalogue(72, 2, "8"))
    assert channels_told(scene) == []
    scene.tell(catalogue(71, 3, "3"))
    assert channels_told(scene) == [{"1", "2", "3"}]
    scene.run(11)
    assert channels_told(scene) == [{"1", "2", "3"}, {"8"}]
    assert scene.bad() == {"catalogue_incomplete": 1}


def test_where_a_fixed_post_says_that_it_stands_is_kept_and_never_outdoes_a_position_of_the_moment() -> None:
    scene = Scene()
    scene.start()
    body = catalogue(5, 1, CAMERA).replace(b"</Item>", b"<Longitude>103.5</Longitude><Latitude>36.5</Latitude></Item>")
    assert scene.tell(body) == b"200 OK"
    ((row),) = scene.rows()
    assert row[3:5] == (365_000_000, 1_035_000_000)
    assert Quality(row[16]) == Quality.SECONDARY | Quality.TIME_OF_ARRIVAL


def test_methods_that_a_server_of_positions_does_not_take_are_refused_with_those_that_it_does() -> None:
    scene = Scene()
    assert scene.ask(message(method="INVITE")) == b"405 Method Not Allowed"
    assert parse(scene.said[-1]).first("allow").startswith("REGISTER, MESSAGE")
    assert scene.ask(message(method="OPTIONS")) == b"200 OK"
    assert scene.decoder.feed(message(method="ACK"), scene.now_us).replies == ()


def test_the_address_that_devices_see_can_be_said_where_a_nat_stands_in_front_of_us() -> None:
    table = registry()
    scene = Scene(source(table, address="203.0.113.9:5099"), table=table)
    scene.start()
    (subscribe,) = subscribes(scene)
    assert subscribe.first("contact") == f"<sip:{SERVER_ID}@203.0.113.9:5099>"
    assert "203.0.113.9:5099" in subscribe.first("via")


@pytest.mark.parametrize(
    "options",
    [
        {"id": "abc"},
        {"realm": "a b"},
        {"media": "10.0.0.1"},
        {"media": "10.0.0.1:99999"},
        {"digest": "sha1"},
        {"qop": "auth-int"},
        {"watch": "https://x/{secret}"},
        {"watch": "javascript:alert(1)"},
        {"colour": "red"},
    ],
)
def test_options_that_are_wrong_are_named(options: dict[str, str]) -> None:
    with pytest.raises(InputError, match=next(iter(options))):
        source(None, **options)


def test_a_camera_that_knows_edition_2022_is_offered_sha_256_first() -> None:
    scene = Scene()
    bare = message(method="REGISTER", to=f"<sip:{CAMERA}@{REALM}>", headers=(("X-GB-Ver", "3.0"),))
    scene.ask(bare)
    offered = parse(scene.said[-1]).headers["www-authenticate"]
    assert ["SHA-256" in one for one in offered] == [True, False]
    table = registry()
    strict = Scene(source(table, digest="sha-256"), table=table)
    strict.start()
    assert strict.camera.is_registered


def test_a_refresh_that_is_refused_for_once_leaves_the_dialog_alive() -> None:
    scene = Scene()
    scene.start()
    output = scene.decoder.send(TrackFaster(device_id=1, command_id=6, interval_s=1, duration_s=60), scene.now_us)
    busy = write_response(parse(output.replies[0].data), 500, "Server Internal Error")
    scene.take(scene.decoder.feed(busy, scene.now_us))
    assert scene.answers() == [(6, "refused", "500 Server Internal Error")]
    scene.deliver(scene.camera.report([fix(scene.now_us)], scene.now_us))
    assert len(scene.camera.take_acknowledged()) == 1
    assert len(subscribes(scene)) == 1


def test_a_command_is_answered_though_its_dialog_ended_meanwhile() -> None:
    scene = Scene()
    scene.start()
    output = scene.decoder.send(RequestPosition(device_id=1, command_id=8), scene.now_us)
    (notify,) = scene.camera.report([fix(scene.now_us)], scene.now_us)
    scene.ask(notify.replace(b"Subscription-State: active", b"Subscription-State: terminated"))
    scene.take(scene.decoder.feed(write_response(parse(output.replies[0].data), 200, "OK"), scene.now_us))
    assert scene.answers() == [(8, "delivered", "")]


@pytest.mark.parametrize(
    ("address", "uri", "user"),
    [
        ("<sip:1@h:5060>;tag=x", "sip:1@h:5060", "1"),
        ("sip:1@h;tag=x", "sip:1@h", "1"),
        ('"Camera 1" <sip:1@h:5060>;expires=60', "sip:1@h:5060", "1"),
        ('"sip:9@x" <sip:1@h>', "sip:1@h", "1"),
        ("摄像机 <sips:1@h>", "sips:1@h", "1"),
        ("<sip:h>", "sip:h", ""),
        ("", "", ""),
    ],
)
def test_an_address_is_read_with_and_without_a_name_and_brackets(address: str, uri: str, user: str) -> None:
    assert (uri_of(address), user_of(address)) == (uri, user)
