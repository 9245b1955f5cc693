"""Names of currencies as Chinese registers write them, to ISO 4217 codes (code set CA04 names the same currencies)."""

from __future__ import annotations

_NAMES = {
    "CNY": "人民币 人民币元 元 圆 元人民币 RMB CNH ¥ ￥ 元整 人民币元整",
    "USD": "美元 美金 元美元 $ US$ 美国元",
    "HKD": "香港元 港元 港币 元港元 元港币 元香港元 HK$",
    "JPY": "日元 日圆 日币 元日元",
    "EUR": "欧元 元欧元 €",
    "GBP": "英镑 元英镑 £",
    "DEM": "德国马克 马克 元德国马克 西德马克",
    "FRF": "法国法郎 法郎 元法国法郎",
    "CHF": "瑞士法郎 元瑞士法郎",
    "ITL": "意大利里拉 里拉",
    "NLG": "荷兰盾",
    "BEF": "比利时法郎",
    "ATS": "奥地利先令",
    "ESP": "西班牙比塞塔",
    "AUD": "澳大利亚元 澳元 澳币 元澳大利亚元",
    "CAD": "加拿大元 加元 加币 元加拿大元",
    "NZD": "新西兰元 新西兰币 纽元",
    "SGD": "新加坡元 新元 新加坡币 元新加坡元",
    "TWD": "台币 新台币 台湾元 新台币元",
    "MOP": "澳门元 澳门币",
    "KRW": "韩元 韩国元 韩圆 韩币",
    "THB": "泰铢 泰国铢",
    "MYR": "马来西亚林吉特 林吉特 马币 马来西亚元",
    "PHP": "菲律宾比索",
    "IDR": "印度尼西亚盾 印尼盾",
    "VND": "越南盾",
    "INR": "印度卢比",
    "RUB": "俄罗斯卢布 卢布",
    "SEK": "瑞典克朗",
    "NOK": "挪威克朗",
    "DKK": "丹麦克朗",
    "BRL": "巴西雷亚尔",
    "ZAR": "南非兰特",
    "AED": "阿联酋迪拉姆",
    "SAR": "沙特里亚尔",
}
_CODES = {name: code for code, names in _NAMES.items() for name in names.split()} | {code: code for code in _NAMES}
# ISO 4217 minor units; every other currency here has two decimals.
_NO_DECIMALS = frozenset({"JPY", "KRW", "VND", "BEF", "ITL", "ESP"})


def currency_of(words: str) -> str | None:
    """The ISO code of a currency name (``万`` and brackets taken out); CNY for no name, None for one we do not know."""
    if not words:
        return "CNY"
    return _CODES.get(words.upper())


def exponent(currency: str) -> int:
    """How many decimals the minor unit of ``currency`` has."""
    return 0 if currency in _NO_DECIMALS else 2
