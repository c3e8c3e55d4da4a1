"""Who may speak JT/T 808: registration, authentication, and that nothing is honoured before it."""

from typing import cast

import msgspec
import pytest

from telemetry.model.decoding import PairedFact, Peer, Promise
from telemetry.model.events import DeviceInfo
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources.jt808 import messages as m
from telemetry.sources.jt808.terminal import Edition, Terminal
from tests.jt808_scene import CODE, PHONE, START_US, Call, device_of, fix_at, promises_of, registry_of, with_options

EDITIONS = list(Edition)
HOUR_US = 3_600_000_000


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_terminal_registers_is_told_its_code_once_authenticates_and_is_paired(edition: Edition) -> None:
    call = Call(edition=edition, code=None).connect()
    assert call.terminal.is_ready
    assert call.terminal.code == CODE
    facts = [fact for output in call.outputs for fact in output.facts]
    assert facts == [PairedFact(device_id=7)]
    assert [device for output in call.outputs for device in output.proven] == [7]
    stranger = Call(call.registry, edition=edition, code=None).connect()
    assert not stranger.terminal.is_ready
    assert stranger.frames[0].body[2] == m.Registered.TERMINAL_REGISTERED
    assert CODE.encode() not in b"".join(stranger.sent)


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_terminal_with_its_code_authenticates_at_once_and_is_paired_no_second_time(edition: Edition) -> None:
    call = Call(edition=edition).connect()
    assert call.terminal.is_ready
    call.connect()
    assert call.terminal.is_ready
    assert sum(len(output.facts) for output in call.outputs) == 1


def test_what_a_registration_says_is_told_when_the_terminal_has_proved_itself() -> None:
    call = Call(code=None).connect()
    info = cast(DeviceInfo, call.events_of(DeviceInfo)[0])
    assert info.fields["plate"] == "渝A12345警"
    assert info.fields["maker"] == "SKYBT"
    assert info.fields["software"] == "1.0"


def test_what_a_terminal_says_of_itself_is_told_again_only_when_it_is_another() -> None:
    call = Call().connect().connect()
    call.connect()
    assert len(call.events_of(DeviceInfo)) == 1


def test_an_unknown_terminal_goes_to_quarantine_with_what_it_says_of_itself() -> None:
    call = Call(registry_of(), code=None).connect()
    assert call.frames[0].body[2] == m.Registered.TERMINAL_UNKNOWN
    (entry,) = call.registry.quarantined()
    assert (entry.protocol, entry.address) == ("jt808", PHONE)
    assert entry.reason == "unknown terminal: maker SKYBT, model T1, id 1, plate 渝A12345警"


def test_after_the_hours_of_pairing_the_code_is_told_to_nobody() -> None:
    call = Call(registry_of(device_of(pairs_until_us=START_US)), code=None).connect()
    assert not call.terminal.is_ready
    assert call.frames[0].body[2] == m.Registered.TERMINAL_REGISTERED
    assert ["rotate its secret" in name.reason for name in call.registry.quarantined()] == [True]


@pytest.mark.parametrize(
    "registry",
    [
        registry_of(msgspec.structs.replace(device_of(), revoked=True)),
        with_options(allowed_hosts=("10.9.0.0/16",)),
        registry_of(device_of(), code=""),
    ],
    ids=["revoked", "another network", "no code"],
)
def test_who_may_not_speak_is_refused_with_and_without_the_right_code(registry: RegistryTable) -> None:
    for code in (None, CODE):
        call = Call(registry, code=code).connect()
        assert not call.terminal.is_ready
        assert CODE.encode() not in b"".join(call.sent)
        assert call.registry.quarantined()


def test_nothing_is_honoured_before_authentication_not_even_a_heartbeat() -> None:
    call = Call()
    terminal = call.terminal
    for sent in (terminal.heartbeat(), terminal.position(fix_at()), terminal.batch([fix_at()] * 30, archive=True)):
        heard = call.say(sent.data)
        assert not heard.acknowledged
        assert {result for _, result in heard.refused} == {m.Result.FAILED}
    assert len(call.batch) == 0
    assert not call.events
    assert call.bad("unproven") >= 3


def test_a_wrong_code_is_counted_refused_and_closes_in_the_end() -> None:
    call = Call(code="not the code")
    for _ in range(5):
        assert call.outputs == [] or call.outputs[-1].close is None
        heard = call.say(call.terminal.authenticate().data)
        assert [result for _, result in heard.refused] == [m.Result.FAILED]
    assert call.bad("wrong_code") == 5
    assert call.outputs[-1].close is not None
    assert not call.terminal.is_ready


def test_an_empty_code_opens_nothing_when_the_device_has_none() -> None:
    call = Call(registry_of(device_of(), code=""), code="").connect()
    assert not call.terminal.is_ready


def test_who_talks_on_without_authentication_is_cut() -> None:
    call = Call()
    call.say(b"".join(call.terminal.heartbeat().data for _ in range(150)))
    assert call.outputs[0].close is not None
    assert call.bad("unproven") == 100


def test_another_terminal_on_a_proven_connection_must_prove_itself_too() -> None:
    call = Call(registry_of(device_of(), device_of(8, "13900000000"))).connect()
    other = Terminal("13900000000", code=CODE)
    output = call.decoder.feed(other.position(fix_at()).data, START_US)
    assert len(output.batch) == 0
    output = call.decoder.feed(other.connect() + other.position(fix_at()).data, START_US)
    assert output.proven == (8,)
    assert output.batch["device_id"].tolist() == [8]
    assert call.say(call.terminal.position(fix_at()).data).acknowledged


