CREATE TABLE region (r_regionkey int PRIMARY KEY, r_name text NOT NULL);
CREATE TABLE nation (n_nationkey int PRIMARY KEY, n_name text NOT NULL, n_regionkey int NOT NULL);
CREATE TABLE supplier (s_suppkey int PRIMARY KEY, s_name text NOT NULL, s_nationkey int NOT NULL, s_acctbal numeric(15,2));
CREATE TABLE customer (c_custkey int PRIMARY KEY, c_name text NOT NULL, c_nationkey int NOT NULL, c_mktsegment text, c_acctbal numeric(15,2));
CREATE TABLE part (p_partkey int PRIMARY KEY, p_name text NOT NULL, p_brand text, p_type text, p_size int, p_retailprice numeric(15,2));
CREATE TABLE partsupp (ps_partkey int, ps_suppkey int, ps_availqty int, ps_supplycost numeric(15,2), PRIMARY KEY (ps_partkey, ps_suppkey));
CREATE TABLE orders (o_orderkey int PRIMARY KEY, o_custkey int NOT NULL, o_orderstatus text, o_totalprice numeric(15,2), o_orderdate date NOT NULL, o_orderpriority text);
CREATE TABLE lineitem (l_orderkey int, l_linenumber int, l_partkey int NOT NULL, l_suppkey int NOT NULL, l_quantity numeric(15,2), l_extendedprice numeric(15,2), l_discount numeric(15,2), l_tax numeric(15,2), l_returnflag text, l_linestatus text, l_shipdate date, l_commitdate date, l_receiptdate date, l_shipmode text, PRIMARY KEY (l_orderkey, l_linenumber));
