#include "consensus/liveness/fabric.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/codec.h"

namespace pando::liveness {

namespace {

constexpr unsigned kEpochCounterBits = 32;
constexpr uint64_t kPpm = 1'000'000;

}  // namespace

Fabric::Fabric(const Options& options, const Identity& before, uint64_t now_ns)
    : options_(options),
      identity_{.incarnation = before.incarnation + 1,
                .support_ns_max = std::max(before.support_ns_max, options.support_ns_max)},
      now_ns_(now_ns),
      honour_until_ns_(before.incarnation == 0 ? 0 : now_ns + before.support_ns_max) {
  PANDO_ASSERT(options_.support_ns_min <= options_.support_ns_max, "an interval of support times");
  PANDO_ASSERT(options_.drift_ppm_max < kPpm / 4, "clocks that are not much of a clock");
}

Fabric::Peer& Fabric::peer(NodeId id) {
  const auto place =
      std::lower_bound(peers_.begin(), peers_.end(), id, [](const Peer& p, NodeId i) { return p.id < i; });
  if (place != peers_.end() && place->id == id) {
    return *place;
  }
  return *peers_.insert(place, Peer{.id = id});
}

const Fabric::Peer* Fabric::find(NodeId id) const {
  const auto place =
      std::lower_bound(peers_.begin(), peers_.end(), id, [](const Peer& p, NodeId i) { return p.id < i; });
  return place != peers_.end() && place->id == id ? &*place : nullptr;
}

void Fabric::watch(NodeId id) {
  PANDO_ASSERT(id != options_.self, "a node needs no promise from itself");
  peer(id).watched = true;
}
void Fabric::unwatch(NodeId id) { peer(id).watched = false; }

uint64_t Fabric::support_ns(const Peer& peer) const {
  // Time for four requests, and for an answer to be late by what answers are late by.
  const uint64_t wanted = options_.support_ns_min + 2 * (peer.round_trip_ns + 4 * peer.variation_ns);
  return std::min(wanted, options_.support_ns_max);
}
uint64_t Fabric::support_ns(NodeId id) const {
  const Peer* const known = find(id);
  return known == nullptr ? options_.support_ns_min : support_ns(*known);
}

void Fabric::tick(uint64_t now_ns) {
  PANDO_ASSERT(now_ns >= now_ns_, "a monotonic clock never goes back");
  now_ns_ = now_ns;
  for (Peer& p : peers_) {
    const bool given = epoch_for(p.id) != 0;
    const bool received = from(p.id).until_ns != 0;
    if (given != p.was_given || received != p.was_received) {
      p.was_given = given;
      p.was_received = received;
      note_change(p.id);
    }
    if (!durable_ || stalled_ || !p.watched || now_ns_ < p.next_request_ns) {
      continue;
    }
    p.next_request_ns = now_ns_ + support_ns(p) / kRequestsPerSupport;
    send_.push_back({.type = Message::Type::kRequest,
                     .from = options_.self,
                     .to = p.id,
                     .incarnation = identity_.incarnation,
                     .sent_ns = now_ns_,
                     .support_ns = support_ns(p)});
  }
}

void Fabric::step(const Message& message, uint64_t now_ns) {
  PANDO_ASSERT(now_ns >= now_ns_, "a monotonic clock never goes back");
  now_ns_ = now_ns;
  if (message.to != options_.self || message.from == options_.self) {
    return;
  }
  if (message.type == Message::Type::kRequest) {
    on_request(message);
  } else {
    on_grant(message);
  }
}

void Fabric::on_request(const Message& message) {
  Peer& p = peer(message.from);
  // Before its incarnation is durable this node could give out the same epoch twice.
  if (!durable_ || message.incarnation < p.incarnation || message.support_ns == 0) {
    return;
  }
  const bool lapsed = now_ns_ >= p.given_until_ns;
  if (p.given_epoch == 0 || lapsed || message.incarnation > p.incarnation) {
    ++epochs_given_;
    PANDO_ASSERT(epochs_given_ < (uint64_t{1} << kEpochCounterBits), "epochs of one incarnation fit into half a word");
    p.given_epoch = (identity_.incarnation << kEpochCounterBits) + epochs_given_;
    p.given_until_ns = 0;
    p.incarnation = message.incarnation;
    note_change(p.id);
  }
  const uint64_t promised = std::min(message.support_ns, options_.support_ns_max);
  p.given_until_ns = std::max(p.given_until_ns, now_ns_ + promised);
  p.was_given = true;
  send_.push_back({.type = Message::Type::kGrant,
                   .from = options_.self,
                   .to = message.from,
                   .incarnation = message.incarnation,
                   .sent_ns = message.sent_ns,
                   .support_ns = promised,
                   .epoch = p.given_epoch});
}

void Fabric::on_grant(const Message& message) {
  Peer& p = peer(message.from);
  if (message.incarnation != identity_.incarnation || message.sent_ns > now_ns_ || message.epoch < p.received_epoch) {
    return;
  }
  // Both clocks may be off their rate, one fast and one slow.
  const uint64_t margin = message.support_ns / kPpm * (2 * options_.drift_ppm_max) + 1;
  const uint64_t until = message.sent_ns + message.support_ns - std::min(margin, message.support_ns);
  if (message.epoch > p.received_epoch) {
    p.received_epoch = message.epoch;
    p.received_until_ns = 0;
    note_change(p.id);
  }
  p.received_until_ns = std::max(p.received_until_ns, until);
  measure(p, now_ns_ - message.sent_ns);
}

void Fabric::measure(Peer& p, uint64_t round_trip_ns) {
  if (p.round_trip_ns == 0) {
    p.round_trip_ns = round_trip_ns;
    p.variation_ns = round_trip_ns / 2;
    return;
  }
  const uint64_t error =
      round_trip_ns > p.round_trip_ns ? round_trip_ns - p.round_trip_ns : p.round_trip_ns - round_trip_ns;
  p.variation_ns = (3 * p.variation_ns + error) / 4;
  p.round_trip_ns = (7 * p.round_trip_ns + round_trip_ns) / 8;
}

void Fabric::note_change(NodeId id) {
  const auto place = std::lower_bound(changed_.begin(), changed_.end(), id);
  if (place == changed_.end() || *place != id) {
    changed_.insert(place, id);
  }
}

Fabric::Ready Fabric::take_ready() {
  Ready ready{.send = std::exchange(send_, {}), .changed = std::exchange(changed_, {})};
  if (!persist_handed_out_) {
    persist_handed_out_ = true;
    ready.persist = identity_;
  }
  return ready;
}

Epoch Fabric::epoch_for(NodeId id) const {
  const Peer* const p = find(id);
  return p != nullptr && now_ns_ < p->given_until_ns ? p->given_epoch : 0;
}

bool Fabric::supports(NodeId id, Epoch epoch) const {
  if (epoch >> kEpochCounterBits < identity_.incarnation) {
    return now_ns_ < honour_until_ns_;
  }
  return epoch != 0 && epoch_for(id) == epoch;
}

Support Fabric::from(NodeId id) const {
  const Peer* const p = find(id);
  if (p == nullptr) {
    return {};
  }
  return {.epoch = p->received_epoch, .until_ns = now_ns_ < p->received_until_ns ? p->received_until_ns : 0};
}

Support Fabric::given(NodeId id) const {
  const Peer* const p = find(id);
  return p == nullptr ? Support() : Support{p->given_epoch, p->given_until_ns};
}

Bytes encode(const Identity& identity) {
  Bytes out;
  put_varint(out, identity.incarnation);
  put_varint(out, identity.support_ns_max);
  return out;
}

bool decode(ByteView bytes, Identity& identity) {
  ByteReader reader(bytes);
  return reader.varint(identity.incarnation) && reader.varint(identity.support_ns_max) && reader.empty();
}

void encode(const Message& message, Bytes& out) {
  out.push_back(static_cast<char>(message.type));
  for (const uint64_t number : {uint64_t{message.from.number()}, uint64_t{message.to.number()}, message.incarnation,
                                message.sent_ns, message.support_ns, message.epoch}) {
    put_varint(out, number);
  }
}

bool decode(ByteView bytes, Message& message) {
  ByteReader reader(bytes);
  uint8_t type = 0;
  uint64_t from = 0;
  uint64_t to = 0;
  if (!reader.fixed8(type) || type < 1 || type > 2 || !reader.varint(from) || from > UINT32_MAX || !reader.varint(to) ||
      to > UINT32_MAX) {
    return false;
  }
  message.type = static_cast<Message::Type>(type);
  message.from = NodeId(static_cast<uint32_t>(from));
  message.to = NodeId(static_cast<uint32_t>(to));
  return reader.varint(message.incarnation) && reader.varint(message.sent_ns) && reader.varint(message.support_ns) &&
         reader.varint(message.epoch) && reader.empty();
}

}  // namespace pando::liveness
