"""What people of the demo city call about: made-up calls by category, in both languages."""

from typing import Final, NamedTuple

from mission.calls.incident import Category, Equipment


class CallText(NamedTuple):
    """A kind of call. `weight`: how often it comes beside the others; titles and texts may hold {place}."""

    category: Category
    urgency: int
    weight: float
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    needs: tuple[Equipment, ...] = ()


CALLS: Final = (
    CallText(
        Category.HELP,
        1,
        1.0,
        "老人晕倒",
        "Person collapsed",
        "{place}门口一名老人晕倒，没有意识，旁边有人在做胸外按压。",
        "An elderly man has collapsed at the gate of {place} and does not react. Somebody is giving chest compressions.",
        (Equipment.AED,),
    ),
    CallText(
        Category.HELP,
        1,
        0.6,
        "有人落水",
        "Person in the water",
        "{place}附近河边有人落水，抓着护栏。",
        "Somebody has fallen into the river near {place} and holds on to the railing.",
        (Equipment.LIFE_RING,),
    ),
    CallText(
        Category.VIOLENCE,
        1,
        1.0,
        "打架，一人持械",
        "Fight, one man armed",
        "{place}有四五个人打架，其中一人手里拿着铁棍。",
        "Four or five people are fighting at {place}. One of them holds an iron bar.",
        (Equipment.SHIELD,),
    ),
    CallText(
        Category.DISPUTE,
        2,
        2.2,
        "消费纠纷",
        "Dispute over a bill",
        "{place}顾客和店家因结账发生争执，双方情绪激动。",
        "A guest and the owner quarrel over the bill at {place}; both are getting loud.",
    ),
    CallText(
        Category.DISPUTE,
        3,
        1.4,
        "邻里纠纷",
        "Quarrel between neighbours",
        "{place}邻居因停车位争吵，请派人调解。",
        "Neighbours at {place} quarrel over a parking space and ask for somebody to settle it.",
    ),
    CallText(
        Category.THEFT,
        2,
        1.4,
        "电动车被盗",
        "E-bike stolen",
        "{place}门口的电动车刚刚被人骑走，嫌疑人穿灰色外套往东去了。",
        "An e-bike was ridden away from {place} just now. The man wears a grey coat and went east.",
    ),
    CallText(
        Category.TRAFFIC,
        2,
        1.8,
        "两车相撞",
        "Two cars collided",
        "{place}路口两车追尾，堵住一条车道，无人受伤。",
        "A rear-end collision at the crossing by {place} blocks one lane. Nobody is hurt.",
    ),
    CallText(
        Category.TRAFFIC,
        2,
        0.7,
        "疑似酒驾",
        "Suspected drink driving",
        "{place}附近一辆白色轿车走蛇形，怀疑司机喝了酒。",
        "A white car weaves across the lanes near {place}. The driver may be drunk.",
        (Equipment.BREATH_TESTER,),
    ),
    CallText(
        Category.MISSING_PERSON,
        2,
        0.8,
        "儿童走失",
        "Child lost",
        "一名六岁男孩在{place}走失，穿红色外套、蓝色运动鞋。",
        "A boy of six was lost at {place}. He wears a red coat and blue trainers.",
    ),
    CallText(
        Category.CROWD,
        2,
        0.5,
        "人群拥挤",
        "Crowd too dense",
        "{place}人太多，出口走不动，请疏导。",
        "Too many people at {place}; the exit is jammed. Please guide them.",
        (Equipment.SPEAKER,),
    ),
    CallText(
        Category.SUSPICIOUS,
        3,
        0.9,
        "可疑人员",
        "Suspicious person",
        "一名男子在{place}挨个拉车门。",
        "A man tries the doors of parked cars at {place}.",
    ),
    CallText(
        Category.FIRE,
        1,
        0.4,
        "电动车起火",
        "E-bike on fire",
        "{place}楼下一辆电动车冒烟起火。",
        "An e-bike is smoking and burning in front of {place}.",
        (Equipment.EXTINGUISHER,),
    ),
    CallText(
        Category.SERVICE,
        3,
        1.2,
        "路灯不亮",
        "Street lamp out",
        "{place}一排路灯不亮，请通知维修。",
        "A row of street lamps is out at {place}. Please tell those who mend them.",
    ),
    CallText(
        Category.SERVICE,
        3,
        0.6,
        "水管爆裂",
        "Burst water pipe",
        "{place}人行道水管爆裂，水漫到路上。",
        "A water pipe has burst under the pavement at {place}; water runs onto the road.",
    ),
)
SURNAMES: Final = (("张", "Zhang"), ("王", "Wang"), ("李", "Li"), ("马", "Ma"), ("赵", "Zhao"), ("陈", "Chen"))
"""Callers of the demo are made up, as are their phones, all of which begin with 190 0000."""
