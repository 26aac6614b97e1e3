#pragma once

// Which commit a simulation ran at, so that a failing seed can be told with the source that it fails on.

#include <string>

namespace pando::test {

// As `git describe` names what is checked out where this runs, with a mark for changes; "unknown" outside a checkout.
std::string describe_checkout();

}  // namespace pando::test
