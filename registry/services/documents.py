"""Documents 文书: issued from a template, numbered without a gap, on record in the ledger; their text never changes."""

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

from registry import cursor
from registry.cells.documents import printed_document_no
from registry.cells.personal import MASKS, mask_personal
from registry.config import Listings, Settings
from registry.database import execute
from registry.errors import ConfigError, RegistryError
from registry.models import Document, DocumentTemplate, Entity
from registry.page import Page
from registry.services import audit, ledger, numbering
from registry.services.ledger import Pen

FOLDER = Path(__file__).resolve().parent.parent / "documents"
PLACE = re.compile(r"\{(\w+)\}")
# Parts that templates share; what stands in them is put in first.
PARTS = ("head", "foot", "remedies")
ORGAN_KEYS = ("word", "superior", "government", "reconsideration", "court", "contact")
# What the register itself knows of every document.
KNOWN = ("organ", "title", "number", "date", "party", "code", "address", *ORGAN_KEYS[1:])
# Types that a person issues by themselves; decisions come from their cases.
FREE = ("order_publish", "order_correct", "contact_letter", "inspection_notice")
UNSTATED = "（登记信息未载明）"
LONGEST_VALUE = 4000
# Words of an officer that stand as a sentence of the text.
SENTENCES = ("facts", "demand", "decision")
# What the register itself fills in, with numbers of documents: no officer could write it otherwise.
FILLED_IN = ("about", "listed_by", "notice_no", "resting")
# What the register itself lists: items, and inspectors with their certificates, whose numbers are no secret of a person.
LISTED = ("items", "inspectors", "entry", "checklist")
LONGEST_LIST = 60_000
_LEADS = ("经核实，", "经查，", "经审查，")
_ENDS = ("。", "！", "？", "；")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff]")
_BLANK_LINES = re.compile(r"\s*\n\s*")


class BadDocument(RegistryError):
    """A document that cannot be made: a variable is missing, unknown or empty."""

    code = "bad_document"
    status = 422


class DocumentNotFound(RegistryError):
    code = "document_not_found"
    status = 404


class UnknownOrgan(RegistryError):
    code = "unknown_organ"
    status = 422


@dataclass(frozen=True, slots=True)
class Organ:
    """An organ that issues documents, as the file of `[listings] organs` describes it."""

    name: str
    word: str
    superior: str = ""
    government: str = ""
    reconsideration: str = ""
    court: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """Who acts, for which organ, when, and by which settings: what every verb on lists and documents is told."""

    organ: Organ
    actor: str
    today: date
    now: int
    schemes: Sequence[str]
    rules: Listings


@dataclass(frozen=True, slots=True)
class Template:
    """A type of document. `needs` are the variables that its issuer supplies."""

    type: str
    title: str
    series: str
    needs: tuple[str, ...]
    text: str

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    @property
    def places(self) -> frozenset[str]:
        return frozenset(PLACE.findall(self.text))


@dataclass(frozen=True, slots=True)
class Numbered:
    """A number that was taken for a document of this type, in the transaction that will write it."""

    template: Template
    word: str
    year: int
    number: int
    part: int
    batch: str

    @property
    def printed(self) -> str:
        return numbering.printed(self.word, self.year, self.number, self.part)


@cache
def templates() -> dict[str, Template]:
    """Every type of document that the product ships, by name."""
    parts = {name: (FOLDER / f"{name}.txt").read_text(encoding="utf-8").strip() for name in PARTS}
    found: dict[str, Template] = {}
    for type_, said in tomllib.loads((FOLDER / "templates.toml").read_text(encoding="utf-8")).items():
        text = (FOLDER / f"{type_}.txt").read_text(encoding="utf-8").strip()
        whole = PLACE.sub(lambda place: parts.get(place[1], place[0]), text)
        found[type_] = Template(type_, said["title"], said["series"], tuple(said["needs"]), whole)
    return found


def template(type_: str) -> Template:
    """The template of a type. Raises BadDocument, listing the types."""
    if type_ not in templates():
        raise BadDocument(f"There is no type of document {type_!r}. Types are: {', '.join(templates())}.")
    return templates()[type_]


