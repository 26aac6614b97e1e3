#include "kv/bulk_writes.h"

#include <algorithm>

namespace pando::kv {
namespace {

using txn::WriteBuffer;
using Mark = BulkWrites::Mark;

// Of a run, when it is cut into pieces.
constexpr std::size_t kSamplesPerRun = 16;

bool before_end(ByteView key, ByteView end) { return end.empty() || key < end; }

// One layer's writes in a span, each key once.
class LayerWalk {
 public:
  virtual ~LayerWalk() = default;
  bool valid() const { return valid_; }
  // REQUIRES: valid(), for both. Borrowed until step().
  const WriteBuffer::Write& write() const { return write_; }
  virtual void step() = 0;
  virtual Status status() const = 0;

 protected:
  bool valid_ = false;
  WriteBuffer::Write write_;
};

class BufferWalk final : public LayerWalk {
 public:
  BufferWalk(WriteBuffer::Walk walk, std::shared_ptr<const WriteBuffer> owner)
      : owner_(std::move(owner)), walk_(std::move(walk)) {
    load();
  }
  void step() override {
    walk_.step();
    load();
  }
  Status status() const override { return {}; }

 private:
  void load() {
    valid_ = walk_.valid();
    if (valid_) {
      write_ = walk_.write();
    }
  }

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
  void step() override {
    if (reverse_) {
      iterator_->seek_before(key_);
    } else {
      skip_key();
    }
    settle();
  }
  Status status() const override { return status_; }

 private:
  // Goes on to the next key with a write that counts. The iterator is at the latest write of a key.
  void settle() {
    while (iterator_->valid() && inside(iterator_->key())) {
      key_.assign(iterator_->key());
      for (; iterator_->valid() && iterator_->key() == key_; iterator_->next()) {
        if (const storage::RunWrite write = iterator_->write(); write.number <= limit_) {
          write_ = {key_, write.value};
          valid_ = true;
          return;
        }
      }
      if (reverse_) {
        iterator_->seek_before(key_);
      }
    }
    valid_ = false;
    status_ = iterator_->status();
  }
  void skip_key() {
    do {
      iterator_->next();
    } while (iterator_->valid() && iterator_->key() == key_);
  }
  bool inside(ByteView key) const { return reverse_ ? key >= span_.start : before_end(key, span_.end); }

  const std::shared_ptr<storage::SortedRun> run_;
  const Mark limit_;
  const txn::Span span_;
  const bool reverse_;
  const std::unique_ptr<storage::RunIterator> iterator_;
  Bytes key_;
  Status status_;
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
    if (next_ != nullptr && next_->write().key == current_->write().key) {
      step_all(Bytes(current_->write().key));
      return;
    }
    current_->step();
    if (!current_->valid() || (next_ != nullptr && !comes_before(current_->write().key, next_->write().key))) {
      choose();
    }
  }
  Status status() const override { return status_; }

 private:
  // The layers that have `key`.
  void step_all(const Bytes& key) {
    for (const auto& layer : layers_) {
      if (layer->valid() && layer->write().key == key) {
        layer->step();
      }
    }
    choose();
  }

  // Finds the layer with the first key, and the one after it, up to whose key the first can go on unasked.
  void choose() {
    current_ = nullptr;
    next_ = nullptr;
    for (const auto& layer : layers_) {
      if (Status status = layer->status(); !status.ok()) {
        status_ = std::move(status);
        current_ = nullptr;
        return;
      }
      if (!layer->valid()) {
        continue;
      }
      if (current_ == nullptr) {
        current_ = layer.get();
      } else if (comes_before(layer->write().key, current_->write().key)) {
        next_ = std::exchange(current_, layer.get());
      } else if (next_ == nullptr || comes_before(layer->write().key, next_->write().key)) {
        next_ = layer.get();
      }
    }
  }
  bool comes_before(ByteView a, ByteView b) const { return reverse_ ? b < a : a < b; }

  const std::vector<std::unique_ptr<LayerWalk>> layers_;
  const bool reverse_;
  LayerWalk* current_ = nullptr;
  LayerWalk* next_ = nullptr;
  Status status_;
};

}  // namespace

