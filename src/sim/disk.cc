#include "sim/disk.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace pando::sim {

namespace {

constexpr std::size_t kSectorBytes = 512;
// When a machine goes down, each write that was not synced is lost, kept or torn; directory changes likewise.
constexpr double kLost = 0.5;
constexpr double kTorn = 0.3;
constexpr double kSectorKept = 0.5;
constexpr double kNamesKept = 0.5;
constexpr double kForgotten = 0.5;

}  // namespace

// One life of a process on the machine.
class MachineDisk::Process final : public runtime::Disk {
 public:
  explicit Process(MachineDisk& machine) : machine_(machine) {}

  Task<Result<std::unique_ptr<runtime::File>>> open(Bytes path, runtime::OpenMode mode) override;
  Task<Status> create_directory(Bytes path) override { co_return co_await operate(machine_.options_.write_ns); }
  Task<Result<std::vector<Bytes>>> list(Bytes directory) override;
  Task<Status> remove(Bytes path) override;
  Task<Status> rename(Bytes from, Bytes to) override;
  Task<Status> sync_directory(Bytes directory) override;

  // Takes a while, and longer while the disk is stalled. An error when the process is gone or the disk is broken.
  Task<Status> operate(uint64_t base_ns) {
    co_await Delay{*this, base_ns + machine_.world_.prng().below(base_ns * machine_.options_.variation + 1)};
    if (!alive_) {
      co_return Status(sql_state::kIoError, "the process is gone");
    }
    co_return Status();
  }
  Status readable() const {
    return machine_.options_.reads_fail && machine_.error_ ? Status(sql_state::kIoError, "the disk cannot be read")
                                                           : Status();
  }
  Status writable() const {
    if (machine_.error_) {
      machine_.world_.probe("disk error");
      return Status(sql_state::kIoError, "the disk reports an error");
    }
    if (machine_.full_) {
      machine_.world_.probe("disk full");
      return Status(sql_state::kDiskFull, "No space left on device");
    }
    return Status();
  }
  void die() {
    alive_ = false;
    for (auto& [id, handle] : std::exchange(waiting_, {})) {
      machine_.world_.post(handle);
    }
  }
  bool alive() const { return alive_; }
  MachineDisk& machine() { return machine_; }

 private:
  struct Delay {
    bool await_ready() const noexcept { return !process.alive_; }
    void await_suspend(std::coroutine_handle<> handle) {
      World& world = process.machine_.world_;
      const uint64_t id = ++process.serial_;
      process.waiting_.emplace(id, handle);
      const uint64_t start = std::max(world.now_ns(), process.machine_.stalled_until_ns_);
      if (start > world.now_ns()) {
        world.probe("disk stalled");
      }
      world.at(start + delay_ns, [&owner = process, id] {
        if (auto node = owner.waiting_.extract(id); !node.empty()) {
          node.mapped().resume();
        }
      });
    }
    void await_resume() const noexcept {}
    Process& process;
    uint64_t delay_ns;
  };

  MachineDisk& machine_;
  bool alive_ = true;
  uint64_t serial_ = 0;
  std::map<uint64_t, std::coroutine_handle<>> waiting_;
};

class MachineDisk::OpenFile final : public runtime::File {
 public:
  OpenFile(Process& process, std::shared_ptr<Inode> inode) : process_(process), inode_(std::move(inode)) {}

  Task<Result<Bytes>> read(uint64_t offset, std::size_t size) override {
    PANDO_CO_TRY(co_await process_.operate(process_.machine().options_.read_ns));
    PANDO_CO_TRY(process_.readable());
    const Bytes& content = inode_->cached;
    co_return offset >= content.size() ? Bytes() : content.substr(offset, size);
  }
  Task<Status> write(uint64_t offset, Bytes bytes) override {
    PANDO_CO_TRY(co_await process_.operate(process_.machine().options_.write_ns));
    PANDO_CO_TRY(process_.writable());
    co_return change({offset, std::move(bytes), false});
  }
  Task<Status> allocate(uint64_t size) override {
    PANDO_CO_TRY(co_await process_.operate(process_.machine().options_.write_ns));
    PANDO_CO_TRY(process_.writable());
    co_return inode_->cached.size() >= size ? Status() : change({size, {}, true});
  }
  Task<Status> truncate(uint64_t size) override {
    PANDO_CO_TRY(co_await process_.operate(process_.machine().options_.write_ns));
    co_return change({size, {}, true});
  }
  Task<Status> sync() override {
    const std::size_t covered = inode_->pending.size();
    PANDO_CO_TRY(co_await process_.operate(process_.machine().options_.sync_ns));
    const Status writable = process_.writable();
    if (!writable.ok() && !process_.machine().forgets()) {
      co_return writable;
    }
    // A later sync may have been faster.
    const std::size_t count = std::min(covered, inode_->pending.size());
    for (std::size_t i = 0; writable.ok() && i < count; ++i) {
      apply(inode_->pending[i], inode_->durable);
    }
    inode_->pending.erase(inode_->pending.begin(), inode_->pending.begin() + static_cast<std::ptrdiff_t>(count));
    co_return writable;
  }
  Task<Result<uint64_t>> size() override {
    PANDO_CO_TRY(co_await process_.operate(process_.machine().options_.read_ns));
    co_return inode_->cached.size();
  }

 private:
  Status change(PendingWrite write) {
    apply(write, inode_->cached);
    inode_->pending.push_back(std::move(write));
    return Status();
  }

