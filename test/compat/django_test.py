"""Django, unmodified: the migrations of its own applications, the ORM, schema changes, and a test database."""
import datetime
import decimal
import io
import sys

from server import expect, running, skip

try:
    import django
    import psycopg2  # noqa: F401
    from django.conf import settings
except ImportError as missing:
    skip(f"{missing}")


def configure(port):
    settings.configure(
        SECRET_KEY="none", USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "postgres",
                               "HOST": "127.0.0.1", "PORT": str(port)}},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"])
    django.setup()


def define(models, postgres):
    class Author(models.Model):
        name = models.CharField(max_length=50, unique=True)

        class Meta:
            app_label = "library"

    class Book(models.Model):
        title = models.CharField(max_length=100, db_index=True)
        author = models.ForeignKey(Author, on_delete=models.CASCADE)
        price = models.DecimalField(max_digits=8, decimal_places=2)
        published = models.DateTimeField()
        tags = postgres.ArrayField(models.CharField(max_length=20), default=list)
        data = models.JSONField(default=dict)
        length = models.DurationField(null=True)

        class Meta:
            app_label = "library"
            constraints = [models.CheckConstraint(check=models.Q(price__gte=0), name="price_positive"),
                           models.UniqueConstraint(fields=["title"], condition=models.Q(price__gt=1), name="dear_once")]

    return Author, Book


def query(Author, Book, models, functions):
    ann, _ = Author.objects.get_or_create(name="Ann")
    Book.objects.bulk_create(
        Book(title=f"Book {i}", author=ann, price=decimal.Decimal(i) / 4, tags=["x", f"t{i}"], data={"i": i},
             published=datetime.datetime(2020, 1 + i, 1, tzinfo=datetime.timezone.utc), length=datetime.timedelta(days=i))
        for i in range(6))
    expect(Author.objects.bulk_create([Author(name="Ann"), Author(name="Bob")], ignore_conflicts=True), "an upsert")
    found = Book.objects.filter(data__i__gt=2, tags__contains=["t4"], title__iregex=r"^book \d$").get()
    expect(found.price == 1 and found.length == datetime.timedelta(days=4), "values come back")
    counts = Book.objects.values("author__name").annotate(n=models.Count("id", filter=models.Q(price__gt=0)))
    expect(list(counts.values_list("author__name", "n")) == [("Ann", 5)], "a join and a group")
    months = Book.objects.annotate(month=functions.TruncMonth("published")).values("month").annotate(n=models.Count("*"))
    expect(months.count() == 6, "dates are cut")
    Book.objects.filter(title="Book 1").update(price=models.F("price") + 10, data={"i": [1]})
    expect(list(Book.objects.order_by("author", "-price").distinct("author").values_list("title", flat=True)) == ["Book 1"],
           "DISTINCT ON")


def integrity(Author, transaction, errors):
    with transaction.atomic():
        try:
            with transaction.atomic():
                Author.objects.create(name="Ann")
            expect(False, "a duplicate is refused")
        except errors:
            pass
        Author.objects.select_for_update().get(name="Ann")


def change(connection, Author, models):
    added = models.CharField(max_length=10, default="d")
    added.set_attributes_from_name("extra")
    added.model = Author
    longer = models.TextField(null=True)
    longer.set_attributes_from_name("extra")
    longer.model = Author
    with connection.schema_editor() as editor:
        editor.add_field(Author, added)
        editor.alter_field(Author, added, longer)
        editor.remove_field(Author, longer)
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "library_book")
        expect(constraints["price_positive"]["check"] and constraints["dear_once"]["unique"], "constraints are found")


def main(pando):
    with running(pando) as server:
        configure(server.port)
        from django.contrib.postgres import fields
        from django.core.management import call_command
        from django.db import IntegrityError, connection, models, transaction
        from django.db.models import functions
        call_command("migrate", verbosity=0)
        # A database of the tests' own, as Django's test runner makes it.
        name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
        expect(name == "test_postgres", "a test database")
        Author, Book = define(models, fields)
        with connection.schema_editor() as editor:
            editor.create_model(Author)
            editor.create_model(Book)
        query(Author, Book, models, functions)
        integrity(Author, transaction, IntegrityError)
        change(connection, Author, models)
        described = io.StringIO()
        call_command("inspectdb", stdout=described)
        expect("class LibraryBook" in described.getvalue(), "inspectdb")
        connection.creation.destroy_test_db("postgres", verbosity=0)
        expect("library_book" not in connection.introspection.table_names(), "the first database has none of it")
        connection.close()


if __name__ == "__main__":
    main(sys.argv[1])
