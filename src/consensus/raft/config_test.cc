// Runs the stories in testdata_config/: what configuration comes of a change, or why it is refused.
//
//   config voters=(1,2,3) [outgoing=(1,2)] [learners=(4)] [learners-next=(2)] [autoleave]      the one to start from
//   auto v4 l5 r1 | implicit v4 ... | explicit v4 ... | leave                                   changes it, if allowed

#include "consensus/raft/config.h"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "test/support/datadriven.h"

namespace pando::raft {
namespace {

using test::Command;

quorum::VoterSet set_of(const Command& command, const std::string& key) {
  quorum::VoterSet set;
  for (const std::string& value : command.values(key)) {
    set.insert(ReplicaId(std::stoull(value)));
  }
  return set;
}

ConfigChange change_of(const Command& command) {
  ConfigChange change;
  change.transition = command.name == "implicit"   ? ConfigChange::Transition::kJointImplicit
                      : command.name == "explicit" ? ConfigChange::Transition::kJointExplicit
                                                   : ConfigChange::Transition::kAuto;
  for (const auto& argument : command.arguments) {
    const auto kind = static_cast<ConfigChange::Kind>(std::string("vlr").find(argument.key[0]));
    change.steps.push_back({kind, ReplicaId(std::stoull(argument.key.substr(1)))});
  }
  return change;
}

class ConfigStory {
 public:
  std::string run(const Command& command) {
    if (command.name == "config") {
      config_ = {.voters = {.incoming = set_of(command, "voters"), .outgoing = set_of(command, "outgoing")},
                 .learners = set_of(command, "learners"),
                 .learners_next = set_of(command, "learners-next"),
                 .auto_leave = std::ranges::any_of(command.arguments,
                                                   [](const auto& argument) { return argument.key == "autoleave"; })};
      return config_.to_string() + "\n";
    }
    const ConfigChange change = change_of(command);
    ConfigChange read_change;
    EXPECT_TRUE(decode(encode(change), read_change));
    EXPECT_EQ(read_change, change);
    const Result<Config> next = changed(config_, change);
    if (!next.ok()) {
      return fmt::format("refused: {}\n", next.status().message());
    }
    config_ = *next;
    Config read_config;
    EXPECT_TRUE(decode(encode(config_), read_config)) << config_.to_string();
    EXPECT_EQ(read_config, config_);
    return config_.to_string() + "\n";
  }

 private:
  Config config_;
};

class ConfigTest : public testing::TestWithParam<std::string> {};

TEST_P(ConfigTest, Runs) {
  ConfigStory story;
  test::run_datadriven(GetParam(), [&](const Command& command) { return story.run(command); });
}

std::string config_story_name(const testing::TestParamInfo<std::string>& info) {
  const std::size_t begin = info.param.rfind('/') + 1;
  return info.param.substr(begin, info.param.rfind('.') - begin);
}

INSTANTIATE_TEST_SUITE_P(Configs, ConfigTest,
                         testing::ValuesIn(test::testdata_files("src/consensus/raft/testdata_config")),
                         config_story_name);

}  // namespace
}  // namespace pando::raft
