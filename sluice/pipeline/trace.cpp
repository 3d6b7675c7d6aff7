#include <sluice/pipeline/trace.hpp>

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <sluice/pipeline/detail/clock.hpp>
#include <sluice/pipeline/detail/recorder.hpp>
#include <sluice/pipeline/detail/text.hpp>
#include <sluice/pipeline/detail/trace_log.hpp>
#include <sluice/pipeline/detail/verb_table.hpp>

namespace sluice {
namespace {

using detail::Event;
using detail::Number;
using detail::Range;
using detail::Recorder;

// A slice of a track.
struct Slice {
  const Event* event;
  std::size_t worker;
};

// Writes the events of one trace as JSON, one a line.
class Writer {
 public:
  Writer(std::ostream& out, Number begin) : out_(out), begin_(begin), seconds_(detail::seconds_per_tick()) {
    out_ << "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n";
  }
  void finish() {
    flush();
    out_ << "\n]}\n";
  }

  template <class... Args>
  void event(fmt::format_string<Args...> format, Args&&... args) {
    if (std::exchange(any_, true)) buffer_ += ",\n";
    fmt::format_to(std::back_inserter(buffer_), format, std::forward<Args>(args)...);
    if (buffer_.size() > (1 << 16)) flush();
  }
  // Whole nanoseconds: what is added up again stays exact.
  std::int64_t ns(Number at) const {
    return std::llround(static_cast<double>(at - std::min(at, begin_)) * seconds_ * 1e9);
  }
  static std::string us(std::int64_t ns) { return fmt::format("{}.{:03}", ns / 1000, ns % 1000); }

 private:
  void flush() {
    out_ << buffer_;
    buffer_.clear();
  }
  std::ostream& out_;
  Number begin_;
  double seconds_;
  std::string buffer_;
  bool any_ = false;
};

// The messages of an input that a slice read.
Range read_by(const Recorder::Shape& stage, const Event& e) {
  if (!stage.numbering.fixed) return {e.taken_first, e.taken_first + e.taken};
  return stage.numbering.read_by(e.first, e.count);
}

class RunWriter {
 public:
  RunWriter(Writer& writer, const Recorder& run, std::size_t process, std::size_t runs, Number& arrows)
      : writer_(writer), run_(run), process_(process), runs_(runs), arrows_(arrows), slices_(run.shapes.size()) {
    for (std::size_t w = 0; w < run.lanes.size(); ++w)
      for (const Event& e : run.lanes[w].bodies) slices_[e.stage].push_back({&e, w});
    for (auto& of_stage : slices_)
      std::sort(of_stage.begin(), of_stage.end(),
                [](const Slice& a, const Slice& b) { return a.event->first < b.event->first; });
    for (const auto& shape : run.shapes) names_.push_back(detail::json_string(shape.name));
  }

  void write() {
    writer_.event(R"({{"name":{},"cat":"run","ph":"X","pid":{},"tid":{},"ts":{},"dur":{},"args":{{"run":{}}}}})",
                  detail::json_string(run_.graph), process_, runs_, Writer::us(writer_.ns(run_.begin)),
                  Writer::us(writer_.ns(run_.end) - writer_.ns(run_.begin)), run_.run);
    for (std::size_t s = 0; s < slices_.size(); ++s) {
      for (const Slice& slice : slices_[s]) body(s, slice);
      for (const std::size_t input : run_.shapes[s].inputs) arrows(input, s);
    }
    for (const auto& lane : run_.lanes)
      for (const detail::Fill& fill : lane.fills)
        writer_.event(R"({{"name":{},"ph":"C","pid":{},"ts":{},"args":{{"messages":{}}}}})",
                      detail::json_string(run_.graph + ": queue after " + run_.shapes[fill.stage].name), process_,
                      Writer::us(writer_.ns(fill.at)), fill.messages);
  }

 private:
  void body(std::size_t stage, const Slice& slice) {
    const Event& e = *slice.event;
    writer_.event(
        R"({{"name":{},"cat":{},"ph":"X","pid":{},"tid":{},"ts":{},"dur":{},"args":{{"run":{},"sequence":{},"messages":{}}}}})",
        names_[stage], detail::json_string(run_.graph), process_, slice.worker + 1, Writer::us(writer_.ns(e.begin)),
        Writer::us(writer_.ns(e.end) - writer_.ns(e.begin)), run_.run, e.first, e.count);
  }

