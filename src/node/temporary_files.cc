#include "node/temporary_files.h"

namespace pando::node {

Task<Status> TemporaryFiles::open() {
  PANDO_CO_TRY(co_await disk_.create_directory(directory_));
  PANDO_CO_ASSIGN(const auto names, co_await disk_.list(directory_));
  for (const Bytes& name : names) {
    PANDO_CO_TRY(co_await disk_.remove(directory_ + "/" + name));
  }
  co_return Status();
}

// The name is removed at once: the file lives as long as it is open, and nothing is left behind however the process
// ends.
Task<Result<std::unique_ptr<runtime::File>>> TemporaryFiles::create() {
  const Bytes path = fmt::format("{}/spill-{}", directory_, next_.fetch_add(1));
  PANDO_CO_ASSIGN(auto file, co_await disk_.open(path, runtime::OpenMode::kCreate));
  PANDO_CO_TRY(co_await disk_.remove(path));
  co_return file;
}

}  // namespace pando::node
