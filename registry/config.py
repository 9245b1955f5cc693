"""Settings: `config.toml` read once into frozen objects, overridden key by key from the environment."""

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from registry.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Database:
    url: str = "sqlite:///var/xinheng.db"
    timeout: int = 10


@dataclass(frozen=True, slots=True)
class Server:
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 2


@dataclass(frozen=True, slots=True)
class Privacy:
    key_file: str = "var/privacy.key"


@dataclass(frozen=True, slots=True)
class Grading:
    book: str = "rules/book"
    scheme: str = "general-risk"
    as_shipped: str = ""
    range_size: int = 60_000
    public: str = ""
    public_basis: str = ""


@dataclass(frozen=True, slots=True)
class Import:
    chunk_rows: int = 400
    mappings: str = "var/mappings"
    max_file_mb: int = 200
    max_unpacked_mb: int = 1_000
    max_rows: int = 2_000_000
    max_columns: int = 300
    spool: str = "var/spool"
    drop_folder: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    outbound: str = "var/outbound"


@dataclass(frozen=True, slots=True)
class Listings:
    organs: str = "registry/documents/organs.toml"
    reminder_days: int = 60
    statement_days: int = 5
    superior_approval: int = 1
    three_year_transfer: int = 0


@dataclass(frozen=True, slots=True)
class Api:
    max_body: int = 1_000_000
    max_batch: int = 1_000
    rate_per_minute: int = 6_000
    public_per_minute: int = 120
    trusted_proxies: str = ""


@dataclass(frozen=True, slots=True)
class Jobs:
    timezone: str = "Asia/Shanghai"
    grade_due: str = "30 1 * * *"
    build_context: str = "0 2 1 * *"
    grade_all: str = "0 3 1 * *"
    end_listings: str = "10 0 * * *"
    cap_claimants: str = "0 1 * * *"
    end_publications: str = "20 0 * * *"
    remind_listings: str = "40 0 * * *"
    verify: str = "30 2 * * *"
    score_model: str = "45 3 * * *"
    watch_model: str = "15 4 * * 1"
    raise_warnings: str = "30 4 * * *"
    suggest_raises: str = "40 4 * * *"
    mark_due: str = "50 4 * * *"
    publish_results: str = "0 5 * * *"


@dataclass(frozen=True, slots=True)
class Model:
    use: str = "on"
    scheme: str = "inspection-record"
    grades: str = "general-risk"


@dataclass(frozen=True, slots=True)
class Inspection:
    frequency: str = "rules/inspection/frequency.toml"


@dataclass(frozen=True, slots=True)
class Publication:
    old_rows: str = "keep"


@dataclass(frozen=True, slots=True)
class Seal:
    algorithm: str = "sha256"
    key_file: str = "seal.key"
    roots_file: str = "roots.jsonl"


@dataclass(frozen=True, slots=True)
class Log:
    level: str = "info"


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. `home` is the folder that relative paths start from."""

    database: Database = field(default_factory=Database)
    server: Server = field(default_factory=Server)
    privacy: Privacy = field(default_factory=Privacy)
    grading: Grading = field(default_factory=Grading)
    import_: Import = field(default_factory=Import)
    exchange: Exchange = field(default_factory=Exchange)
    listings: Listings = field(default_factory=Listings)
    publication: Publication = field(default_factory=Publication)
    model: Model = field(default_factory=Model)
    inspection: Inspection = field(default_factory=Inspection)
    api: Api = field(default_factory=Api)
    jobs: Jobs = field(default_factory=Jobs)
    seal: Seal = field(default_factory=Seal)
    log: Log = field(default_factory=Log)
    home: Path = ROOT

    def path(self, relative: str) -> Path:
        """Resolve a path setting against `home`."""
        return _resolved(self.home, relative)


@lru_cache(64)
def _resolved(home: Path, relative: str) -> Path:
    # Asked by every request that grades; the answer takes four system calls.
    return (home / relative).resolve()


# What happens to penalties from before the rule of publication that is in force.
OLD_ROWS = ("keep", "retime")
# Whether the champion among the models orders, warns and suggests.
USES = ("on", "off")
# Settings that are 0 (off) or 1 (on).
SWITCHES = ("superior_approval", "three_year_transfer")
SECTIONS: dict[str, type] = {
    "database": Database, "server": Server, "privacy": Privacy, "grading": Grading,
    "import": Import, "exchange": Exchange, "listings": Listings, "publication": Publication, "model": Model, "inspection": Inspection, "api": Api, "jobs": Jobs, "seal": Seal, "log": Log,
}  # fmt: skip


def keys() -> list[str]:
    """Every setting as `section.key`, in the order of the file."""
    return [f"{name}.{item.name}" for name, kind in SECTIONS.items() for item in dataclasses.fields(kind)]


def load(file: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read settings from `file` (default: $XINHENG_CONFIG, else config.toml beside the code) and the environment.

    Raises ConfigError, naming file and key, for an unknown section or key, a value of the wrong type, and a
    variable XINHENG_… that names no setting.
    """
    environ = os.environ if environ is None else environ
    path = file or Path(environ.get("XINHENG_CONFIG") or ROOT / "config.toml")
    if not path.is_file():
        raise ConfigError(f"There is no settings file {path}. Set XINHENG_CONFIG to a file that exists, or unset it.")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}. Mend that line and start again.") from error
    values = _from_file(path, data)
    _from_environment(environ, values)
    built = {name: kind(**values.get(name, {})) for name, kind in SECTIONS.items()}
    built["import_"] = built.pop("import")
    return Settings(**built, home=path.resolve().parent)


