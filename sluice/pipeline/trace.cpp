#include <sluice/pipeline/trace.hpp>

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
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

// A body's call on its worker's track.
struct Slice {
  const Event* event;
  std::size_t worker;
  std::int64_t begin = 0, end = 0;  // as written, in ns
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

// Slices of one track, as pairs of a beginning and an end, in order of time. No two events have the same time, by a
// nanosecond where need be: viewers that meet a slice's end beside the next one's beginning take one for the other.
// What differs from call to call stands at the end, which Perfetto shows as the slice's all the same: in a beginning it
// would be part of the name for viewers that add up by name and arguments.
class TrackWriter {
 public:
  TrackWriter(Writer& writer, std::size_t process, std::size_t track)
      : writer_(writer), process_(process), track_(track) {}

  std::int64_t begin(const std::string& name, const std::string& category, Number at) {
    writer_.event(R"({{"name":{},"cat":{},"ph":"B","pid":{},"tid":{},"ts":{}}})", name, category, process_, track_,
                  Writer::us(next(at)));
    return last_;
  }
  std::int64_t end(const std::string& name, const std::string& category, Number at, const std::string& arguments) {
    writer_.event(R"({{"name":{},"cat":{},"ph":"E","pid":{},"tid":{},"ts":{},"args":{{{}}}}})", name, category,
                  process_, track_, Writer::us(next(at)), arguments);
    return last_;
  }

 private:
  std::int64_t next(Number at) { return last_ = std::max(writer_.ns(at), last_ + 1); }

  Writer& writer_;
  std::size_t process_, track_;
  std::int64_t last_ = -1;
};

// One run: its slices, and behind those of all runs what leads from one to another.
class RunWriter {
 public:
  RunWriter(const Recorder& run, std::size_t process) : run_(run), process_(process), slices_(run.shapes.size()) {
    for (std::size_t w = 0; w < run.lanes.size(); ++w)
      for (const Event& e : run.lanes[w].bodies) slices_[e.stage].push_back({&e, w});
    for (auto& of_stage : slices_)
      std::sort(of_stage.begin(), of_stage.end(),
                [](const Slice& a, const Slice& b) { return a.event->first < b.event->first; });
    for (const auto& shape : run.shapes) names_.push_back(detail::json_string(shape.name));
  }

  void each_slice(const std::function<void(Slice&)>& f) {
    for (auto& of_stage : slices_)
      for (Slice& slice : of_stage) f(slice);
  }
  void begin(Slice& slice, TrackWriter& track) const {
    slice.begin = track.begin(names_[slice.event->stage], graph_, slice.event->begin);
  }
  void end(Slice& slice, TrackWriter& track) const {
    const Event& e = *slice.event;
    slice.end = track.end(names_[e.stage], graph_, e.end,
                          fmt::format(R"("run":{},"sequence":{},"messages":{})", run_.run, e.first, e.count));
  }

  void write_run(TrackWriter& track) const {
    track.begin(graph_, R"("run")", run_.begin);
    track.end(graph_, R"("run")", run_.end, fmt::format(R"("run":{})", run_.run));
  }

  void write_arrows(Writer& writer, Number& arrows) const {
    for (std::size_t s = 0; s < slices_.size(); ++s)
      for (const std::size_t input : run_.shapes[s].inputs) write_arrows(writer, arrows, input, s);
  }

  void write_queues(Writer& writer) const {
    for (const auto& lane : run_.lanes)
      for (const detail::Fill& fill : lane.fills)
        writer.event(R"({{"name":{},"ph":"C","pid":{},"ts":{},"args":{{"messages":{}}}}})",
                     detail::json_string(run_.graph + ": queue after " + run_.shapes[fill.stage].name), process_,
                     Writer::us(writer.ns(fill.at)), fill.messages);
  }

