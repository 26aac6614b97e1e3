#include "runtime/os/grpc_transport.h"

#include <array>
#include <atomic>
#include <deque>
#include <map>

#include <absl/synchronization/mutex.h>
#include <fmt/format.h>

#include "base/mutex.h"
#include "runtime/os/grpc_channel.h"
#include "runtime/os/grpc_incoming.h"
#include "runtime/os/grpc_lane.h"

namespace pando::runtime {
namespace {

// A process that ends gives calls under way this long.
constexpr std::chrono::milliseconds kShutdownGrace{200};

std::size_t index_of(Channel channel) { return static_cast<std::size_t>(channel) - 1; }

struct Peer {
  NodeId id;
  std::string address;
  // Null until connecting to it begins.
  std::array<std::shared_ptr<Lane>, kChannelCount> lanes;
  std::array<std::shared_ptr<IncomingStream>, kChannelCount> incoming;
  std::atomic<bool> connected{false};

  bool complete() const {
    for (const Channel channel : kChannels) {
      const std::size_t at = index_of(channel);
      if (lanes[at] == nullptr || !lanes[at]->open() || incoming[at] == nullptr) {
        return false;
      }
    }
    return true;
  }
};

struct Counters {
  std::atomic<uint64_t> messages_sent{0};
  std::atomic<uint64_t> messages_received{0};
  std::atomic<uint64_t> messages_dropped{0};
  std::atomic<uint64_t> bytes_sent{0};
  std::atomic<uint64_t> bytes_received{0};
  std::atomic<uint64_t> connections_refused{0};
};

void count(std::atomic<uint64_t>& counter, uint64_t by = 1) { counter.fetch_add(by, std::memory_order_relaxed); }

std::string host_of(const std::string& address) {
  if (address.starts_with('[')) {
    return address.substr(1, address.find(']') - 1);
  }
  return address.substr(0, address.rfind(':'));
}

std::string with_port(const std::string& address, int port) {
  return address.substr(0, address.rfind(':') + 1) + std::to_string(port);
}

Status check_address(const std::string& address, const char* what) {
  const std::size_t colon = address.rfind(':');
  const std::string port = colon == std::string::npos ? "" : address.substr(colon + 1);
  if (colon == 0 || port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos ||
      std::stoi(port) > UINT16_MAX) {
    return Status(sql_state::kInvalidParameterValue, "{} \"{}\" is not HOST:PORT", what, address);
  }
  return {};
}

// Answers for a handler that drops its reply, as one does that ends.
class ReplyOnce {
 public:
  explicit ReplyOnce(Administration::Reply reply) : reply_(std::move(reply)) {}
  ~ReplyOnce() {
    if (reply_) {
      reply_(Status(sql_state::kAdminShutdown, "the node is shutting down"));
    }
  }
  ReplyOnce(const ReplyOnce&) = delete;
  ReplyOnce& operator=(const ReplyOnce&) = delete;
  void operator()(Result<Bytes> result) { std::exchange(reply_, nullptr)(std::move(result)); }

 private:
  Administration::Reply reply_;
};

// A call to another node's administration.
class OutgoingCall final : public std::enable_shared_from_this<OutgoingCall> {
 public:
  OutgoingCall(GrpcLoop& loop, std::string address, Administration::Reply reply)
      : guest_(loop), loop_(loop), address_(std::move(address)), reply_(std::move(reply)) {}

  void start(std::shared_ptr<grpc::Channel> channel, const AdministrationCall& call,
             std::chrono::milliseconds timeout) {
    channel_ = std::move(channel);
    stub_ = std::make_unique<grpc::GenericStub>(channel_);
    context_.set_deadline(deadline_after(timeout));
    reader_ = stub_->PrepareUnaryCall(&context_, kCallMethod, to_buffer(encode(call)), loop_.queue());
    reader_->StartCall();
    reader_->Finish(&received_, &status_, finish_.arm(shared_from_this()));
  }

 private:
  void on_finished(bool) {
    grpc::Slice slice;
    if (!status_.ok()) {
      reply_(Status(sql_state::kConnectionFailure, "node at {}: {}", address_, status_.error_message()));
    } else if (!flatten(received_, slice)) {
      reply_(Status(sql_state::kProtocolViolation, "node at {}: a reply that cannot be read", address_));
    } else {
      reply_(decode_reply(view_of(slice)));
    }
  }

