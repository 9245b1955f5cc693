"""Run inside a copy of the product that has one more file: the life of a record of a kind that nobody else knows.

Prints one JSON object: what each way in and out of the product said of it.
"""

import json
import sys
from datetime import date
from pathlib import Path

from click.testing import CliRunner

import registry
from api.app import create_app
from api.cli import cli
from registry import config, database, dictionary
from registry.services import keys
from rules.kinds import KINDS as KNOWN_TO_RULES

NOW = 1_795_219_200_000


def xinheng(*args: str) -> str:
    result = CliRunner().invoke(cli, list(args))
    assert result.exit_code == 0, (args, result.output, result.exception)
    return result.stdout


def main(folder: Path, code: str) -> dict[str, object]:
    said: dict[str, object] = {
        "from": str(Path(registry.__file__).parent),
        "rules_know": "hygiene_score" in KNOWN_TO_RULES,
    }
    xinheng("init")
    register, scores = folder / "register.csv", folder / "scores.csv"
    register.write_text(
        f"企业名称,统一社会信用代码,注册日期\n信衡示例卫生有限公司,{code},2015-03-01\n", encoding="utf-8"
    )
    scores.write_text(
        f"单位名称,统一社会信用代码,评分单号,卫生评分,评分日期,评分机关\n信衡示例卫生有限公司,{code},卫〔2026〕1号,3,2026-03-02,示例卫生局\n",
        encoding="utf-8",
    )
    xinheng("import", str(register))
    xinheng("coverage", "add", "hygiene_score", "--from", "2020-01-01")
    said["import"] = json.loads(xinheng("import", str(scores), "--json"))
    xinheng("grade", "--all")
    said["graded"] = json.loads(xinheng("explain", code, "--json"))
    said["check"] = json.loads(xinheng("scheme", "check", "book/hygiene", "--json"))[0]
    app = create_app(config.load(), today=lambda: date(2026, 11, 21), now=lambda: NOW)
    with database.session():
        key = keys.create("one", organ="示例卫生局", scopes=list(keys.SCOPES), divisions=[""], actor="test", now=NOW)
    client, headers = app.test_client(), {"Authorization": f"Bearer {key}"}
    body = {"party": {"code": code}, "document_no": "卫〔2026〕2号", "score": 4, "scored_on": "2026-05-02"}
    reply = client.post("/api/v1/records/hygiene_score", json=body, headers=headers)
    said["posted"] = {"status": reply.status_code, **reply.json}
    page = client.get(f"/api/v1/entities/{code}/records?kind=hygiene_score", headers=headers).json
    said["lines"] = [item["line"]["zh"] for item in page["items"]]
    document = client.get("/api/v1/openapi.json").json
    (kind,) = document["paths"]["/api/v1/records/{kind}"]["parameters"]
    said["offered"] = kind["schema"]["enum"]
    said["described"] = "PostedHygieneScore" in document["components"]["schemas"]
    said["dictionary"] = "卫生评分 Hygiene score" in dictionary.page()
    return said


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), sys.argv[2]), ensure_ascii=False))