 private:
  // From each slice that made a message to each that read it.
  void write_arrows(Writer& writer, Number& arrows, std::size_t from, std::size_t to) const {
    for (const Slice& reader : slices_[to]) {
      const auto [first, last] = read_by(run_.shapes[to], *reader.event);
      auto maker = std::partition_point(slices_[from].begin(), slices_[from].end(), [first = first](const Slice& s) {
        return s.event->first + s.event->count <= first;
      });
      for (; maker != slices_[from].end() && maker->event->first < last; ++maker)
        write_arrow(writer, ++arrows, *maker, reader);
    }
  }

  // Both ends lie within their slices, and the arrow never points back in time.
  void write_arrow(Writer& writer, Number id, const Slice& maker, const Slice& reader) const {
    const std::int64_t made = maker.end - 1, read = std::clamp(made, reader.begin, reader.end - 1);
    writer.event(R"({{"name":"message","cat":"flow","ph":"s","id":{},"pid":{},"tid":{},"ts":{}}})", id, process_,
                 maker.worker + 1, Writer::us(std::min(made, read)));
    writer.event(R"({{"name":"message","cat":"flow","ph":"f","bp":"e","id":{},"pid":{},"tid":{},"ts":{}}})", id,
                 process_, reader.worker + 1, Writer::us(read));
  }

  const Recorder& run_;
  const std::size_t process_;
  const std::string graph_ = detail::json_string(run_.graph);
  std::vector<std::vector<Slice>> slices_;  // by stage, in the order of their messages
  std::vector<std::string> names_;
};

// What a worker did, of all graphs that ran on it.
void write_worker(std::vector<std::pair<Slice*, const RunWriter*>>& slices, TrackWriter track) {
  // Of those that begin at one time, as many do on a slow clock, what took no time came before what took some.
  const auto took_time = [](const Event& event) { return event.end > event.begin; };
  std::sort(slices.begin(), slices.end(), [took_time](const auto& a, const auto& b) {
    const Event &one = *a.first->event, &other = *b.first->event;
    if (one.begin != other.begin) return one.begin < other.begin;
    if (took_time(one) != took_time(other)) return took_time(other);
    return one.end > other.end;
  });
  // A body may wait in a parallel loop of its own, and its worker call another one meanwhile.
  std::vector<std::pair<Slice*, const RunWriter*>> open;
  const auto close = [&] {
    open.back().second->end(*open.back().first, track);
    open.pop_back();
  };
  for (const auto& [slice, run] : slices) {
    while (!open.empty() && open.back().first->event->end <= slice->event->begin) close();
    run->begin(*slice, track);
    open.emplace_back(slice, run);
  }
  while (!open.empty()) close();
}

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
  std::vector<RunWriter> runs;
  for (const auto& run : impl_->runs) runs.emplace_back(*run, processes[run->arena]);
  std::map<std::pair<std::size_t, std::size_t>, std::vector<std::pair<Slice*, const RunWriter*>>> workers;
  for (std::size_t r = 0; r < runs.size(); ++r)
    runs[r].each_slice([&](Slice& slice) {
      workers[{processes[impl_->runs[r]->arena], slice.worker + 1}].emplace_back(&slice, &runs[r]);
    });
  for (auto& [track, slices] : workers) write_worker(slices, TrackWriter(writer, track.first, track.second));
  // Graphs may run at the same time, also those of one name: on each track for runs, behind those of the workers, one
  // comes behind the other.
  struct Track {
    TrackWriter writer;
    Number end;
  };
  std::map<std::pair<const void*, std::string>, std::deque<Track>> tracks;
  Number arrows = 0;
  std::size_t tid = first_run_track;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const Recorder& run = *impl_->runs[r];
    std::deque<Track>& its = tracks[{run.arena, run.graph}];
    auto track = std::find_if(its.begin(), its.end(), [&](const Track& one) { return one.end <= run.begin; });
    if (track == its.end()) {
      name_track(writer, processes[run.arena], tid, "runs of " + run.graph);
      its.push_back({TrackWriter(writer, processes[run.arena], tid++), 0});
      track = std::prev(its.end());
    }
    track->end = run.end;
    runs[r].write_run(track->writer);
    runs[r].write_arrows(writer, arrows);
    runs[r].write_queues(writer);
  }
  writer.finish();
}

}  // namespace sluice