CHANGES = {
    "revoked": registry_of(msgspec.structs.replace(device_of(), revoked=True)),
    "rotated": registry_of(device_of(), code="f" * 32),
    "gone": registry_of(),
    "another network": with_options(allowed_hosts=("10.9.0.0/16",)),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_terminal_that_is_revoked_or_rotated_while_connected_is_let_go(change: str) -> None:
    call = Call().connect()
    registry = CHANGES[change]
    devices = tuple(registry.devices.values())
    call.registry.replace(RegistryContents(devices=devices, secrets={7: registry.secret(7) or b""}))
    heard = call.say(call.terminal.position(fix_at()).data)
    assert not heard.acknowledged
    assert call.outputs[-1].close is not None
    assert len(call.batch) == 0


def test_a_silent_terminal_is_let_go_too_when_it_is_revoked() -> None:
    call = Call().connect()
    call.registry.replace(RegistryContents(devices=(msgspec.structs.replace(device_of(), revoked=True),)))
    assert call.decoder.tick(START_US).close is not None


def test_after_logging_out_a_terminal_must_authenticate_again() -> None:
    call = Call().connect()
    sent = call.terminal.logout()
    assert call.say(sent.data).acknowledged == (sent.serial,)
    assert not call.say(call.terminal.position(fix_at()).data).acknowledged


def test_a_replay_of_our_own_raw_bytes_needs_no_secret_and_no_pairing() -> None:
    call = Call(peer=Peer(transport="tcp", host="10.1.2.3", is_trusted=True))
    call.say(call.terminal.position(fix_at()).data)
    assert call.batch["device_id"].tolist() == [7]
    assert not call.registry.quarantined()


def test_a_datagram_peer_must_authenticate_like_any_other() -> None:
    call = Call(peer=Peer(transport="udp", host="10.1.2.3", port=9))
    assert not call.say(call.terminal.position(fix_at()).data).acknowledged
    call.say(call.terminal.connect())
    assert call.say(call.terminal.position(fix_at()).data).acknowledged


def test_an_address_of_datagrams_is_remembered_for_hours_so_that_our_restart_loses_nobody() -> None:
    peer = Peer(transport="udp", host="10.1.2.3", port=9)
    call = Call(peer=peer).connect()
    call.now_us += 5 * HOUR_US
    again = Call(call.registry, peer=peer, now_us=call.now_us)
    assert again.say(again.terminal.position(fix_at()).data).acknowledged
    assert again.outputs[0].proven == (7,)
    again.now_us += 5 * HOUR_US
    again.say(again.terminal.heartbeat().data)
    later = Call(call.registry, peer=peer, now_us=again.now_us + 5 * HOUR_US)
    assert later.say(later.terminal.position(fix_at()).data).acknowledged, "what is heard is remembered anew"


@pytest.mark.parametrize(
    "change", ["another address", "another transport", "too late", "another code", "revoked", "logged out"]
)
def test_what_was_remembered_of_an_address_ends(change: str) -> None:
    peer = Peer(transport="udp", host="10.1.2.3", port=9)
    call = Call(peer=peer).connect()
    now_us = START_US
    contents = RegistryContents(devices=(device_of(),), secrets={7: CODE.encode()})
    match change:
        case "another address":
            peer = msgspec.structs.replace(peer, port=10)
        case "another transport":
            peer = msgspec.structs.replace(peer, transport="tcp")
        case "too late":
            now_us += 6 * HOUR_US
        case "another code":
            said = call.registry.registration(7)
            assert said is not None
            contents = msgspec.structs.replace(contents, secrets={7: b"f" * 32}, registrations={7: said})
        case "revoked":
            contents = msgspec.structs.replace(contents, devices=(msgspec.structs.replace(device_of(), revoked=True),))
        case "logged out":
            call.say(call.terminal.logout().data)
    call.registry.replace(contents)
    registry = RegistryTable(contents) if change == "another code" else call.registry  # as a restart loads it
    again = Call(registry, peer=peer, now_us=now_us)
    assert not again.say(again.terminal.position(fix_at()).data).acknowledged
    assert len(again.batch) == 0


def test_the_answer_to_a_position_waits_for_the_disk_and_that_to_a_heartbeat_does_not() -> None:
    call = Call().connect()
    call.say(call.terminal.position(fix_at()).data)
    assert promises_of(call.outputs[-1]) == [Promise.DURABLE]
    call.say(call.terminal.heartbeat().data)
    assert promises_of(call.outputs[-1]) == [Promise.NOW]
    assert all(reply.refusal == b"" for output in call.outputs for reply in output.replies)


def test_our_serials_count_up_from_zero_on_every_connection_and_round_again() -> None:
    call = Call().connect()
    call.say(call.terminal.heartbeat().data)
    assert [frame.serial for frame in call.frames] == [0, 1]
    call.connect()
    assert call.frames[-1].serial == 0
    call.decoder._serials.following = 0xFFFF
    call.say(call.terminal.heartbeat().data + call.terminal.heartbeat().data)
    assert [frame.serial for frame in call.frames[-2:]] == [0xFFFF, 0]


def test_a_code_with_its_length_before_it_is_understood_from_a_terminal_whose_version_flag_lies() -> None:
    call = Call(edition=Edition.E2013)
    terminal = call.terminal
    terminal._form = terminal._form._replace(says_2019=True)
    assert call.say(terminal.say(m.AUTHENTICATE, bytes([len(CODE)]) + CODE.encode()).data).acknowledged
    assert call.say(terminal.position(fix_at()).data).acknowledged
    assert call.frames[-1].form.says_2019
    assert len(call.frames[-1].form.terminal) == 6
