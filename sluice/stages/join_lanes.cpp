#include <sluice/stages/join_lanes.hpp>

namespace sluice::stages {

void JoinLanes::operator()(const std::tuple<Batch, Batch>& in, Batch& out) const {
  const auto& [a, b] = in;
  const auto both = [](const auto& first, const auto& second, auto& to) {
    to.assign(first.begin(), first.end());
    to.insert(to.end(), second.begin(), second.end());
  };
  out.rows.reserve(rows), out.labels.reserve(rows);
  both(a.rows, b.rows, out.rows);
  both(a.labels, b.labels, out.labels);
  both(a.owners, b.owners, out.owners);
  both(a.runs, b.runs, out.runs);
  for (std::size_t run = a.runs.size(); run < out.runs.size(); ++run) out.runs[run].first_row += a.count();
  out.upcoming.clear();
  out.pixels = a.pixels, out.columns = a.columns, out.planes = a.planes, out.type = a.type;
  out.step = a.step;
}

// With the pixels, which lie in what the owners hold.
std::optional<std::size_t> JoinLanes::payload_bytes() const {
  if (!item_bytes) return std::nullopt;
  return rows * (item_bytes + sizeof(const std::uint8_t*) + sizeof(std::uint16_t)) +
         rows * (sizeof(Shared<Bytes>) + sizeof(RowRun));
}

}  // namespace sluice::stages
