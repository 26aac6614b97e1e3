"""SQLAlchemy through psycopg2, unmodified: its types, reflection, ORM, savepoints and upserts."""
import datetime
import decimal
import enum
import sys
import uuid

from server import expect, running, skip

try:
    import psycopg2  # noqa: F401
    import sqlalchemy as sa
    from sqlalchemy import orm
    from sqlalchemy.dialects import postgresql as pg
except ImportError as missing:
    skip(f"{missing}")

Base = orm.declarative_base()


class Mood(enum.Enum):
    SAD = 1
    HAPPY = 2


class Author(Base):
    __tablename__ = "author"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String(50), unique=True, nullable=False)
    mood = sa.Column(sa.Enum(Mood, name="mood"), default=Mood.HAPPY)
    books = orm.relationship("Book", back_populates="author", cascade="all, delete-orphan")


class Book(Base):
    __tablename__ = "book"
    __table_args__ = (sa.CheckConstraint("price >= 0", name="price_positive"),
                      sa.Index("book_title_lower", sa.text("lower(title)")))
    id = sa.Column(sa.BigInteger, sa.Identity(), primary_key=True)
    title = sa.Column(sa.Text)
    author_id = sa.Column(sa.ForeignKey("author.id", ondelete="CASCADE"))
    price = sa.Column(sa.Numeric(8, 2))
    published = sa.Column(sa.DateTime(timezone=True))
    tags = sa.Column(pg.ARRAY(sa.Text))
    data = sa.Column(pg.JSONB)
    uid = sa.Column(pg.UUID(as_uuid=True), default=uuid.uuid4)
    length = sa.Column(sa.Interval)
    author = orm.relationship("Author", back_populates="books")


def make(engine):
    Base.metadata.create_all(engine)
    with orm.Session(engine) as session:
        ann = Author(name="Ann", mood=Mood.SAD)
        for i in range(5):
            ann.books.append(Book(title=f"Book {i}", price=decimal.Decimal(i) / 4, tags=["x", f"t{i}"],
                                  published=datetime.datetime(2020, 1, 1 + i, tzinfo=datetime.timezone.utc),
                                  data={"i": i, "l": [1, None]}, length=datetime.timedelta(days=i, seconds=5)))
        session.add_all([ann, Author(name="Bob")])
        session.commit()


def query(engine):
    with orm.Session(engine) as session:
        book = session.query(Book).filter(Book.data["i"].astext.cast(sa.Integer) == 3, Book.tags.contains(["t3"])).one()
        expect(book.price == decimal.Decimal("0.75") and book.data == {"i": 3, "l": [1, None]}, "values come back")
        expect(book.length == datetime.timedelta(days=3, seconds=5) and book.author.mood is Mood.SAD, "types come back")
        counts = session.query(Author.name, sa.func.count(Book.id)).outerjoin(Book).group_by(Author.name).order_by(Author.name)
        expect(counts.all() == [("Ann", 5), ("Bob", 0)], "a join and a group")
        ranked = sa.select(Book.id, sa.func.rank().over(order_by=Book.price.desc()).label("r")).subquery()
        expect(session.query(sa.func.count()).select_from(ranked).filter(ranked.c.r <= 2).scalar() == 2, "a window")
        session.query(Book).filter(Book.price < 1).update({"price": Book.price + 1}, synchronize_session=False)
        try:
            with session.begin_nested():
                session.add(Author(name="Ann"))
                session.flush()
            expect(False, "a duplicate is refused")
        except sa.exc.IntegrityError as refused:
            expect(refused.orig.pgcode == "23505", "the SQLSTATE of a duplicate")
        upsert = pg.insert(Author).values(id=77, name="Bob", mood=Mood.SAD)
        upsert = upsert.on_conflict_do_update(index_elements=["name"], set_={"mood": upsert.excluded.mood}).returning(Author.mood)
        expect(session.execute(upsert).scalar() is Mood.SAD, "an upsert returns what it changed")
        session.delete(session.query(Author).filter_by(name="Ann").one())
        session.commit()
        expect(session.query(Book).count() == 0, "a cascade")


def reflect(engine):
    inspector = sa.inspect(engine)
    expect(set(inspector.get_table_names()) == {"author", "book"}, "tables are reflected")
    columns = {column["name"]: column for column in inspector.get_columns("book")}
    expect(isinstance(columns["tags"]["type"], pg.ARRAY) and isinstance(columns["data"]["type"], pg.JSONB), "types are reflected")
    expect(columns["id"]["identity"]["always"] is False, "an identity is reflected")
    expect(inspector.get_foreign_keys("book")[0]["options"].get("ondelete") == "CASCADE", "a foreign key is reflected")
    expect(inspector.get_check_constraints("book")[0]["name"] == "price_positive", "a check is reflected")
    expect(inspector.get_unique_constraints("author")[0]["column_names"] == ["name"], "a unique constraint is reflected")
    expect({enum["name"]: enum["labels"] for enum in inspector.get_enums()} == {"mood": ["SAD", "HAPPY"]}, "an enum is reflected")
    mood = {column["name"]: column for column in inspector.get_columns("author")}["mood"]["type"]
    expect(isinstance(mood, pg.ENUM) and mood.enums == ["SAD", "HAPPY"], "a column of an enum is reflected")
    Base.metadata.drop_all(engine)
    expect(sa.inspect(engine).get_table_names() == [] and sa.inspect(engine).get_enums() == [], "all is dropped")


def main(pando):
    with running(pando) as server:
        engine = sa.create_engine(f"postgresql+psycopg2://postgres@127.0.0.1:{server.port}/postgres")
        make(engine)
        query(engine)
        reflect(engine)
        engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1])
