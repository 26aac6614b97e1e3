// Every decoder of consensus/ on damaged encodings; the twin of test/fuzz/consensus_decoders_fuzz.cc.

#include <gtest/gtest.h>

#include "base/prng.h"
#include "consensus/multiraft/testing_decoders.h"

namespace pando::multiraft::testing {
namespace {

constexpr int kMutationsPerSample = 3000;

TEST(ConsensusDecodersTest, SurviveAnyTruncation) {
  for (const Bytes& sample : samples()) {
    for (std::size_t size = 0; size <= sample.size(); ++size) {
      exercise_decoders(ByteView(sample).substr(0, size));
    }
  }
}

TEST(ConsensusDecodersTest, SurviveMutations) {
  Prng prng(3);
  for (const Bytes& sample : samples()) {
    for (int i = 0; i < kMutationsPerSample; ++i) {
      Bytes mutated = sample;
      for (uint64_t change = 1 + prng.below(4); change > 0; --change) {
        const std::size_t place = 1 + prng.below(mutated.size() - 1);
        if (prng.chance(0.5)) {
          mutated[place] = static_cast<char>(prng.below(256));
        } else {
          // Numbers are mostly small.
          mutated[place] = static_cast<char>(prng.below(16));
        }
      }
      exercise_decoders(mutated);
    }
  }
}

}  // namespace
}  // namespace pando::multiraft::testing
