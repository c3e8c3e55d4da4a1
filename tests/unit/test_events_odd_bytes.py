"""Bytes of events that no device of ours wrote: refused as what they are, so that the recorder goes on."""

import msgspec
import pytest

from infra.journal_segment import encode_frame, scan_frames
from telemetry.model.events import decode_event
from telemetry.recording.journal_records import KIND_EVENT, decode_runs

NO_TEXT = bytes.fromhex(
    "87a46b696e64aa736f735f7261697364a96465766963655f696401ab6f627365727665645f7573cf00065bfeda25e000"
    "ab72656365697665645f7573cf00065bfeda25e000a87265706c61796564c2a474657874a468656c708973656e745f6c617465c2"
)
"""A call for help of which one byte was lost: a name in it is no UTF-8 then."""


def test_an_event_that_is_no_text_is_a_decode_error() -> None:
    with pytest.raises(msgspec.DecodeError, match="no text"):
        decode_event(NO_TEXT)


def test_the_record_that_holds_it_is_refused_and_the_others_are_kept() -> None:
    data = b"".join(encode_frame(7, number, KIND_EVENT, NO_TEXT) for number in (1, 2))
    batch, events, refused = decode_runs(scan_frames(data, 7, 10, len(data)).runs)
    assert (len(batch), events) == (0, ())
    assert [one.payload for one in refused] == [NO_TEXT, NO_TEXT]
