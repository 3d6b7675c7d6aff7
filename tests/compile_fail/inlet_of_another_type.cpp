// What is put into an inlet is of its type.
//
//  words -> end
#include <string>

#include <sluice/pipeline/graph.hpp>

void wire(sluice::Graph& g) {
  sluice::Inlet<std::string> words = g.inlet<std::string>("words");
#ifdef SLUICE_VALID
  if (words.put("word") != sluice::Put::accepted) return;
  g.sink(
      "end", [](const std::string&) {}, words);
#else
  g.sink(
      "end", [](const int&) {}, words);
#endif
}
