#pragma once

// Feeds arbitrary bytes to every decoder of this folder and of kv/descriptor, and checks what must hold whatever they
// are: what decodes encodes to something that decodes to the same. For the fuzzer and its twin, the mutation test.

#include "base/bytes.h"

namespace pando::kv::testing {

void exercise_decoders(ByteView bytes);

}  // namespace pando::kv::testing
