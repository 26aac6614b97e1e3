#include "crypto/certificate.h"

#include <memory>
#include <optional>

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace pando::crypto {
namespace {

constexpr int kSerialBits = 127;
constexpr int64_t kDaySeconds = 86'400;
// Clocks of machines differ: a certificate is valid from a little before it was made.
constexpr int64_t kClockSlackSeconds = 300;
constexpr std::size_t kNameBytesMax = 63;

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* owned) const {
    kFree(owned);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;
using Store = std::unique_ptr<X509_STORE, Free<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Free<X509_STORE_CTX_free>>;

Status failed(const char* what) {
  char reason[256] = "unknown";
  ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
  ERR_clear_error();
  return Status(sql_state::kInternalError, "OpenSSL cannot {}: {}", what, reason);
}

Status unusable(std::string_view why) {
  ERR_clear_error();
  return Status(sql_state::kConfigFileError, "the certificate cannot be used: {}", why);
}

Bio memory_of(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string text_of(const Bio& bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

Result<Certificate> read_certificate(const std::string& pem, const char* what) {
  Certificate certificate(PEM_read_bio_X509(memory_of(pem).get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) {
    return unusable(fmt::format("{} is not a certificate in PEM", what));
  }
  return certificate;
}

Result<Key> read_key(const std::string& pem) {
  // An empty password: an encrypted key is an error and not a question on the terminal.
  char none[] = "";
  Key key(PEM_read_bio_PrivateKey(memory_of(pem).get(), nullptr, nullptr, none));
  if (key == nullptr) {
    return unusable("its key is not an unencrypted private key in PEM");
  }
  return key;
}

Result<KeyAndCertificate> write(const Key& key, const Certificate& certificate) {
  const Bio key_text(BIO_new(BIO_s_mem()));
  const Bio certificate_text(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1) {
    return failed("write a certificate");
  }
  return KeyAndCertificate{.private_key = text_of(key_text), .certificate = text_of(certificate_text)};
}

// What differs between the kinds of certificates.
struct Content {
  std::string common_name;
  std::string basic_constraints;
  std::string key_usage;
  std::string extended_key_usage;
  std::string alternative_names;
};

bool add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  if (value.empty()) {
    return true;
  }
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate) {
  const Number serial(BN_new());
  return serial != nullptr && BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_name(X509* certificate, const std::string& common_name) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto add = [&](const char* field, const std::string& value) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                                      static_cast<int>(value.size()), -1, 0) == 1;
  };
  return add("O", "Pando") && add("CN", common_name);
}

// `issuer` null: signed by itself.
Result<KeyAndCertificate> create(const Content& content, X509* issuer, EVP_PKEY* issuer_key, int64_t now_s, int days) {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  if (key == nullptr || certificate == nullptr) {
    return failed("make a key");
  }
  X509* made = certificate.get();
  X509* signer = issuer == nullptr ? made : issuer;
  const bool ok =
      X509_set_version(made, X509_VERSION_3) == 1 && set_serial(made) && set_name(made, content.common_name) &&
      ASN1_TIME_set(X509_getm_notBefore(made), now_s - kClockSlackSeconds) != nullptr &&
      ASN1_TIME_set(X509_getm_notAfter(made), now_s + days * kDaySeconds) != nullptr &&
      X509_set_pubkey(made, key.get()) == 1 && X509_set_issuer_name(made, X509_get_subject_name(signer)) == 1 &&
      add_extension(made, signer, NID_basic_constraints, content.basic_constraints) &&
      add_extension(made, signer, NID_key_usage, content.key_usage) &&
      add_extension(made, signer, NID_ext_key_usage, content.extended_key_usage) &&
      add_extension(made, signer, NID_subject_alt_name, content.alternative_names) &&
      add_extension(made, signer, NID_subject_key_identifier, "hash") &&
      add_extension(made, signer, NID_authority_key_identifier, "keyid:always") &&
      X509_sign(made, issuer_key == nullptr ? key.get() : issuer_key, EVP_sha256()) > 0;
  if (!ok) {
    return failed("make a certificate");
  }
  return write(key, certificate);
}

bool is_address(const std::string& host) {
  in6_addr parsed{};
  return ::inet_pton(AF_INET, host.c_str(), &parsed) == 1 || ::inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

// Names go into OpenSSL's configuration syntax, where a comma would begin another extension value.
bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= kNameBytesMax * 4 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._*") ==
             std::string::npos;
}

Result<KeyAndCertificate> create_signed(const KeyAndCertificate& authority, const Content& content, int64_t now_s,
                                        int days) {
  PANDO_ASSIGN(const Certificate issuer, read_certificate(authority.certificate, "the authority"));
  PANDO_ASSIGN(const Key issuer_key, read_key(authority.private_key));
  if (X509_check_private_key(issuer.get(), issuer_key.get()) != 1) {
    return unusable("the authority's key is not that of its certificate");
  }
  return create(content, issuer.get(), issuer_key.get(), now_s, days);
}

}  // namespace

Result<KeyAndCertificate> create_authority(int64_t now_s, int days) {
  return create({.common_name = "Pando certificate authority",
                 .basic_constraints = "critical,CA:TRUE,pathlen:0",
                 .key_usage = "critical,keyCertSign,cRLSign"},
                nullptr, nullptr, now_s, days);
}

Result<KeyAndCertificate> create_node_certificate(const KeyAndCertificate& authority,
                                                  const std::vector<std::string>& hosts, int64_t now_s, int days) {
  PANDO_ASSERT(!hosts.empty(), "a node's certificate without a host");
  std::string names;
  for (const std::string& host : hosts) {
    const bool address = is_address(host);
    if (!address && !is_name(host)) {
      return Status(sql_state::kInvalidParameterValue, "\"{}\" is neither a host name nor an IP address", host);
    }
    names += fmt::format("{}{}:{}", names.empty() ? "" : ",", address ? "IP" : "DNS", host);
  }
  return create_signed(authority,
                       {.common_name = std::string(kNodeCommonName),
                        .basic_constraints = "critical,CA:FALSE",
                        .key_usage = "critical,digitalSignature",
                        .extended_key_usage = "serverAuth,clientAuth",
                        .alternative_names = names},
                       now_s, days);
}

Result<KeyAndCertificate> create_client_certificate(const KeyAndCertificate& authority, const std::string& user,
                                                    int64_t now_s, int days) {
  if (user.empty() || user.size() > kNameBytesMax) {
    return Status(sql_state::kInvalidParameterValue, "a user's name has 1 to {} bytes", kNameBytesMax);
  }
  if (user == kNodeCommonName) {
    return Status(sql_state::kInvalidParameterValue, "the name \"{}\" is that of nodes", kNodeCommonName);
  }
  return create_signed(authority,
                       {.common_name = user,
                        .basic_constraints = "critical,CA:FALSE",
                        .key_usage = "critical,digitalSignature",
                        .extended_key_usage = "clientAuth"},
                       now_s, days);
}

Status check_certificate(const std::string& authority, const KeyAndCertificate& checked, int64_t now_s) {
  PANDO_ASSIGN(const Certificate issuer, read_certificate(authority, "the authority"));
  PANDO_ASSIGN(const Certificate certificate, read_certificate(checked.certificate, "it"));
  PANDO_ASSIGN(const Key key, read_key(checked.private_key));
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return unusable("the key is not that of the certificate");
  }
  const Store store(X509_STORE_new());
  const StoreContext context(X509_STORE_CTX_new());
  if (store == nullptr || context == nullptr || X509_STORE_add_cert(store.get(), issuer.get()) != 1 ||
      X509_STORE_CTX_init(context.get(), store.get(), certificate.get(), nullptr) != 1) {
    return failed("check a certificate");
  }
  X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context.get()), now_s);
  if (X509_verify_cert(context.get()) != 1) {
    return unusable(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
  }
  return {};
}

}  // namespace pando::crypto
