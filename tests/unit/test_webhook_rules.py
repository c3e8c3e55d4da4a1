"""Which receivers may be named and reached, and signatures: the published vector, forgeries, old messages."""

import ipaddress

import pytest

from console.webhooks.outbox import GIVE_UP_S, retry_after_s, trouble_of
from console.webhooks.post import may_reach, receiver_of
from console.webhooks.signature import secret_of, secret_text, signed_headers, verified_id
from telemetry.model.errors import InputError, NotAllowedError

# The example that the Standard Webhooks libraries test themselves by.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP_S = 1_614_265_330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def headers() -> dict[str, str]:
    return signed_headers(secret_of(SECRET), message_id=MESSAGE_ID, timestamp_s=TIMESTAMP_S, body=BODY)


def test_the_published_example_is_signed_as_published() -> None:
    assert headers()["webhook-signature"] == SIGNATURE
    assert verified_id(secret_of(SECRET), headers(), BODY, now_s=TIMESTAMP_S + 299) == MESSAGE_ID
    assert secret_text(secret_of(SECRET)) == SECRET


def test_one_right_signature_among_several_is_enough_for_a_secret_that_is_being_replaced() -> None:
    several = headers() | {"webhook-signature": f"v1,bm9uZQ== v2,whatever {SIGNATURE}"}
    assert verified_id(secret_of(SECRET), several, BODY, now_s=TIMESTAMP_S) == MESSAGE_ID


@pytest.mark.parametrize(
    ("change", "body", "now_s"),
    [
        ({}, BODY + b" ", TIMESTAMP_S),
        ({"webhook-id": "msg_other"}, BODY, TIMESTAMP_S),
        ({"webhook-timestamp": str(TIMESTAMP_S + 1)}, BODY, TIMESTAMP_S),
        ({"webhook-timestamp": "now"}, BODY, TIMESTAMP_S),
        ({"webhook-timestamp": "9" * 400}, BODY, TIMESTAMP_S),
        ({"webhook-timestamp": "-5"}, BODY, TIMESTAMP_S),
        ({"webhook-timestamp": "\u0661"}, BODY, TIMESTAMP_S),
        ({"webhook-signature": ""}, BODY, TIMESTAMP_S),
        ({"webhook-signature": SIGNATURE.replace("v1", "v1a")}, BODY, TIMESTAMP_S),
        ({"webhook-signature": "v1,\u00e9"}, BODY, TIMESTAMP_S),
        ({"webhook-signature": "v1"}, BODY, TIMESTAMP_S),
        ({"webhook-id": ""}, BODY, TIMESTAMP_S),
        ({}, BODY, TIMESTAMP_S + 301),
        ({}, BODY, TIMESTAMP_S - 301),
    ],
)
def test_a_forged_changed_or_old_message_is_refused(change: dict[str, str], body: bytes, now_s: float) -> None:
    with pytest.raises(NotAllowedError):
        verified_id(secret_of(SECRET), headers() | change, body, now_s=now_s)


def test_another_secret_is_refused_and_what_is_no_secret_is_told() -> None:
    with pytest.raises(NotAllowedError):
        verified_id(b"another secret of 32 bytes, right", headers(), BODY, now_s=TIMESTAMP_S)
    with pytest.raises(InputError, match="base64"):
        secret_of("whsec_?")


@pytest.mark.parametrize(
    "url",
    [
        "http://calls.example.org/hook",
        "http://localhost.example.org/hook",
        "http://10.0.0.1/hook",
        "ftp://calls.example.org/",
        "https://",
        "https:///hook",
        "calls.example.org/hook",
        "https://user:secret@calls.example.org/",
        "https://calls.example.org/#part",
        "https://calls.example.org:99999/",
        "https://calls.example.org:port/",
        "https://calls.example.org/a b",
        "https://calls.example.org/\r\nx: y",
        "https://b\u00fccher.example/",
        "https://[::1/",
        "https://calls.example.org/" + "x" * 500,
        "",
    ],
)
def test_a_url_that_would_not_be_safe_is_refused(url: str) -> None:
    with pytest.raises(InputError):
        receiver_of(url)


def test_a_url_is_taken_apart() -> None:
    receiver = receiver_of("https://Calls.Example.org/hooks/sky?x=1")
    assert (receiver.host, receiver.port, receiver.path) == ("calls.example.org", 443, "/hooks/sky?x=1")
    assert receiver.authority == "calls.example.org"
    assert receiver_of("https://[2001:db8::1]:8443").authority == "[2001:db8::1]:8443"
    assert receiver_of("http://127.0.0.1:9000/hook").authority == "127.0.0.1:9000"


@pytest.mark.parametrize(
    ("url", "inside", "address", "may"),
    [
        ("https://a.example", False, "93.184.215.14", True),
        ("https://a.example", False, "2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("https://a.example", False, "127.0.0.1", False),
        ("https://a.example", False, "::1", False),
        ("https://a.example", False, "::ffff:127.0.0.1", False),
        ("https://a.example", False, "::ffff:10.1.2.3", False),
        ("https://a.example", False, "10.1.2.3", False),
        ("https://a.example", False, "172.16.0.9", False),
        ("https://a.example", False, "192.168.1.1", False),
        ("https://a.example", False, "169.254.169.254", False),
        ("https://a.example", False, "fe80::1", False),
        ("https://a.example", False, "2002:7f00:1::", False),
        ("https://a.example", False, "2002:808:808::", True),
        ("https://a.example", False, "2001:0:102:304::", False),
        ("https://a.example", False, "fd00::1", False),
        ("https://a.example", False, "0.0.0.0", False),
        ("https://a.example", False, "224.0.0.1", False),
        ("https://a.example", False, "255.255.255.255", False),
        ("https://a.example", False, "100.64.0.1", False),
        ("https://a.lan", True, "10.1.2.3", True),
        ("https://a.lan", True, "fd00::1", True),
        ("https://a.lan", True, "93.184.215.14", False),
        ("https://a.lan", True, "127.0.0.1", False),
        ("https://a.lan", True, "169.254.169.254", False),
        ("http://127.0.0.1:9000", False, "127.0.0.1", True),
        ("http://localhost:9000", False, "::1", True),
        ("http://localhost:9000", False, "10.1.2.3", False),
        ("https://127.0.0.1:9000", False, "93.184.215.14", False),
    ],
)
def test_what_a_name_leads_to_is_judged_by_what_the_administrator_said(
    url: str, address: str, *, inside: bool, may: bool
) -> None:
    assert may_reach(receiver_of(url, inside=inside), ipaddress.ip_address(address)) is may


def test_retries_grow_to_an_hour_and_are_spread() -> None:
    waits = [retry_after_s(count, jitter_ratio=0.5) for count in range(1, 40)]
    assert waits[:4] == [5, 10, 20, 40]
    assert max(waits) == 3600
    assert retry_after_s(3, jitter_ratio=0.0) == 15
    assert retry_after_s(3, jitter_ratio=1.0) == 25
    assert sum(waits) > GIVE_UP_S  # a day holds some thirty attempts


def test_an_administrator_is_told_what_waits_what_was_given_up_and_what_is_off() -> None:
    row = {
        "webhook_id": 1,
        "label": "county",
        "disabled_reason": "",
        "given_up_count": 0,
        "late_count": 0,
        "last_error": "x",
    }
    assert trouble_of([]) == "ok"
    assert trouble_of([row]) == "ok"
    assert trouble_of([row | {"late_count": 2}]) == "webhook 1 county: 2 changes wait, 0 were given up (x)"
    assert "is off: gone" in trouble_of([row | {"disabled_reason": "gone", "label": ""}])
