#include "test/cluster_sim/workload.h"

namespace pando::test {

std::unique_ptr<Workload> make_workload(std::string_view name, Scene& scene, Prng& prng) {
  if (name == "bank") {
    return make_bank(scene, prng);
  }
  if (name == "append") {
    return make_append(scene, prng);
  }
  if (name == "register") {
    return make_register(scene);
  }
  if (name == "ring") {
    return make_ring(scene, prng);
  }
  if (name == "past") {
    return make_past(scene, prng);
  }
  return name == "sequence" ? make_sequence(scene) : make_ddl(scene);
}

Level draw_level(Prng& prng) { return static_cast<Level>(prng.below(3)); }

}  // namespace pando::test
