#pragma once

// The subcommands of `pando`: each takes the words after its name and returns the process's exit code.
// Thread-safety: the main thread.

#include <span>
#include <string>

#include "base/status.h"

namespace pando::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

using Words = std::span<const std::string>;

int run_start(Words words);
int run_sql(Words words);
int run_check(Words words);
int run_version(Words words);
int run_init(Words words);
int run_node(Words words);
int run_cert(Words words);
int print_usage(int exit_code);
// Prints an error with its detail and hint; returns kExitFailure.
int print_error(const Status& status);

// The value of "--name value" or "--name=value" at `at`, which is moved past it; false when words[at] is not that flag.
// A flag without its value gives an empty one.
bool take_flag(Words words, std::size_t& at, const std::string& name, std::string& value);
// "--name" without a value.
bool take_switch(Words words, std::size_t& at, const std::string& name, bool& value);

}  // namespace pando::cli
