#pragma once

// The subcommands of `pando`: each takes the words after its name and returns the process's exit code.
// Thread-safety: the main thread.

#include <span>
#include <string>

namespace pando::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

using Words = std::span<const std::string>;

int run_start(Words words);
int run_sql(Words words);
int run_version(Words words);
int print_usage(int exit_code);

// The value of "--name value" or "--name=value" at `at`, which is moved past it; false when words[at] is not that flag.
// A flag without its value gives an empty one.
bool take_flag(Words words, std::size_t& at, const std::string& name, std::string& value);

}  // namespace pando::cli
