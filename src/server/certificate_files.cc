#include "server/certificate_files.h"

#include <cerrno>
#include <chrono>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pando::server {
namespace {

constexpr mode_t kKeyMode = 0600;
constexpr mode_t kCertificateMode = 0644;
constexpr std::size_t kFileBytesMax = 1_MiB;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  const int number_;
};

Status failed(const char* what, const std::string& path) {
  const SqlState code = errno == ENOENT ? sql_state::kUndefinedFile : sql_state::kIoError;
  return Status(code, "could not {} file \"{}\": {}", what, path, std::strerror(errno));
}

Result<std::string> read_file(const std::string& path, bool secret) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    return failed("open", path);
  }
  if (secret && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Status(sql_state::kConfigFileError, "the private key file \"{}\" is open to others than its owner", path)
        .with_hint("Its mode must be 0600 or less.");
  }
  if (status.st_size < 0 || static_cast<std::size_t>(status.st_size) > kFileBytesMax) {
    return Status(sql_state::kConfigFileError, "file \"{}\" is too large for a certificate", path);
  }
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  if (::read(file.get(), content.data(), content.size()) != status.st_size) {
    return failed("read", path);
  }
  return content;
}

Status write_file(const std::string& path, const std::string& content, mode_t mode) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (file.get() < 0) {
    if (errno == EEXIST) {
      return Status(sql_state::kDuplicateObject, "file \"{}\" exists already", path);
    }
    return failed("create", path);
  }
  if (::write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()) ||
      ::fsync(file.get()) != 0) {
    return failed("write", path);
  }
  return {};
}

std::string path_of(const std::string& directory, std::string_view name, const char* ending) {
  return fmt::format("{}/{}.{}", directory, name, ending);
}

}  // namespace

std::string client_name(std::string_view user) { return fmt::format("client.{}", user); }

int64_t now_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Result<crypto::KeyAndCertificate> read_certificate(const std::string& directory, std::string_view name) {
  crypto::KeyAndCertificate read;
  PANDO_ASSIGN(read.certificate, read_file(path_of(directory, name, "crt"), false));
  PANDO_ASSIGN(read.private_key, read_file(path_of(directory, name, "key"), true));
  return read;
}

Status write_certificate(const std::string& directory, std::string_view name,
                         const crypto::KeyAndCertificate& certificate) {
  PANDO_TRY(write_file(path_of(directory, name, "key"), certificate.private_key, kKeyMode));
  return write_file(path_of(directory, name, "crt"), certificate.certificate, kCertificateMode);
}

Result<runtime::TlsIdentity> load_tls_identity(const std::string& directory, std::string_view name) {
  runtime::TlsIdentity identity;
  PANDO_ASSIGN(identity.authority, read_file(path_of(directory, kAuthorityName, "crt"), false));
  PANDO_ASSIGN(const crypto::KeyAndCertificate own, read_certificate(directory, name));
  Status status = crypto::check_certificate(identity.authority, own, now_seconds());
  if (!status.ok()) {
    return std::move(status).with_detail(fmt::format("It is in \"{}\".", path_of(directory, name, "crt")));
  }
  identity.certificate = own.certificate;
  identity.private_key = own.private_key;
  return identity;
}

}  // namespace pando::server
