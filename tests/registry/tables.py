"""Small tables as organs send them, made up: headings of the templates, and a writer for any encoding."""

import csv
import gzip
import io

HEADINGS_2018 = (
    "行政相对人名称", "行政相对人类别", "行政相对人代码_1(统一社会信用代码)", "行政相对人代码_2(工商注册号)", "行政相对人代码_3(组织机构代码)",
    "行政相对人代码_4(税务登记号)", "行政相对人代码_5(事业单位证书号)", "行政相对人代码_6(社会组织登记证号)", "法定代表人",
    "法定代表人身份证号", "行政处罚决定书文号", "违法行为类型", "违法事实", "处罚依据", "处罚类别", "处罚内容", "罚款金额(万元)",
    "没收违法所得、没收非法财物的金额(万元)", "暂扣或吊销证照名称及编号", "处罚决定日期", "处罚有效期", "公示截止期", "处罚机关",
    "处罚机关统一社会信用代码", "数据来源单位", "数据来源单位统一社会信用代码", "备注",
)  # fmt: skip
HEADINGS_2021 = tuple(
    {
        "法定代表人身份证号": "法定代表人证件号码",
        "公示截止期": "公示截止日期",
        "行政处罚决定书文号": "行政处罚决定文书号",
    }.get(name, name)
    for name in HEADINGS_2018
)
CODES_2021 = (
    "CF_XDR_MC", "CF_XDR_LB", "CF_XDR_SHXYM", "CF_XDR_GSZC", "CF_XDR_ZZJG", "CF_XDR_SWDJ", "CF_XDR_SYDW", "CF_XDR_SHZZ", "CF_FRDB",
    "CF_FR_ZJHM", "CF_WSH", "CF_WFXW", "CF_SY", "CF_YJ", "CF_CFLB", "CF_NR", "CF_NR_FK", "CF_NR_WFFF", "CF_NR_ZKDX", "CF_JDRQ",
    "CF_YXQ", "CF_GSJZQ", "CF_CFJG", "CF_CFJGDM", "CF_SJLY", "CF_SJLYDM", "BZ",
)  # fmt: skip
REGISTRATION = (
    "企业名称",
    "统一社会信用代码",
    "注册日期",
    "企业类型",
    "注册资金",
    "经营范围",
    "所在省份",
    "地区",
    "注册地址",
)

# Fields of a penalty → their place in the template.
AT = {
    "name": 0, "code": 2, "registration_no": 3, "organisation_code": 4, "holder_id": 9, "document_no": 10, "violation": 11, "fact": 12,
    "basis": 13, "kinds": 14, "content": 15, "fine": 16, "confiscated": 17, "decided_on": 19, "valid_until": 20, "publish_until": 21,
    "organ": 22, "remark": 26,
}  # fmt: skip
ORGAN = "信衡市市场监督管理局"


def penalty_row(**given):
    """One row of the 双公示 template; what is not given is filled in."""
    cells = [""] * len(HEADINGS_2018)
    filled = {"name": "信衡示例有限公司", "document_no": "信市监处罚〔2026〕1号", "violation": "虚假宣传", "kinds": "罚款",
              "content": "罚款5000元", "fine": "0.5", "decided_on": "2026-03-02", "organ": ORGAN, **given}  # fmt: skip
    for name, value in filled.items():
        cells[AT[name]] = value
    return cells


def registration_row(code, **given):
    filled = {"name": f"信衡示例{code[8:16]}有限公司", "day": "2015-03-01", "type": "有限责任公司", "capital": "100(万元人民币)",
              "scope": "软件开发", "province": "信衡省", "region": "信衡市", "address": "信衡市示例路1号", **given}  # fmt: skip
    return [
        filled["name"], code, filled["day"], filled["type"], filled["capital"], filled["scope"], filled["province"],
        filled["region"], filled["address"],
    ]  # fmt: skip


def table(folder, header, rows=(), *, name="table.csv", encoding="utf-8"):
    """Write a table and return its path; a name that ends in .gz is packed."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    content = text.getvalue().encode(encoding)
    path = folder / name
    path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
    return path