def _from_file(path: Path, data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    values: dict[str, dict[str, Any]] = {}
    for section, table in data.items():
        if section not in SECTIONS or not isinstance(table, dict):
            raise ConfigError(f"{path}: unknown section [{section}]. Sections are: {', '.join(SECTIONS)}.")
        for key, value in table.items():
            values.setdefault(section, {})[key] = _checked(f"{path}: [{section}] {key}", section, key, value)
    return values


def _from_environment(environ: Mapping[str, str], values: dict[str, dict[str, Any]]) -> None:
    known = {f"XINHENG_{name.replace('.', '_').upper()}": name for name in keys()}
    for variable, text in environ.items():
        if not variable.startswith("XINHENG_") or variable == "XINHENG_CONFIG" or variable.startswith("XINHENG_TEST_"):
            continue
        if variable not in known:
            raise ConfigError(
                f"The environment variable {variable} names no setting. Settings are listed in docs/settings.md; "
                "[database] url is XINHENG_DATABASE_URL."
            )
        section, key = known[variable].split(".")
        wanted = _type_of(section, key)
        value: Any = text
        if wanted is int:
            if not text.strip().lstrip("-").isdigit():
                raise ConfigError(f"{variable}={text!r} is not a whole number. [{section}] {key} takes a whole number.")
            value = int(text)
        values.setdefault(section, {})[key] = _checked(variable, section, key, value)


def _type_of(section: str, key: str) -> type | None:
    for item in dataclasses.fields(SECTIONS[section]):
        if item.name == key:
            return int if item.type in (int, "int") else str
    return None


def _checked(where: str, section: str, key: str, value: object) -> object:
    wanted = _type_of(section, key)
    if wanted is None:
        names = ", ".join(item.name for item in dataclasses.fields(SECTIONS[section]))
        raise ConfigError(f"{where}: unknown key. [{section}] has: {names}.")
    if type(value) is not wanted:
        expected = "a whole number" if wanted is int else "text in quotes"
        raise ConfigError(f"{where}: {value!r} is not {expected}.")
    if key == "old_rows" and value not in OLD_ROWS:
        raise ConfigError(
            f'{where}: {value!r} is neither "keep" nor "retime". docs/life-of-a-record.md says what each does.'
        )
    if key == "use" and value not in USES:
        raise ConfigError(
            f'{where}: {value!r} is neither "on" nor "off". docs/model-operations.md says what "off" does.'
        )
    if key == "port" and isinstance(value, int) and not 0 <= value <= 65_535:
        raise ConfigError(f"{where}: {value} is not a port. It must be 0 (any free one) to 65535.")
    if key in SWITCHES and value not in (0, 1):
        raise ConfigError(f"{where}: {value} is neither 0 (off) nor 1 (on).")
    if isinstance(value, int) and value < 1 and key != "port" and key not in SWITCHES:
        raise ConfigError(f"{where}: {value} is too small. It must be at least 1.")
    return value
