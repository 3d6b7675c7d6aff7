#include "apps/ranks/sharing.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstddef>
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
  HostMemory memory;  // kept where somebody sees it
  std::byte* own = nullptr;
  try {
    memory = HostMemory::make("sluice sums");
    own = memory.write(at + sizeof(Secret));
    Secret secret{};
    if (::getrandom(secret.data(), sizeof secret, 0) != sizeof secret) secret = {};
    std::memcpy(own + at, secret.data(), sizeof secret);
    ordered_json ticket = memory.offer();
    ticket["host"] = host_, ticket["secret"] = secret;
    const std::string text = ticket.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    if (text.size() < tickets[mine].size()) text.copy(tickets[mine].data(), text.size());
  } catch (const std::system_error&) {
    own = nullptr;  // an empty ticket: it will be sent
  }
  std::vector<stages::Outgoing> to(n, {tickets[mine].data(), sizeof(Ticket)});
  std::vector<stages::Incoming> from(n);
  for (std::size_t r = 0; r < n; ++r) from[r] = {tickets[r].data(), sizeof(Ticket)};
  engine_.swap(to, from, what);

  std::vector<unsigned char> sees(n);
  for (std::size_t r = 0; r < n; ++r) {
    if (r == mine) continue;
    try {
      const ordered_json ticket = ordered_json::parse(tickets[r].data());
      if (ticket.at("host").get<std::string>() != host_) continue;
      const Secret secret = ticket.at("secret");
      HostMemory its = HostMemory::see(ticket);
      if (its.bytes() != at + sizeof secret || std::memcmp(its.pages() + at, secret.data(), sizeof secret) != 0)
        continue;
      shared.of[r] = its.pages(), sees[r] = 1;
      kept_.push_back(std::move(its));
    } catch (const HostMemory::OutOfReach&) {
    } catch (const std::system_error&) {
    } catch (const nlohmann::json::exception&) {  // an empty ticket, or none of this program
    }
  }
  for (std::size_t r = 0; r < n; ++r) to[r] = {&sees[r], 1}, from[r] = {&shared.seen_by[r], 1};
  engine_.swap(to, from, what);
  shared.seen_by[mine] = 0;
  if (std::count(shared.seen_by.begin(), shared.seen_by.end(), 1) > 0) {
    shared.own = own;
    kept_.push_back(std::move(memory));
  }
  // Whether each sees each: what all have to know alike.
  const auto others = static_cast<std::ptrdiff_t>(n - 1);
  std::vector<unsigned char> all(n, std::count(sees.begin(), sees.end(), 1) == others);
  const unsigned char all_of_mine = all[mine];
  for (std::size_t r = 0; r < n; ++r) to[r] = {&all_of_mine, 1}, from[r] = {&all[r], 1};
  engine_.swap(to, from, what);
  all[mine] = all_of_mine;
  shared.of_all = std::count(all.begin(), all.end(), 1) == static_cast<std::ptrdiff_t>(n);
  return shared;
}

}  // namespace sluice::apps