def organs(settings: Settings) -> dict[str, Organ]:
    """The organs that issue documents, by name. Raises ConfigError, naming file and key."""
    file = settings.path(settings.listings.organs)
    try:
        return _organs(file, file.stat().st_mtime_ns)
    except OSError as error:
        raise ConfigError(
            f"[listings] organs: {file} cannot be read ({error.strerror}). Copy registry/documents/organs.toml there, or name another file."
        ) from error


@lru_cache(8)
def _organs(file: Path, _changed: int) -> dict[str, Organ]:
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not valid TOML: {error}. Mend that line.") from error
    found: dict[str, Organ] = {}
    words: dict[str, str] = {}
    for name, values in said.items():
        if not isinstance(values, dict) or (strange := sorted(set(values) - set(ORGAN_KEYS))):
            what = f"unknown key {strange[0]}" if isinstance(values, dict) else "it is not a table"
            raise ConfigError(f'{file}: ["{name}"]: {what}. Keys are: {", ".join(ORGAN_KEYS)}.')
        if wrong := [key for key, value in values.items() if not isinstance(value, str)]:
            raise ConfigError(f'{file}: ["{name}"] {wrong[0]}: give text in quotes.')
        word = values.get("word", "").strip()
        if not 1 <= len(word) <= 30 or any(mark in word for mark in "〔〕-"):
            raise ConfigError(
                f'{file}: ["{name}"] word: give the 1 to 30 characters that begin its document numbers, as in 信市监.'
            )
        if word in words:
            raise ConfigError(
                f"{file}: {words[word]} and {name} have the same word {word}: their numbers would collide."
            )
        words[word] = name
        found[name] = Organ(name, **{key: value.strip() for key, value in values.items()})
    return found


def organ_named(settings: Settings, name: str) -> Organ:
    """An organ that issues documents. Raises UnknownOrgan, saying where to put it."""
    found = organs(settings).get(name)
    if found is None:
        raise UnknownOrgan(
            f"{name} issues no documents here: it has no word for its document numbers. Add a table for it to "
            f"{settings.listings.organs} ([listings] organs).",
            organ=name,
        )
    return found


def desk(settings: Settings, *, organ: str, actor: str, today: date, now: int, schemes: Sequence[str]) -> Desk:
    """Where an actor of an organ works on lists and documents. Raises UnknownOrgan."""
    return Desk(organ_named(settings, organ), actor, today, now, schemes, settings.listings)


def number(type_: str, desk: Desk, *, batch: str = "") -> Numbered:
    """Take the number of the next document of this type, organ and year; of a batch its next sub-number."""
    chosen = template(type_)
    word, year = desk.organ.word + chosen.series, desk.today.year
    taken, part = numbering.take_part(word, year, batch) if batch else (numbering.take(word, year), 0)
    return Numbered(chosen, word, year, taken, part, batch)


