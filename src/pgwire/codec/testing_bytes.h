#pragma once

// Test support: packets written as tokens (see codec_test.cc) and a corpus of one of each message.

#include <string>
#include <vector>

#include "base/bytes.h"

namespace pando::pgwire::testing {

// One packet per line. Aborts on a malformed token: it is the test that is wrong.
Bytes assemble(const std::string& lines);
// Encodings of one valid message of every kind, both senders: where fuzzing starts.
std::vector<Bytes> frontend_corpus();
std::vector<Bytes> backend_corpus();
std::vector<Bytes> startup_corpus();
// Decodes `bytes` as each of the three streams; each message that decodes must survive encoding and decoding again.
// The body of the fuzz target.
void exercise_decoders(ByteView bytes);

}  // namespace pando::pgwire::testing
