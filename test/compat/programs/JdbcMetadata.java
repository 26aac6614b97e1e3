import java.sql.*;
import java.lang.reflect.*;
import java.util.*;
public class JdbcMetadata {
  static void dump(String name, ResultSet r) throws SQLException {
    ResultSetMetaData m = r.getMetaData();
    System.out.println("== " + name);
    StringBuilder h = new StringBuilder();
    for (int i = 1; i <= m.getColumnCount(); i++) h.append(m.getColumnLabel(i) + ":" + m.getColumnTypeName(i) + "|");
    System.out.println(h);
    List<String> rows = new ArrayList<>();
    while (r.next()) { StringBuilder s = new StringBuilder(); for (int i = 1; i <= m.getColumnCount(); i++) s.append(r.getString(i) + "|"); rows.add(s.toString()); }
    for (String s : rows) System.out.println(s);
    r.close();
  }
  interface Q { ResultSet run() throws SQLException; }
  static void q(String name, Q q) { try { dump(name, q.run()); } catch (SQLException e) { System.out.println("!! " + name + " " + e.getSQLState() + " " + e.getMessage()); } }
  public static void main(String[] a) throws Exception {
    Connection c = DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + a[0] + "/" + a[1], "postgres", "");
    DatabaseMetaData d = c.getMetaData();
    for (Method m : new TreeMap<String, Method>() {{ for (Method x : DatabaseMetaData.class.getMethods()) if (x.getParameterCount() == 0 && !x.getReturnType().equals(ResultSet.class)) put(x.getName(), x); }}.values()) {
      if (m.getName().equals("getURL") || m.getName().equals("getConnection")) continue;
      try { System.out.println(m.getName() + " = " + m.invoke(d)); } catch (InvocationTargetException e) { System.out.println("!! " + m.getName() + " " + e.getCause()); }
    }
    for (String s : new String[]{"public", "shop"}) {
      q("tables " + s, () -> d.getTables(null, s, "%", null));
      q("columns " + s, () -> d.getColumns(null, s, "%", "%"));
      for (String t : new String[]{"customer", "orders", "pair", "ref", "totals"}) {
        q("pk " + t, () -> d.getPrimaryKeys(null, s, t));
        q("imported " + t, () -> d.getImportedKeys(null, s, t));
        q("exported " + t, () -> d.getExportedKeys(null, s, t));
        q("index " + t, () -> d.getIndexInfo(null, s, t, false, false));
        q("best " + t, () -> d.getBestRowIdentifier(null, s, t, DatabaseMetaData.bestRowSession, true));
        q("version " + t, () -> d.getVersionColumns(null, s, t));
        q("privileges " + t, () -> d.getTablePrivileges(null, s, t));
        q("colpriv " + t, () -> d.getColumnPrivileges(null, s, t, "%"));
      }
    }
    q("cross", () -> d.getCrossReference(null, "public", "pair", null, "public", "ref"));
    q("schemas", () -> d.getSchemas());
    q("catalogs", () -> d.getCatalogs());
    q("types", () -> d.getTableTypes());
    q("typeinfo", () -> d.getTypeInfo());
    q("procs", () -> d.getProcedures(null, "pg_catalog", "int4p%"));
    q("functions", () -> d.getFunctions(null, "pg_catalog", "int4p%"));
    q("functioncols", () -> d.getFunctionColumns(null, "pg_catalog", "int4pl", "%"));
    q("procedurecols", () -> d.getProcedureColumns(null, "pg_catalog", "int4pl", "%"));
    q("udts", () -> d.getUDTs(null, null, "%", null));
    q("clientinfo", () -> d.getClientInfoProperties());
    q("supertables", () -> c.createStatement().executeQuery("select * from shop.customer"));
    PreparedStatement p = c.prepareStatement("select id, email, joined, flags, 1 as one from shop.customer where id = ? and email = ? and joined < ?");
    ResultSetMetaData m = p.getMetaData();
    for (int i = 1; i <= m.getColumnCount(); i++) System.out.println(m.getColumnName(i) + " " + m.getColumnTypeName(i) + " " + m.getTableName(i) + " " + m.getSchemaName(i) + " " + m.isNullable(i) + " " + m.isAutoIncrement(i) + " " + m.getPrecision(i) + " " + m.getScale(i)+ " " + m.getColumnDisplaySize(i));
    ParameterMetaData pm = p.getParameterMetaData();
    for (int i = 1; i <= pm.getParameterCount(); i++) System.out.println(pm.getParameterTypeName(i));
    c.close();
  }
}
