// The most frequent words of text files, compressed or plain.
//
//  inflate -> words -> count -> merge
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include <sluice/stages/inflate.hpp>

using sluice::stages::Chunk;
using Counts = std::map<std::string, std::size_t>;

bool in_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '\'';
}

// The chunks of all files, one after the other; between two files a chunk without bytes ends the last word.
class Files {
 public:
  using Output = Chunk;
  explicit Files(std::vector<std::string> paths) {
    for (auto& path : paths) files_.push_back(sluice::stages::Inflate{.path = path});
  }
  bool operator()(Chunk& out) {
    if (next_ == files_.size()) return false;
    if (!files_[next_](out)) out = Chunk{}, ++next_;
    return true;
  }

 private:
  std::vector<sluice::stages::Inflate> files_;
  std::size_t next_ = 0;
};

// Chunks -> texts of whole words: what a chunk's end cuts off begins the next text.
class WholeWords {
 public:
  using Output = std::string;
  void push(const Chunk& chunk) {
    const std::string text(chunk.data, chunk.data + chunk.size);
    const auto end = text.empty() ? text.rend() : std::find_if_not(text.rbegin(), text.rend(), in_word);
    const auto cut = text.empty() ? 0 : static_cast<std::size_t>(text.rend() - end);
    if (text.empty() || cut > 0)
      ready_ = std::exchange(rest_, text.substr(cut)) + text.substr(0, cut);
    else
      rest_ += text;
  }
  bool pull(std::string& out) {
    if (ready_.empty()) return false;
    out = std::exchange(ready_, {});
    return true;
  }
  void finish() { ready_ = std::exchange(rest_, {}); }

 private:
  std::string ready_, rest_;
};

struct Count {
  Counts operator()(const std::string& text) const {
    Counts counts;
    std::string word;
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (i < text.size() && in_word(text[i]))
        word += static_cast<char>(std::tolower(static_cast<unsigned char>(text[i])));
      else if (!word.empty())
        ++counts[std::exchange(word, {})];
    }
    return counts;
  }
};

int main(int argc, char** argv) try {
  Counts total;
  sluice::Graph g("word_count");
  auto chunks = g.source("inflate", Files({argv + 1, argv + argc}), sluice::capacity(4));
  auto texts = g.expand("words", WholeWords{}, chunks);
  auto counts = g.map("count", Count{}, texts, sluice::unlimited);
  g.sink(
      "merge",
      [&](const Counts& some) {
        for (auto& [word, n] : some) total[word] += n;
      },
      counts);
  g.run();

  std::vector<std::pair<std::string, std::size_t>> words(total.begin(), total.end());
  std::stable_sort(words.begin(), words.end(), [](auto& a, auto& b) { return a.second > b.second; });
  for (std::size_t i = 0; i < std::min<std::size_t>(10, words.size()); ++i)
    std::printf("%7zu %s\n", words[i].second, words[i].first.c_str());
} catch (const std::exception& e) {
  std::fprintf(stderr, "word_count: %s\n", e.what());
  return 1;
}
