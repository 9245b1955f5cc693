"""Numbered documents 文书, their delivery 送达, and the cases of listing and removal that they belong to."""

from peewee import (
    AutoField,
    BigIntegerField,
    CharField,
    Check,
    CompositeKey,
    DateField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    TextField,
)

from registry.models.base import Base


class Series(Base):
    """The last number given in one series of an organ and a year. Whoever holds the row numbers: no gap, no double."""

    word = CharField(40, help_text="Organ's word and series, for example 信市监异入")
    year = IntegerField()
    last = IntegerField(default=0)

    class Meta:
        primary_key = CompositeKey("word", "year")
        without_rowid = True


class DocumentTemplate(Base):
    """The words of a template as they were when a document was first made from them: a change is another row."""

    hash = CharField(16, primary_key=True, help_text="First 16 hexadecimal characters of SHA-256 of the text")
    type = CharField(24)
    text = TextField()

    class Meta:
        without_rowid = True


class Document(Base):
    """A numbered document as it was issued: its text never changes."""

    id = AutoField()
    word = CharField(40)
    year = IntegerField()
    number = IntegerField(constraints=[Check("number > 0")])
    part = IntegerField(default=0, help_text="Sub-number of a batch, N-1, N-2 …; 0 where it stands alone")
    printed_no = CharField(64, help_text="word〔year〕N号")
    type = CharField(24)
    title = CharField(200)
    entity = BigIntegerField(null=True, index=True)
    about = CharField(32, null=True, index=True, help_text="Identity of the record that it concerns")
    organ = CharField(200)
    template = CharField(64, help_text="Name and content hash of the template")
    variables = JSONField()
    text = TextField()
    issued_on = DateField()
    issued_by = CharField(64)
    batch = CharField(40, default="", help_text="Name of the batch whose number it shares")
    seq = BigIntegerField(help_text="Ledger row of the step that it belongs to")

    class Meta:
        indexes = (
            (("word", "year", "number", "part"), True),
            (("organ", "id"), False),  # "this organ's documents, newest first"
        )


class Delivery(Base):
    """One attempt to deliver a document. The delivery that succeeded starts the clock of its remedies."""

    id = AutoField()
    document = ForeignKeyField(Document, on_delete="RESTRICT")
    method = CharField(16, help_text="direct, post, electronic, special_letter, public_notice, left")
    sent_on = DateField()
    delivered_on = DateField(null=True, constraints=[Check("delivered_on >= sent_on")])
    failed_because = TextField(default="")
    proof = CharField(200, default="")
    noted_by = CharField(64)
    noted_at = BigIntegerField()
    document_id: int  # what the mapper stores of `document`


# A document reaches its party once: the day on which its clock starts is one day.
Delivery.add_index(
    Delivery.index(
        Delivery.document, unique=True, where=Delivery.delivered_on.is_null(False), name="delivery_succeeded"
    )
)


class ListingCase(Base):
    """A listing, removal or correction on its way: first opinion, second person's audit, documents, effect."""

    id = AutoField()
    list = CharField(8, constraints=[Check("list IN ('abnormal', 'serious')")])
    action = CharField(8, constraints=[Check("action IN ('enter', 'remove', 'correct')")])
    entity = BigIntegerField(index=True)
    ground = IntegerField(help_text="Ground or article of listing; cause of removal")
    year = IntegerField(null=True, help_text="Year of the report that is missing")
    # What makes the ground this one: the year, the address, the order that was not obeyed, the penalty.
    cause = CharField(200, default="")
    identity = CharField(32, null=True, index=True, help_text="The listing concerned, once it is on record")
    rests_on = CharField(32, null=True, index=True, help_text="Identity of the penalty, or listing, that it rests on")
    until = DateField(null=True, help_text="End of a statutory restriction longer than three years")
    organ = CharField(200)
    facts = TextField()
    state = CharField(10, constraints=[Check("state IN ('draft', 'noticed', 'proposed', 'approved', 'refused', 'effective')")])  # fmt: skip
    # What has been done, in order: [{step, by, on, opinion, document, seq}].
    steps = JSONField(default=lambda: [])  # `list` is a column here
    proposed_by = CharField(64, default="")
    audited_by = CharField(64, default="")
    opened_on = DateField()
    decide_by = DateField(null=True)
    effective_on = DateField(null=True)
    batch = CharField(40, default="", help_text="Name of the batch, where many were listed at once")

    class Meta:
        constraints = [Check("audited_by = '' OR audited_by <> proposed_by", name="two_persons")]  # noqa: RUF012
        indexes = (
            (("organ", "id"), False),  # "this organ's cases, newest first"
            (("batch", "state", "id"), False),  # "what is left of this batch?"
        )


# Two clerks who open the same case at once get one.
ListingCase.add_index(
    ListingCase.index(
        ListingCase.entity, ListingCase.list, ListingCase.action, ListingCase.ground, ListingCase.cause, unique=True,
        where=(ListingCase.state.in_(("draft", "noticed", "proposed", "approved"))), name="listing_case_pending",
    )
)  # fmt: skip


class Reminder(Base):
    """A listing whose anniversary or end of term comes near: who keeps the list has time to act, and the party to perform."""

    id = AutoField()
    list = CharField(8, constraints=[Check("list IN ('abnormal', 'serious')")])
    identity = CharField(32)
    entity = BigIntegerField(index=True)
    organ = CharField(200)
    listed_on = DateField()
    due_on = DateField(index=True, help_text="The anniversary, or the end of the term")
    written_on = DateField()

    class Meta:
        indexes = ((("identity", "due_on"), True),)
