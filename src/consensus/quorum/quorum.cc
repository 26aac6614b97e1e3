#include "consensus/quorum/quorum.h"

#include <iterator>

#include <fmt/format.h>

namespace pando::quorum {

VoterSet::VoterSet(std::vector<ReplicaId> ids) : ids_(std::move(ids)) {
  std::sort(ids_.begin(), ids_.end());
  ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
}

bool VoterSet::insert(ReplicaId id) {
  const auto place = std::lower_bound(ids_.begin(), ids_.end(), id);
  if (place != ids_.end() && *place == id) {
    return false;
  }
  ids_.insert(place, id);
  return true;
}

bool VoterSet::erase(ReplicaId id) {
  const auto place = std::lower_bound(ids_.begin(), ids_.end(), id);
  if (place == ids_.end() || *place != id) {
    return false;
  }
  ids_.erase(place);
  return true;
}

std::string VoterSet::to_string() const {
  std::string text;
  for (const ReplicaId id : ids_) {
    text += fmt::format("{}{}", text.empty() ? "" : " ", id.number());
  }
  return text;
}

VoterSet JointVoters::all() const {
  std::vector<ReplicaId> ids(incoming.begin(), incoming.end());
  ids.insert(ids.end(), outgoing.begin(), outgoing.end());
  return VoterSet(std::move(ids));
}

}  // namespace pando::quorum