  const GrpcLoop::Guest guest_;
  GrpcLoop& loop_;
  const std::string address_;
  const Administration::Reply reply_;
  grpc::ClientContext context_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::GenericStub> stub_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> reader_;
  grpc::ByteBuffer received_;
  grpc::Status status_;
  Operation<OutgoingCall> finish_{&OutgoingCall::on_finished};
};

}  // namespace

struct GrpcTransport::Parts final : public IncomingHost, public std::enable_shared_from_this<Parts> {
  explicit Parts(GrpcTransportOptions given)
      : options(std::move(given)),
        channel_secret(channel_credentials(options)),
        server_secret(server_credentials(options)) {}

  // --- IncomingHost, on the loop's thread ---
  GrpcLoop& loop() override { return event_loop; }
  std::chrono::milliseconds greeting_timeout() const override { return options.greeting_timeout; }
  Status admit(const Hello& hello, const std::string& name) override;
  Status admit_call(const std::string& name) override;
  NodeIdentity identity() const override { return self_identity; }
  void opened(const std::shared_ptr<IncomingStream>& stream) override;
  void closed(const IncomingStream& stream) override;
  void deliver(const Hello& from, ByteView message) override { deliver(from.from, from.channel, Bytes(message)); }
  void refused(const std::string& peer, const Status& why) override;
  void handle(AdministrationCall call, Administration::Reply reply) override;

  void deliver(NodeId from, Channel channel, Bytes message);
  std::shared_ptr<Peer> find(NodeId node) const PANDO_EXCLUDES(mutex);
  // The rest: on the loop's thread.
  std::shared_ptr<Peer> insert(NodeId node) PANDO_EXCLUDES(mutex);
  void set_peer(NodeId node, const std::string& address);
  void remove_peer(NodeId node) PANDO_EXCLUDES(mutex);
  void connect(Peer& peer) PANDO_EXCLUDES(mutex);
  void disconnect(Peer& peer);
  void update(Peer& peer);
  void send_to_self(Channel channel, Bytes message) PANDO_EXCLUDES(self_mutex);
  void drain_self() PANDO_EXCLUDES(self_mutex);

  const GrpcTransportOptions options;
  const std::shared_ptr<grpc::ChannelCredentials> channel_secret;
  const std::shared_ptr<grpc::ServerCredentials> server_secret;
  std::string listening;
  std::string advertised;
  GrpcLoop event_loop;
  grpc::AsyncGenericService service;
  std::unique_ptr<grpc::Server> server;
  grpc::ServerCompletionQueue* server_queue = nullptr;
  bool running = false;

  // Set before start().
  std::array<Receiver, kChannelCount> receivers;
  std::vector<PeerObserver> observers;
  Admission admission;
  Handler handler;

  // Written on the loop's thread; self_node follows it for others.
  NodeIdentity self_identity;
  std::atomic<uint32_t> self_node{0};
  std::atomic<bool> started{false};
  bool taking_part = false;
  std::string last_refusal;
  bool ending = false;
  Counters counters;

  // Changed on the loop's thread only, which may therefore read without the lock.
  mutable SharedMutex mutex;
  std::map<NodeId, std::shared_ptr<Peer>> peers;

