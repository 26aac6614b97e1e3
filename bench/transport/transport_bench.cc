// What a message between two nodes costs, beside bare TCP sockets in the same run: two processes on loopback.
//
//   transport_bench [SECONDS]
//
// Round trips of 64 bytes one at a time (p50, p99, and processor time of both processes together), and messages of 256
// bytes one way as fast as they go.

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/os/grpc_transport.h"

namespace pando {
namespace {

using runtime::Channel;
using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

constexpr std::size_t kPingBytes = 64;
constexpr std::size_t kFloodBytes = 256;
constexpr std::size_t kFloodWindow = 4096;

double processor_us(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  const auto us = [](const timeval& time) { return static_cast<double>(time.tv_sec) * 1e6 + time.tv_usec; };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

void print_round_trips(const char* name, std::vector<double>& us, double own_us, double peer_us) {
  std::sort(us.begin(), us.end());
  std::printf("%-10s round trip  p50 %7.1f us  p99 %7.1f us  processor %6.1f us (both ends)\n", name, us[us.size() / 2],
              us[us.size() * 99 / 100], (own_us + peer_us) / static_cast<double>(us.size()));
}

// --- bare TCP ---

void set_no_delay(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void read_all(int socket, char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::read(socket, bytes, size);
    if (got <= 0) {
      std::_Exit(0);
    }
    bytes += got;
    size -= static_cast<std::size_t>(got);
  }
}

void bench_sockets(double seconds) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof(address);
  ::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  ::listen(listener, 1);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  char ping[kPingBytes] = {};
  const pid_t child = ::fork();
  if (child == 0) {
    const int peer = ::accept(listener, nullptr, nullptr);
    set_no_delay(peer);
    for (;;) {
      read_all(peer, ping, sizeof(ping));
      [[maybe_unused]] const ssize_t sent = ::write(peer, ping, sizeof(ping));
    }
  }
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  set_no_delay(socket);
  std::vector<double> us;
  const double own = processor_us(RUSAGE_SELF);
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    const auto start = Clock::now();
    [[maybe_unused]] const ssize_t sent = ::write(socket, ping, sizeof(ping));
    read_all(socket, ping, sizeof(ping));
    us.push_back(Microseconds(Clock::now() - start).count());
  }
  const double own_us = processor_us(RUSAGE_SELF) - own;
  ::close(socket);
  ::close(listener);
  const double before = processor_us(RUSAGE_CHILDREN);
  ::waitpid(child, nullptr, 0);
  print_round_trips("sockets", us, own_us, processor_us(RUSAGE_CHILDREN) - before);
}

// --- the transport ---

struct End {
  explicit End(uint32_t number, const std::string& address) {
    transport = *runtime::GrpcTransport::open({.listen = address});
    transport->observe([this](NodeId, bool up) { set([&] { connected = up; }); });
    id = NodeId(number);
  }
  void start() {
    if (const Status status = transport->listen(); !status.ok()) {
      std::fprintf(stderr, "%s\n", status.to_string().c_str());
      std::exit(1);
    }
    std::array<uint8_t, ClusterId::kBytes> one{1};
    transport->join({.cluster = ClusterId::from_random(one), .node = id, .incarnation = 1});
    transport->start();
  }
  template <typename Change>
  void set(Change change) {
    std::scoped_lock lock(mutex);
    change();
    changed.notify_all();
  }
  template <typename Predicate>
  void wait(Predicate predicate) {
    std::unique_lock lock(mutex);
    changed.wait(lock, predicate);
  }
  NodeId id;
  std::mutex mutex;
  std::condition_variable changed;
  bool connected = false;
  std::unique_ptr<runtime::GrpcTransport> transport;
};

// Answers pings on kConsensus, and acknowledges a window of messages on kRequests.
void serve_peer(const std::string& address) {
  End end(2, address);
  uint64_t received = 0;
  end.transport->receive(Channel::kConsensus, [&](NodeId from, Bytes message) {
    end.transport->send(from, Channel::kConsensus, std::move(message));
  });
  end.transport->receive(Channel::kRequests, [&](NodeId from, Bytes) {
    if (++received % (kFloodWindow / 2) == 0) {
      end.transport->send(from, Channel::kRequests, "half a window");
    }
  });
  end.transport->receive(Channel::kBulk, [&](NodeId, Bytes) { end.set([&] { end.id = NodeId(); }); });
  end.start();
  end.wait([&] { return end.id == NodeId(); });
  end.transport->stop();
  std::exit(0);
}

// The reply is sent from the receiver, as a consensus loop on the transport's thread would, and is timed there.
void ping_pong(End& end, double seconds, std::vector<double>& us) {
  end.transport->send(NodeId(2), Channel::kConsensus, Bytes(kPingBytes, 'x'));
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

void bench_transport(double seconds, const std::string& peer_address) {
  const pid_t child = ::fork();
  if (child == 0) {
    serve_peer(peer_address);
  }
  End end(1, "127.0.0.1:0");
  std::vector<double> us;
  us.reserve(10'000'000);
  auto sent_at = Clock::now();
  bool pinging = true;
  uint64_t acknowledged = 0;
  end.transport->receive(Channel::kConsensus, [&](NodeId from, Bytes message) {
    const auto now = Clock::now();
    us.push_back(Microseconds(now - sent_at).count());
    sent_at = now;
    if (pinging) {
      end.transport->send(from, Channel::kConsensus, std::move(message));
    }
  });
  end.transport->receive(Channel::kRequests,
                         [&](NodeId, Bytes) { end.set([&] { acknowledged += kFloodWindow / 2; }); });
  end.start();
  end.transport->set_peer(NodeId(2), peer_address);
  end.wait([&] { return end.connected; });

  const double own = processor_us(RUSAGE_SELF);
  sent_at = Clock::now();
  ping_pong(end, seconds, us);
  const double own_us = processor_us(RUSAGE_SELF) - own;
  pinging = false;
  std::this_thread::sleep_for(std::chrono::milliseconds(100));

  uint64_t sent = 0;
  const auto start = Clock::now();
  const auto stop = start + std::chrono::duration<double>(seconds);
  while (Clock::now() < stop) {
    end.wait([&] { return sent < acknowledged + kFloodWindow; });
    for (std::size_t i = 0; i < kFloodWindow / 2; ++i, ++sent) {
      end.transport->send(NodeId(2), Channel::kRequests, Bytes(kFloodBytes, 'x'));
    }
  }
  end.wait([&] { return acknowledged >= sent; });
  const double elapsed_us = Microseconds(Clock::now() - start).count();
  const double flood_us = processor_us(RUSAGE_SELF) - own - own_us;
  end.transport->send(NodeId(2), Channel::kBulk, "end");
  const double before = processor_us(RUSAGE_CHILDREN);
  ::waitpid(child, nullptr, 0);
  end.transport->stop();
  // The peer does the same work as this end, both in turn and under flood: its time is split in the same proportion.
  const double peer_us = processor_us(RUSAGE_CHILDREN) - before;
  print_round_trips("transport", us, own_us, peer_us * own_us / (own_us + flood_us));
  std::printf("%-10s one way     %.0f messages/s of %zu bytes, processor %.2f us a message (both ends)\n", "transport",
              static_cast<double>(sent) / elapsed_us * 1e6, kFloodBytes,
              (flood_us + peer_us * flood_us / (own_us + flood_us)) / static_cast<double>(sent));
}

int free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof(address);
  ::bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(probe);
  return ntohs(address.sin_port);
}

}  // namespace
}  // namespace pando

int main(int count, char** arguments) {
  const double seconds = count > 1 ? std::atof(arguments[1]) : 5;
  pando::bench_sockets(seconds);
  std::fflush(stdout);
  pando::bench_transport(seconds, "127.0.0.1:" + std::to_string(pando::free_port()));
  return 0;
}
