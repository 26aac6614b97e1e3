#pragma once

// Feeds arbitrary bytes to every decoder of consensus/ (messages, envelopes, liveness, what is in the journal) and
// checks what must hold whatever they are: no decoder reads outside its input, what decodes encodes to something that
// decodes to the same, and a replica survives any message that decodes. For the fuzzer and its twin, the mutation test.

#include <vector>

#include "base/bytes.h"

namespace pando::multiraft::testing {

void exercise_decoders(ByteView bytes);

// Valid encodings to start from: one of each kind.
std::vector<Bytes> samples();

}  // namespace pando::multiraft::testing
