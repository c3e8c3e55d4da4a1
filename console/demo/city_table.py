"""The few facts that the demo city Jincheng is grown from: places in metres east and north of its origin, and names."""

from typing import Final, NamedTuple

NAME_ZH: Final = "金城"
NAME_EN: Final = "Jincheng"
ORIGIN_LAT_DEG: Final = 36.06
ORIGIN_LON_DEG: Final = 103.83
ROAD_NODES: Final = 50_000


class Spot(NamedTuple):
    """A named place; metres east and north of the origin."""

    key: str
    name_zh: str
    name_en: str
    east_m: float
    north_m: float


class Crossing(NamedTuple):
    """A main street across the valley; a bridge carries it over the river. `column_m` is where it meets the river."""

    column_m: float
    bridge_zh: str
    bridge_en: str
    street_zh: str
    street_en: str


PROFILE_EAST_M: Final = tuple(range(-17500, 17501, 1250))
"""Stations along the valley at which the profiles below are given."""
RIVER_NORTH_M: Final = (
    *(-2070, -1800, -1410, -1430, -1175, -1080, -990, 115, 1015, 1545, 1755, 1320, 890, 925, 800),
    *(685, 675, 50, -175, 40, 510, 1735, 2480, 2480, 2825, 2915, 2980, 3560, 3750),
)
"""The middle of the river."""
EDGE_NORTH_M: Final = (
    *(-300, 0, 900, 690, 290, 610, 1710, 2750, 3640, 4820, 4800, 3830, 2420, 1740, 2400),
    *(2460, 2470, 2770, 2790, 2420, 3370, 4210, 3870, 3870, 5030, 5560, 5300, 5200, 5000),
)
"""Where the northern hills begin."""
EDGE_SOUTH_M: Final = (
    *(-4600, -4600, -4560, -4530, -4220, -3990, -4270, -4770, -4460, -1760, -920, -1570, -1460, -2190, -3260),
    *(-3460, -3350, -3460, -3580, -3350, -2930, -2120, 60, 210, -340, -770, -600, 300, 900),
)
"""Where the southern hills begin."""
RIVER_HALF_WIDTH_M: Final = 135.0
TOWN_EAST_M: Final = (-14300.0, 14000.0)
"""How far the streets reach along the valley."""
RING_EAST_M: Final = (-11400.0, 11300.0)
"""How far the expressway along the hills reaches."""

CROSSINGS: Final = (
    Crossing(-10520, "西津桥", "Xijin Bridge", "西津路", "Xijin Rd"),
    Crossing(-8080, "石门桥", "Shimen Bridge", "定远大道", "Dingyuan Ave"),
    Crossing(-5270, "望河桥", "Wanghe Bridge", "天平路", "Tianping Rd"),
    Crossing(-2520, "金城大桥", "Jincheng Bridge", "金城路", "Jincheng Rd"),
    Crossing(-1070, "水车桥", "Shuiche Bridge", "水车街", "Shuiche St"),
    Crossing(1890, "柳滩桥", "Liutan Bridge", "永和路", "Yonghe Rd"),
    Crossing(6160, "东川桥", "Dongchuan Bridge", "东川路", "Dongchuan Rd"),
)
STATIONS: Final = (
    Spot("1", "西津", "Xijin", -10700, 960),
    Spot("2", "石门", "Shimen", -7150, 2480),
    Spot("3", "望河", "Wanghe", -4290, 2860),
    Spot("4", "北麓", "Beilu", 1090, 2270),
    Spot("5", "柳滩", "Liutan", 5420, 1390),
    Spot("6", "东滩", "Dongtan", 8540, 1820),
    Spot("7", "东川", "Dongchuan", 8580, -600),
    Spot("8", "定远", "Dingyuan", 5670, -2520),
    Spot("9", "永和", "Yonghe", 2420, -540),
    Spot("10", "火车站", "Railway Stn", 280, -3130),
    Spot("11", "水车", "Shuiche", -2340, -140),
    Spot("12", "天平", "Tianping", -5660, -1010),
    Spot("13", "河山", "Heshan", -7680, -2160),
    Spot("14", "南园", "Nanyuan", -10110, -2990),
)
"""In ring order; the key is the number. From both sides of each link its far end is reached within five minutes."""
DOCKS: Final = (
    Spot("dock_07", "水车机库", "Dock 07 Shuiche", -1600, 260),
    Spot("dock_04", "丹霞谷机库", "Dock 04 Danxia Valley", -860, 2780),
    Spot("dock_09", "永和机库", "Dock 09 Yonghe", 3050, -700),
)
DISTRICTS: Final = (
    Spot("chengzhong", "城中区", "Chengzhong", 1130, -1230),
    Spot("xihe", "西河区", "Xihe", -7490, -1490),
    Spot("beian", "北安区", "Bei’an", -5270, 3410),
    Spot("dongchuan", "东川区", "Dongchuan", 8600, -1000),
)
PLACES: Final = (
    Spot("market", "水车夜市", "Shuiche night market", -1210, 320),
    Spot("market2", "永和路夜市", "Yonghe Rd night market", 2880, -1010),
    Spot("square", "河口广场", "Hekou Square", 520, -380),
    Spot("rail", "金城站", "Jincheng Station", -150, -2750),
    Spot("scenic", "丹霞谷景区", "Danxia Valley scenic area", -390, 2820),
    Spot("gov", "市政府", "City Hall", -1120, -400),
    Spot("stadium", "体育中心", "Sports centre", 3250, 1190),
)


