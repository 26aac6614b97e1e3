#pragma once

// Feeds arbitrary bytes to every decoder of this folder and checks what must hold whatever they are: no decoder reads
// outside its input, and what decodes encodes to something that decodes to the same. For the fuzzer and its twin, the
// mutation test.

#include "base/bytes.h"

namespace pando::storage::testing {

void exercise_decoders(ByteView bytes);

}  // namespace pando::storage::testing