  Mutex self_mutex;
  std::deque<std::pair<Channel, Bytes>> to_self PANDO_GUARDED_BY(self_mutex);
};

// --- whom to let in ---

Status GrpcTransport::Parts::admit(const Hello& hello, const std::string& name) {
  if (options.tls && name != kNodeCertificateName) {
    return Status(sql_state::kInvalidAuthorizationSpecification, "the certificate of \"{}\" is not that of a node",
                  name);
  }
  if (!taking_part || ending) {
    return Status(sql_state::kCannotConnectNow, "this node does not belong to a cluster yet, or is opening or ending");
  }
  if (hello.cluster != self_identity.cluster) {
    return Status(sql_state::kInvalidAuthorizationSpecification,
                  "the connecting node belongs to cluster {}, this one to {}", hello.cluster.to_string(),
                  self_identity.cluster.to_string());
  }
  if (hello.to != self_identity.node) {
    return Status(sql_state::kConnectionFailure, "this is node {}, not node {}", self_identity.node.number(),
                  hello.to.number());
  }
  if (hello.from == self_identity.node || hello.from == NodeId()) {
    return Status(sql_state::kInvalidAuthorizationSpecification,
                  "another process says that it is node {} too: are two copies of one directory in use?",
                  hello.from.number());
  }
  return admission ? admission(hello.from, hello.advertised) : Status();
}

Status GrpcTransport::Parts::admit_call(const std::string& name) {
  if (options.tls && name != kNodeCertificateName && name != kRootCertificateName) {
    return Status(sql_state::kInsufficientPrivilege, "the certificate of \"{}\" does not permit administration", name);
  }
  return {};
}

void GrpcTransport::Parts::refused(const std::string& peer, const Status& why) {
  count(counters.connections_refused);
  // A peer that is refused comes again twice a second.
  if (std::string line = fmt::format("refused {}: {}", host_of(peer), why.message()); line != last_refusal) {
    last_refusal = std::move(line);
    options.log(fmt::format("refused {}: {}", peer, why.message()));
  }
}

// --- peers ---

std::shared_ptr<Peer> GrpcTransport::Parts::find(NodeId node) const {
  SharedLock lock(mutex);
  const auto found = peers.find(node);
  return found == peers.end() ? nullptr : found->second;
}

std::shared_ptr<Peer> GrpcTransport::Parts::insert(NodeId node) {
  ExclusiveLock lock(mutex);
  std::shared_ptr<Peer>& peer = peers[node];
  if (peer == nullptr) {
    peer = std::make_shared<Peer>();
    peer->id = node;
  }
  return peer;
}

void GrpcTransport::Parts::set_peer(NodeId node, const std::string& address) {
  if (ending || node == self_identity.node) {
    return;
  }
  if (!options.tls && !options.insecure && !is_loopback(address)) {
    options.log(
        fmt::format("node {} at {} is not on loopback: certificates (or --insecure) are needed to connect to it",
                    node.number(), address));
    return;
  }
  const std::shared_ptr<Peer> peer = insert(node);
  if (peer->address == address && peer->lanes[0] != nullptr) {
    return;
  }
  disconnect(*peer);
  peer->address = address;
  connect(*peer);
}

void GrpcTransport::Parts::connect(Peer& peer) {
  if (!taking_part) {
    return;
  }
  for (const Channel channel : kChannels) {
    const Hello hello{.cluster = self_identity.cluster,
                      .from = self_identity.node,
                      .to = peer.id,
                      .incarnation = self_identity.incarnation,
                      .channel = channel,
                      .advertised = advertised};
    auto lane = std::make_shared<Lane>(LaneSetting{event_loop, options, channel_secret, options.log}, hello,
                                       peer.address, [this, node = peer.id] {
                                         if (const auto changed = find(node)) {
                                           update(*changed);
                                         }
                                       });
    {
      ExclusiveLock lock(mutex);
      peer.lanes[index_of(channel)] = lane;
    }
    lane->connect();
  }
}

void GrpcTransport::Parts::disconnect(Peer& peer) {
  for (std::shared_ptr<Lane>& lane : peer.lanes) {
    std::shared_ptr<Lane> closing;
    {
      ExclusiveLock lock(mutex);
      closing.swap(lane);
    }
    if (closing != nullptr) {
      closing->close();
    }
  }
  update(peer);
}

void GrpcTransport::Parts::remove_peer(NodeId node) {
  const std::shared_ptr<Peer> peer = find(node);
  if (peer == nullptr) {
    return;
  }
  for (std::shared_ptr<IncomingStream>& stream : peer->incoming) {
    if (const auto cancelled = std::exchange(stream, nullptr)) {
      cancelled->cancel();
    }
  }
  disconnect(*peer);
  ExclusiveLock lock(mutex);
  peers.erase(node);
}

void GrpcTransport::Parts::update(Peer& peer) {
  const bool connected = peer.complete();
  if (peer.connected.exchange(connected, std::memory_order_acq_rel) == connected) {
    return;
  }
  options.log(
      fmt::format("node {} at {} is {}", peer.id.number(), peer.address, connected ? "connected" : "disconnected"));
  for (const PeerObserver& observer : observers) {
    observer(peer.id, connected);
  }
}

void GrpcTransport::Parts::opened(const std::shared_ptr<IncomingStream>& stream) {
  const Hello& hello = stream->hello();
  set_peer(hello.from, hello.advertised);
  const std::shared_ptr<Peer> peer = insert(hello.from);
  std::shared_ptr<IncomingStream>& place = peer->incoming[index_of(hello.channel)];
  if (const auto replaced = std::exchange(place, nullptr)) {
    // The peer has begun anew before the end of the old stream was noticed.
    update(*peer);
    replaced->cancel();
  }
  place = stream;
  for (const std::shared_ptr<Lane>& lane : peer->lanes) {
    if (lane != nullptr) {
      lane->nudge();
    }
  }
  update(*peer);
}

void GrpcTransport::Parts::closed(const IncomingStream& stream) {
  const std::shared_ptr<Peer> peer = find(stream.hello().from);
  if (peer == nullptr) {
    return;
  }
  std::shared_ptr<IncomingStream>& place = peer->incoming[index_of(stream.hello().channel)];
  if (place.get() == &stream) {
    place.reset();
    update(*peer);
  }
}

// --- messages ---

void GrpcTransport::Parts::deliver(NodeId from, Channel channel, Bytes message) {
  count(counters.messages_received);
  count(counters.bytes_received, message.size());
  if (const Receiver& receiver = receivers[index_of(channel)]) {
    receiver(from, std::move(message));
  }
}

void GrpcTransport::Parts::send_to_self(Channel channel, Bytes message) {
  {
    MutexLock lock(self_mutex);
    to_self.emplace_back(channel, std::move(message));
    if (to_self.size() > 1) {
      return;
    }
  }
  event_loop.post([self = shared_from_this()] { self->drain_self(); });
}

void GrpcTransport::Parts::drain_self() {
  std::deque<std::pair<Channel, Bytes>> batch;
  {
    MutexLock lock(self_mutex);
    batch.swap(to_self);
  }
  for (auto& [channel, message] : batch) {
    deliver(self_identity.node, channel, std::move(message));
  }
}

void GrpcTransport::Parts::handle(AdministrationCall call, Administration::Reply reply) {
  auto once = std::make_shared<ReplyOnce>(std::move(reply));
  if (ending || !handler) {
    return;
  }
  handler(call.method, std::move(call.request), [once](Result<Bytes> result) { (*once)(std::move(result)); });
}

// --- GrpcTransport ---

GrpcTransport::GrpcTransport(std::shared_ptr<Parts> parts) : parts_(std::move(parts)) {}
GrpcTransport::~GrpcTransport() { stop(); }

Result<std::unique_ptr<GrpcTransport>> GrpcTransport::open(GrpcTransportOptions options) {
  if (!options.listen.empty()) {
    PANDO_TRY(check_address(options.listen, "the address to listen on"));
  }
  if (!options.advertise.empty()) {
    PANDO_TRY(check_address(options.advertise, "the address to advertise"));
  }
  const bool beyond = (!options.listen.empty() && !is_loopback(options.listen)) ||
                      (!options.advertise.empty() && !is_loopback(options.advertise));
  if (beyond && !options.tls && !options.insecure) {
    return Status(sql_state::kConfigFileError, "connections between nodes beyond this machine need certificates")
        .with_hint("Make them with \"pando cert\" and pass --certs-dir, or pass --insecure.");
  }
  // Debian builds gRPC with assertions: each of its locks would be followed through a graph of all.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  std::unique_ptr<GrpcTransport> transport(new GrpcTransport(std::make_shared<Parts>(std::move(options))));
  if (transport->parts_->options.listen.empty()) {
    transport->parts_->event_loop.start(std::make_unique<grpc::CompletionQueue>());
    transport->parts_->running = true;
  }
  return transport;
}

Status GrpcTransport::listen() {
  Parts& parts = *parts_;
  PANDO_ASSERT(!parts.running, "it listens already");
  grpc::ServerBuilder builder;
  set_server_arguments(builder, parts.options);
  int port = 0;
  builder.AddListeningPort(parts.options.listen, parts.server_secret, &port);
  builder.RegisterAsyncGenericService(&parts.service);
  std::unique_ptr<grpc::ServerCompletionQueue> queue = builder.AddCompletionQueue();
  parts.server_queue = queue.get();
  parts.server = builder.BuildAndStart();
  if (parts.server == nullptr || port == 0) {
    queue->Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue->Next(&tag, &ok)) {
    }
    return Status(sql_state::kConnectionFailure, "cannot listen on {} for other nodes: {}", parts.options.listen,
                  parts.options.tls ? "the address is in use or not of this machine, or the certificate is bad"
                                    : "the address is in use or not of this machine");
  }
  parts.listening = with_port(parts.options.listen, port);
  parts.advertised = parts.options.advertise.empty() ? parts.listening : parts.options.advertise;
  parts.event_loop.start(std::move(queue));
  parts.running = true;
  std::make_shared<Acceptor>(parts_, parts.service, *parts.server_queue)->accept();
  parts.options.log(fmt::format("listening for other nodes on {}{}", parts.listening,
                                parts.options.tls ? "" : " in plaintext, without certificates"));
  return {};
}

