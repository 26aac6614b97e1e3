#include "runtime/os/grpc_incoming.h"

#include "runtime/os/grpc_channel.h"

namespace pando::runtime {

// --- Acceptor ---

void Acceptor::accept() {
  call_ = std::make_unique<ServerCall>();
  service_.RequestCall(&call_->context, &call_->stream, &queue_, &queue_, arrived_.arm(shared_from_this()));
}

void Acceptor::on_arrived(bool ok) {
  if (!ok) {
    return;
  }
  std::unique_ptr<ServerCall> arrived = std::move(call_);
  accept();
  const std::string& method = arrived->context.method();
  if (method == kStreamMethod) {
    std::make_shared<IncomingStream>(host_, std::move(arrived))->start();
  } else {
    std::make_shared<IncomingCall>(host_, std::move(arrived))->start();
  }
}

// --- IncomingStream ---

void IncomingStream::start() {
  greeting_alarm_.Set(host_->loop().queue(), deadline_after(host_->greeting_timeout()),
                      greeting_.arm(shared_from_this()));
  read();
}

void IncomingStream::read() { call_->stream.Read(&received_, read_.arm(shared_from_this())); }

void IncomingStream::cancel() {
  cancelled_ = true;
  call_->context.TryCancel();
}

void IncomingStream::on_greeting_late(bool fired) {
  if (fired && !greeted_ && !refused_) {
    cancel();
  }
}

void IncomingStream::on_read(bool ok) {
  if (!ok || cancelled_) {
    greeting_alarm_.Cancel();
    host_->closed(*this);
    finish(grpc::Status::OK);
    return;
  }
  grpc::Slice slice;
  if (!flatten(received_, slice)) {
    refuse(Status(sql_state::kProtocolViolation, "a frame that cannot be read"));
    return;
  }
  if (!greeted_) {
    greet(view_of(slice));
    return;
  }
  const Status status = decode_messages(view_of(slice), [this](ByteView message) { host_->deliver(hello_, message); });
  if (!status.ok()) {
    host_->closed(*this);
    refuse(status);
    return;
  }
  read();
}

void IncomingStream::greet(ByteView frame) {
  greeting_alarm_.Cancel();
  Result<Hello> hello = decode_hello(frame);
  if (!hello.ok()) {
    refuse(hello.status());
    return;
  }
  hello_ = *std::move(hello);
  if (const Status status = host_->admit(hello_, certificate_name(call_->context)); !status.ok()) {
    refuse(status);
    return;
  }
  greeted_ = true;
  const NodeIdentity identity = host_->identity();
  call_->stream.Write(to_buffer(encode(Welcome{.node = identity.node, .incarnation = identity.incarnation})),
                      write_.arm(shared_from_this()));
  host_->opened(shared_from_this());
  read();
}

void IncomingStream::refuse(const Status& why) {
  refused_ = true;
  host_->refused(call_->context.peer(), why);
  const std::string text(why.message());
  const grpc::Status status(grpc::StatusCode::FAILED_PRECONDITION, text);
  if (greeted_) {
    finish(status);
    return;
  }
  call_->stream.WriteAndFinish(to_buffer(encode(Welcome{.refusal = text})), grpc::WriteOptions(), status,
                               finish_.arm(shared_from_this()));
}

void IncomingStream::on_written(bool) {
  if (ending_) {
    call_->stream.Finish(*ending_, finish_.arm(shared_from_this()));
  }
}

void IncomingStream::finish(grpc::Status status) {
  if (write_.armed()) {
    ending_ = std::move(status);
    return;
  }
  call_->stream.Finish(status, finish_.arm(shared_from_this()));
}

// --- IncomingCall ---

void IncomingCall::on_read(bool ok) {
  if (!ok) {
    call_->stream.Finish(grpc::Status::CANCELLED, finish_.arm(shared_from_this()));
    return;
  }
  if (call_->context.method() != kCallMethod) {
    call_->stream.Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "no such method"),
                         finish_.arm(shared_from_this()));
    return;
  }
  grpc::Slice slice;
  Result<AdministrationCall> call =
      flatten(received_, slice) ? decode_call(view_of(slice)) : Status(sql_state::kProtocolViolation, "no frame");
  if (call.ok()) {
    if (const Status status = host_->admit_call(certificate_name(call_->context)); !status.ok()) {
      call = status;
    }
  }
  if (!call.ok()) {
    host_->refused(call_->context.peer(), call.status());
    reply(call.status());
    return;
  }
  host_->handle(*std::move(call), [self = shared_from_this()](const Result<Bytes>& result) { self->reply(result); });
}

void IncomingCall::reply(const Result<Bytes>& result) {
  call_->stream.WriteAndFinish(to_buffer(encode(result)), grpc::WriteOptions(), grpc::Status::OK,
                               finish_.arm(shared_from_this()));
}

}  // namespace pando::runtime
