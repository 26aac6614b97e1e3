// Runs the stories in testdata/: what a set of voters has agreed on.
//
//   committed voters=(1,2,3) [outgoing=(3,4)] acked=(12,_,5,7)      of all members in rising order; _ has acknowledged
//                                                                     nothing
//   vote voters=(1,2,3) [outgoing=(3,4)] votes=(y,_,n,y)            likewise; _ has not answered

#include <map>

#include <gtest/gtest.h>

#include "consensus/quorum/quorum.h"
#include "test/support/datadriven.h"

namespace pando::quorum {
namespace {

using test::Command;

VoterSet set_of(const Command& command, const std::string& key) {
  VoterSet set;
  for (const std::string& value : command.values(key)) {
    set.insert(ReplicaId(std::stoull(value)));
  }
  return set;
}

// What each member has, by the place of the member.
std::map<ReplicaId, std::string> given(const Command& command, const JointVoters& voters, const std::string& key) {
  std::map<ReplicaId, std::string> answers;
  const std::vector<std::string> values = command.values(key);
  std::size_t place = 0;
  for (const ReplicaId id : voters.all()) {
    answers[id] = place < values.size() ? values[place] : "_";
    ++place;
  }
  EXPECT_EQ(place, values.size()) << command.file << ":" << command.line << ": one answer for each member";
  return answers;
}

std::string run(const Command& command) {
  const JointVoters voters{.incoming = set_of(command, "voters"), .outgoing = set_of(command, "outgoing")};
  const JointVoters mirrored{.incoming = voters.outgoing, .outgoing = voters.incoming};
  if (command.name == "committed") {
    const auto answers = given(command, voters, "acked");
    const auto of = [&](ReplicaId id) -> uint64_t {
      const std::string& text = answers.at(id);
      return text == "_" ? 0 : std::stoull(text);
    };
    const uint64_t committed = acknowledged(voters, of);
    // Neither half is special.
    EXPECT_EQ(acknowledged(mirrored, of), committed);
    return committed == UINT64_MAX ? "everything\n" : std::to_string(committed) + "\n";
  }
  const auto answers = given(command, voters, "votes");
  const auto of = [&](ReplicaId id) -> std::optional<bool> {
    const std::string& text = answers.at(id);
    return text == "_" ? std::nullopt : std::optional(text == "y");
  };
  const Vote vote = tally(voters, of);
  EXPECT_EQ(tally(mirrored, of), vote);
  return vote == Vote::kWon ? "won\n" : vote == Vote::kLost ? "lost\n" : "pending\n";
}

class QuorumStoryTest : public testing::TestWithParam<std::string> {};

TEST_P(QuorumStoryTest, Runs) { test::run_datadriven(GetParam(), run); }

std::string quorum_story_name(const testing::TestParamInfo<std::string>& info) {
  const std::size_t begin = info.param.rfind('/') + 1;
  return info.param.substr(begin, info.param.rfind('.') - begin);
}

INSTANTIATE_TEST_SUITE_P(Quorums, QuorumStoryTest,
                         testing::ValuesIn(test::testdata_files("src/consensus/quorum/testdata")), quorum_story_name);

}  // namespace
}  // namespace pando::quorum
