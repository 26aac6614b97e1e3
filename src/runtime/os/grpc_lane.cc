#include "runtime/os/grpc_lane.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/os/grpc_channel.h"

namespace pando::runtime {

// One life of a lane's stream: call, hello, welcome, frames.
class Lane::Stream : public std::enable_shared_from_this<Lane::Stream> {
 public:
  explicit Stream(std::shared_ptr<Lane> lane) : lane_(std::move(lane)) {}

  void start() {
    const LaneSetting& setting = lane_->setting_;
    channel_ = make_channel(lane_->address_, setting.credentials, setting.options);
    stub_ = std::make_unique<grpc::GenericStub>(channel_);
    call_ = stub_->PrepareCall(&context_, kStreamMethod, setting.loop.queue());
    greeting_alarm_.Set(setting.loop.queue(), deadline_after(setting.options.greeting_timeout),
                        greeting_.arm(shared_from_this()));
    call_->StartCall(start_.arm(shared_from_this()));
  }

  // Any thread; at most one at a time.
  void write(std::vector<Bytes> frame) {
    lane_->setting_.loop.begin(write_.tag(), [&] { start_write(std::move(frame)); });
  }

  void cancel() { context_.TryCancel(); }

 private:
  void on_started(bool ok) {
    if (!ok) {
      finish();
      return;
    }
    call_->Write(to_buffer(encode(lane_->hello_)), write_.arm(shared_from_this()));
    call_->Read(&received_, read_.arm(shared_from_this()));
  }

  void start_write(std::vector<Bytes> frame) {
    call_->Write(to_buffer(std::move(frame)), write_.arm(shared_from_this()));
  }

  // On the thread that wrote, or the loop's.
  void on_written(bool ok) {
    // A write that failed means a stream that ended, which the read is told of.
    if (!ok) {
      return;
    }
    if (!greeted_) {
      greeted_ = true;
      open_when_greeted();
      return;
    }
    std::vector<Bytes> frame;
    if (lane_->next_frame(*this, frame)) {
      // The thread that wrote has other things to do: its end is the loop's.
      start_write(std::move(frame));
    }
  }

  void on_read(bool ok) {
    if (!ok) {
      finish();
      return;
    }
    grpc::Slice slice;
    const Result<Welcome> welcome =
        flatten(received_, slice) ? decode_welcome(view_of(slice)) : Status(sql_state::kProtocolViolation, "no frame");
    if (welcomed_ || !accept(welcome)) {
      cancel();
    } else {
      welcomed_ = true;
      open_when_greeted();
    }
    call_->Read(&received_, read_.arm(shared_from_this()));
  }

  // The welcome may be seen before the end of the write that it answers.
  void open_when_greeted() {
    if (greeted_ && welcomed_) {
      greeting_alarm_.Cancel();
      lane_->opened(shared_from_this());
    }
  }

  bool accept(const Result<Welcome>& welcome) {
    if (!welcome.ok()) {
      why_ = welcome.status().message();
    } else if (!welcome->refusal.empty()) {
      why_ = fmt::format("refused: {}", welcome->refusal);
    } else if (welcome->node != lane_->hello_.to) {
      why_ = fmt::format("it is node {}", welcome->node.number());
    }
    return why_.empty();
  }

  void on_greeting_late(bool fired) {
    if (fired && !welcomed_) {
      why_ = why_.empty() ? "no greeting in time" : why_;
      cancel();
    }
  }

  void finish() {
    greeting_alarm_.Cancel();
    call_->Finish(&status_, finish_.arm(shared_from_this()));
  }
  void on_finished(bool) { lane_->broken(*this, why_.empty() ? status_.error_message() : why_); }