class Green(NamedTuple):
    """A park or the like: an oval of `long_m` by `wide_m` half axes, turned by `turn_deg` counter-clockwise from east."""

    kind: str
    name_zh: str
    name_en: str
    east_m: float
    north_m: float
    long_m: float
    wide_m: float
    turn_deg: float


GREENS: Final = (
    Green("scenic_area", "丹霞谷景区", "Danxia Valley", -330, 2960, 1400, 720, 4),
    Green("park", "南山公园", "Nanshan Park", -4100, -2250, 1000, 520, -6),
    Green("park", "体育公园", "Stadium Park", 3850, 640, 560, 270, 8),
    Green("park", "河口公园", "Hekou Park", 1000, 150, 640, 200, -2),
    Green("campus", "金城大学", "Jincheng University", -7950, -930, 640, 320, 48),
    Green("campus", "北安师范学院", "Bei’an Normal College", -7050, 2950, 560, 300, 24),
    Green("works", "东川机械厂", "Dongchuan Machine Works", 7100, -1780, 900, 300, 20),
    Green("works", "西津水厂", "Xijin Waterworks", -10300, -2550, 620, 330, -3),
    Green("works", "东滩电厂", "Dongtan Power Station", 7700, 2750, 620, 330, 70),
    Green("wetland", "柳滩湿地", "Liutan Wetland", 2250, 690, 560, 75, -4),
    Green("wetland", "西津洲", "Xijin Islet", -8060, 690, 420, 60, 41),
)
STREETLESS: Final = frozenset({"park", "campus", "works", "scenic_area"})

RIVERSIDE: Final = {1: ("北滨河路", "North Riverside Rd"), -1: ("南滨河路", "South Riverside Rd")}
MIDDLE: Final = {1: ("安平路", "Anping Rd"), -1: ("甘泉路", "Ganquan Rd")}
RING: Final = {1: ("安平环路", "Anping Rd ring"), -1: ("环城快速路", "Ring expressway")}

NAME_FIRST: Final = (
    *(("永", "Yong"), ("安", "An"), ("静", "Jing"), ("广", "Guang"), ("武", "Wu"), ("皋", "Gao"), ("兰", "Lan")),
    *(("雁", "Yan"), ("庆", "Qing"), ("平", "Ping"), ("中", "Zhong"), ("白", "Bai"), ("和", "He"), ("民", "Min")),
    *(("天", "Tian"), ("通", "Tong"), ("渭", "Wei"), ("酒", "Jiu"), ("嘉", "Jia"), ("文", "Wen"), ("玉", "Yu")),
    *(("临", "Lin"), ("新", "Xin"), ("福", "Fu"), ("光", "Guang"), ("长", "Chang"), ("柳", "Liu"), ("沙", "Sha")),
)
NAME_SECOND: Final = (
    *(("昌", "chang"), ("宁", "ning"), ("远", "yuan"), ("源", "yuan"), ("泉", "quan"), ("门", "men"), ("兴", "xing")),
    *(("阳", "yang"), ("河", "he"), ("川", "chuan"), ("峰", "feng"), ("林", "lin"), ("原", "yuan"), ("湾", "wan")),
    *(("华", "hua"), ("康", "kang"), ("乐", "le"), ("顺", "shun"), ("园", "yuan"), ("桥", "qiao"), ("谷", "gu")),
)
