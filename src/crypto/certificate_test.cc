#include "crypto/certificate.h"

#include <gtest/gtest.h>

namespace pando::crypto {
namespace {

constexpr int64_t kNow = 1'800'000'000;
constexpr int64_t kDay = 86'400;

TEST(CertificateTest, SignsNodesAndClients) {
  const auto authority = create_authority(kNow, 10);
  ASSERT_TRUE(authority.ok()) << authority.status().to_string();
  const auto node = create_node_certificate(*authority, {"db1.example.com", "10.0.0.1", "::1"}, kNow, 5);
  ASSERT_TRUE(node.ok()) << node.status().to_string();
  EXPECT_TRUE(check_certificate(authority->certificate, *node, kNow).ok());
  const auto client = create_client_certificate(*authority, "root", kNow, 5);
  ASSERT_TRUE(client.ok()) << client.status().to_string();
  EXPECT_TRUE(check_certificate(authority->certificate, *client, kNow).ok());
}

TEST(CertificateTest, SaysWhatIsWrong) {
  const auto authority = *create_authority(kNow, 10);
  const auto other = *create_authority(kNow, 10);
  const auto node = *create_node_certificate(authority, {"localhost"}, kNow, 5);
  const auto second = *create_node_certificate(authority, {"localhost"}, kNow, 5);
  const auto message = [](const Status& status) { return std::string(status.message()); };
  EXPECT_EQ(message(check_certificate(authority.certificate, node, kNow + 6 * kDay)),
            "the certificate cannot be used: certificate has expired");
  EXPECT_EQ(message(check_certificate(authority.certificate, node, kNow - kDay)),
            "the certificate cannot be used: certificate is not yet valid");
  EXPECT_FALSE(check_certificate(other.certificate, node, kNow).ok());
  EXPECT_EQ(message(check_certificate(authority.certificate,
                                      {.private_key = second.private_key, .certificate = node.certificate}, kNow)),
            "the certificate cannot be used: the key is not that of the certificate");
  EXPECT_FALSE(check_certificate("garbage", node, kNow).ok());
  EXPECT_FALSE(check_certificate(authority.certificate, {.private_key = "", .certificate = ""}, kNow).ok());
}

TEST(CertificateTest, RefusesNamesThatWouldMeanMore) {
  const auto authority = *create_authority(kNow, 10);
  EXPECT_FALSE(create_node_certificate(authority, {"a,DNS:evil.example.com"}, kNow, 5).ok());
  EXPECT_FALSE(create_node_certificate(authority, {""}, kNow, 5).ok());
  EXPECT_FALSE(create_client_certificate(authority, "node", kNow, 5).ok());
  EXPECT_FALSE(create_client_certificate(authority, "", kNow, 5).ok());
  // A node may not sign.
  const auto node = *create_node_certificate(authority, {"localhost"}, kNow, 5);
  const auto forged = *create_client_certificate(node, "root", kNow, 5);
  EXPECT_FALSE(check_certificate(authority.certificate, forged, kNow).ok());
  EXPECT_FALSE(check_certificate(node.certificate, forged, kNow).ok());
}

}  // namespace
}  // namespace pando::crypto
