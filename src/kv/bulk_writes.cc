#include "kv/bulk_writes.h"

#include <algorithm>

namespace pando::kv {
namespace {

using txn::WriteBuffer;
using Mark = BulkWrites::Mark;

bool before_end(ByteView key, ByteView end) { return end.empty() || key < end; }

// One layer's writes in a span, each key once.
class LayerWalk {
 public:
  virtual ~LayerWalk() = default;
  virtual bool valid() const = 0;
  virtual WriteBuffer::Write write() const = 0;
  virtual void step() = 0;
  virtual Status status() const = 0;
};

class BufferWalk final : public LayerWalk {
 public:
  // `owner` keeps the buffer alive; null when something else does.
  BufferWalk(WriteBuffer::Walk walk, std::shared_ptr<const WriteBuffer> owner)
      : owner_(std::move(owner)), walk_(std::move(walk)) {}
  bool valid() const override { return walk_.valid(); }
  WriteBuffer::Write write() const override { return walk_.write(); }
  void step() override { walk_.step(); }
  Status status() const override { return {}; }

 private:
  const std::shared_ptr<const WriteBuffer> owner_;
  WriteBuffer::Walk walk_;
};

class RunWalk final : public LayerWalk {
 public:
  RunWalk(std::shared_ptr<storage::SortedRun> run, Mark limit, txn::Span span, bool reverse)
      : run_(std::move(run)), limit_(limit), span_(std::move(span)), reverse_(reverse), iterator_(run_->iterate()) {
    if (reverse_) {
      iterator_->seek_before(span_.end);
    } else if (!span_.start.empty()) {
      iterator_->seek(span_.start);
    }
    settle();
  }
  bool valid() const override { return valid_; }
  WriteBuffer::Write write() const override { return {key_, iterator_->write().value}; }
  void step() override {
    if (reverse_) {
      iterator_->seek_before(key_);
    } else {
      skip_key(key_);
    }
    settle();
  }
  Status status() const override { return iterator_->status(); }

 private:
  // Goes on to the next key with a write that counts. The iterator is at the latest write of a key.
  void settle() {
    while (iterator_->valid() && inside(iterator_->key())) {
      key_.assign(iterator_->key());
      for (; iterator_->valid() && iterator_->key() == key_; iterator_->next()) {
        if (iterator_->write().number <= limit_) {
          valid_ = true;
          return;
        }
      }
      if (reverse_) {
        iterator_->seek_before(key_);
      }
    }
    valid_ = false;
  }
  void skip_key(ByteView key) {
    while (iterator_->valid() && iterator_->key() == key) {
      iterator_->next();
    }
  }
  bool inside(ByteView key) const { return reverse_ ? key >= span_.start : before_end(key, span_.end); }

  const std::shared_ptr<storage::SortedRun> run_;
  const Mark limit_;
  const txn::Span span_;
  const bool reverse_;
  const std::unique_ptr<storage::RunIterator> iterator_;
  Bytes key_;
  bool valid_ = false;
};

// Layers merged; of a key that several have, the newest layer's write.
class LayeredWalk final : public txn::OverlayWalk {
 public:
  // From the newest.
  LayeredWalk(std::vector<std::unique_ptr<LayerWalk>> layers, bool reverse)
      : layers_(std::move(layers)), reverse_(reverse) {
    choose();
  }
  bool valid() const override { return current_ != nullptr; }
  WriteBuffer::Write write() const override { return current_->write(); }
  void step() override {
    const Bytes key(current_->write().key);
    for (const auto& layer : layers_) {
      if (layer->valid() && layer->write().key == key) {
        layer->step();
      }
    }
    choose();
  }
  Status status() const override { return status_; }

 private:
  void choose() {
    current_ = nullptr;
    for (const auto& layer : layers_) {
      if (Status status = layer->status(); !status.ok()) {
        status_ = std::move(status);
        current_ = nullptr;
        return;
      }
      if (layer->valid() && (current_ == nullptr || comes_before(layer->write().key, current_->write().key))) {
        current_ = layer.get();
      }
    }
  }
  bool comes_before(ByteView a, ByteView b) const { return reverse_ ? b < a : a < b; }

