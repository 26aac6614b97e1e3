// Deterministic mutations of valid messages: bit flips, cuts, splices and lying lengths. What the fuzz target
// (test/fuzz/pgwire_codec_fuzz.cc) does without bounds, in a second of every test run.

#include <gtest/gtest.h>

#include "base/prng.h"
#include "pgwire/codec/testing_bytes.h"

namespace pando::pgwire {
namespace {

constexpr int kRounds = 200000;

Bytes mutate(Prng& prng, const std::vector<Bytes>& corpus) {
  Bytes bytes = corpus[prng.below(corpus.size())];
  if (prng.below(3) == 0) {
    bytes += corpus[prng.below(corpus.size())];
  }
  for (uint64_t i = prng.below(4); i > 0 && !bytes.empty(); --i) {
    const std::size_t at = prng.below(bytes.size());
    switch (prng.below(4)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << prng.below(8)));
        break;
      case 1:
        bytes.resize(at);
        break;
      case 2:
        bytes.insert(at, 1 + prng.below(4), static_cast<char>(prng.below(256)));
        break;
      default:
        bytes[at] = static_cast<char>(prng.below(2) == 0 ? 0xff : 0x00);
        break;
    }
  }
  return bytes;
}

TEST(Mutation, DecodersSurviveAnyBytes) {
  std::vector<Bytes> corpus = testing::frontend_corpus();
  for (auto more : {testing::backend_corpus(), testing::startup_corpus()}) {
    corpus.insert(corpus.end(), more.begin(), more.end());
  }
  Prng prng(20240607);
  for (int round = 0; round < kRounds; ++round) {
    testing::exercise_decoders(mutate(prng, corpus));
  }
}

TEST(Mutation, TheCorpusItselfDecodes) {
  for (const auto& corpus : {testing::frontend_corpus(), testing::backend_corpus(), testing::startup_corpus()}) {
    for (const Bytes& bytes : corpus) {
      testing::exercise_decoders(bytes);
    }
  }
}

}  // namespace
}  // namespace pando::pgwire
