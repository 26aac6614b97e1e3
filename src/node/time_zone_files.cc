#include "node/time_zone_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace pando::node {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDirectory = "/usr/share/zoneinfo";
constexpr std::string_view kMagic = "TZif";

Result<Bytes> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  Bytes bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in.good() && bytes.empty()) {
    return Status(sql_state::kUndefinedFile, "could not open time zone file \"{}\"", path.string());
  }
  return bytes;
}

// Other forms of the same zones, with leap seconds or as text.
bool is_duplicate_tree(const std::string& name) { return name.starts_with("right/") || name.starts_with("posix/"); }

}  // namespace

Result<Bytes> TimeZoneFiles::load(std::string_view name) {
  const bool leaves_directory = name.find("..") != std::string_view::npos || name.starts_with("/");
  if (leaves_directory) {
    return Status(sql_state::kUndefinedFile, "\"{}\" is not the name of a time zone", name);
  }
  return read_file(fs::path(kDirectory) / name);
}

std::vector<std::string> TimeZoneFiles::list_names() {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::recursive_directory_iterator it(kDirectory, error), end; !error && it != end; it.increment(error)) {
    // Links stay what they are called: Asia/Calcutta is a name of its own.
    const std::string name = it->path().lexically_relative(kDirectory).string();
    if (it->is_directory(error) || is_duplicate_tree(name)) {
      continue;
    }
    char magic[4] = {};
    std::ifstream(it->path(), std::ios::binary).read(magic, sizeof(magic));
    if (std::string_view(magic, sizeof(magic)) == kMagic) {
      names.push_back(name);
    }
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace pando::node
