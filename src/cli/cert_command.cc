// pando cert: the certificate authority of a cluster, and what it signs.

#include <cstdio>

#include <fmt/format.h>
#include <sys/stat.h>

#include "cli/commands.h"
#include "server/certificate_files.h"

namespace pando::cli {
namespace {

constexpr mode_t kDirectoryMode = 0700;
constexpr int kDaysMax = 36'500;

struct CertArguments {
  std::string directory = "certs";
  // Of the authority's key, where that is elsewhere.
  std::string authority_key_directory;
  int days = 0;
  std::vector<std::string> names;
};

Result<CertArguments> parse(Words words, int default_days) {
  CertArguments arguments{.days = default_days};
  std::string days;
  for (std::size_t at = 0; at < words.size();) {
    if (take_flag(words, at, "--certs-dir", arguments.directory) ||
        take_flag(words, at, "--ca-key-dir", arguments.authority_key_directory) ||
        take_flag(words, at, "--days", days)) {
      continue;
    }
    if (words[at].starts_with("-")) {
      return Status(sql_state::kInvalidParameterValue, "unknown argument \"{}\"", words[at]);
    }
    arguments.names.push_back(words[at++]);
  }
  if (!days.empty()) {
    arguments.days = std::atoi(days.c_str());
  }
  if (arguments.days < 1 || arguments.days > kDaysMax) {
    return Status(sql_state::kInvalidParameterValue, "--days is between 1 and {}", kDaysMax);
  }
  if (arguments.authority_key_directory.empty()) {
    arguments.authority_key_directory = arguments.directory;
  }
  return arguments;
}

Status save(const CertArguments& arguments, std::string_view name, const crypto::KeyAndCertificate& made) {
  PANDO_TRY(server::write_certificate(arguments.directory, name, made));
  fmt::print("wrote {0}/{1}.crt and {0}/{1}.key\n", arguments.directory, name);
  return {};
}

Status create_authority(Words words) {
  PANDO_ASSIGN(const CertArguments arguments, parse(words, crypto::kAuthorityDays));
  if (!arguments.names.empty()) {
    return Status(sql_state::kInvalidParameterValue, "create-ca takes no names");
  }
  ::mkdir(arguments.directory.c_str(), kDirectoryMode);
  PANDO_ASSIGN(const auto made, crypto::create_authority(server::now_seconds(), arguments.days));
  return save(arguments, server::kAuthorityName, made);
}

// The certificate of the authority is read from beside its key.
Result<crypto::KeyAndCertificate> load_authority(const CertArguments& arguments) {
  auto authority = server::read_certificate(arguments.authority_key_directory, server::kAuthorityName);
  if (authority.status().is(sql_state::kUndefinedFile)) {
    return std::move(authority).status().with_hint("Make an authority first: pando cert create-ca.");
  }
  return authority;
}

Status create_node(Words words) {
  PANDO_ASSIGN(const CertArguments arguments, parse(words, crypto::kNodeDays));
  if (arguments.names.empty()) {
    return Status(sql_state::kInvalidParameterValue, "create-node needs the names and addresses of the node");
  }
  PANDO_ASSIGN(const auto authority, load_authority(arguments));
  PANDO_ASSIGN(const auto made,
               crypto::create_node_certificate(authority, arguments.names, server::now_seconds(), arguments.days));
  return save(arguments, server::kNodeName, made);
}

Status create_client(Words words) {
  PANDO_ASSIGN(const CertArguments arguments, parse(words, crypto::kClientDays));
  if (arguments.names.size() != 1) {
    return Status(sql_state::kInvalidParameterValue, "create-client needs the name of one user");
  }
  PANDO_ASSIGN(const auto authority, load_authority(arguments));
  PANDO_ASSIGN(const auto made,
               crypto::create_client_certificate(authority, arguments.names[0], server::now_seconds(), arguments.days));
  return save(arguments, server::client_name(arguments.names[0]), made);
}

}  // namespace

int run_cert(Words words) {
  const std::string action = words.empty() ? "" : words[0];
  Status status;
  if (action == "create-ca") {
    status = create_authority(words.subspan(1));
  } else if (action == "create-node") {
    status = create_node(words.subspan(1));
  } else if (action == "create-client") {
    status = create_client(words.subspan(1));
  } else {
    return print_usage(kExitUsage);
  }
  return status.ok() ? kExitOk : print_error(status);
}

}  // namespace pando::cli
