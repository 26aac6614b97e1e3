// Runs testdata/settings.txt. Commands: set, set-local, reset, reset-all, show, begin, commit, rollback, savepoint,
// rollback-to, reports. Values stand in the input.

#include "session/session_settings.h"

#include <gtest/gtest.h>

#include "test/support/datadriven.h"

namespace pando::session {
namespace {

class SettingsStory {
 public:
  std::string run(const test::Command& command) {
    const std::string name = command.arguments.empty() ? "" : command.arguments.front().key;
    if (command.name == "set" || command.name == "set-local" || command.name == "set-at-connection") {
      const std::string value = command.input.substr(0, command.input.find('\n'));
      const SettingScope scope = command.name == "set-local" ? SettingScope::kTransaction : SettingScope::kSession;
      const SettingSource source =
          command.name == "set-at-connection" ? SettingSource::kConnection : SettingSource::kStatement;
      return result(settings_.set(name, value, scope, source), name);
    }
    if (command.name == "reset") {
      return result(settings_.reset(name, SettingScope::kSession), name);
    }
    if (command.name == "reset-all") {
      settings_.reset_all();
    } else if (command.name == "begin") {
      settings_.begin_transaction();
    } else if (command.name == "commit" || command.name == "rollback") {
      settings_.end_transaction(command.name == "commit");
    } else if (command.name == "savepoint") {
      savepoint_ = settings_.savepoint();
    } else if (command.name == "rollback-to") {
      settings_.rollback_to(savepoint_);
    } else if (command.name == "show") {
      return settings_.show(name).value_or("(none)");
    } else if (command.name == "reports") {
      std::string out;
      for (const auto& [setting, value] : settings_.take_reports()) {
        out += setting + "=" + value + "\n";
      }
      return out;
    }
    return "ok";
  }

 private:
  std::string result(const Status& status, const std::string& name) {
    if (status.ok()) {
      return settings_.show(name).value_or("(none)");
    }
    std::string out = status.to_string();
    out += status.fields().detail.empty() ? "" : "\nDETAIL: " + status.fields().detail;
    out += status.fields().hint.empty() ? "" : "\nHINT: " + status.fields().hint;
    return out;
  }

  SessionSettings settings_{nullptr};
  std::size_t savepoint_ = 0;
};

TEST(SessionSettings, Datadriven) {
  SettingsStory story;
  test::run_datadriven("src/session/testdata/settings.txt",
                       [&story](const test::Command& command) { return story.run(command); });
}

TEST(SessionSettings, ParsedValuesFollow) {
  SessionSettings settings(nullptr);
  ASSERT_TRUE(settings.set("work_mem", "64MB", SettingScope::kSession).ok());
  EXPECT_EQ(settings.values().work_mem_bytes, 64_MiB);
  ASSERT_TRUE(settings.set("statement_timeout", "2min", SettingScope::kSession).ok());
  EXPECT_EQ(settings.values().statement_timeout, std::chrono::minutes(2));
  ASSERT_TRUE(settings.set("search_path", "\"A b\", c", SettingScope::kSession).ok());
  EXPECT_EQ(settings.values().search_path, (std::vector<std::string>{"A b", "c"}));
  ASSERT_TRUE(settings.set("default_transaction_isolation", "SERIALIZABLE", SettingScope::kSession).ok());
  EXPECT_EQ(settings.values().default_isolation, IsolationLevel::kSerializable);
  ASSERT_TRUE(settings.set("DateStyle", "german", SettingScope::kSession).ok());
  EXPECT_EQ(settings.values().types.date_style, types::DateStyle::kGerman);
  EXPECT_EQ(settings.values().types.date_order, types::DateOrder::kDmy);
}

TEST(SettingDefinitions, AreSortedAndTheirDefaultsAreValid) {
  std::string last;
  for (const SettingDefinition& definition : all_settings()) {
    ASSERT_EQ(find_setting(definition.name), &definition) << definition.name;
    if (!definition.default_value.empty()) {
      EXPECT_TRUE(check_setting(definition, definition.default_value).ok()) << definition.name;
    }
  }
}

}  // namespace
}  // namespace pando::session
