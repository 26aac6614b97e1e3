"""The tables that generated statements read and change, with their rows: the same on every run."""
import random

import values

ROWS_WIDE = 14
ROWS_JOINED = 11
ROWS_CHANGED = 8
SEED = 42


def literal(text, kind):
    return "NULL" if text is None else "'" + text.replace("'", "''") + f"'::{kind}"


def rows_of(name, columns, count, pool):
    chooser = random.Random(SEED + sum(name.encode()))
    for number in range(1, count + 1):
        items = [str(number)]
        for kind in columns:
            text = None if chooser.random() < 0.15 else chooser.choice(pool(kind))
            items.append(literal(fit(text, kind), kind))
        yield "(" + ", ".join(items) + ")"


def fit(text, kind):
    if text is not None and kind == "bpchar":
        return text[:6]
    if text is not None and kind == "varchar":
        return text[:4]
    return text


def fixed():
    """Statements that make and fill the tables that are only read."""
    statements = [f"DROP TABLE IF EXISTS {', '.join(name for name, _, _ in values.TABLES)}"]
    for name, definition, kinds in values.TABLES:
        statements.append(f"CREATE TABLE {name} ({definition})")
        if name == "j_empty":
            continue
        joined = name.startswith("j_")
        pool = (lambda kind: values.SMALL[kind]) if joined else (lambda kind: values.LITERALS[kind])
        if name == "t_num":
            # What numeric(10,2) and int2 can hold.
            pool = lambda kind: [v for v in values.LITERALS[kind] if kind != "numeric" or len(v) < 8 and "nf" not in v]
        rows = ", ".join(rows_of(name, kinds[1:], ROWS_JOINED if joined else ROWS_WIDE, pool))
        statements.append(f"INSERT INTO {name} VALUES {rows}")
    return statements + values.INDEXES


def changed():
    """Statements that make the tables anew that statements change."""
    statements = ["DROP TABLE IF EXISTS d_child, d_parent, d_free"]
    statements += [f"CREATE TABLE {name} ({definition})" for name, definition, _ in values.CHANGED]
    statements.append("INSERT INTO d_parent VALUES (0, 1, 'a', 1.5), (1, 2, NULL, NULL), (2, 7, 'b', 10), (3, 7, 'abc', 0)")
    statements.append("INSERT INTO d_child (k, u) VALUES (1, 0), (1, 1), (2, 2), (NULL, 3)")
    statements.append("INSERT INTO d_free VALUES (1, 'a', '2020-02-29', '{\"a\":1}', '{1,2}'), (1, 'b', NULL, NULL, NULL), "
                      "(2, NULL, '2000-01-01', '[]', '{}'), (2, NULL, NULL, '1', NULL)")
    return statements


def contents():
    """Queries that show all of those."""
    return [f"SELECT * FROM {name} ORDER BY {name}::text COLLATE \"C\"" for name, _, _ in values.CHANGED]