void GrpcTransport::stop() {
  Parts& parts = *parts_;
  if (!std::exchange(parts.running, false)) {
    return;
  }
  parts.event_loop.post([self = parts_] {
    self->ending = true;
    while (!self->peers.empty()) {
      self->remove_peer(self->peers.begin()->first);
    }
  });
  if (parts.server != nullptr) {
    parts.server->Shutdown(deadline_after(kShutdownGrace));
  }
  parts.event_loop.stop();
}

std::string GrpcTransport::listen_address() const { return parts_->listening; }
std::string GrpcTransport::advertised_address() const { return parts_->advertised; }

TransportCounters GrpcTransport::counters() const {
  const Counters& from = parts_->counters;
  TransportCounters counters{.messages_sent = from.messages_sent,
                             .messages_received = from.messages_received,
                             .messages_dropped = from.messages_dropped,
                             .bytes_sent = from.bytes_sent,
                             .bytes_received = from.bytes_received,
                             .connections_refused = from.connections_refused};
  SharedLock lock(parts_->mutex);
  for (const auto& [node, peer] : parts_->peers) {
    ++counters.peers_known;
    counters.peers_connected += peer->connected ? 1 : 0;
  }
  return counters;
}

NodeId GrpcTransport::self() const { return NodeId(parts_->self_node.load(std::memory_order_acquire)); }

