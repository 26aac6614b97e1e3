#pragma once

// TwoShardsTest: three nodes with two shards in virtual time: keys from "m" on are led by node 2, those before by
// node 1.

#include <gtest/gtest.h>

#include "test/cluster_store/simulated_cluster.h"

namespace pando::test {

class TwoShardsTest : public testing::Test {
 protected:
  explicit TwoShardsTest(ClusterOptions options = {}) : cluster_(world_, std::move(options)) {}

  void SetUp() override {
    cluster_.found();
    ASSERT_EQ(cluster_.split(ShardId(1), "m", ShardId(2)).to_string(), "OK");
    ASSERT_EQ(cluster_.transfer("x", NodeId(2)).to_string(), "OK");
    ASSERT_EQ(cluster_.transfer("a", NodeId(1)).to_string(), "OK");
    // Until commits are allowed there.
    cluster_.run_for(std::chrono::seconds(1));
  }
  std::unique_ptr<txn::Transaction> begin(uint32_t gateway) {
    auto transaction = cluster_.node(gateway).store().begin({.executor = &world_});
    transaction->begin_statement();
    return transaction;
  }

  sim::World world_{1};
  SimulatedCluster cluster_;
};

}  // namespace pando::test