  const std::shared_ptr<Lane> lane_;
  const GrpcLoop::Guest guest_{lane_->setting_.loop};
  grpc::ClientContext context_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::GenericStub> stub_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  grpc::ByteBuffer received_;
  grpc::Status status_;
  bool greeted_ = false;
  bool welcomed_ = false;
  std::string why_;
  grpc::Alarm greeting_alarm_;
  Operation<Stream> start_{&Stream::on_started};
  Operation<Stream> write_{&Stream::on_written};
  Operation<Stream> read_{&Stream::on_read};
  Operation<Stream> greeting_{&Stream::on_greeting_late};
  Operation<Stream> finish_{&Stream::on_finished};
};

// --- Lane ---

Lane::Lane(LaneSetting setting, Hello hello, std::string address, Changed changed)
    : setting_(std::move(setting)),
      hello_(std::move(hello)),
      address_(std::move(address)),
      changed_(std::move(changed)),
      backoff_(setting_.options.backoff_min) {}

void Lane::connect() {
  if (closed_ || stream_ != nullptr) {
    return;
  }
  stream_ = std::make_shared<Stream>(shared_from_this());
  stream_->start();
}

void Lane::nudge() {
  if (alarm_operation_.armed()) {
    backoff_ = setting_.options.backoff_min;
    alarm_.Cancel();
  }
}

// Also when the alarm was cancelled: by nudge(), to connect now, or by close().
void Lane::on_alarm(bool) { connect(); }

void Lane::close() {
  closed_ = true;
  alarm_.Cancel();
  if (stream_ != nullptr) {
    stream_->cancel();
  }
}

void Lane::opened(std::shared_ptr<Stream> stream) {
  if (closed_) {
    return;
  }
  backoff_ = setting_.options.backoff_min;
  last_complaint_.clear();
  {
    MutexLock lock(mutex_);
    writer_ = std::move(stream);
    writing_ = false;
  }
  open_.store(true, std::memory_order_release);
  changed_();
}

void Lane::broken(const Stream& stream, const std::string& why) {
  PANDO_ASSERT(stream_.get() == &stream, "a stream of another life");
  const bool was_open = open_.exchange(false, std::memory_order_acq_rel);
  std::shared_ptr<Stream> released;
  std::deque<Bytes> lost;
  {
    MutexLock lock(mutex_);
    released.swap(writer_);
    lost.swap(queue_);
    queued_bytes_ = 0;
  }
  stream_.reset();
  if (closed_) {
    return;
  }
  // Once, and not again while the reason stays the same.
  if (why != last_complaint_ && hello_.channel == Channel::kConsensus) {
    last_complaint_ = why;
    setting_.log(fmt::format("{} node {} at {}: {}", was_open ? "lost the connection to" : "cannot connect to",
                             hello_.to.number(), address_, why));
  }
  if (was_open) {
    changed_();
  }
  alarm_.Set(setting_.loop.queue(), deadline_after(backoff_), alarm_operation_.arm(shared_from_this()));
  backoff_ = std::min(backoff_ * 2, setting_.options.backoff_max);
}

bool Lane::send(Bytes message) {
  {
    MutexLock lock(mutex_);
    // One message always fits, however large.
    if (writer_ == nullptr || (!queue_.empty() && queued_bytes_ + message.size() > setting_.options.queue_bytes_max)) {
      return false;
    }
    queued_bytes_ += message.size();
    queue_.push_back(std::move(message));
    if (writing_) {
      return true;
    }
  }
  // What consensus has to say it says in one message, and the turn may go on for long.
  if (hello_.channel != Channel::kRequests || !Turn::at_end(shared_from_this())) {
    flush();
  }
  return true;
}

void Lane::flush() {
  std::shared_ptr<Stream> stream;
  std::vector<Bytes> frame;
  {
    MutexLock lock(mutex_);
    if (writer_ == nullptr || writing_ || queue_.empty()) {
      return;
    }
    writing_ = true;
    take_frame(frame);
    stream = writer_;
  }
  stream->write(std::move(frame));
}

bool Lane::next_frame(const Stream& stream, std::vector<Bytes>& frame) {
  MutexLock lock(mutex_);
  if (writer_.get() != &stream) {
    return false;
  }
  if (queue_.empty()) {
    writing_ = false;
    return false;
  }
  take_frame(frame);
  return true;
}

void Lane::take_frame(std::vector<Bytes>& frame) {
  MessageFrame messages;
  do {
    queued_bytes_ -= queue_.front().size();
    messages.add(std::move(queue_.front()));
    queue_.pop_front();
  } while (!queue_.empty() && messages.bytes() + queue_.front().size() <= setting_.options.frame_bytes_max);
  frame = messages.take();
}

}  // namespace pando::runtime
