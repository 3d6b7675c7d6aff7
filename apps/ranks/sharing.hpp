// Peers by an engine, of which those on one host see each other's memory.
//
// Who is on one host is found out, not taken from a name alone: a rank sees another one's memory where it can open it,
// and reads there what that one has written. Where it cannot (other hosts, containers, users, a kernel without
// memfd_create), nothing is shared, and everything is sent.
// Order and thread-safety, errors: those of the engine. What was shared stays as long as this.
//
//   Sharing peers(engine, host_name);
//   const stages::SharedMemory memory = peers.share(1 << 20, "the sums of a step");
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sluice/stages/peers.hpp>
#include "apps/ranks/host_memory.hpp"

namespace sluice::apps {

class Sharing final : public stages::Peers {
 public:
  // host: what it calls itself. Those of other names are not asked.
  Sharing(stages::Peers& engine, std::string host) : engine_(engine), host_(std::move(host)) {}

  std::size_t rank() const override { return engine_.rank(); }
  std::size_t ranks() const override { return engine_.ranks(); }
  void swap(std::span<const stages::Outgoing> to, std::span<const stages::Incoming> from, const char* what) override {
    engine_.swap(to, from, what);
  }
  stages::SharedMemory share(std::size_t bytes, const char* what) override;

 private:
  stages::Peers& engine_;
  const std::string host_;
  std::vector<HostMemory> kept_;
};

}  // namespace sluice::apps
