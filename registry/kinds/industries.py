"""Industries 行业 by GB/T 4754-2017: the sections 门类 and divisions 大类, for people who do not read four digits."""

from registry.kinds.codes import Label

# Section: its letter, its divisions from and to, its names.
SECTIONS: tuple[tuple[str, int, int, Label], ...] = (
    ("A", 1, 5, Label("农、林、牧、渔业", "agriculture, forestry, animal husbandry and fishery")),
    ("B", 6, 12, Label("采矿业", "mining")),
    ("C", 13, 43, Label("制造业", "manufacturing")),
    ("D", 44, 46, Label("电力、热力、燃气及水生产和供应业", "electricity, heat, gas and water")),
    ("E", 47, 50, Label("建筑业", "construction")),
    ("F", 51, 52, Label("批发和零售业", "wholesale and retail")),
    ("G", 53, 60, Label("交通运输、仓储和邮政业", "transport, storage and post")),
    ("H", 61, 62, Label("住宿和餐饮业", "accommodation and catering")),
    ("I", 63, 65, Label("信息传输、软件和信息技术服务业", "information transmission, software and IT services")),
    ("J", 66, 69, Label("金融业", "finance")),
    ("K", 70, 70, Label("房地产业", "real estate")),
    ("L", 71, 72, Label("租赁和商务服务业", "leasing and business services")),
    ("M", 73, 75, Label("科学研究和技术服务业", "scientific research and technical services")),
    ("N", 76, 79, Label("水利、环境和公共设施管理业", "water conservancy, environment and public facilities")),
    ("O", 80, 82, Label("居民服务、修理和其他服务业", "household services, repair and other services")),
    ("P", 83, 83, Label("教育", "education")),
    ("Q", 84, 85, Label("卫生和社会工作", "health and social work")),
    ("R", 86, 90, Label("文化、体育和娱乐业", "culture, sports and entertainment")),
    ("S", 91, 96, Label("公共管理、社会保障和社会组织", "public administration and social organisations")),
    ("T", 97, 97, Label("国际组织", "international organisations")),
)
# Divisions of manufacturing and trade, where the section alone says little.
DIVISIONS: dict[int, str] = {
    13: "农副食品加工业", 14: "食品制造业", 15: "酒、饮料和精制茶制造业", 16: "烟草制品业", 17: "纺织业", 18: "纺织服装、服饰业",
    19: "皮革、毛皮、羽毛及其制品和制鞋业", 20: "木材加工和木、竹、藤、棕、草制品业", 21: "家具制造业", 22: "造纸和纸制品业",
    23: "印刷和记录媒介复制业", 24: "文教、工美、体育和娱乐用品制造业", 25: "石油、煤炭及其他燃料加工业", 26: "化学原料和化学制品制造业",
    27: "医药制造业", 28: "化学纤维制造业", 29: "橡胶和塑料制品业", 30: "非金属矿物制品业", 31: "黑色金属冶炼和压延加工业",
    32: "有色金属冶炼和压延加工业", 33: "金属制品业", 34: "通用设备制造业", 35: "专用设备制造业", 36: "汽车制造业",
    37: "铁路、船舶、航空航天和其他运输设备制造业", 38: "电气机械和器材制造业", 39: "计算机、通信和其他电子设备制造业",
    40: "仪器仪表制造业", 41: "其他制造业", 42: "废弃资源综合利用业", 43: "金属制品、机械和设备修理业", 51: "批发业", 52: "零售业",
    61: "住宿业", 62: "餐饮业",
}  # fmt: skip


def named(industry: int) -> str:
    """An industry code of four digits with its names, 1431 食品制造业 manufacturing; "" for 0, the bare code where it is in no section."""
    if not industry:
        return ""
    code, division = f"{industry:04d}", industry // 100
    for letter, first, last, label in SECTIONS:
        if first <= division <= last:
            return f"{code} {DIVISIONS.get(division, label.zh)}（{letter} {label.zh} {label.en}）"
    return code