def issue(
    pen: Pen,
    taken: Numbered,
    *,
    desk: Desk,
    entity: Entity | None,
    variables: Mapping[str, str],
    about: str | None = None,
) -> Document:
    """Write a document under its number: text from the template, a row of the ledger, the document itself.

    What is to stand as a sentence gets its full stop. `entity` is None where it is addressed to nobody. `about` is the identity of the record that it concerns. Raises BadDocument, naming every variable that is missing,
    empty or unknown, and where one holds the number of a person; with the transaction the number is given back.
    """
    chosen = taken.template
    if strange := sorted(set(variables) - set(chosen.needs)):
        raise BadDocument(
            f"{chosen.title} ({chosen.type}) knows no {', '.join(strange)}. It takes: {', '.join(chosen.needs)}.",
            unknown=strange,
        )
    organ = desk.organ
    values = {
        "organ": organ.name, "title": chosen.title, "number": taken.printed, "date": chinese_date(desk.today),
        **_party(entity),
        "superior": organ.superior, "government": organ.government, "court": organ.court, "contact": organ.contact,
        "reconsideration": organ.reconsideration or organ.government,
        **{name: sentence(_after(chosen, name, value)) if name in SENTENCES else value for name, value in variables.items()},
        **{name: mask_personal(value) for name, value in variables.items() if name in FILLED_IN},
    }  # fmt: skip
    unmasked({name: value for name, value in variables.items() if name not in (*FILLED_IN, *LISTED)}, chosen.title)
    text, used = fill(chosen, values)
    digest = hashlib.sha256(text.encode()).hexdigest()
    said = {"type": chosen.type, "number": taken.printed, "template": chosen.hash, "sha256": digest}
    step = pen.step(
        "document", about=about or f"document:{digest[:22]}", entity=None if entity is None else entity.id, key=[taken.printed], on=desk.today, detail=said,
        by=desk.actor,
    )  # fmt: skip
    execute(
        "INSERT INTO document_template (hash, type, text) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING",
        (chosen.hash, chosen.type, chosen.text),
    )
    made: Document = Document.create(
        word=taken.word, year=taken.year, number=taken.number, part=taken.part, printed_no=taken.printed, type=chosen.type,
        title=chosen.title, entity=None if entity is None else entity.id, about=about, organ=organ.name, template=f"{chosen.type}@{chosen.hash}",
        variables=used, text=text, issued_on=desk.today, issued_by=desk.actor, batch=taken.batch, seq=step.seq,
    )  # fmt: skip
    return made


def issue_free(type_: str, entity: Entity, variables: Mapping[str, str], *, desk: Desk) -> Document:
    """Issue a document that no case yields: an order, a letter, a notice. Not repeatable: each call takes a number.

    Raises BadDocument for a type whose documents come from cases, and for variables as in `issue`.
    """
    if type_ not in FREE:
        raise BadDocument(f"Documents of type {type_!r} cannot be issued by themselves. Those that can: {', '.join(FREE)}; decisions come from their cases.")  # fmt: skip
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        made = issue(pen, number(type_, desk), desk=desk, entity=entity, variables=variables)
        audit.note(
            "document.issued", actor=desk.actor, subject=f"document {made.id}", now=desk.now, number=made.printed_no
        )
        return made