void GrpcTransport::send(NodeId to, Channel channel, Bytes message) {
  Parts& parts = *parts_;
  PANDO_ASSERT(message.size() <= kMessageBytesMax, "a message over the limit");
  const std::size_t size = message.size();
  if (to == self() && parts.started) {
    parts.send_to_self(channel, std::move(message));
  } else {
    std::shared_ptr<Lane> lane;
    {
      SharedLock lock(parts.mutex);
      if (const auto found = parts.peers.find(to); found != parts.peers.end()) {
        lane = found->second->lanes[index_of(channel)];
      }
    }
    if (lane == nullptr || !lane->send(std::move(message))) {
      count(parts.counters.messages_dropped);
      return;
    }
  }
  count(parts.counters.messages_sent);
  count(parts.counters.bytes_sent, size);
}

void GrpcTransport::receive(Channel channel, Receiver receiver) {
  PANDO_ASSERT(!parts_->started, "a receiver after the start");
  Receiver& place = parts_->receivers[index_of(channel)];
  PANDO_ASSERT(!place, "two receivers of one channel");
  place = std::move(receiver);
}

void GrpcTransport::observe(PeerObserver observer) {
  PANDO_ASSERT(!parts_->started, "an observer after the start");
  parts_->observers.push_back(std::move(observer));
}

bool GrpcTransport::connected(NodeId peer) const {
  const std::shared_ptr<Peer> found = parts_->find(peer);
  return found != nullptr && found->connected.load(std::memory_order_acquire);
}

void GrpcTransport::set_admission(Admission admission) { parts_->admission = std::move(admission); }
void GrpcTransport::serve(Handler handler) { parts_->handler = std::move(handler); }

void GrpcTransport::join(const NodeIdentity& identity) {
  PANDO_ASSERT(self() == NodeId(), "a node has one identity");
  parts_->self_node.store(identity.node.number(), std::memory_order_release);
  parts_->event_loop.post([self = parts_, identity] { self->self_identity = identity; });
}

void GrpcTransport::start() {
  PANDO_ASSERT(self() != NodeId(), "a node without an identity");
  PANDO_ASSERT(!parts_->started.exchange(true), "a transport is started once");
  parts_->event_loop.post([self = parts_] {
    self->taking_part = true;
    for (const auto& [node, peer] : std::map(self->peers)) {
      self->connect(*peer);
    }
  });
}

void GrpcTransport::set_peer(NodeId node, const std::string& address) {
  parts_->event_loop.post([self = parts_, node, address] { self->set_peer(node, address); });
}

void GrpcTransport::remove_peer(NodeId node) {
  parts_->event_loop.post([self = parts_, node] { self->remove_peer(node); });
}

void GrpcTransport::call(const std::string& address, const std::string& method, Bytes request,
                         std::chrono::milliseconds timeout, Reply reply) {
  Parts& parts = *parts_;
  if (const Status status = check_address(address, "the address of a node"); !status.ok()) {
    reply(status);
    return;
  }
  if (!parts.options.tls && !parts.options.insecure && !is_loopback(address)) {
    reply(Status(sql_state::kConfigFileError, "{} is not on loopback: certificates are needed to reach it", address)
              .with_hint("Pass --certs-dir, or --insecure."));
    return;
  }
  auto call = std::make_shared<OutgoingCall>(parts.event_loop, address, std::move(reply));
  call->start(make_channel(address, parts.channel_secret, parts.options),
              {.method = method, .request = std::move(request)}, timeout);
}

bool is_loopback(const std::string& address) {
  const std::string host = host_of(address);
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

}  // namespace pando::runtime