  Process& process_;
  std::shared_ptr<Inode> inode_;
};

Task<Result<std::unique_ptr<runtime::File>>> MachineDisk::Process::open(Bytes path, runtime::OpenMode mode) {
  PANDO_CO_TRY(co_await operate(machine_.options_.read_ns));
  auto& names = machine_.names_;
  const auto found = names.find(path);
  if (found == names.end() && runtime::must_exist(mode)) {
    co_return Status(sql_state::kUndefinedFile, "could not open file \"{}\": No such file or directory", path);
  }
  if (found != names.end() && mode == runtime::OpenMode::kCreate) {
    co_return Status(sql_state::kIoError, "could not create file \"{}\": File exists", path);
  }
  if (found == names.end()) {
    PANDO_CO_TRY(writable());
    names[path] = std::make_shared<Inode>();
  }
  co_return std::unique_ptr<runtime::File>(std::make_unique<OpenFile>(*this, names[path]));
}

Task<Result<std::vector<Bytes>>> MachineDisk::Process::list(Bytes directory) {
  PANDO_CO_TRY(co_await operate(machine_.options_.read_ns));
  std::vector<Bytes> found;
  for (const auto& [path, inode] : machine_.names_) {
    if (path.starts_with(directory + "/")) {
      found.push_back(path.substr(directory.size() + 1));
    }
  }
  co_return found;
}

Task<Status> MachineDisk::Process::remove(Bytes path) {
  PANDO_CO_TRY(co_await operate(machine_.options_.write_ns));
  machine_.names_.erase(path);
  co_return Status();
}

Task<Status> MachineDisk::Process::rename(Bytes from, Bytes to) {
  PANDO_CO_TRY(co_await operate(machine_.options_.write_ns));
  auto node = machine_.names_.extract(from);
  if (node.empty()) {
    co_return Status(sql_state::kUndefinedFile, "could not rename file \"{}\": No such file or directory", from);
  }
  machine_.names_[to] = node.mapped();
  co_return Status();
}

Task<Status> MachineDisk::Process::sync_directory(Bytes directory) {
  PANDO_CO_TRY(co_await operate(machine_.options_.sync_ns));
  PANDO_CO_TRY(writable());
  std::erase_if(machine_.durable_names_, [&](const auto& name) { return name.first.starts_with(directory + "/"); });
  for (const auto& [path, inode] : machine_.names_) {
    if (path.starts_with(directory + "/")) {
      machine_.durable_names_[path] = inode;
    }
  }
  co_return Status();
}

MachineDisk::MachineDisk(World& world, const DiskOptions& options) : world_(world), options_(options) {}
MachineDisk::~MachineDisk() = default;

runtime::Disk& MachineDisk::attach() {
  PANDO_ASSERT(processes_.empty() || !processes_.back()->alive(), "one process at a time uses the disk");
  processes_.push_back(std::make_unique<Process>(*this));
  return *processes_.back();
}

void MachineDisk::apply(const PendingWrite& write, Bytes& content) {
  if (write.resize) {
    content.resize(write.offset);
    return;
  }
  if (content.size() < write.offset + write.bytes.size()) {
    content.resize(write.offset + write.bytes.size());
  }
  content.replace(write.offset, write.bytes.size(), write.bytes);
}

bool MachineDisk::forgets() {
  const bool forgets = world_.prng().chance(kForgotten);
  if (forgets) {
    world_.probe("disk forgot what a sync failed to write");
  }
  return forgets;
}

void MachineDisk::lose_unsynced(Inode& inode) {
  for (PendingWrite& write : std::exchange(inode.pending, {})) {
    const double luck = world_.prng().fraction();
    if (luck < kLost) {
      world_.probe("disk lost unsynced write");
      continue;
    }
    if (luck >= kLost + kTorn || write.resize) {
      apply(write, inode.durable);
      continue;
    }
    world_.probe("disk tore unsynced write");
    for (std::size_t at = 0; at < write.bytes.size(); at += kSectorBytes) {
      if (world_.prng().chance(kSectorKept)) {
        apply({write.offset + at, write.bytes.substr(at, kSectorBytes), false}, inode.durable);
      }
    }
  }
  inode.cached = inode.durable;
}

void MachineDisk::crash() {
  if (!processes_.empty()) {
    processes_.back()->die();
  }
  if (!world_.prng().chance(kNamesKept)) {
    names_ = durable_names_;
  }
  durable_names_ = names_;
  for (auto& [path, inode] : names_) {
    lose_unsynced(*inode);
  }
}

void MachineDisk::heal() {
  stalled_until_ns_ = 0;
  error_ = false;
  full_ = false;
}

bool MachineDisk::flip_bit() {
  std::vector<Inode*> candidates;
  for (auto& [path, inode] : names_) {
    if (inode->durable.size() > kSectorBytes) {
      candidates.push_back(inode.get());
    }
  }
  if (candidates.empty()) {
    return false;
  }
  Inode& inode = *candidates[world_.prng().below(candidates.size())];
  const std::size_t place = world_.prng().below(inode.durable.size() / 2);
  const auto flipped = static_cast<char>(inode.durable[place] ^ static_cast<char>(1 << world_.prng().below(8)));
  inode.durable[place] = flipped;
  inode.cached = inode.durable;
  world_.probe("disk flipped a bit");
  return true;
}

void MachineDisk::erase_everything() {
  names_.clear();
  durable_names_.clear();
}

}  // namespace pando::sim
