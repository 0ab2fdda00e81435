# frozen_string_literal: true

require "bigdecimal"
require "date"
require "set"

module Recorder
  # What is sent (Ruby expressions) and what is read (texts): the two tables of content.
  module Values
    # Evaluated in the recorder; the expression stands in the fixture.
    SENT = [
      "nil", "true", "false", "0", "-0", "1", "-1", "9007199254740993", "2**70", "-(2**70)", "10**400",
      "0.0", "-0.0", "0.1", "1.0", "100.0", "1e15", "1e16", "1e21", "1.5e300", "1e-4", "1e-5", "1e-7", "5e-324", "1.7976931348623157e308",
      "0.1 + 0.2", "Float::NAN", "Float::INFINITY", "-Float::INFINITY",
      '""', '" "', '"plain"', '"Hello!"', '"No! <Tantrum>"', '"two words & more"', '"ä"', '"日本語"', '"\u{1F600}"', '"line\nbreak"', '"tab\t"', '"nul\u0000"',
      '"\u2028\u2029"', '"\uFEFF1"', '"quote\""', '"back\\\\slash"', '"a/b"',
      '"123"', '" 1 "', '"1.0"', '"-"', '"null"', '"nil"', '"true"', '"nothing"', '"False"', '"{}"', '"{"', '"[]"', '"["', '"\"x\""', '"\""', '"/* c */ 1"',
      '"// c"', '"NaN"', '"Infinity"', '"-Infinity"', '"+1"', '".5"', '"01"', '"1e400"',
      "[]", "{}", "[nil]", "[[], {}]", "[1, 2.5, nil, true, \"x\"]", "{\"a\" => 1}", "{a: 1, b: {c: [2]}}", "{1 => 2, nil => 3, 1.5 => 4}",
      "{\"\" => 0, \"a b\" => 1, \"ä\" => 2}", "{\"b\" => 1, \"a\" => 2}", '["<>&", "\u2028", "/", "ä", "\u{1F600}", "\u0001", "\u007F", "\b\f\n\r\t"]', "[\"123\", \"null\"]",
      ":symbol", ":\"123\"", "1..3", "Time.at(0).utc", "Date.new(2024, 2, 29)", "BigDecimal(\"1.5\")", "1.5r", "2i", "Set[1, 2]", "Struct.new(:a).new(1)", "StandardError.new(\"message\")", "Object",
      "Array.new(100).reduce(1) { |inner, _| [inner] }", "Array.new(101).reduce(1) { |inner, _| [inner] }", "\"\\xff\\xfe\"", "\"\\xff\\xfe\".b", "\"ä\".encode(\"ISO-8859-1\")", "[\"\\xff\"]"
    ].freeze

    # Added by hand, as they are.
    READ = [
      "", " ", "null", "nil", "true", "True", "false", "0", "-0", "1", " 1 ", "\t1\n", "1 2", "01", "-01", "+1", ".5", "1.", "1.0", "-0.0", "1e2", "1E+2", "1e", "1e400", "-1e400", "1e-400",
      "9007199254740993", "9" * 400, "0.1", "0.30000000000000004", "123456789.123456789123456789", "NaN", "-NaN", "Infinity", "-Infinity", "[NaN]", "[Infinity]", "0x10", "1_000", "-", "--1",
      "\"x\"", "\"\"", "\"", "'x'", "\"a\nb\"", "\"a\tb\"", "\"\\u00e4\"", "\"\\ud83d\\ude00\"", "\"\\ud800\"", "\"\\udc00\"", "[\"\\ud800\"]", "\"\\x41\"", "\"\\q\"", "\"\\u12\"", "\"\\u0000\"", "\"\\/\"", "\"\u2028\"", "\"123\"", "\"null\"", "\" \"",
      "plain", "ä", "日本語", "Hello! {\"a\": 1}", "{}", "{ }", "{\"a\":1}", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "{a:1}", "{'a':1}", "{\"a\"}", "{1:2}", "{\"a\":1} x", "{\"a\":1}{\"b\":2}", "{\"\":0}", "{\"a b\":1}", "{\"json_class\":\"String\"}", "{\"__proto__\":1}",
      "[]", "[ ]", "[1,]", "[,1]", "[1 2]", "[", "]", "[1]]", "[null]", "[1,2.5,null,true,\"x\"]", "[[],{}]",
      "/* c */ 1", "1 /* c */", "// c\n1", "1 // c", "/* c */", "[1, /* c */ 2]", "# c\n1", "/", "\u{FEFF}1", "\u{FEFF}", "\u00a01", "\v1", "\f1", "1\u0000", "\u0000",
      "[" * 100 + "]" * 100, "[" * 101 + "]" * 101, "{\"a\":" * 100 + "1" + "}" * 100, "{\"a\":" * 101 + "1" + "}" * 101,
      "\xff\xfe".b, "\"\xff\"".b, "[1,\"\xc3\"]".b, "\xc3\xa4".b, "\xed\xa0\x80".b, "\"\xed\xa0\x80\"".b, "\xf0\x9f\x98".b
    ].freeze
  end
end
