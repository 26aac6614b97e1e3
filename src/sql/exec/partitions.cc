#include "sql/exec/partitions.h"

#include <numeric>

namespace pando::sql::exec {

Task<Status> Partitions::append(const types::Chunk& rows, const RowKeys& keys) {
  std::vector<uint32_t> all(rows.rows);
  std::iota(all.begin(), all.end(), 0U);
  co_return co_await append(rows, keys, all);
}

Task<Status> Partitions::append(const types::Chunk& rows, const RowKeys& keys, const std::vector<uint32_t>& selected) {
  std::array<std::vector<uint32_t>, kCount> split;
  for (const uint32_t row : selected) {
    split[of(keys.hash(row), level_)].push_back(row);
  }
  types::Chunk part;
  for (std::size_t i = 0; i < kCount; ++i) {
    if (split[i].empty()) {
      continue;
    }
    if (files_[i] == nullptr) {
      PANDO_CO_ASSIGN(files_[i], co_await SpillFile::create(runtime_));
    }
    part.rows = split[i].size();
    part.columns.resize(rows.columns.size());
    for (std::size_t column = 0; column < rows.columns.size(); ++column) {
      part.columns[column].gather(rows.columns[column], split[i].data(), split[i].size());
    }
    PANDO_CO_TRY(co_await files_[i]->append(part));
  }
  co_return Status();
}

Task<Status> Partitions::start_reading(std::size_t partition) {
  reading_ = partition;
  co_return files_[partition] == nullptr ? Status() : co_await files_[partition]->start_reading();
}

Task<Result<bool>> Partitions::read(types::Chunk& rows) {
  if (files_[reading_] == nullptr) {
    co_return false;
  }
  co_return co_await files_[reading_]->read(rows);
}

}  // namespace pando::sql::exec
