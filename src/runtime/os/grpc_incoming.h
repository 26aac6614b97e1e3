#pragma once

// The server's end: streams that peers open, and calls of administration. All on the loop's thread, except replies.

#include <functional>
#include <memory>

#include <grpcpp/generic/async_generic_service.h>

#include "runtime/os/grpc_loop.h"
#include "runtime/peer_network.h"
#include "runtime/transport_codec.h"

namespace pando::runtime {

class IncomingStream;

// Whom they work for.
class IncomingHost {
 public:
  virtual ~IncomingHost() = default;
  virtual GrpcLoop& loop() = 0;
  virtual std::chrono::milliseconds greeting_timeout() const = 0;
  // OK lets the peer in. `name`: that of its certificate, empty without TLS.
  virtual Status admit(const Hello& hello, const std::string& name) = 0;
  virtual Status admit_call(const std::string& name) = 0;
  virtual NodeIdentity identity() const = 0;
  virtual void opened(const std::shared_ptr<IncomingStream>& stream) = 0;
  virtual void closed(const IncomingStream& stream) = 0;
  virtual void deliver(const Hello& from, ByteView message) = 0;
  virtual void refused(const std::string& peer, const Status& why) = 0;
  virtual void handle(AdministrationCall call, Administration::Reply reply) = 0;
};

// What gRPC fills in when a call arrives.
struct ServerCall {
  grpc::GenericServerContext context;
  grpc::GenericServerAsyncReaderWriter stream{&context};
};

// Waits for the next call, and for the one after it, until the server shuts down.
class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(std::shared_ptr<IncomingHost> host, grpc::AsyncGenericService& service, grpc::ServerCompletionQueue& queue)
      : host_(std::move(host)), service_(service), queue_(queue) {}
  void accept();

 private:
  void on_arrived(bool ok);

  const std::shared_ptr<IncomingHost> host_;
  const GrpcLoop::Guest guest_{host_->loop()};
  grpc::AsyncGenericService& service_;
  grpc::ServerCompletionQueue& queue_;
  std::unique_ptr<ServerCall> call_;
  Operation<Acceptor> arrived_{&Acceptor::on_arrived};
};

class IncomingStream : public std::enable_shared_from_this<IncomingStream> {
 public:
  IncomingStream(std::shared_ptr<IncomingHost> host, std::unique_ptr<ServerCall> call)
      : host_(std::move(host)), call_(std::move(call)) {}
  void start();
  // Nothing that it still receives is delivered.
  void cancel();
  const Hello& hello() const { return hello_; }

 private:
  void on_read(bool ok);
  void on_written(bool ok);
  void on_greeting_late(bool fired);
  void on_finished(bool) {}
  void greet(ByteView frame);
  void refuse(const Status& why);
  void read();
  void finish(grpc::Status status);

  const std::shared_ptr<IncomingHost> host_;
  const GrpcLoop::Guest guest_{host_->loop()};
  const std::unique_ptr<ServerCall> call_;
  grpc::ByteBuffer received_;
  Hello hello_;
  bool greeted_ = false;
  bool refused_ = false;
  bool cancelled_ = false;
  // Set when the stream shall end as soon as what is being written is.
  std::optional<grpc::Status> ending_;
  grpc::Alarm greeting_alarm_;
  Operation<IncomingStream> read_{&IncomingStream::on_read};
  Operation<IncomingStream> write_{&IncomingStream::on_written};
  Operation<IncomingStream> greeting_{&IncomingStream::on_greeting_late};
  Operation<IncomingStream> finish_{&IncomingStream::on_finished};
};

class IncomingCall : public std::enable_shared_from_this<IncomingCall> {
 public:
  IncomingCall(std::shared_ptr<IncomingHost> host, std::unique_ptr<ServerCall> call)
      : host_(std::move(host)), call_(std::move(call)) {}
  void start() { call_->stream.Read(&received_, read_.arm(shared_from_this())); }
  // Any thread, once.
  void reply(const Result<Bytes>& result);

 private:
  void on_read(bool ok);
  void on_finished(bool) {}

  const std::shared_ptr<IncomingHost> host_;
  const GrpcLoop::Guest guest_{host_->loop()};
  const std::unique_ptr<ServerCall> call_;
  grpc::ByteBuffer received_;
  Operation<IncomingCall> read_{&IncomingCall::on_read};
  Operation<IncomingCall> finish_{&IncomingCall::on_finished};
};

}  // namespace pando::runtime
