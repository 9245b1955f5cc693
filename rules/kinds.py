"""Numbers of the kinds of record that rules know by themselves, and what the closed lists of a scheme may say.

The numbers are the contract of docs/architecture.md: the fact table stores them, so a number is never reused. Whoever has
a registry hands the numbers of all its kinds to :func:`rules.scheme.load_book`: a kind that is added is not named here. These
are for reading the shipped book without a registry, and because annual reports are counted against the registration.
"""

from __future__ import annotations

from types import MappingProxyType

KINDS = MappingProxyType(
    {
        "registration": 1,  # 登记
        "penalty": 2,  # 行政处罚
        "abnormal_listing": 3,  # 经营异常名录
        "serious_listing": 4,  # 严重违法失信名单
        "spot_check": 5,  # 抽查检查
        "item_12315": 6,  # 12315 事项
        "annual_report": 7,  # 年报
    }
)
REGISTRATION = KINDS["registration"]

SUBJECTS = MappingProxyType(
    {
        "enterprise": "企业",
        "individual": "个体工商户",
        "cooperative": "农民专业合作社",
        "branch": "分支机构",
        "other": "其他",
    }
)

BASIS_KINDS = MappingProxyType(
    {
        "statute": "法律法规",
        "normative_document": "规范性文件",
        "standard": "标准",
        "local_example": "地方实例",
        "draft": "征求意见稿",
        "product_default": "产品默认值,无法定依据",
    }
)

INDICATOR_UNITS = ("count", "fen", "yuan", "point", "step", "code", "year", "flag")
# A parameter may also be a span of days or a share.
PARAMETER_UNITS = (*INDICATOR_UNITS, "day", "percent")
FACT_FIELDS = ("code", "severity", "amount")
DIRECTIONS = ("higher_is_riskier", "higher_is_better")
EFFECTS = ("points", "veto", "cap")
CYCLES = ("day", "week", "month", "quarter", "year")

# Largest integer a scheme may hold: far above any amount in fen, far below where 64 bits overflow.
LARGEST = 10**16