  const std::vector<std::unique_ptr<LayerWalk>> layers_;
  const bool reverse_;
  LayerWalk* current_ = nullptr;
  Status status_;
};

bool overlaps(ByteView smallest, ByteView largest, ByteView start, ByteView end) {
  return largest >= start && before_end(smallest, end);
}

}  // namespace

BulkWrites::BulkWrites(WriteBuffer& first, RunFiles& files, std::size_t buffer_bytes_max)
    : first_(first),
      files_(files),
      buffer_bytes_max_(buffer_bytes_max),
      active_(std::make_shared<WriteBuffer>(first.last())),
      active_base_(first.last()) {}

BulkWrites::~BulkWrites() {
  for (const Layer& layer : layers_) {
    remove_layer(layer);
  }
}

void BulkWrites::remove_layer(const Layer& layer) { files_.remove(layer.run->id()); }

void BulkWrites::rollback_to(Mark mark) {
  while (!layers_.empty() && layers_.back().base >= mark) {
    remove_layer(layers_.back());
    layers_.pop_back();
  }
  if (mark >= active_base_) {
    active_->rollback_to(mark);
    return;
  }
  active_ = std::make_shared<WriteBuffer>(mark);
  active_base_ = mark;
  if (layers_.empty()) {
    first_.rollback_to(mark);
  } else {
    layers_.back().limit = std::min(layers_.back().limit, mark);
  }
}

bool BulkWrites::empty() const {
  return first_.empty() && active_->empty() &&
         std::ranges::all_of(layers_, [](const Layer& layer) { return layer.limit <= layer.base; });
}

Result<std::optional<std::optional<Bytes>>> BulkWrites::find(ByteView key, Mark mark) {
  using Found = std::optional<std::optional<Bytes>>;
  const auto found_in = [](const WriteBuffer::Write& write) {
    return Found(std::in_place, write.value.has_value() ? std::optional<Bytes>(*write.value) : std::nullopt);
  };
  if (const auto write = active_->find(key, mark)) {
    return found_in(*write);
  }
  for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
    if (layer->base < mark && key >= layer->smallest && key <= layer->largest) {
      std::optional<Bytes> value;
      PANDO_ASSIGN(const bool found, layer->run->get(key, std::min(layer->limit, mark), value));
      if (found) {
        return Found(std::in_place, std::move(value));
      }
    }
  }
  const auto write = first_.find(key, mark);
  return write.has_value() ? found_in(*write) : Found();
}

bool BulkWrites::touches(Mark mark, ByteView start, ByteView end) const {
  return first_.touches(mark, start, end) || active_->touches(mark, start, end) ||
         std::ranges::any_of(layers_, [&](const Layer& layer) {
           return layer.base < mark && overlaps(layer.smallest, layer.largest, start, end);
         });
}

std::unique_ptr<txn::OverlayWalk> BulkWrites::walk(Mark mark, const txn::Span& span, bool reverse) const {
  std::vector<std::unique_ptr<LayerWalk>> walks;
  walks.push_back(
      std::make_unique<BufferWalk>(WriteBuffer::Walk(*active_, mark, span.start, span.end, reverse), active_));
  for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
    if (layer->base < mark && overlaps(layer->smallest, layer->largest, span.start, span.end)) {
      walks.push_back(std::make_unique<RunWalk>(layer->run, std::min(layer->limit, mark), span, reverse));
    }
  }
  walks.push_back(
      std::make_unique<BufferWalk>(WriteBuffer::Walk(first_, mark, span.start, span.end, reverse), nullptr));
  return std::make_unique<LayeredWalk>(std::move(walks), reverse);
}

Result<std::optional<std::vector<Bytes>>> BulkWrites::keys(std::size_t count_max) const {
  std::vector<Bytes> keys;
  const auto all = walk(active_->last(), {}, false);
  for (; all->valid() && keys.size() <= count_max; all->step()) {
    keys.emplace_back(all->write().key);
  }
  PANDO_TRY(all->status());
  return keys.size() <= count_max ? std::optional(std::move(keys)) : std::nullopt;
}

Result<BulkWrites::Layer> BulkWrites::write_run(const WriteBuffer& buffer, Mark base) {
  PANDO_ASSIGN(const auto writer, files_.store().create(files_.next_id()));
  Layer layer{.base = base, .limit = buffer.last()};
  bool first = true;
  PANDO_TRY(buffer.visit_history([&](const WriteBuffer::Write& write, Mark mark) {
    if (std::exchange(first, false)) {
      layer.smallest.assign(write.key);
    }
    layer.largest.assign(write.key);
    return writer->add(write.key, mark, write.value);
  }));
  PANDO_ASSIGN(layer.run, writer->finish());
  return layer;
}

Status BulkWrites::spill() {
  if (active_->empty()) {
    return {};
  }
  PANDO_ASSIGN(Layer layer, write_run(*active_, active_base_));
  layers_.push_back(std::move(layer));
  active_base_ = active_->last();
  active_ = std::make_shared<WriteBuffer>(active_base_);
  return {};
}

Result<std::vector<RunPart>> BulkWrites::finish() {
  PANDO_TRY(spill());
  if (!first_.empty()) {
    PANDO_ASSIGN(Layer oldest, write_run(first_, 0));
    layers_.insert(layers_.begin(), std::move(oldest));
  }
  std::vector<RunPart> parts;
  std::erase_if(layers_, [this](const Layer& layer) {
    const bool rolled_back = layer.limit <= layer.base;
    if (rolled_back) {
      remove_layer(layer);
    }
    return rolled_back;
  });
  for (const Layer& layer : layers_) {
    parts.push_back({layer.run->id(), layer.limit});
  }
  return parts;
}

void BulkWrites::release() { layers_.clear(); }

Result<std::unique_ptr<txn::OverlayWalk>> walk_runs(storage::RunStore& runs, const std::vector<RunPart>& parts,
                                                    const txn::Span& span) {
  std::vector<std::unique_ptr<LayerWalk>> walks;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    PANDO_ASSIGN(std::shared_ptr<storage::SortedRun> run, runs.open(part->run));
    walks.push_back(std::make_unique<RunWalk>(std::move(run), part->limit, span, false));
  }
  return std::unique_ptr<txn::OverlayWalk>(std::make_unique<LayeredWalk>(std::move(walks), false));
}

}  // namespace pando::kv
