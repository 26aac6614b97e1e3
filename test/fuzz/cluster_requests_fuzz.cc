// Whatever bytes another node sends, requests and log entries decode or are refused; what decodes encodes again.

#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "kv/cluster/commit_requests.h"
#include "kv/cluster/log_entry.h"
#include "kv/cluster/many_requests.h"
#include "kv/cluster/node_requests.h"
#include "kv/cluster/program_requests.h"
#include "kv/cluster/requests.h"

namespace {

template <typename Message>
void round_trip(pando::ByteView bytes) {
  Message message;
  if (pando::kv::decode(bytes, message)) {
    pando::Bytes encoded;
    pando::kv::encode(message, encoded);
  }
}

template <typename Request>
void exchange(pando::ByteView bytes) {
  round_trip<Request>(bytes);
  round_trip<pando::kv::AnswerTo<Request>>(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace pando::kv;
  const pando::ByteView bytes(reinterpret_cast<const char*>(data), size);
  exchange<GetRequest>(bytes);
  exchange<GetManyRequest>(bytes);
  exchange<ScanRequest>(bytes);
  exchange<EvaluateRequest>(bytes);
  exchange<LockRequest>(bytes);
  exchange<LockManyRequest>(bytes);
  exchange<CommitShardRequest>(bytes);
  exchange<PrepareRequest>(bytes);
  exchange<OutcomeRequest>(bytes);
  exchange<CommittingRequest>(bytes);
  exchange<ResolveRequest>(bytes);
  exchange<RouteRequest>(bytes);
  exchange<MergeRequest>(bytes);
  exchange<AwaitMergingRequest>(bytes);
  exchange<AbandonMergeRequest>(bytes);
  exchange<ShardsRequest>(bytes);
  round_trip<CloseRequest>(bytes);
  round_trip<ReleaseRequest>(bytes);
  round_trip<CancelRequest>(bytes);
  if (payload_kind(bytes).ok()) {
    decode_prepare(bytes).status().ignore("either is right");
    decode_resolve(bytes).status().ignore("either is right");
    decode_discard(bytes).status().ignore("either is right");
    decode_forget(bytes).status().ignore("either is right");
  }
  if (const auto name = outcome_name(bytes)) {
    PANDO_ASSERT(outcome_key(name->participant, name->transaction) == bytes, "a name belongs to one key");
  }
  decode_outcome(bytes).status().ignore("either is right");
  return 0;
}
