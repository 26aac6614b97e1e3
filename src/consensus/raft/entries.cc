#include "consensus/raft/entries.h"

#include <iterator>

#include "base/assert.h"

namespace pando::raft {

static_assert(alignof(Entry) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

Entries::Entries(std::vector<Entry> entries) {
  if (entries.empty()) {
    return;
  }
  EntryBlock block(entries.size(), 0);
  for (Entry& entry : entries) {
    block.add(std::move(entry));
  }
  *this = std::move(block).take();
}

void Entries::destroy(Block* block) {
  // Payloads in this block are no owners of it one by one.
  Entry* const entries = block->entries();
  for (uint32_t i = 0; block->outer && i < block->count; ++i) {
    if (entries[i].payload.block_ != &block->memory) {
      std::destroy_at(entries + i);
    }
  }
  Payload::release(&block->memory);
}

EntryBlock::EntryBlock(std::size_t entries_max, std::size_t bytes_max, uint32_t shares) : shares_(shares) {
  static_assert(sizeof(Entries::Block) % alignof(Entry) == 0);
  PANDO_ASSERT(entries_max <= UINT32_MAX, "the entries of a block fit into its count");
  const std::size_t head = sizeof(Entries::Block) + entries_max * sizeof(Entry);
  block_ = new (::operator new(head + bytes_max)) Entries::Block();
  block_->owners.store(1 + shares, std::memory_order_relaxed);
  block_->capacity = static_cast<uint32_t>(entries_max);
  next_byte_ = reinterpret_cast<char*>(block_) + head;
  end_ = next_byte_ + bytes_max;
}

Entries EntryBlock::take() && {
  PANDO_ASSERT(shares_ == 0, "whoever takes a block is its only owner");
  Entries::Block* const block = std::exchange(block_, nullptr);
  return {block, block->entries(), block->count};
}

}  // namespace pando::raft
