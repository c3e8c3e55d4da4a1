"""The figures that /metrics shows; labels never name a unit, a device or a person."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY: Final = CollectorRegistry()
LATENCY_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

POSITIONS_RECEIVED: Final = Counter(
    "skybeat_positions_received_total", "Positions taken in", ["protocol"], registry=REGISTRY
)
POSITIONS_RECORDED: Final = Counter("skybeat_positions_recorded_total", "Positions committed", registry=REGISTRY)
POSITIONS_REFUSED: Final = Counter(
    "skybeat_positions_refused_total", "Positions not taken in", ["reason"], registry=REGISTRY
)
BAD_INPUT: Final = Counter("skybeat_bad_input_total", "Input that was wrong", ["protocol", "reason"], registry=REGISTRY)
UDP_DROPPED: Final = Counter(
    "skybeat_udp_dropped_total", "Datagrams that the kernel dropped", ["link"], registry=REGISTRY
)
LINK_PEERS: Final = Gauge("skybeat_link_peers", "Peers of a link", ["protocol", "link"], registry=REGISTRY)
LINK_REFUSED: Final = Counter(
    "skybeat_link_refused_total",
    "Connections and datagrams sent away by a limit",
    ["protocol", "reason"],
    registry=REGISTRY,
)
TURNS_REFUSED: Final = Counter(
    "skybeat_turns_refused_total", "Turns that the journal could not keep", ["protocol"], registry=REGISTRY
)
EVENTS: Final = Counter("skybeat_events_total", "Events raised", ["kind"], registry=REGISTRY)
JOURNAL_BYTES: Final = Gauge("skybeat_journal_bytes", "Bytes that the journal holds", registry=REGISTRY)
JOURNAL_SYNC_S: Final = Histogram(
    "skybeat_journal_sync_seconds", "Time of a group sync", buckets=LATENCY_BUCKETS_S, registry=REGISTRY
)
RECORDER_LAG_S: Final = Gauge(
    "skybeat_recorder_lag_seconds", "Age of the oldest row not yet recorded", registry=REGISTRY
)
COPY_S: Final = Histogram(
    "skybeat_copy_seconds", "Time of a recorder's transaction", buckets=LATENCY_BUCKETS_S, registry=REGISTRY
)
STREAM_CLIENTS: Final = Gauge("skybeat_stream_clients", "Open websockets", registry=REGISTRY)
STREAM_FRAMES: Final = Counter("skybeat_stream_frames_total", "Frames sent", registry=REGISTRY)
STREAM_DROPPED: Final = Counter(
    "skybeat_stream_frames_dropped_total", "Frames replaced before sending", registry=REGISTRY
)
FIX_TO_FRAME_S: Final = Histogram(
    "skybeat_fix_to_frame_seconds",
    "From receiving a position to packing its frame",
    buckets=LATENCY_BUCKETS_S,
    registry=REGISTRY,
)
RAW_LOG_DROPPED: Final = Counter(
    "skybeat_raw_log_chunks_dropped_total", "Received chunks that the raw log could not keep", registry=REGISTRY
)
TASK_FAILURES: Final = Counter(
    "skybeat_task_failures_total", "Background tasks that failed", ["task"], registry=REGISTRY
)


def render_metrics() -> bytes:
    """Return all figures in Prometheus's text format."""
    return generate_latest(REGISTRY)
