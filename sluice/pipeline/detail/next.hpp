// What a thread goes on with when a node has been run, and what it leaves for later.
#pragma once

#include <sluice/pipeline/detail/ticket.hpp>

namespace sluice::detail {

class Node;
class Gate;
class Edge;

// What a thread goes on with: nothing, or a node and the ticket that it accepted.
struct Next {
  Node* node = nullptr;
  Ticket ticket{};
  bool now = false;  // the ticket's stamp is as good as the time
};

// Gates that have got room and need a thread, but not before what is on its way has one.
class Later {
 public:
  void add(Gate& gate, Edge& back);  // back: on which room travels to the gate
  void send();                       // to oneTBB
  Next take();                       // the gate that came first, for this thread; the others are sent

 private:
  Gate* first_ = nullptr;
};

}  // namespace sluice::detail
