"""What gpsd 3.22 said when gpsfake played it a drive: its first reports, as they came over TCP."""

from telemetry.model.batch import FIX_2D, FIX_3D
from telemetry.model.decoding import Peer, SourceContext
from telemetry.model.unit import Device
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources.gpsd import WATCH, open_source

NOW_US = 1_795_248_010_000_000
CAPTURED = b"""\
{"class":"VERSION","release":"3.22","rev":"3.22","proto_major":3,"proto_minor":14}\r
{"class":"DEVICES","devices":[{"class":"DEVICE","path":"/dev/pts/1","activated":"2026-11-22T07:16:29.405Z","native":0,\
"bps":4800,"parity":"N","stopbits":1,"cycle":1.00}]}\r
{"class":"WATCH","enable":true,"json":true,"nmea":false,"raw":0,"scaled":false,"timing":false,"split24":false,"pps":false}\r
{"class":"TPV","device":"/dev/pts/1","mode":2,"time":"2026-11-21T08:00:08.000Z","ept":0.005,"lat":36.061333333,\
"lon":103.830000000,"track":84.4000,"magtrack":81.9869,"magvar":-2.4,"speed":9.980}\r
{"class":"TPV","device":"/dev/pts/1","mode":3,"time":"2026-11-21T08:00:08.000Z","ept":0.005,"lat":36.061333333,\
"lon":103.830000000,"altHAE":1490.0000,"altMSL":1520.4000,"alt":1520.4000,"track":84.4000,"speed":9.980,"eph":17.100}\r
{"class":"TPV","device":"/dev/pts/1","mode":3,"time":"2026-11-21T08:00:09.000Z","ept":0.005,"lat":36.061500000,\
"lon":103.830000000,"altHAE":1490.0000,"altMSL":1520.4000,"alt":1520.4000,"epv":27.600,"track":84.4000,"magtrack":81.9868,\
"magvar":-2.4,"speed":9.980,"climb":0.000,"epc":55.20,"geoidSep":-30.400,"eph":17.100,"sep":28.500}\r
"""


def test_a_captured_session_is_one_question_and_one_row_a_moment() -> None:
    device = Device(device_id=9, protocol="gpsd", address="car7")
    context = SourceContext(registry=RegistryTable(RegistryContents(devices=(device,))), link_group="car7")
    output = open_source(context).decoder(Peer(transport="tcp")).feed(CAPTURED, NOW_US)
    assert [reply.data for reply in output.replies] == [WATCH]
    assert output.bad == {}
    first, second = output.batch
    assert (first["observed_us"], first["lat_e7"], first["fix"]) == (1_795_248_008_000_000, 360_613_333, FIX_2D)
    assert (second["observed_us"], second["lat_e7"], second["fix"]) == (1_795_248_009_000_000, 360_615_000, FIX_3D)
    assert (second["alt_msl_dm"], second["alt_hae_dm"], second["accuracy_dm"]) == (15_204, 14_900, 171)
    assert (second["speed_cmps"], second["climb_cmps"], second["course_ddeg"]) == (998, 0, 844)