// A run of a transaction's, whose file goes with it unless a commit has taken it.
class BulkWrites::Run {
 public:
  explicit Run(RunFiles& files) : files_(files) {}
  ~Run() {
    if (run_ != nullptr && !released_) {
      files_.remove(run_->id());
    }
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // To be called once.
  Status write(const WriteBuffer& buffer) {
    PANDO_ASSIGN(const auto writer, files_.store().create(files_.next_id()));
    ByteView largest;
    PANDO_TRY(buffer.visit_history([&](const WriteBuffer::Write& write, Mark mark) {
      if (keys_ == 0) {
        smallest_.assign(write.key);
      }
      keys_ += keys_ == 0 || write.key != largest ? 1 : 0;
      largest = write.key;
      return writer->add(write.key, mark, write.value);
    }));
    largest_.assign(largest);
    PANDO_ASSIGN(run_, writer->finish());
    return {};
  }
  void release() { released_ = true; }

  const std::shared_ptr<storage::SortedRun>& run() const { return run_; }
  std::size_t keys() const { return keys_; }
  const Bytes& largest() const { return largest_; }
  bool has_room_for(ByteView key) const { return key >= smallest_ && key <= largest_; }
  bool overlaps(ByteView start, ByteView end) const { return largest_ >= start && before_end(smallest_, end); }

 private:
  RunFiles& files_;
  std::shared_ptr<storage::SortedRun> run_;
  std::size_t keys_ = 0;
  // Of its keys.
  Bytes smallest_;
  Bytes largest_;
  bool released_ = false;
};

// A buffer on its way into a run. The background keeps it alive when the transaction ends.
struct BulkWrites::Spill {
  Spill(std::shared_ptr<WriteBuffer> from, const Options& options)
      : buffer(std::move(from)), run(std::make_shared<Run>(options.files)), written(options.executor) {}

  const std::shared_ptr<WriteBuffer> buffer;
  const std::shared_ptr<Run> run;
  Status status;
  runtime::Event written;
};

BulkWrites::BulkWrites(std::shared_ptr<WriteBuffer> first, Options options) : options_(options) {
  activate(first->last());
  layers_.push_back({.buffer = std::move(first), .run = nullptr, .base = 0, .limit = active_base_});
}

BulkWrites::~BulkWrites() = default;

void BulkWrites::rollback_to(Mark mark) {
  while (!layers_.empty() && layers_.back().base >= mark) {
    layers_.pop_back();
  }
  if (mark >= active_base_) {
    active_->rollback_to(mark);
    return;
  }
  activate(mark);
  if (!layers_.empty()) {
    layers_.back().limit = std::min(layers_.back().limit, mark);
  }
}

bool BulkWrites::empty() const {
  return active_->empty() && std::ranges::all_of(layers_, [](const Layer& layer) { return layer.limit <= layer.base; });
}

Result<std::optional<std::optional<Bytes>>> BulkWrites::find(ByteView key, Mark mark) {
  using Found = std::optional<std::optional<Bytes>>;
  const auto found_in = [](const WriteBuffer::Write& write) {
    return Found(std::in_place, write.value.has_value() ? std::optional<Bytes>(*write.value) : std::nullopt);
  };
  if (const auto write = active_->find(key, mark)) {
    return found_in(*write);
  }
  const bool beyond_runs = key > largest_run_key_;
  for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
    const Mark limit = std::min(layer->limit, mark);
    if (limit <= layer->base || (beyond_runs && layer->run != nullptr)) {
      continue;
    }
    if (layer->run == nullptr) {
      if (const auto write = layer->buffer->find(key, limit)) {
        return found_in(*write);
      }
    } else if (layer->run->has_room_for(key)) {
      std::optional<Bytes> value;
      PANDO_ASSIGN(const bool found, layer->run->run()->get(key, limit, value));
      if (found) {
        return Found(std::in_place, std::move(value));
      }
    }
  }
  return Found();
}

bool BulkWrites::touches(Mark mark, ByteView start, ByteView end) const {
  return active_->touches(mark, start, end) || std::ranges::any_of(layers_, [&](const Layer& layer) {
           const Mark limit = std::min(layer.limit, mark);
           return limit > layer.base &&
                  (layer.run == nullptr ? layer.buffer->touches(limit, start, end) : layer.run->overlaps(start, end));
         });
}

std::unique_ptr<txn::OverlayWalk> BulkWrites::walk(Mark mark, const txn::Span& span, bool reverse) const {
  std::vector<std::unique_ptr<LayerWalk>> walks;
  const auto add_buffer = [&](std::shared_ptr<const WriteBuffer> buffer, Mark limit) {
    WriteBuffer::Walk walk(*buffer, limit, span.start, span.end, reverse);
    walks.push_back(std::make_unique<BufferWalk>(std::move(walk), std::move(buffer)));
  };
  add_buffer(active_, mark);
  for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
    const Mark limit = std::min(layer->limit, mark);
    if (limit <= layer->base) {
      continue;
    }
    if (layer->run == nullptr) {
      add_buffer(layer->buffer, limit);
    } else if (layer->run->overlaps(span.start, span.end)) {
      walks.push_back(std::make_unique<RunWalk>(layer->run->run(), limit, span, reverse));
    }
  }
  return std::make_unique<LayeredWalk>(std::move(walks), reverse);
}

