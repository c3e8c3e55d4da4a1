"""The identity guard: losses, reboots and changes of version are one vehicle; interleaved speakers are two."""

from telemetry.sources.mavlink.guard import IdentityGuard, RateMeter, Verdict

TAKEN = {Verdict.TAKE, Verdict.RELEASE}
MS = 1_000


def test_a_stream_with_losses_repeats_and_reordering_is_taken() -> None:
    guard = IdentityGuard()
    sequences = [250, 251, 255, 1, 1, 0, 2, 6, 5, 14]
    verdicts = [guard.judge(2, sequence, 20 * MS * number) for number, sequence in enumerate(sequences)]
    assert set(verdicts) == {Verdict.TAKE}


def test_a_long_outage_may_lose_any_number_of_frames() -> None:
    guard = IdentityGuard()
    guard.judge(2, 10, 0)
    assert guard.judge(2, 110, 900 * MS) is Verdict.TAKE
    assert guard.judge(2, 5, 9_000 * MS) in TAKEN


def test_a_change_of_version_is_held_until_the_old_one_stays_silent() -> None:
    guard = IdentityGuard()
    for number in range(20):
        assert guard.judge(1, number, number * 20 * MS) is Verdict.TAKE
    verdicts = [guard.judge(2, number, (400 + number * 20) * MS) for number in range(200)]
    assert Verdict.RELEASE in verdicts
    release = verdicts.index(Verdict.RELEASE)
    assert set(verdicts[:release]) == {Verdict.HOLD}
    assert set(verdicts[release + 1 :]) == {Verdict.TAKE}
    assert guard.news is None


def test_two_versions_that_alternate_are_two_speakers_and_the_first_stays() -> None:
    guard = IdentityGuard()
    told = 0
    for number in range(100):
        now_us = number * 50 * MS
        assert guard.judge(2, number, now_us) is Verdict.TAKE
        assert guard.judge(1, (7 * number) & 255, now_us + MS) not in TAKEN
        assert guard.judge(1, (7 * number + 1) & 255, now_us + 2 * MS) not in TAKEN
        told += guard.news is not None
        guard.news = None
    assert told == 1


def test_an_intruder_with_its_own_count_is_told_once_and_never_taken() -> None:
    guard = IdentityGuard()
    news = []
    for number in range(400):
        now_us = number * 50 * MS
        assert guard.judge(2, number & 255, now_us) is Verdict.TAKE
        assert guard.judge(1, number & 255, now_us + MS) not in TAKEN
        if guard.news:
            news.append(guard.news)
            guard.news = None
    assert news == ["MAVLink 1 frames between MAVLink 2 frames"]


def test_boot_time_tells_apart_two_speakers_whose_counts_cross() -> None:
    guard = IdentityGuard()
    taken = strangers = 0
    for number in range(600):
        now_us = 10_000_000_000 + number * 50 * MS
        mine_ms, theirs_ms = 100_000 + number * 50, 9_000 + number * 50
        taken += guard.judge(2, number & 255, now_us, boot_ms=mine_ms) in TAKEN
        for extra in range(2):
            verdict = guard.judge(2, (2 * number + extra + 128) & 255, now_us + MS, boot_ms=theirs_ms)
            strangers += verdict in TAKEN
    assert taken >= 0.97 * 600
    assert strangers == 0


def test_the_same_vehicle_by_a_second_radio_is_no_stranger() -> None:
    guard = IdentityGuard()
    for number in range(200):
        now_us = 10_000_000_000 + number * 50 * MS
        assert guard.judge(2, number & 255, now_us, boot_ms=100_000 + number * 50) is Verdict.TAKE
        guard.judge(2, (number + 100) & 255, now_us + 30 * MS, boot_ms=100_000 + number * 50)
    assert guard.news is None


def test_more_heartbeats_or_frames_than_an_autopilot_sends_are_dropped_and_told_once() -> None:
    guard = IdentityGuard()
    verdicts = [guard.heartbeat(number * 10 * MS) for number in range(50)]
    assert verdicts.count(Verdict.TAKE) == 10
    assert guard.news is not None
    guard.news = None
    for number in range(3_000):
        guard.judge(2, number & 255, number * 100)
    assert guard.news is None


def test_five_frames_that_do_not_verify_are_a_second_speaker_and_four_are_not() -> None:
    guard = IdentityGuard()
    for number in range(4):
        guard.unverified("wrong_signature", number * MS)
    assert guard.news is None
    guard.unverified("wrong_signature", 60_000 * MS)
    assert guard.news is None
    for number in range(4):
        guard.unverified("wrong_signature", (60_001 + number) * MS)
    assert guard.news == "frames under this name do not verify (wrong_signature)"


def test_a_vehicle_that_reboots_after_forged_frames_is_heard_again_at_once() -> None:
    guard = IdentityGuard()
    guard.judge(2, 0, 0, boot_ms=100_000)
    for number in range(9):
        guard.unverified("wrong_signature", number * MS)
    verdicts = [guard.judge(2, 100 + number, (5_000 + number * 100) * MS, boot_ms=number * 100) for number in range(3)]
    assert verdicts == [Verdict.RELEASE, Verdict.TAKE, Verdict.TAKE]


def test_a_rate_counts_within_its_second() -> None:
    meter = RateMeter(2)
    assert [meter.exceeds(at) for at in (0, 1, 2, 1_000_000, 1_000_001)] == [False, False, True, False, False]
