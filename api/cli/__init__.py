"""The `xinheng` command: everything that a person at a terminal needs.

Exit status: 0 done, 1 done with refused rows, 2 wrong use, 3 failed. What a program may read is JSON on standard output
(`--json`), and nothing else is there; messages, progress and log lines go to standard error.
"""

import importlib
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from registry.cells.personal import mask_personal
from registry.errors import RegistryError

DONE, REFUSED, WRONG_USE, FAILED = 0, 1, 2, 3
# 128 + SIGINT, as shells count it.
INTERRUPTED = 130

# Each command's module is read when the command is used: `--help` must not wait for the engine.
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("api.cli.setup:init", "Create or upgrade the database 建库或升级"),
    "config": ("api.cli.setup:config", "Print every setting and where it comes from 查看设置"),
    "sample": ("api.cli.setup:sample", "Load the synthetic district 载入模拟辖区"),
    "import": ("api.cli.imports:import_", "Import registrations or records from a file 导入文件"),
    "mapping": ("api.cli.mappings:mapping", "How columns become fields: list, draft, check, save 列映射"),
    "imports": ("api.cli.imports:imports", "List imports and their state 导入记录"),
    "export": ("api.cli.exports:export", "Write records by an exchange template 导出记录"),
    "outbound": ("api.cli.outbound:outbound", "Batches to other platforms, their receipts 双公示报送"),
    "queue": ("api.cli.queue:queue", "Rows whose party was not found: look, decide 待匹配数据"),
    "entity": ("api.cli.entity:entity", "Merge entities that are one 主体合并"),
    "coverage": ("api.cli.coverage:coverage", "Say which feeds are connected, where and since when 数据覆盖"),
    "life": ("api.cli.life:life", "Where a record stands 记录状态"),
    "review": ("api.cli.life:review", "Review records before they are published 公示审核"),
    "publish": ("api.cli.life:publish", "Publish what was reviewed 公示"),
    "stop": ("api.cli.life:stop", "Stop publishing a record 停止公示"),
    "objection": ("api.cli.life:objection", "Answer objections 办理异议"),
    "repair": ("api.cli.life:repair", "Decide on repairs 办理信用修复"),
    "recipient": ("api.cli.life:recipient", "Who must hear of withdrawals 撤回通知接收方"),
    "notices": ("api.cli.life:notices", "Withdrawals not acknowledged in time 逾期未确认的撤回通知"),
    "grade": ("api.cli.grading:grade", "Grade entities now 评定"),
    "changes": ("api.cli.changes:list_changes", "Whose grade changed, and why 分类变动"),
    "override": ("api.cli.overrides:override", "Classes set by two persons 人工认定"),
    "warning": ("api.cli.warnings:warning", "Early warnings: assign, dispose, answer, close 风险预警"),
    "raise": ("api.cli.raises:raise_", "Raises by one class that a model suggests 类别上调"),
    "context": ("api.cli.context:context", "What grades read beside records 背景值"),
    "explain": ("api.cli.grading:explain", "Why an entity has its class 分类理由"),
    "dossier": ("api.cli.dossier:dossier", "An entity's whole record as a timeline 信用档案"),
    "report": ("api.cli.dossier:report", "The quality-credit report as a page that prints 质量信用报告"),
    "reconcile": ("api.cli.dossier:reconcile", "What arrived on a day, held against another side's table 对账"),
    "model": ("api.cli.model:model", "Train, evaluate, promote and watch models 模型"),
    "scheme": ("api.cli.schemes:scheme", "List, check and read schemes 评定方案"),
    "task": ("api.cli.tasks:task", "Inspection tasks: create, approve, close, cancel 检查任务"),
    "draw": ("api.cli.draws:draw", "Draws by lot: commit, run, recuse, minutes 随机抽取"),
    "list": ("api.cli.lists:list_", "Pull and read inspection lists 检查对象名单"),
    "frequency": ("api.cli.frequency:frequency", "How often each class is visited, what a plan takes 抽查比例和频次"),
    "visit": ("api.cli.visits:visit", "Visits: assign, enter, finish, reassign, notices and records 检查"),
    "result": ("api.cli.results:result", "Enter, review and publish results of visits 检查结果"),
    "lead": ("api.cli.results:lead", "Case leads that visits found 案件线索"),
    "figures": ("api.cli.figures:figures", "Figures of inspections 检查统计"),
    "simulate": ("api.cli.simulate:simulate", "What each way of choosing visits would find 检查策略模拟"),
    "item": ("api.cli.items:item", "The list of items: what is checked, with which questions 抽查事项清单"),
    "label": ("api.cli.labels:label", "Special databases of entities 监管标签、专项库"),
    "inspector": ("api.cli.inspectors:inspector", "The inspectors, their certificates and conflicts 执法检查人员"),
    "listing": ("api.cli.listings:listing", "List, remove and correct on the two lists 名录管理"),
    "document": ("api.cli.documents:document", "Read, print and issue documents, record delivery 文书和送达"),
    "verify": ("api.cli.verify:verify", "Check the ledger for tampering 台账防篡改核验"),
    "seal": ("api.cli.verify:seal", "Seal the ledger now 立即封存台账"),
    "proof": ("api.cli.verify:proof", "Export a proof that others can check 导出存证证明"),
    "erase": ("api.cli.verify:erase", "Erase what the law wants erased, on record 依法删除"),
    "jobs": ("api.cli.jobs:jobs", "List, run and look back on jobs 定时任务"),
    "key": ("api.cli.keys:key", "Create, list and revoke API keys 接口密钥"),
    "serve": ("api.cli.serve:serve", "Run the web server 启动网站服务"),
    "work": ("api.cli.serve:work", "Run the scheduler 启动定时任务"),
    "run": ("api.cli.serve:run", "Everything at once on this machine 一键运行"),
}


class Lazy(click.Group):
    """The group of all commands. It turns expected errors into one line and every end into an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def main(
        self, args: Sequence[str] | None = None, prog_name: str | None = None, complete_var: str | None = None,
        standalone_mode: bool = True, **extra: Any,
    ) -> Any:  # fmt: skip
        try:
            status = super().main(args, prog_name or "xinheng", complete_var, standalone_mode=False, **extra)
        except click.ClickException as error:
            error.show()
            sys.exit(WRONG_USE if isinstance(error, click.UsageError) else FAILED)
        except (click.Abort, KeyboardInterrupt):
            click.echo("Interrupted. What was committed stays; run the command again to go on.", err=True)
            sys.exit(INTERRUPTED)
        except RegistryError as error:
            # Masked here for all: a message may quote what a file or a person gave.
            click.echo(f"xinheng: {mask_personal(error.detail)}", err=True)
            sys.exit(FAILED)
        except Exception:
            click.echo(mask_personal(traceback.format_exc()), err=True, nl=False)
            sys.exit(FAILED)
        sys.exit(status if isinstance(status, int) else DONE)


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option("0.1.0", prog_name="xinheng")
def cli() -> None:
    """Xinheng 信衡: an enterprise quality-credit registry with risk classification for market regulators.

    Settings come from config.toml and the environment; `xinheng config` prints them. Exit status: 0 done, 1 done with
    refused rows, 2 wrong use, 3 failed.

    \b
    Example:
      xinheng init && xinheng sample && xinheng grade --all && xinheng serve
    """


def main() -> None:
    """Entry point of the installed command."""
    cli.main()
