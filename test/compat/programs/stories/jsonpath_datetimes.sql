-- .datetime() of jsonpath, and like_regex.
SET TimeZone = 'Europe/Paris';
SELECT p, jsonb_path_query(to_jsonb(t), p::jsonpath) FROM (VALUES
  ('2017-03-10', '$.datetime()'), ('2017-03-10', '$.datetime().type()'),
  ('12:34:56', '$.datetime()'), ('12:34:56+05:20', '$.datetime().type()'), ('12:34:56-3', '$.datetime()'),
  ('2017-03-10 12:34:56', '$.datetime()'), ('2017-03-10T12:34:56+05', '$.datetime()'),
  ('2017-03-10 12:34:56', '$.datetime().type()'), ('2017-03-10T12:34:56+05', '$.datetime().type()'),
  ('10.03.2017', '$.datetime("dd.mm.yyyy")'), ('10-03-2017T12:34', '$.datetime("dd-mm-yyyy\"T\"HH24:MI")'),
  ('12:34 -05:20', '$.datetime("HH24:MI TZH:TZM")'), ('2017-03-10', '$.datetime().size()'),
  ('12:34', '$.datetime("HH24:MI")')) v(t, p);
SELECT '$.datetime("dd.mm.yyyy")'::jsonpath, '$.datetime()'::jsonpath;
SELECT jsonb_path_query('"12:34"', '$.datetime()');
SELECT jsonb_path_query('"12:34"', '$.datetime("aaa")');
SELECT jsonb_path_query('"aaaa"', '$.datetime("HH24")');
SELECT jsonb_path_query('"10-03-2017 12"', '$.datetime("dd-mm-yyyy")');
SELECT jsonb_path_query('"10-03"', '$.datetime("dd-mm-yyyy")');
SELECT jsonb_path_query('"10/03"', '$.datetime("dd-mm")');
SELECT jsonb_path_query('"10-03t12"', '$.datetime("dd-mm\"T\"HH24")');
SELECT jsonb_path_query('"12+03"', '$.datetime("ddTZH")');
SELECT jsonb_path_query('1', '$.datetime()');
SELECT jsonb_path_query('[1, "2017-03-10"]', '$[*].datetime()', silent => true);
SELECT jsonb_path_query('"2017-03-10"', '$.datetime().datetime()');
SELECT jsonb_path_query('"2017-03-10"', '$.datetime().double()');
SELECT jsonb_path_query('"2017-03-10"', 'strict $.datetime().a');
SELECT jsonb_path_query('"2017-03-10"', '$.datetime() starts with "2"');
SELECT jsonb_path_query_tz('["2017-03-10", "2017-03-11", "2017-03-10 00:00:00", "2017-03-10 12:34:56", "2017-03-10T01:02:03+04", "12:34:56", null]',
  '$[*].datetime() ? (@ >= "2017-03-10".datetime())', silent => true);
SELECT jsonb_path_query('["2017-03-10", "2017-03-11 00:00:00"]', '$[*].datetime() ? (@ < "11.03.2017".datetime("dd.mm.yyyy"))');
SELECT jsonb_path_query('["2017-03-10 00:00:00+01"]', '$[*].datetime() ? (@ == "10.03.2017".datetime("dd.mm.yyyy"))');
SELECT jsonb_path_query_tz('["2017-03-10 00:00:00+01"]', '$[*].datetime() ? (@ == "10.03.2017".datetime("dd.mm.yyyy"))');
SELECT jsonb_path_query('["12:35:00", "12:36:00", "12:35:00+00"]', '$[*].datetime() ? (@ == "12:35".datetime("HH24:MI"))');
SELECT jsonb_path_query('["12:35:00+00", "12:36:00+01", "11:35:00-01"]', '$[*].datetime() ? (@ >= "12:35 +0".datetime("HH24:MI TZH"))');
SELECT jsonb_path_exists('["2017-03-10"]', '$[*].datetime() ? (@ < "2018-01-01".datetime())'),
  jsonb_path_match('"2017-03-10"', '$.datetime() == "2017-03-10".datetime()');
SELECT jsonb_path_query('[null, 1, "abc", "abd", "aBdC", "abdacb", "babc", "adc\nabc", "ab\nadc"]', 'lax $[*] ? (@ like_regex "^ab.*c")');
SELECT jsonb_path_query('["a\nbc", "A\nBC", "^a", "abc"]', '$[*] ? (@ like_regex "^a.*c$" flag "is")');
SELECT jsonb_path_query('["x\nabc", "^a", "abc"]', '$[*] ? (@ like_regex "^a" flag "m")');
SELECT jsonb_path_query('["x\nabc", "^a", "abc"]', '$[*] ? (@ like_regex "^A" flag "iq")');
SELECT '["abc", 1]' @? '$[*] ? (@ like_regex "b")', '$ ? (@ like_regex "a" flag "xq")'::jsonpath;
SELECT '$ ? (@ like_regex "a" flag "x")'::jsonpath;
SELECT '$ ? (@ like_regex "(a")'::jsonpath;
-- Numbers and escapes of the path language.
SELECT '1.e1'::jsonpath, '1..e'::jsonpath, '1.e3.e4'::jsonpath, '.5'::jsonpath, '0.5e-2'::jsonpath, '$[1]'::jsonpath;
SELECT '1.type()'::jsonpath;
SELECT '00'::jsonpath;
SELECT '1a'::jsonpath;
SELECT '1e+'::jsonpath;
SELECT '"\u00"'::jsonpath;
SELECT '$."\u{12"'::jsonpath;
SELECT '"\ud83d\ud83d"'::jsonpath;
SELECT '"\ude04\ud83d"'::jsonpath;
SELECT '"\ud83d\u0041"'::jsonpath;
SELECT '($.a > 1).b'::jsonpath, '1 + ($.a.b > 2).c.d'::jsonpath, '(($.a > 1)).type()'::jsonpath, jsonb_path_query('{"a": 3}', '($.a > 1).type()');
