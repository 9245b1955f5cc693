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
        "licence": 8,  # 行政许可
        "product_sampling": 9,  # 监督抽检
        "registration_change": 10,  # 变更登记
        "certification": 11,  # 认证
        "standard_declared": 12,  # 企业标准自我声明
        "recall": 13,  # 召回
        "award": 14,  # 质量奖、名牌
        "satisfaction_survey": 15,  # 满意度
        "outside_list": 16,  # 外部名单
        "accident": 17,  # 质量安全事故
        "relation": 18,  # 关联关系
        "check_detail": 19,  # 检查明细, which every spot check projects besides
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
        "statute": "法律法规规章",
        "normative_document": "规范性文件",
        "standard": "标准",
        "local_example": "地方实例",
        "draft": "征求意见稿",
        "product_default": "产品默认值,无法定依据",
    }
)

# May the class be shown to the public? `local_rule`: where a local rule allows it, and the district has switched it on.
PUBLISHED = MappingProxyType({"never": "不公示", "local_rule": "依地方规定可以公示"})

# Values of entities that a frozen context may hold, and norms by industry (thousandths), registry/services/context.py.
CONTEXT_VALUES = MappingProxyType(
    {
        "same_address": "同一住所的其他主体数",
        "related": "关联主体数",
        "related_abnormal": "列入经营异常名录的关联主体数",
        "related_serious": "列入严重违法失信名单的关联主体数",
        "related_revoked": "被吊销的关联主体数",
        "related_penalised": "近一年受行政处罚的关联主体数",
        "related_worst": "风险分类为最差一类的关联主体数",
        "representative_others": "法定代表人任职的其他主体数",
        "representative_revoked": "法定代表人任职的主体中被吊销的户数",
    }
)
CONTEXT_NORMS = MappingProxyType(
    {
        "complaints": "行业平均每户一年投诉件数（千分之一件）",
        "violations": "行业检查问题发现率（千分之一）",
        "penalties": "行业平均每户一年行政处罚次数（千分之一次）",
    }
)
# What is usual per check, in thousandths, over the two years before the day of the context.
CONTEXT_USUAL = MappingProxyType(
    {
        "usual_serious": "平均每次检查的严重问题数（千分之一个）",
        "usual_problems": "平均每次检查的一般问题数（千分之一个）",
        "usual_minor": "平均每次检查的轻微问题数（千分之一个）",
        "usual_harm": "平均每次检查的危害（千分之一）",
        "usual_serious_visits": "发现严重问题的检查占比（千分之一）",
    }
)
# Rates of checks by division 行政区划 before the day of the context, in thousandths.
CONTEXT_AREAS = MappingProxyType(
    {
        "area_problems_120d": "本区域近120日检查发现问题率（千分之一）",
        "area_problems_1y": "本区域近一年检查发现问题率（千分之一）",
        "area_serious_120d": "本区域近120日检查发现严重问题率（千分之一）",
        "area_serious_1y": "本区域近一年检查发现严重问题率（千分之一）",
    }
)

INDICATOR_UNITS = ("count", "fen", "yuan", "point", "step", "code", "year", "flag", "percent", "permille")
# A parameter may also be a span of days.
PARAMETER_UNITS = (*INDICATOR_UNITS, "day")
FACT_FIELDS = ("code", "severity", "amount")
DIRECTIONS = ("higher_is_riskier", "higher_is_better")
EFFECTS = ("points", "veto", "cap")
# Who reads the indicators of a scheme: its rules alone, or models too (rules/model/features.py).
INDICATORS_FOR = ("rules", "models")
# Who lets a raise by one class, which a model suggests, count 上调方式: the first is what holds where nothing is said.
RAISES = MappingProxyType({"officer": "由人员确认", "automatic": "自动生效"})
CYCLES = ("day", "week", "month", "quarter", "year")

# Largest integer a scheme may hold: far above any amount in fen, far below where 64 bits overflow.
LARGEST = 10**16
