#include "apps/ranks/sharing.hpp"

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <system_error>

namespace sluice::apps {
namespace {

using nlohmann::ordered_json;
using Secret = std::array<std::uint64_t, 2>;

// Of one size on all ranks.
using Ticket = std::array<char, 1024>;

constexpr std::size_t page = 4096;

}  // namespace

stages::SharedMemory Sharing::share(std::size_t bytes, const char* what) {
  const std::size_t n = ranks(), mine = rank();
  stages::SharedMemory shared{.of = std::vector<const std::byte*>(n), .seen_by = std::vector<unsigned char>(n)};
  const std::size_t at = (bytes + page - 1) / page * page;  // of what proves that it is this memory, behind the rest
  std::vector<Ticket> tickets(n);
  std::byte* own = nullptr;
  try {
    HostMemory memory = HostMemory::make("sluice sums");
    own = memory.write(at + sizeof(Secret));
    Secret secret{};
    if (::getrandom(secret.data(), sizeof secret, 0) != sizeof secret) secret = {};
    std::memcpy(own + at, secret.data(), sizeof secret);
    ordered_json ticket = memory.offer();
    ticket["host"] = host_, ticket["secret"] = secret;
    const std::string text = ticket.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    if (text.size() < tickets[mine].size()) text.copy(tickets[mine].data(), text.size());
    kept_.push_back(std::move(memory));
  } catch (const std::system_error&) {
    own = nullptr;  // an empty ticket: it will be sent
  }
  std::vector<stages::Outgoing> to(n, {tickets[mine].data(), sizeof(Ticket)});
  std::vector<stages::Incoming> from(n);
  for (std::size_t r = 0; r < n; ++r) from[r] = {tickets[r].data(), sizeof(Ticket)};
  engine_.swap(to, from, what);

  std::vector<unsigned char> sees(n);
  for (std::size_t r = 0; r < n; ++r) {
    const ordered_json ticket = ordered_json::parse(tickets[r].data(), nullptr, false);
    if (r == mine || !ticket.is_object() || ticket["host"].get_ref<const std::string&>() != host_) continue;
    try {
      HostMemory memory = HostMemory::see(ticket);
      const Secret secret = ticket["secret"];
      if (memory.bytes() != at + sizeof secret || std::memcmp(memory.pages() + at, secret.data(), sizeof secret) != 0)
        continue;
      shared.of[r] = memory.pages(), sees[r] = 1;
      kept_.push_back(std::move(memory));
    } catch (const HostMemory::OutOfReach&) {
    } catch (const std::system_error&) {
    }
  }
  for (std::size_t r = 0; r < n; ++r) to[r] = {&sees[r], 1}, from[r] = {&shared.seen_by[r], 1};
  engine_.swap(to, from, what);
  shared.seen_by[mine] = 0;
  for (std::size_t r = 0; r < n; ++r)
    if (shared.seen_by[r]) shared.own = own;
  return shared;
}

}  // namespace sluice::apps