Result<std::optional<std::vector<Bytes>>> BulkWrites::keys(std::size_t count_max) const {
  const auto has_too_many = [&](const Layer& layer) { return layer.run != nullptr && layer.run->keys() > count_max; };
  if (std::ranges::any_of(layers_, has_too_many)) {
    return std::optional<std::vector<Bytes>>();
  }
  std::vector<Bytes> keys;
  const auto all = walk(active_->last(), {}, false);
  for (; all->valid() && keys.size() <= count_max; all->step()) {
    keys.emplace_back(all->write().key);
  }
  PANDO_TRY(all->status());
  return keys.size() <= count_max ? std::optional(std::move(keys)) : std::nullopt;
}

Task<void> BulkWrites::write_run(std::shared_ptr<Spill> spill) {
  spill->status = spill->run->write(*spill->buffer);
  spill->written.set();
  co_return;
}

void BulkWrites::activate(Mark mark) {
  active_ = spare_ != nullptr ? std::exchange(spare_, nullptr) : std::make_shared<WriteBuffer>();
  active_->reset(mark);
  active_base_ = mark;
}

void BulkWrites::freeze() {
  if (active_->empty()) {
    return;
  }
  layers_.push_back({.buffer = active_, .run = nullptr, .base = active_base_, .limit = active_->last()});
  activate(active_->last());
}

Task<bool> BulkWrites::start_spill() {
  const auto layer = std::ranges::find_if(layers_, [](const Layer& each) { return each.run == nullptr; });
  if (layer == layers_.end()) {
    co_return false;
  }
  spill_ = std::make_shared<Spill>(layer->buffer, options_);
  if (options_.background != nullptr) {
    runtime::spawn(*options_.background, write_run(spill_));
  } else {
    co_await write_run(spill_);
  }
  co_return true;
}

Task<Status> BulkWrites::settle() {
  if (spill_ == nullptr) {
    co_return Status();
  }
  co_await spill_->written.wait();
  const auto spill = std::exchange(spill_, nullptr);
  PANDO_CO_TRY(std::move(spill->status));
  const auto layer = std::ranges::find(layers_, spill->buffer, &Layer::buffer);
  if (layer != layers_.end()) {
    layer->run = spill->run;
    layer->buffer = nullptr;
    largest_run_key_ = std::max(largest_run_key_, spill->run->largest());
  }
  // Neither the transaction nor a walk has it.
  if (spill->buffer.use_count() == 1) {
    spare_ = spill->buffer;
  }
  co_return Status();
}

Task<Status> BulkWrites::spill() {
  PANDO_CO_TRY(co_await settle());
  freeze();
  std::erase_if(layers_, [](const Layer& layer) { return layer.limit <= layer.base; });
  const bool started = co_await start_spill();
  co_return started&& options_.background == nullptr ? co_await settle() : Status();
}

Task<Result<std::vector<RunPart>>> BulkWrites::finish() {
  PANDO_CO_TRY(co_await spill());
  do {
    PANDO_CO_TRY(co_await settle());
  } while (co_await start_spill());
  std::vector<RunPart> parts;
  for (const Layer& layer : layers_) {
    parts.push_back({layer.run->run()->id(), layer.limit});
  }
  co_return parts;
}

void BulkWrites::release() {
  for (const Layer& layer : layers_) {
    layer.run->release();
  }
  layers_.clear();
}

Result<BulkContents> BulkContents::open(storage::RunStore& runs, const std::vector<RunPart>& parts) {
  BulkContents contents;
  for (const RunPart& part : parts) {
    PANDO_ASSIGN(std::shared_ptr<storage::SortedRun> run, runs.open(part.run));
    contents.layers_.push_back({std::move(run), part.limit});
  }
  return contents;
}

std::vector<txn::Span> BulkContents::split(const txn::Span& span, std::size_t pieces) const {
  // Each stands for the bytes of its run up to the next.
  std::vector<std::pair<Bytes, uint64_t>> samples;
  uint64_t total = 0;
  for (const Layer& layer : layers_) {
    const auto keys = layer.run->split_keys(kSamplesPerRun);
    for (const Bytes& key : keys) {
      if (key > span.start && before_end(key, span.end)) {
        samples.emplace_back(key, layer.run->bytes() / keys.size());
        total += samples.back().second;
      }
    }
  }
  std::ranges::sort(samples);
  std::vector<Bytes> cuts;
  uint64_t passed = 0;
  for (const auto& [key, bytes] : samples) {
    if (passed * pieces >= (cuts.size() + 1) * total && (cuts.empty() || key > cuts.back())) {
      cuts.push_back(key);
    }
    passed += bytes;
  }
  return txn::cut(span, cuts);
}

std::unique_ptr<txn::OverlayWalk> BulkContents::walk(const txn::Span& span) const {
  std::vector<std::unique_ptr<LayerWalk>> walks;
  for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
    walks.push_back(std::make_unique<RunWalk>(layer->run, layer->limit, span, false));
  }
  return std::make_unique<LayeredWalk>(std::move(walks), false);
}

}  // namespace pando::kv
