-- What initdb leaves.
SELECT datname, datistemplate FROM pg_database ORDER BY datname;
CREATE DATABASE template1;
DROP DATABASE template1;
SELECT extname, extversion FROM pg_extension WHERE extname = 'plpgsql';
SELECT oid, lanname, lanispl, lanpltrusted, lanplcallfoid, laninline, lanvalidator FROM pg_language ORDER BY oid;
SELECT name, utc_offset, is_dst, abbrev FROM pg_timezone_names WHERE name IN ('UTC', 'Asia/Tokyo', 'Asia/Kolkata', 'America/Phoenix', 'Africa/Abidjan', 'Etc/GMT+5') ORDER BY name;
SELECT count(*) > 500, count(DISTINCT name) = count(*) FROM pg_timezone_names WHERE name NOT LIKE 'posix/%';
SELECT * FROM pg_timezone_abbrevs WHERE abbrev IN ('UTC', 'EST', 'EDT', 'CET', 'CEST', 'MSK', 'JST', 'NFT', 'ACST') ORDER BY abbrev;
SELECT count(*) FROM pg_timezone_abbrevs;