def fill(chosen: Template, values: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The text of a template with these values, and the values that it used.

    Values are cleaned: no control characters, no blank lines (those part the sections of a document). A brace inside a
    value stays what it is. Raises BadDocument, naming every variable that is missing.
    """
    used = {name: clean(values.get(name, "")) for name in sorted(chosen.places)}
    missing = [name for name, value in used.items() if not value]
    if missing:
        ours = [name for name in missing if name in KNOWN]
        where = f" Of the organ: {', '.join(ours)} (file of [listings] organs)." if ours else ""
        raise BadDocument(
            f"{chosen.title} ({chosen.type}) cannot be made: {', '.join(missing)} is missing or empty. Supply it and try again.{where}",
            missing=missing,
        )
    most = {name: LONGEST_LIST if name in LISTED else LONGEST_VALUE for name in used}
    if long := [name for name, value in used.items() if len(value) > most[name]]:
        raise BadDocument(f"{chosen.title}: {long[0]} has more than {most[long[0]]} characters. Shorten it.")
    return PLACE.sub(lambda place: used[place[1]], chosen.text), used


def _party(entity: Entity | None) -> dict[str, str]:
    if entity is None:
        return {}
    code = entity.code or entity.registration_no or UNSTATED
    return {"party": entity.name, "code": code, "address": entity.address or UNSTATED}


def sentence(text: str) -> str:
    """Words of an officer as a sentence of a document, with its full stop; "" stays empty."""
    plain = text.strip()
    return f"{plain.rstrip('.．，,')}。" if plain and not plain.endswith(_ENDS) else plain


def _after(chosen: Template, name: str, text: str) -> str:
    """A text without the words that its template has in front of it already: 经核实，经核实，… is said once."""
    plain = text.strip()
    for lead in _LEADS:
        if plain.startswith(lead) and f"{lead}{{{name}}}" in chosen.text:
            return plain.removeprefix(lead)
    return plain


def unmasked(values: Mapping[str, str], what: str) -> None:
    """Raise BadDocument where a text holds a number of a person, or the mask of one: neither is ever signed."""
    for name, value in values.items():
        kinds = [mask for mask in MASKS.values() if mask in mask_personal(value)]
        if kinds:
            raise BadDocument(
                f"{what}: `{name}` holds a number of a person 个人号码 {', '.join(kinds)}. It is never kept or printed, and a signed "
                "document must not have a gap in its place. Say it without the number, for example 当事人的居民身份证; our own telephone "
                "number is printed from `contact` in the file of [listings] organs.",
                variable=name,
            )


def by_organ(organ: str, number: str, desk: Desk) -> str:
    """Who decided something earlier, under which number, as a document of this desk says it: 本机关 where it was its own organ."""
    return f"{'本机关' if organ == desk.organ.name else organ}{f'以{printed_document_no(number)}' if number else ''}"


def clean(value: str) -> str:
    """A value as it may stand in a document: no blank line, which would part it in two, and no invisible character."""
    return _BLANK_LINES.sub("\n", _CONTROL.sub("", value.replace("\r\n", "\n"))).strip()


def chinese_date(day: date) -> str:
    """A day as documents write it, for example 2026年11月21日."""
    return f"{day.year}年{day.month}月{day.day}日"


def get(key: int | str, *, organ: str | None = None) -> Document:
    """A document by its id or its printed number, of one organ where given. Raises DocumentNotFound."""
    query = Document.select()
    if isinstance(key, int):
        query = query.where(Document.id == key)
    else:
        read = numbering.read(key)
        parts = read or ("", 0, 0, 0)
        query = query.where(
            (Document.word == parts[0]) & (Document.year == parts[1]) & (Document.number == parts[2]) & (Document.part == parts[3])
        )  # fmt: skip
    found = query.first()
    if found is None or (organ is not None and found.organ != organ):
        raise DocumentNotFound(
            f"There is no document {key!r}{f' of {organ}' if organ else ''}. Give its id, or its number as printed, for example 信市监异入〔2026〕1号."
        )
    assert isinstance(found, Document)
    return found


def page(
    *,
    organ: str | None,
    entity: int | None = None,
    type_: str = "",
    divisions: Sequence[str] = ("",),
    after: str | None = None,
    limit: int = 50,
) -> Page[Document]:
    """Documents of one organ (of all where None) to parties in these divisions, newest first."""
    query = Document.select()
    if "" not in divisions:
        within = Entity.id < 0
        for prefix in divisions:
            within |= Entity.division.startswith(prefix)
        query = query.join(Entity, on=(Entity.id == Document.entity)).where(within)
    if organ is not None:
        query = query.where(Document.organ == organ)
    if entity is not None:
        query = query.where(Document.entity == entity)
    if type_:
        query = query.where(Document.type == type_)
    if after is not None:
        query = query.where(Document.id < cursor.decode(after, int)[0])
    rows = list(query.order_by(Document.id.desc()).limit(limit + 1))
    return Page(rows[:limit], cursor.encode(rows[limit - 1].id) if len(rows) > limit else None)


def parties(found: Sequence[Document]) -> dict[int, Entity]:
    """The entities that documents are addressed to, by id: one query."""
    wanted = sorted({one.entity for one in found if one.entity is not None})
    return {one.id: one for one in Entity.select().where(Entity.id.in_(wanted))} if wanted else {}


def unchanged(document: Document) -> bool:
    """Whether a document still reads as it was issued: its template and variables give its text, and the ledger its digest."""
    kept = DocumentTemplate.get_or_none(DocumentTemplate.hash == document.template.rpartition("@")[2])
    if kept is None or hashlib.sha256(kept.text.encode()).hexdigest()[:16] != kept.hash:
        return False
    text = PLACE.sub(lambda place: document.variables.get(place[1], ""), kept.text)
    said = execute("SELECT detail FROM record WHERE seq = ?", (document.seq,)).fetchone()
    return text == document.text and hashlib.sha256(text.encode()).hexdigest() in str(said and said[0])
