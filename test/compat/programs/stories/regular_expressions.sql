-- Back references, look-ahead and look-behind.
SELECT 'aXbXa' ~ '(.)X.*\1$', 'aXbXc' ~ '(.)X.*\1$';
SELECT regexp_match('abcabc', '(abc)\1'), regexp_match('abcabd', '(abc)\1');
SELECT 'xyy' ~ '(x)(y)\2', 'aA' ~* '(a)\1', 'aA' ~ '(a)\1';
SELECT regexp_replace('hello wood', '(.)\1', '[\1\1]', 'g');
SELECT 'a' ~ '(a)\2', 'a';
SELECT 'aa' ~ '(a\1)';
SELECT 'foobar' ~ 'foo(?=bar)', 'foobaz' ~ 'foo(?=bar)', 'foobaz' ~ 'foo(?!bar)', 'foobar' ~ 'foo(?!bar)';
SELECT 'foobar' ~ '(?<=foo)bar', 'fobar' ~ '(?<=foo)bar', 'fobar' ~ '(?<!foo)bar', 'foobar' ~ '(?<!foo)bar';
SELECT regexp_match('price 42 EUR', '\d+(?= EUR)'), regexp_match('ab', '(?=(a))(ab)');
SELECT regexp_matches('a1b2c3', '[a-z](?=\d)', 'g');
SELECT regexp_split_to_array('oneTwoThree', '(?<=[a-z])(?=[A-Z])');
SELECT regexp_replace('1234567', '(\d)(?=(\d\d\d)+$)', '\1,', 'g');
SELECT 'a' ~ '(?=a)*', 'a';
SELECT 'a' ~ 'a(?=';
SELECT 'a' ~ '(?<=(a)\1)b';
SELECT 'one two' ~ '\mtwo\M', 'onetwo' ~ '\mtwo', regexp_replace('one, two', '\m.', '<', 'g'), regexp_count('one, two', '.\M');
SELECT regexp_count('été là', '\m[[:alpha:]]+\M');
SELECT regexp_instr('abab-abab', '(ab)\1', 2), regexp_substr('xyzzy', '(.)\1'), substring('foobarbar' from '(bar)\1');
