"""pgjdbc, unmodified; skipped where Java or the driver is missing."""
import pathlib
import sys
import tempfile

from runtimes import java_driver
from server import run, running

PROGRAM = """
import java.sql.*;

public class Program {
  static void check(boolean condition, String what) {
    if (!condition) throw new AssertionError(what);
  }
  public static void main(String[] arguments) throws Exception {
    try (Connection c = DriverManager.getConnection(
        "jdbc:postgresql://127.0.0.1:" + arguments[0] + "/postgres?prepareThreshold=2", "postgres", "")) {
      try (Statement s = c.createStatement()) {
        s.execute("CREATE TABLE t (id int PRIMARY KEY, name text, amount numeric(10,2), at timestamp)");
      }
      try (PreparedStatement p = c.prepareStatement("INSERT INTO t VALUES (?, ?, ?, ?)")) {
        for (int i = 0; i < 500; i++) {
          p.setInt(1, i);
          p.setString(2, "name " + i);
          p.setBigDecimal(3, new java.math.BigDecimal(i + ".50"));
          p.setTimestamp(4, Timestamp.valueOf("2024-01-02 03:04:05"));
          p.addBatch();
        }
        check(p.executeBatch().length == 500, "a batch");
      }
      c.setAutoCommit(false);
      try (PreparedStatement p = c.prepareStatement("SELECT id, amount FROM t WHERE id >= ? ORDER BY id")) {
        p.setFetchSize(50);
        for (int round = 0; round < 5; round++) {
          p.setInt(1, 100);
          int expected = 100;
          try (ResultSet r = p.executeQuery()) {
            while (r.next()) {
              check(r.getInt(1) == expected, "rows in order");
              check(r.getBigDecimal(2).toString().equals(expected + ".50"), "numeric");
              expected++;
            }
          }
          check(expected == 500, "every row through portals of 50");
        }
      }
      c.commit();
      try (Statement s = c.createStatement()) {
        s.execute("INSERT INTO t (id) VALUES (1)");
        check(false, "a duplicate key must fail");
      } catch (SQLException e) {
        check(e.getSQLState().equals("23505"), e.getSQLState());
      }
      c.rollback();
      try (ResultSet r = c.getMetaData().getPrimaryKeys(null, "public", "t")) {
        check(r.next() && r.getString("COLUMN_NAME").equals("id"), "metadata knows the primary key");
      }
      try (ResultSet r = c.getMetaData().getColumns(null, "public", "t", "%")) {
        int columns = 0;
        while (r.next()) columns++;
        check(columns == 4, "metadata knows the columns");
      }
    }
  }
}
"""


def main(pando):
    driver = java_driver()
    with tempfile.TemporaryDirectory(prefix="pando-jdbc-") as directory:
        (pathlib.Path(directory) / "Program.java").write_text(PROGRAM)
        run(["javac", "Program.java"], cwd=directory)
        with running(pando) as server:
            run(["java", "-cp", f"{directory}:{driver}", "Program", server.port], cwd=directory)


if __name__ == "__main__":
    main(sys.argv[1])