  // From each slice that made a message to each that read it.
  void arrows(std::size_t from, std::size_t to) {
    for (const Slice& reader : slices_[to]) {
      const auto [first, last] = read_by(run_.shapes[to], *reader.event);
      auto maker = std::partition_point(slices_[from].begin(), slices_[from].end(), [first = first](const Slice& s) {
        return s.event->first + s.event->count <= first;
      });
      for (; maker != slices_[from].end() && maker->event->first < last; ++maker) arrow(*maker, reader);
    }
  }

  // Both ends lie within their slices, and the arrow never points back in time.
  void arrow(const Slice& maker, const Slice& reader) {
    const auto last_of = [this](const Slice& s) {
      return std::max(writer_.ns(s.event->begin), writer_.ns(s.event->end) - 1);
    };
    const std::int64_t made = last_of(maker), begin = writer_.ns(reader.event->begin),
                       read = std::clamp(made, begin, std::max(begin, last_of(reader)));
    const Number id = ++arrows_;
    writer_.event(R"({{"name":"message","cat":"flow","ph":"s","id":{},"pid":{},"tid":{},"ts":{}}})", id, process_,
                  maker.worker + 1, Writer::us(std::min(made, read)));
    writer_.event(R"({{"name":"message","cat":"flow","ph":"f","bp":"e","id":{},"pid":{},"tid":{},"ts":{}}})", id,
                  process_, reader.worker + 1, Writer::us(read));
  }

  Writer& writer_;
  const Recorder& run_;
  std::size_t process_, runs_;  // and the track of the runs
  Number& arrows_;
  std::vector<std::vector<Slice>> slices_;  // by stage, in the order of their messages
  std::vector<std::string> names_;
};

constexpr std::size_t first_run_track = 10'000;  // there are fewer workers

void name_track(Writer& writer, std::size_t pid, std::size_t tid, const std::string& name) {
  writer.event(R"({{"name":"thread_name","ph":"M","pid":{},"tid":{},"args":{{"name":{}}}}})", pid, tid,
               detail::json_string(name));
  writer.event(R"({{"name":"thread_sort_index","ph":"M","pid":{},"tid":{},"args":{{"sort_index":{}}}}})", pid, tid,
               tid);
}

}  // namespace

Trace::Trace(std::size_t steps) : impl_(std::make_unique<Impl>(steps)) {}
Trace::~Trace() = default;

std::size_t Trace::events() const {
  const std::lock_guard lock(impl_->mutex);
  std::size_t sum = 0;
  for (const auto& run : impl_->runs)
    for (const auto& lane : run->lanes) sum += lane.bodies.size();
  return sum;
}

void Trace::write(std::ostream& out) const {
  const std::lock_guard lock(impl_->mutex);
  Writer writer(out, impl_->begin);
  std::map<const void*, std::size_t> processes;  // of arenas, each with the workers that it has
  for (const auto& run : impl_->runs) {
    const auto [at, fresh] = processes.try_emplace(run->arena, processes.size() + 1);
    if (!fresh) continue;
    const std::size_t pid = at->second;
    writer.event(R"({{"name":"process_name","ph":"M","pid":{},"args":{{"name":"sluice"}}}})", pid);
    for (std::size_t worker = 0; worker < run->lanes.size(); ++worker)
      name_track(writer, pid, worker + 1, fmt::format("worker {}", worker));
  }
  // Graphs may run at the same time: each has a track for its runs, behind those of the workers.
  std::map<std::pair<const void*, std::string>, std::size_t> runs;
  Number arrows = 0;
  for (const auto& run : impl_->runs) {
    const auto [track, fresh] = runs.try_emplace({run->arena, run->graph}, first_run_track + runs.size());
    const std::size_t pid = processes[run->arena];
    if (fresh) name_track(writer, pid, track->second, "runs of " + run->graph);
    RunWriter(writer, *run, pid, track->second, arrows).write();
  }
  writer.finish();
}

}  // namespace sluice
