#pragma once

// TemporaryDirectory: an empty directory for one test, removed at its end.

#include <cstdlib>
#include <filesystem>

#include "base/assert.h"
#include "base/bytes.h"

namespace pando::test {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    Bytes pattern = (std::filesystem::temp_directory_path() / "pando_test_XXXXXX").string();
    PANDO_ASSERT(::mkdtemp(pattern.data()) != nullptr, "no temporary directory can be made");
    path_ = pattern;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const Bytes& path() const { return path_; }

 private:
  Bytes path_;
};

}  // namespace pando::test
